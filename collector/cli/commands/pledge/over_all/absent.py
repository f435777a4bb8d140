"""Hosts that pledges declare and nobody ever looked at, by name: as `pledge list` shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.ui.sheets import as_csv, as_xlsx
from collector.errors import one_line
from collector.pledges.record.masking import masked

if TYPE_CHECKING:
    from collector.pledges.register.register import Register
    from collector.pledges.standing.listing import Listed


def absent(register: Register, rows: Iterable[Listed]) -> dict[str, list[str]]:
    """By id of those in force, the hosts that no evidence has an answer of; none where all were."""
    from collector.pledges.due.lifecycle import OWED

    looked = register.hosts_that_answered()
    found = {
        one.record.id: [h for h in one.record.hosts if h not in looked.get(one.record.id, ())]
        for one in rows
        if one.state in OWED
    }
    return {id: hosts for id, hosts in found.items() if hosts}


def drawn(rows: Sequence[Listed], names: Mapping[str, Sequence[str]], form: str) -> str | bytes:
    """The rows with the names; for people the names are what is shown."""
    from collector.report.model import listed

    title = tr("从未核查的主机", "hosts never looked at")
    if form == "table":
        if not rows:
            return tr("没有从未核查的主机\n", "no host was never looked at\n")
        grid = Grid(tr("编号", "ID"), tr("用户名称", "customer"), title)
        for one in rows:
            hosts = tr("、", ", ").join(map(one_line, names[one.record.id]))
            grid.add_row(one.record.id, str(masked(one.record.customer)), str(masked(hosts)))
        count = sum(map(len, names.values()))
        said = tr(
            f"{count} 台主机，{len(rows)} 份登记\n", f"{count} host(s) of {len(rows)} pledge(s)\n"
        )
        return grid.drawn(room()) + said
    titles = {**listed.titles(lang()), "never_looked_at": title, **listed.contact_titles(lang())}
    cells = [
        [
            *listed.row(one, lang()),
            str(masked(" ".join(names[one.record.id]))),
            *listed.contact(one),
        ]
        for one in rows
    ]
    if form == "csv":
        return as_csv(list(titles), cells)
    return as_xlsx(tr("登记", "pledges"), titles, cells)
