"""Words as sh quotes them: what `shlex.split` gives, in time that grows with the text alone.

shlex puts a word together character by character, which takes the square of its length.
"""

from __future__ import annotations

import re

_BLANK = r"[ \t\r\n]++"
_PIECE = re.compile(
    r"(?P<plain>[^ \t\r\n'\"\\#]++)"
    rf"|(?P<blank>{_BLANK})"
    r"|'(?P<single>[^']*+)'"
    r'|"(?P<double>(?:[^"\\]|\\.)*+)"'
    r"|\\(?P<escaped>.)"
    r"|(?P<hash>#)",
    re.DOTALL,
)
_WITHIN = re.compile(r'\\([\\"])')
_NO_END = re.compile(r'\\|"(?:[^"\\]|\\.)*+\\', re.DOTALL)
_REST_OF_LINE = re.compile(r"[^\n]*+\n?")


def split(text: str, *, comments: bool = False) -> list[str]:
    """The words of `text`; with `comments`, each `#` outside of quotes begins one.

    Raises ValueError for a quote or a backslash that has no end.
    """
    words: list[str] = []
    begun: list[str] = []
    at = 0
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            escape = _NO_END.fullmatch(text, at)
            raise ValueError("No escaped character" if escape else "No closing quotation")
        at, kind = piece.end(), piece.lastgroup
        ends = kind == "blank"
        if kind == "hash" and comments:
            rest = _REST_OF_LINE.match(text, at)
            at, ends = rest.end() if rest else at, True
        elif kind == "double":
            begun.append(_WITHIN.sub(r"\1", piece["double"]))
        elif not ends:
            begun.append("#" if kind == "hash" else piece[kind or 0])
        if ends and begun:
            words.append("".join(begun))
            begun = []
    return [*words, "".join(begun)] if begun else words
