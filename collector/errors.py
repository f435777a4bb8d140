"""Everything hostpledge raises on purpose.

Two kinds must never be confused: `BadInput` ends a command with exit status 2, while
a `FactError` ends in an `error` finding of each control that rested on the fact.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from collector.i18n.message import Message, msg, told, visible

# what needs no closer look: most of all text is of it
_ODD = re.compile("[^\n\t\x20-\x7e\u3000-\u30ff\u4e00-\u9fff\uff01-\uff60]")
_BLANK = "\u00a0"
# takes no ink, though Unicode calls it a letter, a mark or a symbol (Default_Ignorable_Code_Point)
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# what stands between the names of a list, and what holds one of them together
_SEPARATES = re.compile('[,;:、，；：“”" ]')
# a key that is shown goes to logs and mails: the wrong file was named
_PRIVATE = re.compile(r"(?i)AGE-SECRET-KEY-[0-9A-Z-]*|-----BEGIN[A-Z0-9 ]*PRIVATE KEY.*", re.DOTALL)


class CollectorError(Exception):
    """The root of what hostpledge raises on purpose; its text is one line for a person."""

    @property
    def said(self) -> str:
        """Its text; a message where it has a code, which can be had in Chinese too."""
        return told(self)


class BadInput(CollectorError):
    """Something handed to hostpledge cannot be used.

    `what` is wrong, `where` (a file, a line, an argument), and the `mend`.
    """

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        self.what = one_line(what)
        self.where = one_line(where)
        self.mend = one_line(mend)
        said = msg("at", where=self.where, what=self.what) if self.where else self.what
        super().__init__(msg("with_mend", what=said, mend=self.mend) if self.mend else said)


class VerifyFailed(CollectorError):
    """A bundle does not prove what it claims; `where` names the file inside the bundle.

    `altered` is false where what was named is no bundle at all, as after a slip of the pen.
    """

    altered = True

    def __init__(self, what: str, *, where: str = "") -> None:
        self.what = one_line(what)
        self.where = one_line(where)
        super().__init__(msg("at", where=self.where, what=self.what) if self.where else self.what)


class FactError(CollectorError):
    """A fact cannot be had from a capture; `read` is the id of the read it rests on.

    `status` is what became of that read (a ReadStatus), where that is why; else empty.
    """

    reason = "not_understood"

    def __init__(self, read: str, why: str, status: str = "") -> None:
        self.read = read
        self.why = one_line(why)
        self.status = status
        super().__init__(msg("at", where=read, what=self.why))


class CouldNotLook(FactError):
    """The host did not let us see: refused, timed out, truncated, lost, exited with an error."""

    reason = "could_not_look"


class NotUnderstood(FactError):
    """The host answered, and the parser does not know what the answer means."""

    reason = "not_understood"


class NotTrusted(FactError):
    """What is there was understood, and is shown to be another's doing than it claims."""

    reason = "not_trusted"


class PastLimit(CollectorError):
    """Judging takes more than it may (see `judging`)."""


def one_line(text: str, limit: int = 400) -> str:
    """`text` with control characters and line ends made visible, cut at `limit` characters."""
    # no more of it than can be shown: a line may be of any length
    shown = _PRIVATE.sub("***", text.strip()[: limit + 1])
    clean = visible(shown)
    clean = clean if len(clean) <= limit else clean[: limit - 1] + "…"
    return text.shown_as(clean) if isinstance(text, Message) else clean


def shown(text: str, limit: int = 400) -> str:
    """As `one_line`, for what somebody else named, and with nothing in it that takes no ink.

    Judges keep to `one_line`: what they once wrote is held to what they would write today.
    """
    return escaped(one_line(text, limit))


def quoted_lines(lines: Sequence[str]) -> list[str]:
    """Lines that a host printed, indented; none of them ends before its end."""
    return ["    " + escaped(line.replace("\n", "\\x0a")) for line in lines]


def listed(names: Sequence[str], comma: str = ", ", most: int = 60) -> str:
    """Names on one line, each as `shown`; one that could pass for several is in quotation marks."""
    return comma.join(_one_name(shown(name, most)) for name in names)


def _one_name(name: str) -> str:
    several = _SEPARATES.search(name) or name != name.strip()
    return f"“{name}”" if several else name or "“”"


def harmless(c: str) -> bool:
    """Does the character leave ink or a blank, and nothing else?"""
    return (c.isprintable() and not _UNSEEN.match(c)) or c in (_BLANK, "\u3000")


def escaped(text: str) -> str:
    r"""`text` with each character that acts, hides or turns around as JSON writes it: `\u202e`.

    Line ends and tabs stay. In JSON the value stays the same; elsewhere it becomes visible.
    """
    return _ODD.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    c = found[0]
    if harmless(c) or "\ud800" <= c <= "\udfff":
        return c
    code = ord(c)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
