"""Veto controls that pledges fail, by name: as `pledge list --veto` shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.ui.sheets import as_csv, as_xlsx
from collector.errors import CollectorError, one_line
from collector.i18n.message import in_chinese
from collector.model import Text
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.standing.listing import Listed
    from collector.pledges.status.findings import Life

# of the hosts of one control so many are named
_HOSTS = 3


@dataclass(frozen=True, slots=True)
class Failed:
    """A veto control that fails on `hosts`."""

    control: str
    number: str
    title: Text
    hosts: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        return {"control": self.control, "number": self.number, "hosts": list(self.hosts)}

    def told(self) -> str:
        names = tr("、", ", ").join(map(one_line, self.hosts[:_HOSTS]))
        if (count := len(self.hosts)) > _HOSTS:
            names += tr(f" 等 {count} 台", f" and {count - _HOSTS} more")
        title = self.title.to(lang())
        return tr(f"{self.number} {title}（{names}）", f"{self.number} {title} ({names})")


@dataclass(frozen=True, slots=True)
class Broken:
    """By id, what fails; and of which records nobody could tell."""

    failed: Mapping[str, Sequence[Failed]]
    unread: Sequence[str]

    def plain(self) -> dict[str, list[dict[str, Any]]]:
        return {id: [one.plain() for one in some] for id, some in self.failed.items()}

    def tell_unread(self) -> bool:
        for line in self.unread:
            click.echo(line, err=True)
        return bool(self.unread)


def broken(register: Register, rows: Iterable[Listed], now: datetime) -> Broken:
    """By the newest look at each host; what is waived is no failure until the waiver ends."""
    from collector.pledges.due.lifecycle import OWED
    from collector.pledges.standing.finding_history import last_lives

    failed: dict[str, Sequence[Failed]] = {}
    unread: list[str] = []
    with register.reading():
        for one in rows:
            id = one.record.id
            if one.state not in OWED or one.last is None:
                continue
            try:
                lives = last_lives(register.get(id), register.evidence(id), now)
            except CollectorError as problem:
                said = in_chinese(problem.said) if lang() == "zh" else str(problem)
                unread.append(f"{id}: {one_line(said, 600)}")
                continue
            if found := _by_control(lives):
                failed[id] = found
    return Broken(failed, unread)


def _by_control(lives: Iterable[Life]) -> list[Failed]:
    known: dict[str, list[Life]] = {}
    for life in lives:
        if life.veto and life.fails:
            known.setdefault(life.control, []).append(life)
    return [
        Failed(control, of[0].number, of[0].title, tuple(sorted(life.host for life in of)))
        for control, of in sorted(known.items(), key=lambda pair: pair[1][0].number)
    ]


def drawn(rows: Sequence[Listed], found: Broken, form: str) -> str | bytes:
    """The rows with what each fails; for people that is what is shown."""
    from collector.report.model import listed

    title = tr("不符合的一票否决项", "veto controls that fail")
    said = {id: [one.told() for one in some] for id, some in found.failed.items()}
    if form == "table":
        if not rows:
            return tr("没有一票否决项不符合的登记\n", "no pledge fails a veto control\n")
        grid = Grid(tr("编号", "ID"), tr("用户名称", "customer"), title)
        for one in rows:
            fails = tr("；", "; ").join(said[one.record.id])
            grid.add_row(one.record.id, str(masked(one.record.customer)), str(masked(fails)))
        return grid.drawn(room()) + told(found) + "\n"
    cells = [
        [
            *listed.row(one, lang()),
            str(masked("; ".join(said[one.record.id]))),
            *listed.contact(one),
        ]
        for one in rows
    ]
    titles = {**listed.titles(lang()), "vetoes": title, **listed.contact_titles(lang())}
    if form == "csv":
        return as_csv(list(titles), cells)
    return as_xlsx(tr("登记", "pledges"), titles, cells)


def counted(found: Broken) -> dict[str, dict[str, Any]]:
    """By control, how many pledges and hosts fail it; that of most pledges first."""
    known: dict[str, list[tuple[str, Failed]]] = {}
    for id, some in found.failed.items():
        for one in some:
            known.setdefault(one.control, []).append((id, one))
    counts: dict[str, dict[str, Any]] = {
        control: {
            "number": of[0][1].number,
            "pledges": len(of),
            "hosts": sum(len(one.hosts) for _, one in of),
        }
        for control, of in known.items()
    }
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1]["pledges"], pair[0])))


def told(found: Broken) -> str:
    """How many fail any, and each."""
    count = len(found.failed)
    titles = {one.control: one.title for some in found.failed.values() for one in some}
    each = [
        tr(
            f"{one['number']} {titles[control].to(lang())} {one['pledges']} 份",
            f"{one['number']} {titles[control].to(lang())} {one['pledges']}",
        )
        for control, one in counted(found).items()
    ]
    said = tr(f"{count} 份登记不符合", f"{count} pledge(s) fail")
    return said + (tr("：", ": ") + tr("，", ", ").join(each) if each else "")
