"""Whether a shell script that ends well shows that a command in it was run and did not fail.

POSIX.1-2017 XCU 2.8.2 (exit status), 2.9.2 to 2.9.4 (pipelines, lists, compound commands) and `set
-e` (2.14, errexit). Where it is not plain, the answer is no: then a good end shows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import dropwhile
from typing import Literal

_OR_EXIT = re.compile(r"\|\|\s*exit\s+\"?([1-9]\d*|\$\?)")
_OR_BLOCK = re.compile(r"\|\|\s*\{([^{}]*\bexit\s+\"?(?:[1-9]\d*|\$\?)[^{}]*)\}")
_IF_NOT = re.compile(
    r"\bif\s+!\s+([^;\n]{1,400}?)\s*[;\n]\s*then\b"
    r"(?:(?!\b(?:if|else|elif|fi)\b)[^\0]){0,2000}?\bexit\s+\"?[1-9]\d*"
    r"(?:(?!\b(?:if|else|elif|fi)\b)[^\0]){0,2000}?\bfi\b"
)
_OR_NOTHING = re.compile(
    r"\|\|\s*(true|:|/bin/true|/usr/bin/true|exit 0|echo|printf|logger)(?![\w/])"
)
_OPENS = {"if": "fi", "case": "esac", "for": "done", "while": "done", "until": "done",
          "select": "done", "{": "}", "(": ")"}  # fmt: skip
_CLOSES = set(_OPENS.values())
_TRAP = re.compile(r"\s*trap\b")
_EXIT = re.compile(r"\bexit\b")
_AT_THE_END = re.compile(r"\s(EXIT|0|ERR)\b")
# it may end well before it comes to what is wanted
_LEAVES = re.compile(r"\b(exit|return)\b(?!\s+\"?[1-9])|^exec\s+[^\s<>\d]")
_SHELL = re.compile(r"(?:/\S*/)?(?:ba|da|k)?sh\s+(?:-(\w+)\s+)?(.*)$", re.DOTALL)
_NOT_FIRST = {"then", "else", "do", "elif"}


def tells(text: str, wanted: Callable[[str], bool], *, errexit: bool = False) -> bool:
    """Is it certain that `text` ends with an error unless the command that is `wanted` does well?

    `wanted` says of a simple command whether it is the one; all that are wanted must tell.
    """
    if re.match(r"#!.*\bsh\s+-\w*e", text):
        errexit = True
    lines = _lines(text)
    if any(_traps(line) for line in text.split("\n")):
        return False
    found, pipefail, open_ = False, False, list[str]()
    leaves = next((at for at, x in enumerate(lines) if _LEAVES.search(x)), len(lines))
    for at, line in enumerate(lines):
        words = line.split()
        if words[0] == "set":
            errexit = _set(words, "e", "errexit", now=errexit)
            pipefail = _set(words, "", "pipefail", now=pipefail)
        before = list(open_)
        _track(line, open_)
        if not wanted(_simple(line)):
            continue
        rest = lines[at + 1 :]
        if not _line_tells(line, rest, before, wanted, errexit=errexit, pipefail=pipefail):
            return False
        if leaves < at:
            return False
        found = True
    return found


def _traps(line: str) -> bool:
    """Does it set what is done at the end, and that with an exit?"""
    exits = _EXIT.search(line) if _TRAP.match(line) else None
    return exits is not None and _AT_THE_END.search(line, exits.end()) is not None


def whose(command: str, text: str, wanted: Callable[[str], bool]) -> Literal["own", "script", ""]:
    """Whose exit status a job ends with that runs `command`; `text` has its scripts below it.

    `own`: that of the command that is wanted; `script`: that of a script which cannot end with 0
    unless it did; empty: it tells nothing of it.
    """
    shell = _SHELL.match(command)
    if wanted(command) and shell is None and not re.search(r"[;|&]", command):
        return "own"
    inline = shell is not None and "c" in (shell[1] or "")
    script = shell[2] if inline and shell else text[len(command) :].lstrip("\n")
    errexit = inline and shell is not None and "e" in shell[1]
    return "script" if tells(script, wanted, errexit=errexit) else ""


def hides(text: str, wanted: Callable[[str], bool]) -> bool:
    """Does it say that a failure of the command that is `wanted` shall not count (`|| true`)?"""
    return any(
        wanted(_simple(line)) and _OR_NOTHING.search(line) is not None for line in _lines(text)
    )


def _lines(text: str) -> list[str]:
    """Its commands, one a line; what stands between braces after `||` is cut to its exit."""
    plain = "\n".join(x for x in text.splitlines() if not x.lstrip().startswith("#"))
    plain = re.sub(r"\\\n", " ", plain)
    plain = re.sub(r"(\|\||&&|\|)\s*\n\s*", r"\1 ", plain)
    plain = _IF_NOT.sub(r"\1 || exit 1", _OR_BLOCK.sub("|| exit 1", plain))
    found = []
    for line in re.split(r"[\n;]+", re.sub(r";;", "\n", plain)):
        words = list(dropwhile(_NOT_FIRST.__contains__, line.split()))
        if words:
            found.append(" ".join(words))
    return found


def _set(words: list[str], letter: str, name: str, *, now: bool) -> bool:
    for at, word in enumerate(words[1:], 1):
        if letter and re.fullmatch(rf"-\w*{letter}\w*", word):
            now = True
        elif letter and re.fullmatch(rf"\+\w*{letter}\w*", word):
            now = False
        elif word == name and re.fullmatch(r"[-+]\w*o", words[at - 1]):
            now = words[at - 1].startswith("-")
    return now


def _track(line: str, open_: list[str]) -> None:
    if re.match(r"(function\s+)?[\w-]+\s*\(\)", line):
        open_.append("function")
        if line.endswith("}"):
            open_.pop()
        return
    for part in re.split(r"\|\||&&|\|", line):
        words = part.split() or [""]
        first = words[0]
        if first in _OPENS:
            open_.append(first)
            if first in "{(" and words[-1] == _OPENS[first]:
                open_.pop()
        elif re.sub(r"[&<>\d].*", "", first) in _CLOSES and open_:
            open_.pop()


def _simple(line: str) -> str:
    """The command without what comes after it in a list or a pipeline."""
    return re.split(r"\|\||&&|\|", line)[0].strip()


def _line_tells(
    line: str,
    rest: list[str],
    open_: list[str],
    wanted: Callable[[str], bool],
    *,
    errexit: bool,
    pipefail: bool,
) -> bool:
    first, _, after = line.partition(_simple(line))
    if first.strip() or line.split(maxsplit=1)[0] in ("!", *_OPENS) or not set(open_) <= {"for"}:
        return False
    if "||" in after:
        return _OR_EXIT.match(after.strip()) is not None
    if "&&" in after or re.search(r"(?<!&)&(?![&>\d])\s*$", line):
        return False
    if "|" in after and not pipefail:
        return False
    return errexit or (not open_ and _nothing_after(rest, wanted))


def _nothing_after(rest: list[str], wanted: Callable[[str], bool]) -> bool:
    """Is the status of this command that of the script?"""
    if not rest or re.fullmatch(r"exit(\s+\"?\$\?\"?)?", rest[0]):
        return True
    kept = re.fullmatch(r"(\w+)=\"?\$\?\"?", rest[0])
    if kept is None:
        return False
    given = re.compile(rf"exit\s+\"?\$\{{?{kept[1]}\}}?\"?")
    again = any(x.startswith(f"{kept[1]}=") or wanted(_simple(x)) for x in rest[1:])
    return bool(given.fullmatch(rest[-1])) and not again
