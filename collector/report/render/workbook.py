"""Sheets of a workbook (Office Open XML) in which nothing acts.

No cell is a formula, whatever a text begins with; what would hide or act is shown as its number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from rich.cells import cell_len

from collector.report.model.visible import told

# what a cell may hold, and how wide a column may become
_MOST = 32_000
_WIDEST, _ON_PAPER = 60, 34
# with these a spreadsheet begins a formula, in some East Asian editions in full width
_ACTING = tuple("=+-@\t\r＝＋－＠|%")
# the number of A4 among the sizes of paper (ECMA-376, 18.3.1.63)
_A4 = 9
_TIME = "yyyy-mm-dd hh:mm"
_DAY = "yyyy-mm-dd"

Cell = str | int | date | datetime | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """`columns` are words of the report; `wide` those of long text, which is wrapped.

    `printed`: so many columns go on paper, all of them where it is 0; those after them are for
    the screen.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    wide: Sequence[str] = ()
    printed: int = 0


def write(book: Workbook, sheet: Sheet, t: Mapping[str, str]) -> None:
    """Adds the sheet, with a frozen header, a filter over all of it, and wide enough columns."""
    page = book.create_sheet(t[sheet.name])
    titles = [t[column] for column in sheet.columns]
    rows = [[_clean(value) for value in row] for row in sheet.rows]
    for place, title in enumerate(titles):
        longest = max((_width(row[place]) for row in rows[:3000]), default=0)
        # the arrow of the filter stands in the header too
        if place < sheet.printed:
            # its heading may stand in several lines, and so does long text
            heading = max(map(cell_len, title.split()))
            widest = _ON_PAPER if sheet.columns[place] in sheet.wide else _WIDEST
        else:
            heading, widest = cell_len(title), _WIDEST
        width = max(heading + 4, min(longest + 2, widest))
        page.column_dimensions[get_column_letter(place + 1)].width = width
    page.freeze_panes = "B2" if len(titles) > 4 else "A2"
    page.auto_filter.ref = f"A1:{get_column_letter(len(titles))}{len(rows) + 1}"
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = _A4
    page.page_setup.fitToHeight = 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = "1:1"
    page.print_area = f"A1:{get_column_letter(sheet.printed or len(titles))}{len(rows) + 1}"
    page.oddFooter.center.text = "&P / &N"
    line = Side(style="thin", color="999999")
    head = []
    for title in titles:
        cell = WriteOnlyCell(page, title)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="E8E8E8")
        cell.border = Border(bottom=line)
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        head.append(cell)
    page.append(head)
    wide = {sheet.columns.index(column) for column in sheet.wide}
    wrapped = Alignment(vertical="top", wrap_text=True)
    plain = Alignment(vertical="top")
    for row in rows:
        page.append([_cell(page, v, wrapped if n in wide else plain) for n, v in enumerate(row)])


def _cell(page: Any, value: Cell, alignment: Alignment) -> Any:
    cell = WriteOnlyCell(page, value)
    cell.alignment = alignment
    if isinstance(value, str):
        # openpyxl takes what begins with = for a formula
        cell.data_type = "s"
        if value.startswith(_ACTING):
            # so that it stays text when somebody edits the cell, too
            cell.quotePrefix = True
    elif isinstance(value, datetime):
        cell.number_format = _TIME
    elif isinstance(value, date):
        cell.number_format = _DAY
    return cell


def _clean(value: Cell) -> Cell:
    if not isinstance(value, str):
        return value
    text = told(value)
    return text if len(text) <= _MOST else f"{text[:_MOST]} …"


def _width(value: Cell) -> int:
    if value is None:
        return 0
    if isinstance(value, datetime):
        return len(_TIME)
    return max((cell_len(line) for line in str(value).split("\n")), default=0)
