"""Columns of text for thousands of rows: no lines drawn, cells folded where there is no room."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping

from collector.cli.ui.columns import cells, pad
from collector.errors import one_line
from collector.export.wrapping import wrapped

_GAP = 2


class Grid:
    """The columns in `fixed` keep their width; the others share the rest, the widest give way."""

    def __init__(self, *heads: str, fixed: Mapping[int, int] | None = None) -> None:
        self._rows: list[tuple[str, ...]] = [heads]
        self._fixed = dict(fixed or {})

    def add_row(self, *cells: str) -> None:
        # what could move the cursor is shown as its number
        self._rows.append(tuple(c if c.isprintable() else one_line(c, 4000) for c in cells))

    def drawn(self, width: int) -> str:
        widths = self._widths(width)
        lines: list[str] = []
        for row in self._rows:
            folded = [
                [cell] if len(cell) * 2 <= room or cells(cell) <= room else wrapped(cell, room)
                for cell, room in zip(row, widths, strict=True)
            ]
            for number in range(max(map(len, folded))):
                parts = [cell[number] if number < len(cell) else "" for cell in folded]
                line = (" " * _GAP).join(map(pad, parts, widths))
                lines.append(line.rstrip())
        return "".join(f"{line}\n" for line in lines)

    def _widths(self, width: int) -> list[int]:
        widths = [
            self._fixed.get(number) or max(map(cells, column))
            for number, column in enumerate(zip(*self._rows, strict=True))
        ]
        free = [number for number in range(len(widths)) if number not in self._fixed]
        over = sum(widths) + _GAP * (len(widths) - 1) - width
        while over > 0 and free:
            widest = max(free, key=lambda number: widths[number])
            if widths[widest] <= 2:
                break
            # down to the next widest, or by what is too much
            others = [widths[n] for n in free if widths[n] < widths[widest]]
            step = min(over, widths[widest] - max(others, default=2)) or 1
            widths[widest] -= step
            over -= step
        return widths


def room() -> int:
    """The columns that a table has: 80 where nobody looks at a terminal."""
    if not sys.stdout.isatty():
        return 80
    return max(60, min(shutil.get_terminal_size((80, 24)).columns, 160))
