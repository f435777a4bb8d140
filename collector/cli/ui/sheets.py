"""A list as CSV for Excel and programs, or as a workbook: the same columns, the same rows."""

from __future__ import annotations

import csv
import io
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collector.cli.ui.columns import out
from collector.cli.ui.language import tr
from collector.errors import BadInput, one_line


@dataclass(frozen=True, slots=True)
class Word:
    """`code` is what programs read, and never changes; `label` is for people."""

    code: str
    label: str


Cell = str | int | bool | datetime | Word | None
Rows = Sequence[Sequence[Cell]]
# full-width forms start a formula in some East Asian editions of spreadsheets
_MARK = "\ufeff"
# by the ending of a file's name, what its content begins with
_BEGINS: Mapping[str, str | bytes] = {"xlsx": b"P", "csv": _MARK, "json": "{"}
_ACTING = tuple("=+-@\t\r＝＋－＠|%")


def as_csv(columns: Sequence[str], rows: Rows) -> str:
    """RFC 4180, in UTF-8 with the mark that Excel knows it by; `columns` are words for programs.

    Times (aware) are those of China, with their offset.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(_for_programs(cell)) for cell in row] for row in rows)
    return _MARK + buffer.getvalue()


def as_xlsx(name: str, titles: Mapping[str, str], rows: Rows) -> bytes:
    """One sheet `name`; `titles` are what people read, by the words for programs.

    Times (aware) are those of China, which the heading says.
    """
    from openpyxl import Workbook

    from collector.report.render.workbook import Sheet, write

    book = Workbook(write_only=True)
    dated = {key for row in rows for key, cell in zip(titles, row, strict=True) if _is_time(cell)}
    clock = tr("（北京时间）", " (Beijing time)")
    heads = {key: f"{title}{clock}" if key in dated else title for key, title in titles.items()}
    cells = [[_for_people(cell) for cell in row] for row in rows]
    write(book, Sheet("sheet", list(titles), cells), {"sheet": name, **heads})
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def put(data: str | bytes, place: Path | None) -> None:
    """To the file, written aside; else to stdout. Raises BadInput where a workbook has no file.

    And where the name of the file says another form: no program would open it.
    """
    if place is not None:
        from collector.private import write_aside

        named = place.suffix.lower().removeprefix(".")
        if named in _BEGINS and not data[:1] == _BEGINS[named]:
            raise BadInput(
                tr(f"不是 {named} 格式的内容", f"what is to be written is no {named}"),
                where=str(place),
                mend=tr(f"加上 --format {named}", f"add --format {named}"),
            )
        write_aside(place, data.encode() if isinstance(data, str) else data)
    elif isinstance(data, bytes):
        raise BadInput(
            tr("工作簿须写入文件", "a workbook has to go to a file"),
            where="--format xlsx",
            mend=tr("加上 -o 文件名.xlsx", "add -o FILE.xlsx"),
        )
    else:
        # a terminal would show the mark, and a stream of ours makes it visible
        if data.startswith(_MARK) and not sys.stdout.isatty():
            sys.stdout.flush()
            sys.stdout.buffer.write(_MARK.encode())
        out(data.removeprefix(_MARK))


def marked() -> None:
    """Where standard output is a file, begins it with the mark by which Excel knows UTF-8.

    A program at the other end of a pipe would take it for a part of the first heading.
    """
    try:
        found = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):
        return
    # behind what is there already, as `>>` puts it, it would be a part of the text
    if stat.S_ISREG(found.st_mode) and found.st_size == 0:
        sys.stdout.flush()
        sys.stdout.buffer.write(_MARK.encode())


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


def _for_people(cell: Cell) -> str | int | datetime | None:
    from collector.pledges.record.times import CHINA

    if isinstance(cell, Word):
        return cell.label
    if isinstance(cell, bool):
        return tr("是", "yes") if cell else tr("否", "no")
    if isinstance(cell, datetime):
        # spreadsheets know no zones
        return cell.astimezone(CHINA).replace(tzinfo=None, microsecond=0)
    return cell


def _cell(text: str) -> str:
    """So that no spreadsheet takes it for a formula (CWE-1236)."""
    clean = one_line(text, 32_000)
    return f"'{clean}" if clean.startswith(_ACTING) else clean
