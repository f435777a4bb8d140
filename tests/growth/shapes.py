"""Content that grows: what a host says repeated under other names, and signs without end.

A shape takes what a read said and a size (bytes), and gives about as much.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import count

Shape = Callable[[bytes, int], bytes]

_DIGITS = re.compile(rb"[0-9]+")
# names, not the words of a language: they stand in paths, after `=`, or hold a digit
_NAMES = re.compile(rb"(?<=[/=@:\"'])[A-Za-z][A-Za-z0-9_.-]*|[A-Za-z_.-]+(?=[0-9])")
_WORDS = re.compile(rb"[A-Za-z][A-Za-z0-9_-]+")


def _until(size: int, pieces: Iterator[bytes]) -> bytes:
    found: list[bytes] = []
    length = 0
    for piece in pieces:
        found.append(piece or b" ")
        length += len(piece) or 1
        if length >= size:
            break
    return b"".join(found)


def again(said: bytes, size: int) -> bytes:
    """All of it, again and again."""
    return _until(size, (said for _ in count()))


def _with_ends(said: bytes) -> bytes:
    return said if said.endswith(b"\n") else said + b"\n"


def _changed(said: bytes, size: int, what: re.Pattern[bytes], *, each: bool) -> bytes:
    """`each`: every line many times by itself, rather than all lines one after the other."""

    def other(text: bytes, number: int) -> bytes:
        tail = b"%d" % number
        return what.sub(lambda found: found[0] + tail, text)

    text = _with_ends(said)
    if not each:
        return _until(size, (other(text, number) for number in count(1)))
    lines = text.splitlines(keepends=True)
    share = max(1, size // max(1, len(lines)))
    return b"".join(_until(share, (other(line, number) for number in count(1))) for line in lines)


def numbered(said: bytes, size: int) -> bytes:
    """All of it, with other numbers."""
    return _changed(said, size, _DIGITS, each=False)


def renamed(said: bytes, size: int) -> bytes:
    """All of it, with other names."""
    return _changed(said, size, _NAMES, each=False)


def each_renamed(said: bytes, size: int) -> bytes:
    """Each line many times, with other names."""
    return _changed(said, size, _NAMES, each=True)


def each_reworded(said: bytes, size: int) -> bytes:
    """Each line many times, with other words."""
    return _changed(said, size, _WORDS, each=True)


def each_again(said: bytes, size: int) -> bytes:
    """Each line many times."""
    lines = _with_ends(said).splitlines(keepends=True)
    share = max(1, size // max(1, len(lines)))
    return b"".join(line * (share // len(line) + 1) for line in lines)


def one_line(said: bytes, size: int) -> bytes:
    """All of it in one line."""
    return again(said.replace(b"\n", b" ").replace(b"\0", b" ") or b" ", size)


def long_line(said: bytes, size: int) -> bytes:
    """Its longest line goes on and on."""
    lines = said.splitlines() or [b"x"]
    longest = max(lines, key=len) or b"x"
    return b"\n".join([*lines, again(longest, size)]) + b"\n"


def long_words(said: bytes, size: int) -> bytes:
    """The first word of each of its lines is long."""
    lines = said.splitlines()[:50] or [b"x"]
    share = max(1, size // len(lines))
    return b"".join(
        _WORDS.sub(lambda f: f[0] * (share // len(f[0]) + 1), x, count=1) + b"\n" for x in lines
    )


def long_values(said: bytes, size: int) -> bytes:
    """The last word of each of its lines is long."""
    lines = said.splitlines()[:50] or [b"x"]
    share = max(1, size // len(lines))
    return b"".join(
        x + (x.split() or [b"x"])[-1] * (share // len((x.split() or [b"x"])[-1]) + 1) + b"\n"
        for x in lines
    )


def first_then(signs: bytes) -> Shape:
    """What was said, and then the signs without end; `%d` in them counts."""

    def shape(said: bytes, size: int) -> bytes:
        if b"%d" in signs:
            return _with_ends(said) + _until(size, (signs % n for n in count(1)))
        return _with_ends(said) + again(signs, size)

    return shape


def tails(signs: bytes) -> Shape:
    """Each of its first lines, with the signs without end after it."""

    def shape(said: bytes, size: int) -> bytes:
        lines = list(dict.fromkeys(said.splitlines()))[:20] or [b"x"]
        tail = again(signs, size // len(lines))
        return b"".join(line + tail + b"\n" for line in lines)

    return shape


def heads(signs: bytes) -> Shape:
    """Each of its first lines, with the signs without end before it."""

    def shape(said: bytes, size: int) -> bytes:
        lines = list(dict.fromkeys(said.splitlines()))[:20] or [b"x"]
        head = again(signs, size // len(lines))
        return b"".join(head + line + b"\n" for line in lines)

    return shape


OWN: dict[str, Shape] = {
    "again": again,
    "numbered": numbered,
    "renamed": renamed,
    "each renamed": each_renamed,
    "each reworded": each_reworded,
    "each again": each_again,
    "one line": one_line,
    "long line": long_line,
    "long words": long_words,
    "long values": long_values,
}
_SIGNS = (
    b"[", b"(", b"{", b"]", b")", b"}", b"'", b'"', b"\\", b"`", b"$(", b"${", b" ", b"\t", b",",
    b":", b";", b"=", b"-", b"/", b".", b"*", b"#", b"|", b"&", b"<", b">", b"!", b"%", b"@", b"~",
    b"0", b"a", b"\0", b"\r", b"\\\n", b"\xff", b"\xe4\xb8\xad", b"()", b"[]", b"a ", b"a,", b"a=",
    b"1:", b"a/", b"../", b"/./", b"' ", b'" ', b"$a", b"- ", b"a\\ ", b"a;", b"a&&", b"a||", b"a|",
    b"if ",
)  # fmt: skip
_TAILS = (
    b"[", b"(", b"'", b"\\", b"$(", b" ", b",", b":", b";", b"=", b"-", b"/", b".", b"*", b"0",
    b"a", b"a ", b"1:", b"../", b"\\\n", b"a,", b'" ',
)  # fmt: skip
_LINES = (
    b"\n", b"[%d]\n", b"x%d\n", b"x%d=1\n", b"/x/%d\n", b"{\n", b"}\n", b"- \n",
    b"if a; then\n", b"x%d {\n",
    b"\\\n", b"#%d\n", b" x%d: 1\n", b"@include /x/%d\n", b"<x%d>\n", b"== %d\n",
)  # fmt: skip
SIGNS: dict[str, Shape] = {
    **{f"then {signs!r}": first_then(signs) for signs in (*_SIGNS, *_LINES)},
    **{f"tails {signs!r}": tails(signs) for signs in _TAILS},
    **{f"heads {signs!r}": heads(signs) for signs in _TAILS},
}
SHAPES = OWN | SIGNS
