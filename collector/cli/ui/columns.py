"""Text for 80 columns where a Chinese character takes two."""

from __future__ import annotations

import sys

from rich.cells import cell_len

from collector.export.wrapping import wrapped

WIDTH = 80


def out(text: str) -> None:
    """Results go to stdout: in UTF-8 whatever the locale says, with their own line ends."""
    sys.stdout.write(text)
    sys.stdout.flush()


def cells(text: str) -> int:
    """How many columns of a terminal the (printable) text takes."""
    return len(text) if text.isascii() else cell_len(text)


def pad(text: str, columns: int) -> str:
    return text + " " * max(0, columns - cells(text))


def wrap(text: str, *, indent: str = "", width: int = WIDTH) -> str:
    """`text` in lines of at most `width` columns, each after `indent`."""
    lines = wrapped(text, width - cell_len(indent))
    return "\n".join(f"{indent}{line}" if line else "" for line in lines)


def labelled(label: str, text: str, *, column: int = 12, width: int = WIDTH) -> str:
    """A label, and beside it a text whose further lines stand under its first.

    >>> print(labelled("not verified", "nobody looked", column=10))
    not verified
              nobody looked
    """
    indent = " " * column
    body = wrap(text, indent=indent, width=width)
    if cells(label.rstrip()) >= column and body:
        return f"{label}\n{body}"
    return pad(label, column) + body[column:] if body else label
