"""What a word or a variable holds: plain text, with holes where only a run can tell.

>>> value("/b/", Hole(), ".gz")
('/b/', Hole(kind='any', splits=False), '.gz')
>>> plain(value("a", "b"))
'ab'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal


@dataclass(frozen=True, slots=True)
class Hole:
    """What is not known. `nonzero` and `number` are numbers, `self` that of the shell; `glob` a
    pattern over file names.

    `splits` when it stands without quotes, so that it may be no word at all, or several.
    """

    kind: Literal["any", "number", "nonzero", "glob", "self"] = "any"
    splits: bool = False


Piece = str | Hole
Value = tuple[Piece, ...]
EMPTY: Value = ()
UNKNOWN: Value = (Hole(),)


def value(*pieces: Piece) -> Value:
    """Its pieces, with plain ones that touch put together."""
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        elif piece != "":
            found.append(piece)
    return tuple(found)


def plain(of: Value) -> str | None:
    """Its text, None where a part of it is not known."""
    if not of:
        return ""
    return of[0] if len(of) == 1 and isinstance(of[0], str) else None


def shown(of: Value, hole: str = "$_") -> str:
    """Its text, with `hole` for what is not known; a pattern over file names is `*`."""
    return "".join(p if isinstance(p, str) else "*" if p.kind == "glob" else hole for p in of)


def splitting(of: Value) -> bool:
    return any(isinstance(p, Hole) and p.splits for p in of)


def certainly_some(of: Value) -> bool:
    """Is it certain that it is not empty?"""
    return any(isinstance(p, str) or p.kind != "any" for p in of)


def equal(one: Value, other: Value) -> bool | None:
    """Are they the same text? None where that is not known."""
    first, second = plain(one), plain(other)
    if first is not None and second is not None:
        return first == second
    for some, told in ((one, second), (other, first)):
        if told is not None and not _could_be(some, told):
            return False
    return None


def may_be(some: tuple[Value, ...], others: tuple[Value, ...]) -> bool:
    """May these words be those, in a run? What is not known of a word may be any text."""
    return len(some) == len(others) and all(
        equal(_any(a), _any(b)) is not False for a, b in zip(some, others, strict=True)
    )


def _any(of: Value) -> Value:
    return tuple(p if isinstance(p, str) else Hole() for p in of)


def _could_be(of: Value, text: str) -> bool:
    if len(of) == 1 and isinstance(of[0], Hole) and of[0].kind in ("number", "nonzero", "self"):
        return re.fullmatch(r"\d+", text) is not None and not (
            of[0].kind in ("nonzero", "self") and not text.strip("0")
        )
    first, last = of[0], of[-1]
    return not (
        (isinstance(first, str) and not text.startswith(first))
        or (isinstance(last, str) and not text.endswith(last))
    )


def number(of: Value) -> int | None:
    text = plain(of)
    return int(text) if text and re.fullmatch(r"[+-]?\d{1,15}", text) else None


def compared(one: Value, op: str, other: Value) -> bool | None:
    """`-eq` and its kin; a status that is not zero differs from zero, whatever it is."""
    left, right = number(one), number(other)
    if left is not None and right is not None:
        return {
            "-eq": left == right,
            "-ne": left != right,
            "-lt": left < right,
            "-le": left <= right,
            "-gt": left > right,
            "-ge": left >= right,
        }.get(op)
    if one == (Hole("nonzero"),) and right == 0:
        return {"-eq": False, "-ne": True, "-gt": True, "-ge": True, "-lt": False,
                "-le": False}.get(op)  # fmt: skip
    if other == (Hole("nonzero"),) and left == 0:
        return {"-eq": False, "-ne": True, "-lt": True, "-le": True, "-gt": False,
                "-ge": False}.get(op)  # fmt: skip
    return None


def matches(of: Value, pattern: Value, *, literal: bool) -> bool | None:
    """Does a pattern of `case` match? `literal` when it was quoted, and stands for itself."""
    if not literal and plain(pattern) == "*":
        return True
    text, wanted = plain(of), plain(pattern)
    if literal:
        return equal(of, pattern)
    if text is None or wanted is None or "\\" in wanted or "[" in wanted:
        if wanted is not None and not re.search(r"[*?\[\\]", wanted):
            return equal(of, pattern)
        return None
    return fnmatchcase(text, wanted)


def trimmed(text: str, op: str, pattern: str) -> str | None:
    """`${x%p}`, `${x%%p}`, `${x#p}`, `${x##p}`; None where it would take too long to say."""
    if len(text) > 400 or "[" in pattern or "\\" in pattern:
        return None
    ends = range(len(text) + 1)
    order = ends if op in ("#", "%%") else reversed(ends)
    for at in order:
        part, rest = (text[:at], text[at:]) if op[0] == "#" else (text[at:], text[:at])
        if fnmatchcase(part, pattern):
            return rest
    return text


def counted(text: str) -> int | None:
    """The value of an expression of whole numbers with + - * and parentheses."""
    tokens = re.findall(r"\d+|[-+*()]|\S", text)
    if len(tokens) > 60:
        return None
    try:
        result, at = _sum(tokens, 0)
    except (IndexError, ValueError):
        return None
    return result if at == len(tokens) and abs(result) < 1 << 62 else None


def _sum(tokens: list[str], at: int) -> tuple[int, int]:
    total, at = _product(tokens, at)
    while at < len(tokens) and tokens[at] in "+-":
        sign = 1 if tokens[at] == "+" else -1
        more, at = _product(tokens, at + 1)
        total += sign * more
    return total, at


def _product(tokens: list[str], at: int) -> tuple[int, int]:
    total, at = _atom(tokens, at)
    while at < len(tokens) and tokens[at] == "*":
        more, at = _atom(tokens, at + 1)
        total *= more
    return total, at


def _atom(tokens: list[str], at: int) -> tuple[int, int]:
    if tokens[at] == "-":
        found, at = _atom(tokens, at + 1)
        return -found, at
    if tokens[at] == "(":
        found, at = _sum(tokens, at + 1)
        if tokens[at] != ")":
            raise ValueError(tokens[at])
        return found, at + 1
    if len(tokens[at]) > 15 or (len(tokens[at]) > 1 and tokens[at][0] == "0"):
        raise ValueError(tokens[at])
    return int(tokens[at]), at + 1
