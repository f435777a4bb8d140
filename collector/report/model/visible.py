"""Text that a host chose, made safe to look at: nothing in it acts, hides or turns around."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from collector.errors import harmless

# all that needs no closer look, so that long outputs are quick
_PLAIN = "\n\t\x20-\x7e\u3000-\u30ff\u4e00-\u9fff\uff01-\uff60"
_OTHERS = re.compile(f"[^{_PLAIN}]+")
# of a text on one line, where a tab is no blank, nor what no letter has yet
_ODD_IN_TEXT = re.compile(
    "[^\n\x20-\x7e\u3000-\u303f\u3041-\u3096\u3099-\u30ff\u4e00-\u9fef\uff01-\uff60]"
)
# where a sentence, and where a part of one, has said what it says
_SENTENCE = re.compile(r"[。！？；]|[.;!?](?=\s|$)")
_PART = re.compile(r"[，：]|[,:](?=\s)")


def visible(text: str) -> Markup:
    """Escaped for HTML, with each control, format or unassigned character shown as its number.

    Line ends and tabs stay. Whatever turns the reading direction (U+202E), hides (U+200B) or
    drives a terminal (ESC) is marked, so that a forged line looks forged.
    """
    parts: list[Markup] = []
    at = 0
    for match in _OTHERS.finditer(text):
        parts.append(escape(text[at : match.start()]))
        parts.extend(_shown(run) for run in _runs(match[0]))
        at = match.end()
    if not at:
        return escape(text)
    parts.append(escape(text[at:]))
    return Markup("").join(parts)


def plain(text: str) -> Markup:
    """As `visible`, without markup of its own: for attributes."""
    return escape(told(text.replace("\n", " ")))


def told(text: str) -> str:
    """As `visible`, for places that take text and no markup; only line ends stay."""
    return _ODD_IN_TEXT.sub(_harmless_or_number, text)


def _harmless_or_number(found: re.Match[str]) -> str:
    return found[0] if harmless(found[0]) else _number(found[0])


def _runs(text: str) -> list[str]:
    """Stretches that are all harmless, or all not."""
    runs: list[str] = []
    before: bool | None = None
    for c in text:
        now = harmless(c)
        if now is before:
            runs[-1] += c
        else:
            runs.append(c)
        before = now
    return runs


def _shown(run: str) -> Markup:
    if harmless(run[0]):
        return escape(run)
    return Markup('<b class="cc">{}</b>').format("".join(_number(c) for c in run))


def _number(c: str) -> str:
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def whole_clauses(text: str, most: int) -> str:
    """As much of `text` as fits in `most` characters, to a sentence's end, never inside a word.

    >>> whole_clauses("先看内存；再执行 apt-get install clamav-daemon。", 14)
    '先看内存 …'
    >>> whole_clauses("Run hostpledge harden, then check", 24)
    'Run hostpledge harden …'
    """
    if len(text) <= most:
        return text
    for end in (_SENTENCE, _PART, re.compile(r"\s")):
        places = [found.start() for found in end.finditer(text, 0, most + 1)]
        if places and places[-1] > 0:
            return f"{text[: places[-1]]} …"
    return f"{text[:most]} …"
