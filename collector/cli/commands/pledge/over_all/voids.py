"""Evidence that was declared void, over all pledges: as `pledge list --void` shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.cli.ui.scope_line import void_line
from collector.cli.ui.sheets import as_csv, as_xlsx
from collector.pledges.record.masking import masked
from collector.pledges.record.notices import resting_on
from collector.pledges.record.voiding import voided

if TYPE_CHECKING:
    from collector.pledges.record.form import PledgeRecord
    from collector.pledges.register.register import Register
    from collector.pledges.standing.listing import Listed

# by id, entries of its record, each with the numbers of the notices that were given of it
Entries = Mapping[str, Sequence[Mapping[str, Any]]]


def voids(register: Register, rows: Iterable[Listed]) -> Entries:
    """Nothing of a record without any; raises BadInput where one cannot be read."""
    return {
        one.record.id: _of(register.get(one.record.id))
        for one in rows
        if one.record.document.get("voided")
    }


def _of(record: PledgeRecord) -> Sequence[Mapping[str, Any]]:
    return tuple(
        {**entry, "notices": resting_on(record.document, entry["sequence"])}
        for entry in voided(record)
    )


def _said(entry: Mapping[str, Any]) -> str:
    """With the notices that stand on it, which ask for what nobody saw."""
    if not (numbers := ", ".join(entry["notices"])):
        return void_line(entry)
    return void_line(entry) + tr(
        f"（所据通知书未撤回：{numbers}）", f" (notices given of it, not withdrawn: {numbers})"
    )


def drawn(rows: Sequence[Listed], found: Entries, form: str) -> str | bytes:
    """The rows with what is void; for people that is what is shown."""
    from collector.report.model import listed

    title = tr("已作废的证据", "void evidence")
    said = {id: tr("；", "; ").join(map(_said, some)) for id, some in found.items()}
    if form == "table":
        if not rows:
            return tr("没有作废的证据\n", "no evidence is void\n")
        grid = Grid(tr("编号", "ID"), tr("用户名称", "customer"), title)
        for one in rows:
            grid.add_row(one.record.id, str(masked(one.record.customer)), said[one.record.id])
        count = sum(map(len, found.values()))
        return grid.drawn(room()) + tr(
            f"{len(rows)} 份登记，作废证据 {count} 份\n",
            f"{count} void bundle(s) of {len(rows)} pledge(s)\n",
        )
    titles = {**listed.titles(lang()), "void": title, **listed.contact_titles(lang())}
    cells = [[*listed.row(one, lang()), said[one.record.id], *listed.contact(one)] for one in rows]
    if form == "csv":
        return as_csv(list(titles), cells)
    return as_xlsx(tr("登记", "pledges"), titles, cells)
