"""What checks found, over several pledges: one row each, for people, programs and Excel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from collector.catalog import words
from collector.cli.commands.pledge import strangers
from collector.cli.options.findings import Asked
from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.ui.sheets import as_csv, as_xlsx
from collector.cli.workflows.desk.past_day import DestroyedError
from collector.errors import BadInput, one_line
from collector.export.envelope import as_json
from collector.i18n.message import in_chinese
from collector.model import Result, Text
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA, while_it_held
from collector.report.model import found as found_model

# of pledges without evidence so many are named
_NAMED = 3

if TYPE_CHECKING:
    from collector.cli.workflows.desk.past_day import PastDay
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register
    from collector.pledges.standing.then import Then
    from collector.pledges.status.findings import Life

    Row = tuple[PledgeRecord, Life]


class Found:
    """The findings of the pledges named, or of all of them.

    A pledge whose bundles cannot be read is named on stderr, and the others go on. `past`: as they
    were at the end of a day; what was not on record by then is left out, unless it is named.
    """

    def __init__(
        self, register: Register, ids: Sequence[str], now: datetime, past: PastDay | None = None
    ) -> None:
        self._register, self._now, self._past = register, now, past
        self._ids = list(dict.fromkeys(ids)) or [known.id for known in register.briefs()]
        if past is not None:
            self._now = min(now, while_it_held(past.at))
            if not ids:
                self._ids = [id for id in self._ids if past.was_there(id)]
        self._unread = self._open = self._destroyed = False
        self._named = frozenset(ids)
        self._unknown: list[str] = []

    def shown(self, asked: Asked, whose: str = "--owner") -> list[Row]:
        """Those that are asked for, the gravest and longest overdue first.

        Raises BadInput for a person (by the option `whose`) or a host that nobody knows.
        """
        strangers.refuse_person(self._register, asked.owner, whose)
        found: list[Row] = []
        with self._register.reading():
            for id in self._ids:
                found += self._of(id, asked)
        self._open = any(life.state == "open" for _, life in found)
        if self._past is None:
            self._say_ended(found)
        self._say_unknown()
        if not self._unread:
            # what could not be read may know a host that nothing else does
            strangers.refuse_hosts(self._register, asked.hosts)
        return sorted(found, key=lambda row: _rank(row[0], row[1], self._now))

    def _of(self, id: str, asked: Asked) -> Iterator[Row]:
        from collector.pledges.standing.found_now import lives_now

        try:
            then = self._past.of(id) if self._past is not None else None
            record = self._register.get(id) if then is None else then.record
        except DestroyedError as problem:
            self._destroyed = True
            self._say(id, problem)
            return
        except BadInput as problem:
            if self._past is None or len(self._ids) == 1:
                raise
            self._say_unread(id, problem)
            return
        if asked.grade not in (None, record.grade):
            return
        if (day := disposed_on(record)) is not None:
            # its bundles are destroyed, and nothing is open any more
            if id in self._named:
                click.echo(destroyed(id, day), err=True)
            return
        try:
            lives = lives_then(then) if then else lives_now(self._register, record, self._now)
        except BadInput as problem:
            self._say_unread(id, problem)
            return
        evidence = then.evidence if then else self._register.evidence(id)
        if not evidence and is_owed(self._register, record, then, self._now):
            self._unknown.append(id)
        yield from ((record, life) for life in lives if asked.holds(life, self._now))

    def _say_unread(self, id: str, problem: BadInput) -> None:
        self._unread = True
        self._say(id, problem)

    def _say(self, id: str, problem: BadInput) -> None:
        said = in_chinese(problem.said) if lang() == "zh" else str(problem)
        # what names it already needs no name before it
        head = "" if problem.where == id else f"{id}: "
        click.echo(f"{head}{one_line(said, 600)}", err=True)

    def _say_unknown(self) -> None:
        """Nothing is open of those, as nobody ever looked."""
        if not (count := len(self._unknown)):
            return
        names = tr("、", ", ").join(self._unknown[:_NAMED])
        more = tr(" 等", " …") if count > _NAMED else ""
        click.echo(
            tr(
                f"{count} 份登记尚无证据，其问题不得而知（见 pledge list --no-evidence）："
                f"{names}{more}",
                f"{count} pledge(s) have no evidence, and nobody knows what is open there (`pledge "
                f"list --no-evidence`): {names}{more}",
            ),
            err=True,
        )

    def _say_ended(self, found: Iterable[Row]) -> None:
        """What stays open of a pledge that has ended is shown, and nobody owes it."""
        from collector.cli.workflows.desk import ended_ones

        ids = list(dict.fromkeys(record.id for record, life in found if life.state == "open"))
        if ids:
            ended_ones.say(self._register, ended_ones.over(self._register, self._now), ids)

    @property
    def moment(self) -> datetime:
        """When it was so."""
        return self._now

    def status(self) -> int:
        """0 where none that was shown is open, 1 where one is or nobody knows, 2 where something

        was not read. What was destroyed nobody knows.
        """
        unknown = self._destroyed or bool(self._unknown)
        return 2 if self._unread else int(self._open or unknown)


def disposed_on(record: PledgeRecord) -> str | None:
    """The day on which all of it was destroyed; None while it is kept."""
    known = record.document.get("disposed")
    return None if known is None else str(known["date"])


def destroyed(id: str, day: str) -> str:
    return tr(
        f"{id}：已于 {day} 销毁，查出的问题随之销毁，只留摘要",
        f"{id}: was disposed of on {day}; what was found is destroyed with it, and its digests "
        "are kept",
    )


def is_owed(register: Register, record: PledgeRecord, then: Then | None, now: datetime) -> bool:
    """Is a look at its hosts owed at that moment: in force, and none says that it continues it?"""
    from collector.pledges.due.lifecycle import OWED, state
    from collector.pledges.standing.found_now import is_renewed

    renewed = is_renewed(register, record, now) if then is None else then.renewed
    return state(record, now.astimezone(CHINA).date(), renewed=renewed) in OWED


def lives_then(then: Then) -> tuple[Life, ...]:
    """Every finding that there was by the end of that day, as the page of it has them."""
    from collector.pledges.standing.found_now import lives_at

    renewed = bool(then.renewed_by)
    return lives_at(then.record, then.evidence, then.moment, renewed=renewed)


def _rank(record: PledgeRecord, life: Life, now: datetime) -> tuple[object, ...]:
    due = life.due.isoformat() if life.due else "9999"
    grave = life.verdict is not Result.FAIL
    return not life.overdue(now), not life.veto, grave, due, record.id, life.number, life.host


def drawn(rows: Sequence[Row], now: datetime, form: str) -> str | bytes:
    """The rows in that form: a table for people, JSON, CSV, a workbook."""
    from collector.pledges.status.findings import to_json

    if form == "json":
        known = [
            {
                "pledge": record.id,
                "customer": record.customer,
                **to_json(life, now),
                **found_model.seen_json(life),
            }
            for record, life in rows
        ]
        return as_json("pledge-findings", {"findings": masked(known)}, indent=2)
    if form == "csv":
        cells = [found_model.cells(record, life, now, lang()) for record, life in rows]
        return as_csv(list(found_model.titles(lang())), cells)
    if form == "xlsx":
        cells = [found_model.cells(record, life, now, lang()) for record, life in rows]
        return as_xlsx(tr("问题", "findings"), found_model.titles(lang()), cells)
    return table(rows, now) + (_counts(rows) if rows else "")


def table(rows: Sequence[Row], now: datetime) -> str:
    """For people, without how many there are."""
    if not rows:
        return tr("没有这样的问题\n", "no such finding\n")
    grid = Grid(
        tr("登记", "pledge"),
        tr("主机", "host"),
        tr("核查项", "control"),
        tr("结论", "verdict"),
        tr("责任人", "owner"),
        tr("期限", "due"),
        # an id is typed: it is not cut
        fixed={0: min(max(len(record.id) for record, _ in rows), 22), 5: 10},
    )
    verdicts = words()["verdict"]
    for record, life in rows:
        late = tr(" 逾期", " late") if life.overdue(now) else ""
        due = life.due.astimezone(CHINA).date().isoformat() if life.due else "-"
        if life.waiver:
            # who accepted it, and until when, in the place of who mends it
            approver, until = str(masked(life.waiver["approver"])), life.waiver["expires"][:10]
            by = tr(f"已豁免（{approver}）", f"waived ({approver})")
            grid.add_row(*_of(record, life, verdicts), by, until)
            continue
        grid.add_row(
            *_of(record, life, verdicts),
            str(masked(life.owner)) or tr("未指定", "nobody"),
            due + late,
        )
    return grid.drawn(room())


def _of(record: PledgeRecord, life: Life, verdicts: Mapping[str, Text]) -> tuple[str, ...]:
    what = f"{life.number} {life.title.to(lang())}"
    whose = f"{record.id} {one_line(str(masked(record.customer)), 80)}"
    return whose, life.host, what, verdicts[str(life.verdict)].to(lang())


def _counts(rows: Iterable[Row]) -> str:
    known = list(rows)
    pledges, hosts = len({r.id for r, _ in known}), len({(r.id, x.host) for r, x in known})
    return tr(
        f"{len(known)} 项，{pledges} 份登记，{hosts} 台主机\n",
        f"{len(known)} finding(s), {pledges} pledge(s), {hosts} host(s)\n",
    )
