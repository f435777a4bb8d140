"""Where lists go: a file, or standard output; and a workbook in the language of this process."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from collector.cli.asked.loudness import quiet
from collector.cli.ui.columns import out
from collector.cli.ui.language import lang, tr
from collector.errors import BadInput, one_line
from collector.report.model.cells import Cell, Word
from collector.report.render import sheets
from collector.report.render.sheets import MARK, Rows, as_csv

__all__ = ["Cell", "Rows", "Word", "as_csv", "as_xlsx", "marked", "put"]

# by the ending of a file's name, what its content begins with
_BEGINS: Mapping[str, str | bytes] = {"xlsx": b"P", "csv": MARK, "json": "{"}


def as_xlsx(name: str, titles: Mapping[str, str], rows: Rows) -> bytes:
    """As `sheets.as_xlsx`, in the language of this process."""
    return sheets.as_xlsx(name, titles, rows, lang())


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
        if not quiet():
            click.echo(
                tr(f"已写入 {one_line(str(place), 400)}", f"wrote {one_line(str(place), 400)}"),
                err=True,
            )
    elif isinstance(data, bytes):
        raise BadInput(
            tr("工作簿须写入文件", "a workbook has to go to a file"),
            where="--format xlsx",
            mend=tr("加上 -o 文件名.xlsx", "add -o FILE.xlsx"),
        )
    else:
        # a terminal would show the mark, and a stream of ours makes it visible
        if data.startswith(MARK) and not sys.stdout.isatty():
            sys.stdout.flush()
            sys.stdout.buffer.write(MARK.encode())
        out(data.removeprefix(MARK))


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
        sys.stdout.buffer.write(MARK.encode())
