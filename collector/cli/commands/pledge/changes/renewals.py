"""`hostpledge pledge list --history`: old and new records of a customer, told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collector.cli.ui.grid import Grid, room
from collector.cli.ui.language import lang, tr
from collector.pledges.due.lifecycle import WORDS
from collector.pledges.record.masking import masked
from collector.pledges.standing.listing import Listed
from collector.pledges.standing.renewals import by_history, continued_by, renews


def drawn(rows: Sequence[Listed], every: Sequence[Listed], form: str) -> str | bytes:
    """As people and Excel take it."""
    from collector.cli.ui.sheets import as_csv, as_xlsx
    from collector.report.model import listed

    found = list(by_history(rows, every))
    newer = continued_by(every)
    if form == "table":
        return _table(found, newer, continued_by(every, draft=True))
    titles = {
        **listed.titles(lang()),
        "renews": tr("接续", "continues"),
        "continued_by": tr("续签为", "continued by"),
        **listed.contact_titles(lang()),
    }
    cells = [
        [
            *listed.row(one, lang()),
            renews(one),
            " ".join(newer.get(one.record.id, ())),
            *listed.contact(one),
        ]
        for one, _ in found
    ]
    if form == "csv":
        return as_csv(list(titles), cells)
    return as_xlsx(tr("登记", "pledges"), titles, cells)


def _after(newer: Sequence[str], drafts: Sequence[str]) -> list[str]:
    return [*newer, *(tr(f"{id}（草稿）", f"{id} (draft)") for id in drafts)]


def _ids(found: Sequence[tuple[Listed, bool]]) -> int:
    """The width of the ids; longer ones than any list has leave no room for the rest."""
    widths = (len(one.record.id) + 2 * old for one, old in found)
    return min(max(widths, default=2), 28)


def _table(
    found: Sequence[tuple[Listed, bool]],
    newer: Mapping[str, tuple[str, ...]],
    drafts: Mapping[str, tuple[str, ...]],
) -> str:
    table = Grid(
        tr("编号", "ID"),
        tr("用户名称", "customer"),
        tr("状态", "state"),
        tr("自", "from"),
        tr("至", "until"),
        tr("证据", "bundles"),
        tr("续签为", "continued by"),
        # what is typed after it is taken from here
        fixed={0: _ids(found), 3: 10, 4: 10},
    )
    for one, old in found:
        period = one.record.document.get("period", {})
        table.add_row(
            f"└ {one.record.id}" if old else one.record.id,
            str(masked(one.record.customer)),
            WORDS[one.state].to(lang()),
            period.get("from", "-"),
            period.get("until", "-"),
            str(one.evidence[-1].sequence if one.evidence else 0),
            ", ".join(_after(newer.get(one.record.id, ()), drafts.get(one.record.id, ()))) or "-",
        )
    return table.drawn(room())
