"""How many findings there are of each clause and control, for people, programs and Excel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collector.catalog import clause_number, words
from collector.cli.commands.pledge import tables
from collector.cli.options.findings import CLAUSES, VERDICTS, clause_of
from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.ui.sheets import Cell, as_csv, as_xlsx
from collector.export.envelope import as_json
from collector.model import Text
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.cli.commands.pledge.found_rows import Row
    from collector.pledges.status.findings import Life


@dataclass(slots=True)
class _Count:
    """`verdicts` counts those that are open; `number` and `title` are empty for a clause."""

    clause: str
    number: str = ""
    title: Text = field(default_factory=lambda: Text("", ""))
    verdicts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(VERDICTS, 0))
    waived: int = 0
    closed: int = 0
    overdue: int = 0
    pledges: set[str] = field(default_factory=set)
    hosts: set[tuple[str, str]] = field(default_factory=set)

    def add(self, id: str, life: Life, now: datetime) -> None:
        if life.state == "open":
            self.verdicts[str(life.verdict)] += 1
        elif life.state == "waived":
            self.waived += 1
        else:
            self.closed += 1
        self.overdue += life.overdue(now)
        self.pledges.add(id)
        self.hosts.add((id, life.host))

    def numbers(self) -> dict[str, int]:
        return {
            **self.verdicts,
            "waived": self.waived,
            "closed": self.closed,
            "overdue": self.overdue,
            "hosts": len(self.hosts),
            "pledges": len(self.pledges),
        }


def drawn(rows: Sequence[Row], now: datetime, form: str) -> str | bytes:
    """Each clause, and below it its controls, those with most failures first; then each owner."""
    counted, owners = list(_counted(rows, now)), _by_owner(rows, now)
    if form == "json":
        summary = {**_document(counted), "owners": _owned(owners)}
        return as_json("pledge-findings-summary", {"summary": summary}, indent=2)
    titles = _titles()
    cells: list[list[Cell]] = [
        [one.clause, one.number, one.title.to(lang()), *one.numbers().values()] for one in counted
    ]
    if form == "csv":
        return as_csv(list(titles), cells)
    if form == "xlsx":
        return as_xlsx(tr("问题汇总", "findings"), titles, cells)
    if not rows:
        return tr("没有这样的问题\n", "no such finding\n")
    return f"{_table(counted)}\n{_owners_table(owners)}"


def _by_owner(rows: Sequence[Row], now: datetime) -> dict[str, _Count]:
    """By name (masked; empty: nobody's) of what is open, who has most that is late first."""
    found: dict[str, _Count] = {}
    for record, life in rows:
        if life.state == "open":
            name = str(masked(life.owner))
            found.setdefault(name, _Count("")).add(record.id, life, now)
    order = sorted(found, key=lambda name: (-found[name].overdue, not name, name))
    return {name: found[name] for name in order}


def _owned(owners: Mapping[str, _Count]) -> list[dict[str, Any]]:
    unused = ("waived", "closed")
    return [
        {"owner": name or None, **{k: n for k, n in one.numbers().items() if k not in unused}}
        for name, one in owners.items()
    ]


def _owners_table(owners: Mapping[str, _Count]) -> str:
    heads = {**_titles(), **{word: tables.short(word) for word in VERDICTS}}
    for word in ("clause", "number", "title", "closed", "waived"):
        heads.pop(word)
    table = Grid(tr("责任人", "owner"), *heads.values())
    for name, one in owners.items():
        numbers = one.numbers()
        shown = name or tr("未指定", "nobody")
        table.add_row(shown, *(str(numbers[word] or "-") for word in heads))
    return table.drawn(room()) if owners else ""


def _counted(rows: Sequence[Row], now: datetime) -> Iterator[_Count]:
    clauses: dict[str, _Count] = {}
    controls: dict[tuple[str, str], _Count] = {}
    for record, life in rows:
        clause = clause_of(life.control)
        clauses.setdefault(clause, _Count(clause)).add(record.id, life, now)
        key = clause, life.control
        controls.setdefault(key, _Count(clause, life.number, life.title)).add(record.id, life, now)
    for clause in sorted(clauses, key=lambda c: CLAUSES.index(c) if c in CLAUSES else 9):
        yield clauses[clause]
        below = [one for (of, _), one in controls.items() if of == clause]
        yield from sorted(
            below, key=lambda one: (-one.verdicts["fail"], -len(one.hosts), one.number)
        )


def _document(counted: Sequence[_Count]) -> dict[str, Any]:
    clauses = {one.clause: one.numbers() for one in counted if not one.number}
    controls = [
        {"clause": one.clause, "number": one.number, **one.numbers()}
        for one in counted
        if one.number
    ]
    return {"clauses": clauses, "controls": controls}


def _titles() -> dict[str, str]:
    verdicts = words()["verdict"]
    return {
        "clause": tr("条款", "clause"),
        "number": tr("编号", "number"),
        "title": tr("名称", "title"),
        **{word: verdicts[word].to(lang()) for word in VERDICTS},
        "waived": tr("已豁免", "waived"),
        "closed": tr("已闭环", "closed"),
        "overdue": tr("逾期", "overdue"),
        "hosts": tr("主机", "hosts"),
        "pledges": tr("登记", "pledges"),
    }


def _table(counted: Sequence[_Count]) -> str:
    heads = {**_titles(), **{word: tables.short(word) for word in VERDICTS}}
    for word in ("clause", "number", "title", "closed"):
        heads.pop(word)
    table = Grid(tr("条款与核查项", "clause, control"), *heads.values())
    for one in counted:
        name = f"{one.number} {one.title.to(lang())}"
        if not one.number:
            name = tr("合计 ", "all of ") + (
                clause_number(one.clause, lang()) if one.clause else "-"
            )
        numbers = one.numbers()
        table.add_row(name, *(str(numbers[word] or "-") for word in heads))
    return table.drawn(room())
