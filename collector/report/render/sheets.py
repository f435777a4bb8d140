"""A list as CSV for Excel and programs, or as a workbook: the same columns, the same rows."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from collector.errors import one_line
from collector.model import Lang, Text
from collector.report.model.cells import Cell, Word

Rows = Sequence[Sequence[Cell]]
# full-width forms start a formula in some East Asian editions of spreadsheets
MARK = "\ufeff"
# columns of days, by their words for programs
_DAYS = frozenset(
    ("until", "due", "waived_until", "date", "mend_by", "next_day", "last_day", "withdrawn")
)
_ONE_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YES, _NO = Text("是", "yes"), Text("否", "no")
_ACTING = tuple("=+-@\t\r＝＋－＠|%")


def as_csv(columns: Sequence[str], rows: Rows) -> str:
    """RFC 4180, in UTF-8 with the mark that Excel knows it by; `columns` are words for programs.

    Times (aware) are those of China, with their offset.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(_for_programs(cell)) for cell in row] for row in rows)
    return MARK + buffer.getvalue()


def as_xlsx(name: str, titles: Mapping[str, str], rows: Rows, lang: Lang) -> bytes:
    """One sheet `name`; `titles` are what people read, by the words for programs.

    Times (aware) are those of China, which the heading says.
    """
    from openpyxl import Workbook

    from collector.report.render.workbook import Sheet, write

    book = Workbook(write_only=True)
    dated = {key for row in rows for key, cell in zip(titles, row, strict=True) if _is_time(cell)}
    clock = Text("（北京时间）", " (Beijing time)").to(lang)
    heads = {key: f"{title}{clock}" if key in dated else title for key, title in titles.items()}
    cells = [
        [
            (_day(cell) if key in _DAYS else None) or _for_people(cell, lang)
            for key, cell in zip(titles, row, strict=True)
        ]
        for row in rows
    ]
    write(book, Sheet("sheet", list(titles), cells), {"sheet": name, **heads})
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _day(cell: Cell) -> date | None:
    """What spreadsheets sort and filter by day; None where the text is none."""
    if not isinstance(cell, str) or not _ONE_DAY.fullmatch(cell):
        return None
    try:
        return date.fromisoformat(cell)
    except ValueError:
        return None


def _is_time(cell: Cell) -> bool:
    return isinstance(cell, datetime)


def _for_programs(cell: Cell) -> str:
    from collector.pledges.record.times import CHINA

    if isinstance(cell, Word):
        return cell.code
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, datetime):
        return cell.astimezone(CHINA).isoformat(timespec="seconds")
    return "" if cell is None else str(cell)


def _for_people(cell: Cell, lang: Lang) -> str | int | datetime | None:
    from collector.pledges.record.times import CHINA

    if isinstance(cell, Word):
        return cell.label
    if isinstance(cell, bool):
        return (_YES if cell else _NO).to(lang)
    if isinstance(cell, datetime):
        # spreadsheets know no zones
        return cell.astimezone(CHINA).replace(tzinfo=None, microsecond=0)
    return cell


def _cell(text: str) -> str:
    """So that no spreadsheet takes it for a formula (CWE-1236)."""
    clean = one_line(text, 32_000)
    return f"'{clean}" if clean.startswith(_ACTING) else clean
