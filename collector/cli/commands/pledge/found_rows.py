"""What checks found, over several pledges: one row each, for people, programs and Excel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import click

from collector.catalog import words
from collector.cli.commands.pledge import tables
from collector.cli.ui.grid import Grid
from collector.cli.ui.language import lang, tr
from collector.cli.ui.sheets import as_csv, as_xlsx
from collector.errors import BadInput, one_line
from collector.export.envelope import as_json
from collector.i18n.message import in_chinese
from collector.model import Result
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing.finding_history import all_lives
from collector.pledges.status.findings import Life, to_json

Row = tuple[PledgeRecord, Life]


class Found:
    """The findings of the pledges named, or of all of them.

    A pledge whose bundles cannot be read is named on stderr, and the others go on.
    """

    def __init__(self, register: Register, ids: Sequence[str], now: datetime) -> None:
        self._register, self._now = register, now
        self._ids = list(dict.fromkeys(ids)) or [known.id for known in register.briefs()]
        self._unread = self._open = False

    def shown(self, asked: Callable[[Life], bool]) -> list[Row]:
        """Those that are asked for, the gravest and longest overdue first."""
        found = []
        for id in self._ids:
            record = self._register.get(id)
            try:
                lives = all_lives(record, self._register.evidence(id), self._now)
            except BadInput as problem:
                self._unread = True
                said = in_chinese(problem.said) if lang() == "zh" else str(problem)
                click.echo(f"{id}: {one_line(said, 600)}", err=True)
                continue
            found += [(record, life) for life in lives if asked(life)]
        self._open = any(life.state == "open" for _, life in found)
        return sorted(found, key=lambda row: _rank(row[0], row[1], self._now))

    def status(self) -> int:
        """0 where none that was shown is open, 1 where one is, 2 where something was not read."""
        return 2 if self._unread else int(self._open)


def _rank(record: PledgeRecord, life: Life, now: datetime) -> tuple[object, ...]:
    due = life.due.isoformat() if life.due else "9999"
    grave = life.verdict is not Result.FAIL
    return not life.overdue(now), not life.veto, grave, due, record.id, life.number, life.host


def drawn(rows: Sequence[Row], now: datetime, form: str) -> str | bytes:
    if form == "json":
        known = [
            {"pledge": record.id, "customer": record.customer, **to_json(life, now)}
            for record, life in rows
        ]
        return as_json("pledge-findings", {"findings": masked(known)}, indent=2)
    if form == "csv":
        return as_csv(list(_titles()), [_cells(record, life, now) for record, life in rows])
    if form == "xlsx":
        return as_xlsx(
            tr("问题", "findings"), _titles(), [_cells(record, life, now) for record, life in rows]
        )
    return _table(rows, now)


def _titles() -> dict[str, str]:
    """What people read, by the words for programs, which never change with the language."""
    return {
        "pledge": tr("登记编号", "pledge"),
        "customer": tr("用户名称", "customer"),
        "host": tr("主机", "host"),
        "number": tr("编号", "number"),
        "control": tr("核查项", "control"),
        "title": tr("名称", "title"),
        "veto": tr("一票否决", "veto"),
        "verdict": tr("结论", "verdict"),
        "state": tr("整改情况", "state"),
        "owner": tr("责任人", "owner"),
        "due": tr("整改期限", "due"),
        "overdue": tr("逾期", "overdue"),
        "opened_at": tr("发现时间", "opened"),
        "note": tr("说明", "note"),
    }


def _cells(record: PledgeRecord, life: Life, now: datetime) -> list[str]:
    said = [
        record.id,
        record.customer,
        life.host,
        life.number,
        life.control,
        life.title.to(lang()),
        "yes" if life.veto else "no",
        str(life.verdict),
        life.state,
        life.owner,
        life.due.astimezone(CHINA).date().isoformat() if life.due else "",
        "yes" if life.overdue(now) else "no",
        life.opened.at.isoformat(),
        life.note,
    ]
    return [str(masked(text)) for text in said]


def _table(rows: Sequence[Row], now: datetime) -> str:
    if not rows:
        return tr("没有这样的问题\n", "no such finding\n")
    table = Grid(
        tr("登记", "pledge"),
        tr("主机", "host"),
        tr("核查项", "control"),
        tr("结论", "verdict"),
        tr("责任人", "owner"),
        tr("期限", "due"),
        fixed={5: 10},
    )
    verdicts = words()["verdict"]
    for record, life in rows:
        late = tr(" 逾期", " late") if life.overdue(now) else ""
        due = life.due.astimezone(CHINA).date().isoformat() if life.due else "-"
        table.add_row(
            record.id,
            life.host,
            f"{life.number} {life.title.to(lang())}",
            verdicts[str(life.verdict)].to(lang()),
            str(masked(life.owner)) or tr("未指定", "nobody"),
            due + late,
        )
    return table.drawn(tables.width()) + _counts(rows)


def _counts(rows: Iterable[Row]) -> str:
    known = list(rows)
    pledges, hosts = len({r.id for r, _ in known}), len({(r.id, x.host) for r, x in known})
    return tr(
        f"{len(known)} 项，{pledges} 份登记，{hosts} 台主机\n",
        f"{len(known)} finding(s), {pledges} pledge(s), {hosts} host(s)\n",
    )
