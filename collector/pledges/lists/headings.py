"""Headings that no field takes: what they may have been meant for, and what they cost. Pure."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from collector.model import Text
from collector.pledges.lists.complaints import Fault
from collector.pledges.lists.places import folded
from collector.pledges.lists.sheets import Headed

# 等保等及 is 等保级别: half of a short heading is enough to ask, for it is only asked
_ALIKE = 0.5


def meant(sheet: Headed) -> Iterator[tuple[str, str]]:
    """(heading, the name of the column) of each that is nearly one that the sheet lacks."""
    lacking = {name: field for name, field in sheet.table.known.items() if field not in sheet.at}
    for heading in sheet.unknown:
        for name in difflib.get_close_matches(folded(heading), lacking, 1, _ALIKE):
            yield heading, sheet.named(lacking[name])


def told_once(faults: Sequence[Fault], sheets: Iterable[Headed]) -> Iterator[Fault]:
    """The faults; of a column that a sheet has not, one in the place of one for each of its rows.

    A single heading that was misspelt reads as hundreds of empty cells otherwise.
    """
    lacking = {
        (sheet.title, sheet.named(column)): sheet
        for sheet in sheets
        for column in sheet.table.columns
        if column not in sheet.at
    }
    counts = Counter((f.sheet, f.column, f.reason) for f in faults)
    told: set[tuple[str, str, Text]] = set()
    for fault in faults:
        key = fault.sheet, fault.column, fault.reason
        sheet = lacking.get(key[:2])
        if sheet is None or counts[key] == 1:
            yield fault
        elif key not in told:
            told.add(key)
            yield Fault(sheet.row, fault.column, _no_column(fault, sheet, counts[key]), fault.sheet)


def _no_column(fault: Fault, sheet: Headed, count: int) -> Text:
    near = next((heading for heading, column in meant(sheet) if column == fault.column), "")
    zh = f"（表头“{near}”是否即此列？）" if near else ""
    en = f" (is it the one headed {near!r}?)" if near else ""
    return Text(
        f"没有此列{zh}，{count} 行因此有误：{fault.reason.zh}",
        f"there is no such column{en}, for which {count} rows are wrong: {fault.reason.en}",
    )
