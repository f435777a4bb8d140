"""How many pledges were kept at the end of each month, as their pages say of that day.

Rows tell it of most. Where the record of a pledge changed between its evidence and that day, or
something that the evidence rests on ended, its bundles are read as its page reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from collector.errors import CollectorError
from collector.pledges.database.rows import Evidence, current
from collector.pledges.database.transactions import DatabaseAwayError
from collector.pledges.due.lifecycle import continued, state
from collector.pledges.record.times import CHINA, waiver_end, while_it_held
from collector.pledges.register import over_time
from collector.pledges.register.over_time import Then
from collector.pledges.register.present import in_order, present
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.standing.due import too_old
from collector.pledges.standing.listing import Listed
from collector.pledges.standing.status import status
from collector.web.reading.broken import may_be
from collector.web.reading.customer import Dossier
from collector.web.reading.standings import PAST, standing_of

MOST = 12


class Monthly:
    """Remembers what it read of bundles, for as long as nothing of that pledge and day changes."""

    def __init__(self) -> None:
        self._versions: over_time.Known = {}
        self._renewed: frozenset[str] = frozenset()
        self._words: dict[tuple[str, datetime], tuple[str, str]] = {}

    def months(
        self,
        register: ReadOnlyRegister,
        every: Sequence[Listed],
        attached: Mapping[str, Sequence[Evidence]],
        now: datetime,
        broken: Mapping[str, bool] = MappingProxyType({}),
    ) -> list[dict[str, object]]:
        """The last twelve, the oldest first, each with its last day and the counts by standing.

        `attached`: all evidence, void ones as well. A pledge is there from its first evidence on,
        up to its end. `broken`: of which another look than the newest says so now.
        """
        void, versions = register.void(), register.versions(self._versions)
        mixed = [id for id, rows in attached.items() if id in void or not in_order(rows)]
        once_void = register.ever_void(mixed)
        found = []
        for end in _ends(now):
            if end == now:
                self._renewed = continued([one.record for one in every])
            else:
                self._renewed = _continued_by(versions, end)
            counts = dict.fromkeys(("kept", "partly", "unverified", "broken"), 0)
            for one in every:
                id, gone = one.record.id, void.get(one.record.id, frozenset())
                rows = [
                    row
                    for row in attached.get(id, ())
                    if row.attached_at <= end and row.sequence not in gone
                ]
                rows = list(present(rows)) if id in once_void else rows
                known = one if end == now else _as_it_was(one, versions.get(id, ()), end)
                if not rows or self._is_over(known, end):
                    continue
                if end == now:
                    word = "broken" if broken.get(id) else standing_of(one)
                else:
                    word = self._word(register, known, rows, versions.get(id, ()), end)
                counts[word] += 1
            found.append({"day": end.astimezone(CHINA).date().isoformat(), **counts})
        return found

    def _is_over(self, one: Listed, end: datetime) -> bool:
        """No such customer was there at the end of the month, or had signed."""
        day, renewed = end.astimezone(CHINA).date(), one.record.id in self._renewed
        return state(one.record, day, renewed=renewed) in PAST

    def _word(
        self,
        register: ReadOnlyRegister,
        one: Listed,
        rows: Sequence[Evidence],
        versions: Sequence[Then],
        end: datetime,
    ) -> str:
        """Of STANDINGS, at the end of a month that is over."""
        then = over_time.at(versions, end)
        old = too_old(one.record, rows, end, renewed=one.record.id in self._renewed)
        as_rows_say = replace(one, evidence=rows, stale=old is not None)
        word = standing_of(as_rows_say)
        last = current(rows)
        if word == "broken" or last is None or last.refused:
            return word
        # a waiver may have ended, which rows do not tell
        waived = any(version.ends for version in versions)
        before = _rested_on(last, versions)
        if (
            not may_be(as_rows_say, rows, waived=waived)
            and not (word in ("kept", "partly") and _changed(last, before, then, end))
            and not _waived_no_more(last, before, then, end)
        ):
            return word
        seal = f"{[(row.digest, row.refused) for row in rows]} {then}"
        if self._words.get((one.record.id, end), ("", ""))[0] != seal:
            said = _read(register, one.record.id, end)
            if said is None:
                # that may be over in a moment
                return "unverified"
            self._words[one.record.id, end] = seal, said
        return self._words[one.record.id, end][1]


def _as_it_was(one: Listed, versions: Sequence[Then], end: datetime) -> Listed:
    """With the grade and the life that its record had at the end of a month that is over.

    Of a version that was emptied since nothing is told but that, and the present one says it.
    """
    then = over_time.at(versions, end)
    if then is None or then.life is None:
        return one
    left = {name: said for name, said in one.record.document.items() if name not in over_time.LIFE}
    document = {**left, **then.life, "grade": then.grade}
    return replace(one, record=replace(one.record, document=document))


def _continued_by(versions: Mapping[str, Sequence[Then]], end: datetime) -> frozenset[str]:
    """The pledges that another one continued at the end of a month that is over."""
    then = (over_time.at(every, end) for every in versions.values())
    return frozenset(one.renews for one in then if one is not None and one.renews)


def _rested_on(last: Evidence, versions: Sequence[Then]) -> Then | None:
    """The version of the record that the evidence was made with."""
    number = last.version
    if number is not None and number <= len(versions):
        return versions[number - 1]
    return over_time.at(versions, last.attached_at)


def _changed(last: Evidence, before: Then | None, then: Then | None, end: datetime) -> bool:
    """May what the evidence proved when it was attached not have held at the end of the month?"""
    if before is None or then is None or last.absent:
        return True
    return (
        (before.grade, before.hosts, before.rests) != (then.grade, then.hosts, then.rests)
        # what a version between took out, and the next put in again
        or any(last.collected_at < at <= end for at in (*before.ends, *then.ends))
    )


def _waived_no_more(last: Evidence, before: Then | None, then: Then | None, end: datetime) -> bool:
    """Had the evidence a waiver that was withdrawn, or had ended, by the end of the month?

    A clause that a row calls not verified, for it was short of something, may be broken then.
    """
    if before is None or then is None:
        return False
    held = {(control, host) for control, host, until in then.waivers if waiver_end(until) > end}
    return any(
        waiver_end(until) > last.collected_at and not {(control, host), (control, "*")} & held
        for control, host, until in before.waivers
    )


def _read(register: ReadOnlyRegister, id: str, end: datetime) -> str | None:
    """As the page says of that day; None where it cannot be read."""
    moment = while_it_held(end.astimezone(CHINA).date())
    try:
        version = [one for one in register.history(id) if one.added_at <= end][-1]
        evidence = tuple(one for one in register.evidence(id) if one.attached_at <= end)
        # what is not declared counts for another clause
        found = status(version.record, evidence, moment, renewed=False, shown=lambda _newest: ())
    except DatabaseAwayError:
        raise
    except (CollectorError, IndexError):
        return None
    day = moment.astimezone(CHINA).date()
    return Dossier(
        version.record, version, 1, evidence, found, moment, day, False, False, ()
    ).standing


def _ends(now: datetime) -> list[datetime]:
    """The last moments of the months before this one, and now."""
    found = [now]
    at = now.astimezone(CHINA)
    while len(found) < MOST:
        at = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0) - timedelta.resolution
        found.append(at)
    return found[::-1]
