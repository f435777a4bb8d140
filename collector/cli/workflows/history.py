"""What the register adds to the report of a bundle: how the pledge went until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from collector.cli.ui.language import lang, tr
from collector.errors import CollectorError
from collector.i18n.message import in_chinese

if TYPE_CHECKING:
    from collector.pledges.due.deadlines import Due
    from collector.pledges.register.register import Register
    from collector.pledges.standing.status import Status
    from collector.pledges.status.findings import Life
    from collector.report.model.compared import Compared
    from collector.report.model.standings import Outdated, Since, Standings
    from collector.report.model.trend import Trend
    from collector.verify import Bundle

# how far the due list of the workbook looks ahead
_YEAR = timedelta(days=366)


class Kept:
    """What the register knows of the bundle's pledge; nothing where the bundle is not of it."""

    def __init__(self, register: Register, id: str, *, renewed: bool | None = None) -> None:
        """`renewed`: another record says that it continues this one; None where it is to be seen.

        Whoever reports on thousands of pledges looks once for all of them.
        """
        self._register = register
        self._record = register.get(id)
        self._evidence = register.evidence(id)
        self._renewed = renewed
        self._stands: Status | None = None

    def has(self, digest: str) -> bool:
        """Is the bundle attached to the pledge?"""
        return self._place(digest) is not None

    def checkpoint(self, digest: str) -> str:
        """The kept checkpoint of the register's log over this bundle; empty where there is none."""
        return self._register.checkpoint_over(digest) or ""

    def trend(self, digest: str) -> Trend | None:
        from collector.pledges.database.rows import past_ones
        from collector.report.model.history import history
        from collector.report.model.trend import trend

        here = self._place(digest)
        if here is None:
            return None

        def said(problem: CollectorError) -> str:
            return in_chinese(problem.said) if lang() == "zh" else str(problem)

        past = past_ones(self._evidence)
        shown = [e for e in self._evidence[:here] if e.sequence not in past]
        return trend(history([*shown, self._evidence[here]], said), lang())

    def before(self, digest: str) -> Path | None:
        """Where the bundle before it is kept; None where it is gone: the trend says so."""
        from collector.pledges.database.rows import current

        here = self._place(digest)
        last = current(self._evidence[:here]) if here else None
        if last is None:
            return None
        place = last.path
        return place if place.exists() else None

    def compared(self, opened: Bundle) -> Compared | None:
        """What became of the findings of the bundle before it, which was verified when attached."""
        from collector.verify import open_bundle

        place = self.before(opened.digest)
        return compared_with(opened, partial(open_bundle, place)) if place else None

    def standings(self, digest: str, now: datetime) -> Standings | None:
        """None where the bundle is not the newest evidence: the record has gone on since."""
        from collector.report.model.standings import standings

        found = self._status(digest, now)
        return None if found is None else standings(found.clauses, now, lang())

    def outdated(self, digest: str, now: datetime) -> Outdated | None:
        """Why a bundle of the pledge does not say how it is now; None where it does.

        And None where the register does not have it: then nobody here knows.
        """
        from collector.pledges.database.rows import current
        from collector.report.model.standings import older_than, void_since

        if (entry := self._void(digest)) is not None:
            return void_since(entry)
        last = current(self._evidence)
        if last is None or last.digest == digest or not self.has(digest):
            return None
        return older_than(last, self.since(last.digest, now))

    def _void(self, digest: str) -> Mapping[str, Any] | None:
        """What the record says of it, where it is void."""
        from collector.pledges.record.voiding import voided

        return next((entry for entry in voided(self._record) if entry["digest"] == digest), None)

    def since(self, digest: str, now: datetime) -> Mapping[str, Since]:
        """What the clauses of the controls come to `now`; empty where it is not the newest.

        Of what is void nothing follows, so each is not verified.
        """
        from collector.catalog import clauses
        from collector.model import Result
        from collector.report.model.standings import Since, since, void_since

        if (entry := self._void(digest)) is not None:
            why = void_since(entry).text
            return {id: Since(Result.ERROR, (why,), refused=True) for id in clauses()}
        found = self._status(digest, now)
        if found is None:
            return {}
        return since(found.clauses, refused=bool(found.evidence and found.evidence.refused))

    def _status(self, digest: str, now: datetime) -> Status | None:
        from collector.cli.workflows.pledge_status import status
        from collector.pledges.database.rows import current

        last = current(self._evidence)
        if last is None or last.digest != digest:
            return None
        if self._stands is None:
            self._stands = status(
                self._record,
                self._evidence,
                now,
                renewed=self._is_renewed(),
                shown=self._register.shown,
            )
        return self._stands

    def due(self, now: datetime) -> tuple[Due, ...]:
        from collector.pledges.standing.due import due
        from collector.pledges.standing.finding_history import lives_where_due

        return due(
            self._record,
            self._evidence,
            now,
            within=_YEAR,
            renewed=self._is_renewed(),
            lives=lives_where_due(self._register, self._record, now, now + _YEAR),
        )

    def lives(self, now: datetime) -> tuple[Life, ...]:
        """What became of every finding; raises BadInput where a bundle cannot be read."""
        from collector.pledges.standing.found_now import lives_at

        return lives_at(self._record, self._evidence, now, renewed=self._is_renewed())

    def _is_renewed(self) -> bool:
        if self._renewed is None:
            self._renewed = self._record.id in self._register.renewed()
        return self._renewed

    def _place(self, digest: str) -> int | None:
        return next((n for n, e in enumerate(self._evidence) if e.digest == digest), None)


def compared_with(
    opened: Bundle, earlier: Callable[[], Bundle], *, asked: bool = False
) -> Compared | None:
    """What became of the findings of the bundle that `earlier` opens.

    One that nobody asked for may be damaged: that is said, and the report made without it.
    """
    from collector import replay
    from collector.report.model.compared import compared

    try:
        with earlier() as old:
            found = replay.diff(old, opened)
            return compared(old.frame, old.digest, found, opened.frame["controls"], lang())
    except CollectorError as problem:
        if asked:
            raise
        click.echo(
            tr(
                f"未与上一份证据对照：{in_chinese(problem.said)}",
                f"not held against the bundle before: {problem}",
            ),
            err=True,
        )
        return None
