"""A list as CSV for Excel and programs, or as a workbook: the same columns, the same rows."""

from __future__ import annotations

import csv
import io
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from collector.cli.ui.columns import out
from collector.cli.ui.language import tr
from collector.errors import BadInput, one_line

Rows = Sequence[Sequence[str]]
# full-width forms start a formula in some East Asian editions of spreadsheets
_MARK = "\ufeff"
_ACTING = tuple("=+-@\t\r＝＋－＠|%")


def as_csv(columns: Sequence[str], rows: Rows) -> str:
    """RFC 4180, in UTF-8 with the mark that Excel knows it by; `columns` are words for programs."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(text) for text in row] for row in rows)
    return _MARK + buffer.getvalue()


def as_xlsx(name: str, titles: Mapping[str, str], rows: Rows) -> bytes:
    """One sheet `name`; `titles` are what people read, by the words for programs."""
    from openpyxl import Workbook

    from collector.report.render.workbook import Sheet, write

    book = Workbook(write_only=True)
    write(book, Sheet("sheet", list(titles), rows), {"sheet": name, **titles})
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def put(data: str | bytes, place: Path | None) -> None:
    """To the file, written aside; else to stdout. Raises BadInput where a workbook has no file."""
    if place is not None:
        from collector.private import write_aside

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


def _cell(text: str) -> str:
    """So that no spreadsheet takes it for a formula (CWE-1236)."""
    clean = one_line(text, 32_000)
    return f"'{clean}" if clean.startswith(_ACTING) else clean
