"""The syntax of logrotate.conf(5), with what logrotate 3.8 to 3.22 do where it is broken.

Global directives stay in force for every file read later, also from inside an included file; a
file with an error loses its global directives but keeps the sections read before the error.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from collector.errors import NotUnderstood
from collector.model import CapturedFile, ReadStatus

# what logrotate leaves out of an included folder (config.c: defTabooExts)
_TABOO = """
    ,v .bak .cfsaved .disabled .dpkg-bak .dpkg-del .dpkg-dist .dpkg-new .dpkg-old .dpkg-tmp
    .new .old .orig .pacnew .pacorig .pacsave .rhn-cfg-tmp-* .rpmnew .rpmorig .rpmsave .swp
    .ucf-dist .ucf-new .ucf-old ~
"""
_SCRIPTS = ("prerotate", "postrotate", "firstaction", "lastaction", "preremove")
_ALONE = """
    compress nocompress delaycompress nodelaycompress shred noshred allowhardlink
    noallowhardlink sharedscripts nosharedscripts copytruncate nocopytruncate renamecopy
    norenamecopy copy nocopy ifempty notifempty dateext nodateext dateyesterday
    nodateyesterday datehourago nodatehourago noolddir mailfirst maillast nocreateolddir
    nocreate hourly daily yearly nomail missingok nomissingok ignoreduplicates
"""
_WITHOUT_ARGUMENT = frozenset(_ALONE.split())
_INTERVALS = ("hourly", "daily", "weekly", "monthly", "yearly")
_DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Rotation:
    """One section: which logs, how often they are rotated, how many old files stay.

    `interval` is one of hourly, daily, weekly, monthly, yearly, minutes, or `size`, which means
    that size alone decides. `count` is `rotate`: -1 keeps all, 0 none. `maxage` is in days, the
    sizes in bytes, 0 where not given. `copy`: the log itself is never cut.
    """

    patterns: tuple[str, ...] = ()
    path: str = ""
    line: int = 0
    interval: str = "size"
    monthday: int = 0
    count: int = 0
    maxage: int = 0
    maxsize: int = 0
    minsize: int = 0
    copy: bool = False
    dateext: bool = False
    olddir: str = ""
    ignoreduplicates: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """A place that logrotate itself refuses; `patterns` are the logs that are left without it."""

    path: str
    line: int
    why: str
    patterns: tuple[str, ...] = ()


def path_matches(path: str, pattern: str) -> bool:
    """glob(7) on whole paths: `*` does not go over a slash, nor over a leading dot."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatchcase(part, want) and not (part.startswith(".") and not want.startswith("."))
        for part, want in zip(parts, wanted, strict=True)
    )


class _Refused(Exception):
    def __init__(self, line: int, why: str, *, whole: bool) -> None:
        super().__init__(why)
        self.line = line
        self.why = why
        self.whole = whole


class Reader:
    """Reads configuration files in the order and with the memory that logrotate has."""

    def __init__(self, found: Mapping[str, CapturedFile]) -> None:
        self.found = found
        self.rotations: list[Rotation] = []
        self.problems: list[Problem] = []
        self.taboo = [f"*{ext}" for ext in _TABOO.split()]

    def config(self, path: str, default: Rotation, depth: int = 0) -> Rotation:
        """Reads one file; returns the global directives in force after it."""
        file = self.found[path]
        source = _Source(file.text("logrotate.config"))
        if file.mode & 0o022 or file.uid != 0:
            why = "ignored by logrotate: not owned by root, or writable by others than root"
            self.problems.append(Problem(path, 0, why, source.every_pattern()))
            return default
        before, problems = default, len(self.problems)
        try:
            while (said := source.next()) is not None:
                default = self._global(source, said, default, path, depth)
        except _Refused as refused:
            lost = source.patterns if source.in_section else ()
            self.problems.append(
                Problem(path, refused.line, refused.why, (*lost, *source.every_pattern()))
            )
        return default if len(self.problems) == problems else before

    def _global(
        self, source: _Source, said: _Said, default: Rotation, path: str, depth: int
    ) -> Rotation:
        if said.word == "/":
            self._section(source, said, default, path)
            return default
        if said.word == "}":
            raise _Refused(said.line, "unexpected }", whole=True)
        if said.word == "include":
            return self._include(said, default, path, depth)
        if said.word in ("tabooext", "taboopat"):
            star = "*" if said.word == "tabooext" else ""
            listed = [x for x in re.split(r"[\s,]+", said.value.lstrip("+")) if x]
            kept = self.taboo if said.value.startswith("+") else []
            self.taboo = [*kept, *(star + x for x in listed)]
            return default
        if said.word in _SCRIPTS:
            source.skip_script(said.line)
            return default
        return _apply(default, said)

    def _include(self, said: _Said, default: Rotation, path: str, depth: int) -> Rotation:
        target = said.value.rstrip("/")
        if depth >= _DEEPEST:
            raise _Refused(said.line, "include nesting too deep", whole=False)
        if target in self.found:
            return self.config(target, default, depth + 1)
        if target not in ("/etc/logrotate.d", "/usr/etc/logrotate.d"):
            raise NotUnderstood(
                "logrotate.config", f"{path}:{said.line}: includes {target}, which was not read"
            )
        for name in sorted(p for p in self.found if p.rsplit("/", 1)[0] == target):
            regular = self.found[name].status is not ReadStatus.EXIT
            if regular and not self._is_taboo(name.rsplit("/", 1)[1]):
                default = self.config(name, default, depth + 1)
        return default

    def _is_taboo(self, name: str) -> bool:
        return any(
            fnmatchcase(name, x) and not (name.startswith(".") and not x.startswith("."))
            for x in self.taboo
        )

    def _section(self, source: _Source, said: _Said, default: Rotation, path: str) -> None:
        source.head(said)
        section = replace(default, patterns=source.patterns, path=path, line=said.line)
        try:
            while (inside := source.inside()).word != "}":
                if inside.word in _SCRIPTS:
                    source.skip_script(inside.line)
                elif inside.word in ("tabooext", "taboopat", "/"):
                    raise _Refused(inside.line, f"unexpected {inside.value}", whole=False)
                elif inside.word != "include":
                    section = _apply(section, inside)
        except _Refused as refused:
            if refused.whole:
                raise
            self.problems.append(Problem(path, refused.line, refused.why, source.patterns))
            source.skip_section()
            return
        source.in_section = False
        self.rotations.append(section)


@dataclass(frozen=True, slots=True)
class _Said:
    """One directive; the word `/` stands for the names of logs, `}` for the end of a section."""

    line: int
    word: str
    value: str = ""


class _Source:
    """The text of one file, taken apart as logrotate does it.

    Words without an argument may share a line; any other word takes the rest of its line, a
    comment included, so that `rotate 7 # week` is refused by logrotate.
    """

    def __init__(self, text: str) -> None:
        self._left = list(enumerate(text.splitlines(), 1))[::-1]
        self.patterns: tuple[str, ...] = ()
        self.in_section = False

    def next(self) -> _Said | None:
        while self._left:
            line, text = self._left.pop()
            text = text.strip()
            if not text or text[0] == "#":
                continue
            if text[0] in "/\"'~":
                return _Said(line, "/", text)
            if text[0] == "}":
                return _Said(line, "}")
            word = re.match(r"[A-Za-z]*", text)[0]  # type: ignore[index]  # it matches anything
            rest = text[len(word) :]
            if not word:
                raise _Refused(line, "lines must begin with a keyword or a filename", whole=False)
            if rest and not rest[0].isspace() and rest[0] != "=":
                raise _Refused(line, f"keyword {word} is not properly separated", whole=False)
            if word in _WITHOUT_ARGUMENT:
                self._left.append((line, rest))
                return _Said(line, word)
            return _Said(line, word, re.sub(r"^\s*=?\s*", "", rest))
        return None

    def inside(self) -> _Said:
        """The next directive of a section, which the end of the file ends as a brace does."""
        return self.next() or _Said(0, "}")

    def head(self, said: _Said) -> None:
        """Takes the names of logs up to the brace, over as many lines as they have."""
        gathered, line, text = "", said.line, said.value
        while "{" not in text:
            gathered += f"{text}\n"
            if "}" in text or not self._left:
                raise _Refused(line, "missing { after the names of logs", whole=True)
            line, text = self._left.pop()
            text = "" if text.lstrip().startswith("#") else text
        before, _, after = text.partition("{")
        self._left.append((line, after))
        try:
            self.patterns = tuple(shlex.split(gathered + before))
        except ValueError:
            raise _Refused(line, "error parsing filename", whole=True) from None
        self.in_section = True

    def skip_script(self, start: int) -> None:
        while self._left:
            if self._left.pop()[1].split()[:1] == ["endscript"]:
                return
        raise _Refused(start, "a script without endscript", whole=True)

    def skip_section(self) -> None:
        self.in_section = False
        while self._left:
            line, text = self._left.pop()
            words = text.split()[:1]
            if words and words[0] in _SCRIPTS:
                self.skip_script(line)
            elif text.strip().startswith("}"):
                return

    def every_pattern(self) -> tuple[str, ...]:
        """The names of logs in what is left, for saying what goes without its rules."""
        left = "\n".join(text for _, text in self._left[::-1])
        heads = re.findall(r"(?m)^[ \t]*([/\"~][^{}#]*)\{", left)
        return tuple(name.strip("\"'") for head in heads for name in head.split())


def _apply(section: Rotation, said: _Said) -> Rotation:
    """The section (or the global directives) after one more directive."""
    word, value, line = said.word, said.value, said.line
    if word in _INTERVALS:
        top = {"weekly": 7, "monthly": 31}.get(word, 0)
        if value and (not value.isdecimal() or int(value) > top):
            raise _Refused(line, f"bad {word} directive {value!r}", whole=True)
        monthday = int(value or 0) if word == "monthly" else 0
        return replace(section, interval=word, monthday=monthday)
    if word in ("rotate", "maxage", "minage", "minutes", "start"):
        number = _integer(value)
        if number is None or number < (-1 if word == "rotate" else 0):
            raise _Refused(line, f"bad {word} {value!r}", whole=False)
        if word == "minutes":
            return replace(section, interval="minutes")
        if word == "rotate":
            return replace(section, count=number)
        return replace(section, maxage=number) if word == "maxage" else section
    if word in ("size", "minsize", "maxsize"):
        unit = value[-1:] if value[-1:] in ("k", "K", "M", "G") else ""
        number = _integer(value.removesuffix(unit))
        if number is None or number < 0:
            raise _Refused(line, f"bad {word} {value!r}", whole=False)
        size = number << {"": 0, "k": 10, "K": 10, "M": 20, "G": 30}[unit]
        return replace(section, interval="size") if word == "size" else _sized(section, word, size)
    if word in ("copy", "nocopy"):
        return replace(section, copy=word == "copy")
    if word in ("dateext", "nodateext"):
        return replace(section, dateext=word == "dateext")
    if word == "ignoreduplicates":
        return replace(section, ignoreduplicates=True)
    if word in ("olddir", "noolddir"):
        return replace(section, olddir=value)
    return section


def _integer(text: str) -> int | None:
    """As strtol(3) with base 0 reads a whole text: a leading 0 means octal, 0x hexadecimal."""
    match = re.fullmatch(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9]\d*))", text)
    if not match:
        return None
    digits, base = next((d, b) for d, b in zip(match.groups()[1:], (16, 8, 10), strict=True) if d)
    return int(digits, base) * (-1 if match[1] == "-" else 1)


def _sized(section: Rotation, word: str, size: int) -> Rotation:
    if word == "minsize":
        return replace(section, minsize=size)
    return replace(section, maxsize=size)
