"""Pledges with open findings that nobody sees to: as `pledge list --unowned` shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.ui.sheets import as_csv, as_xlsx
from collector.errors import CollectorError, one_line
from collector.i18n.message import in_chinese
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.standing.listing import Listed


@dataclass(frozen=True, slots=True)
class Open:
    """Of one pledge, how many findings are open, and `nobody`'s of them."""

    all: int
    nobody: int

    def told(self) -> str:
        if self.nobody == self.all:
            return tr(f"全部 {self.all} 项", f"all {self.all}")
        return tr(f"{self.all} 项中 {self.nobody} 项", f"{self.nobody} of {self.all}")


@dataclass(frozen=True, slots=True)
class Unowned:
    """By id; and of which records nobody could tell."""

    counts: Mapping[str, Open]
    unread: Sequence[str]

    def tell_unread(self) -> bool:
        for line in self.unread:
            click.echo(line, err=True)
        return bool(self.unread)

    def plain(self) -> dict[str, dict[str, int]]:
        """For programs, by id."""
        return {id: {"open": one.all, "unowned": one.nobody} for id, one in self.counts.items()}


def unowned(register: Register, rows: Iterable[Listed], now: datetime) -> Unowned:
    """As `pledge findings --unowned` has them, of those in force; what is waived needs nobody."""
    from collector.pledges.due.lifecycle import OWED
    from collector.pledges.standing.found_now import lives_now

    counts: dict[str, Open] = {}
    unread: list[str] = []
    with register.reading():
        for one in rows:
            id = one.record.id
            if one.state not in OWED or one.last is None:
                continue
            try:
                lives = lives_now(register, register.get(id), now)
            except CollectorError as problem:
                said = in_chinese(problem.said) if lang() == "zh" else str(problem)
                unread.append(f"{id}: {one_line(said, 600)}")
                continue
            still = [life for life in lives if life.state == "open"]
            if nobody := sum(not life.owner for life in still):
                counts[id] = Open(len(still), nobody)
    return Unowned(counts, unread)


def drawn(rows: Sequence[Listed], found: Unowned, form: str) -> str | bytes:
    """The rows with how many of each nobody sees to; for people that is what is shown."""
    from collector.report.model import listed

    title = tr("无人负责的问题", "findings that nobody sees to")
    if form == "table":
        if not rows:
            return tr("各登记的问题均有人负责\n", "somebody sees to each open finding\n")
        grid = Grid(tr("编号", "ID"), tr("用户名称", "customer"), title)
        for one in rows:
            name = str(masked(one.record.customer))
            grid.add_row(one.record.id, name, found.counts[one.record.id].told())
        count = sum(one.nobody for one in found.counts.values())
        return grid.drawn(room()) + tr(
            f"{len(rows)} 份登记，{count} 项；用 hostpledge pledge assign 指定责任人\n",
            f"{len(rows)} pledge(s), {count} finding(s): `hostpledge pledge assign` names one\n",
        )
    titles = {
        **listed.titles(lang()),
        "open": tr("未闭环", "open"),
        "unowned": tr("其中无人负责", "nobody's of them"),
        **listed.contact_titles(lang()),
    }
    cells = [
        [*listed.row(one, lang()), own.all, own.nobody, *listed.contact(one)]
        for one in rows
        if (own := found.counts[one.record.id])
    ]
    if form == "csv":
        return as_csv(list(titles), cells)
    return as_xlsx(tr("登记", "pledges"), titles, cells)
