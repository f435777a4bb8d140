"""Lines for a terminal: a Chinese character takes two columns, and a line may end after any."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len, chop_cells

# what must not begin a line, and what must not end one (GB/T 15834, section 5.1)
_CLOSING = "，。、；：？！）》」』】”’…"
_OPENING = "（《「『【“‘"
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_PIECE = re.compile(
    rf"\s+|[{_OPENING}]*(?:[{_WIDE}]|(?:(?!\s)[^{_WIDE}{_OPENING}{_CLOSING}])+|(?=[{_CLOSING}]))[{_CLOSING}]*"
    rf"|[{_OPENING}]+"
)


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns; a word too long for a line is cut."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        lines += _lines(paragraph, width)
    return lines


def _lines(paragraph: str, width: int) -> Iterator[str]:
    line, used, gap = "", 0, ""
    for piece in _PIECE.findall(paragraph):
        if piece.isspace():
            gap = piece if line else ""
            continue
        wide = cell_len(piece)
        if line and used + cell_len(gap) + wide > width:
            yield line
            line, used, gap = "", 0, ""
        line, used, gap = line + gap + piece, used + cell_len(gap) + wide, ""
        if used > width:
            *whole, line = chop_cells(line, width)
            yield from whole
            used = cell_len(line)
    yield line
