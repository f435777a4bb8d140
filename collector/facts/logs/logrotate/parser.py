"""The syntax of logrotate.conf(5), with what logrotate 3.8 to 3.22 do where it is broken.

Global directives stay in force for every file read later, also from inside an included file; a
file with an error loses its global directives. What it keeps of its sections depends on the
version: before 3.12 none; until 3.18 also the one in which the error was found, as far as it was
read; since then those before it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import lru_cache

from collector.errors import NotUnderstood
from collector.facts.base.allowance import Allowance
from collector.facts.logs.logrotate.directives import (
    NEWEST,
    STRICT,
    Problem,
    Refused,
    Rotation,
    Said,
    Version,
    applied,
)
from collector.facts.logs.logrotate.lexer import SCRIPTS, Source
from collector.i18n.message import msg
from collector.model import CapturedFile, ReadStatus

__all__ = ["Problem", "Reader", "Rotation", "path_matches"]

# what logrotate leaves out of an included folder (config.c: defTabooExts), by the first version
_TABOO: dict[Version, str] = {
    (3, 0): """
        ,v .cfsaved .disabled .dpkg-dist .dpkg-new .dpkg-old .rhn-cfg-tmp-* .rpmnew .rpmorig
        .rpmsave .swp .ucf-dist .ucf-new .ucf-old ~
    """,
    (3, 13): ".dpkg-bak .dpkg-del .dpkg-tmp",
    (3, 17): ".bak",
    (3, 22): ".new .old .orig",
    (3, 23): ".pacnew .pacorig .pacsave",
}
# a section with an error is one of the file's too, since then
_COUNTED: Version = (3, 15)
_DEEPEST = 16
_STEPS = 500_000
_WORDS = 20_000
_FOLDERS = ("/etc/logrotate.d", "/usr/etc/logrotate.d")


def path_matches(path: str, pattern: str) -> bool:
    """glob(7) on whole paths: `*` does not go over a slash, nor over a leading dot."""
    if not path.startswith(_literal(pattern)):
        return False
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(
        fnmatchcase(part, want) and not (part.startswith(".") and not want.startswith("."))
        for part, want in zip(parts, wanted, strict=True)
    )


def matching(logs: Sequence[str], pattern: str, room: Allowance) -> list[str]:
    """Those of the sorted `logs` that the pattern matches."""
    begin = _literal(pattern)
    found = []
    for at in range(bisect_left(logs, begin), len(logs)):
        if not logs[at].startswith(begin):
            break
        room.take()
        if path_matches(logs[at], pattern):
            found.append(logs[at])
    return found


def held_to_patterns() -> Allowance:
    """How many names are held to patterns of logs."""
    return Allowance("logrotate.config", _STEPS, msg("names_held_patterns_logs"))


@lru_cache(maxsize=4096)
def _literal(pattern: str) -> str:
    """The part of a pattern that stands for itself, so that most paths need no closer look."""
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0]


class Reader:
    """Reads configuration files in the order and with the memory that logrotate has."""

    def __init__(
        self,
        found: Mapping[str, CapturedFile],
        version: Version = NEWEST,
        logs: Iterable[str] = (),
    ) -> None:
        """`logs`: the files of the host, for a log that two sections name is an error too."""
        self.found = found
        self._room = held_to_patterns()
        self._words = Allowance("logrotate.config", _WORDS, msg("directives_those_included"))
        self._logs = sorted(set(logs))
        self._named: dict[str, Rotation] = {}
        self._twice = 0
        self.version = version
        self.rotations: list[Rotation] = []
        self.problems: list[Problem] = []
        self.taboo = [
            f"*{ext}" for since, exts in _TABOO.items() if since <= version for ext in exts.split()
        ]

    def config(self, path: str, default: Rotation, depth: int = 0) -> Rotation:
        """Reads one file; returns the global directives in force after it."""
        file = self.found[path]
        text = file.text("logrotate.config")
        source = Source(text, self.version)
        # before 3.14 any bit beyond 0644 was too much
        loose = file.mode & 0o022 or (self.version < (3, 14) and (file.mode & 0o7533) != 0o400)
        if loose or file.uid != 0:
            why = msg("ignored_logrotate_not_owned")
            self.problems.append(Problem(path, 0, why, source.every_pattern()))
            return default
        default = replace(default, version=self.version)
        before, problems, rotations = default, self._errors(), len(self.rotations)
        try:
            while (said := source.next()) is not None:
                default = self._global(source, said, default, path, depth)
        except Refused as refused:
            lost = source.patterns if source.in_section else ()
            if STRICT > self.version >= (3, 12) and source.in_section and source.so_far:
                self.rotations.append(replace(source.so_far, unclear=refused.why))
                lost = ()
            self.problems.append(
                Problem(path, refused.line, refused.why, (*lost, *source.every_pattern()))
            )
            if self.version < (3, 12):
                self._drop(rotations, path, refused)
        return default if self._errors() == problems else before

    def _errors(self) -> int:
        return len(self.problems) + self._twice

    def _drop(self, kept: int, path: str, refused: Refused) -> None:
        """Before 3.12 a file with an error lost all of its sections."""
        lost = self.rotations[kept:]
        del self.rotations[kept:]
        patterns = tuple(pattern for rotation in lost for pattern in rotation.patterns)
        self.problems.append(Problem(path, refused.line, refused.why, patterns))

    def _global(
        self, source: Source, said: Said, default: Rotation, path: str, depth: int
    ) -> Rotation:
        self._words.take()
        value = said.value or ""
        if said.word == "/":
            self._section(source, said, default, path, depth)
            return default
        if said.word == "}":
            raise Refused(said.line, "unexpected }", whole=True)
        if said.word == "include":
            return self._include(said, default, path, depth)
        if said.word == "tabooext" or (said.word == "taboopat" and self.version >= (3, 11)):
            star = "*" if said.word == "tabooext" else ""
            listed = [x for x in re.split(r"[\s,]+", value.lstrip("+")) if x]
            kept = self.taboo if value.startswith("+") else []
            if value:
                self.taboo = [*kept, *(star + x for x in listed)]
            return default
        if said.word in SCRIPTS:
            source.skip_script(said.line)
            return replace(default, postrotate=default.postrotate or said.word == "postrotate")
        return applied(default, said)

    def _include(self, said: Said, default: Rotation, path: str, depth: int) -> Rotation:
        if not said.value:
            if self.version < STRICT:
                return default
            raise Refused(said.line, msg("argument_expected_after_include"), whole=False)
        target = re.sub(r"/+", "/", said.value).rstrip("/")
        if depth >= _DEEPEST:
            raise Refused(said.line, msg("include_nesting_too_deep"), whole=False)
        if target in self.found:
            return self._included([target], said, default, depth)
        if target not in _FOLDERS:
            raise NotUnderstood(
                "logrotate.config",
                msg("includes_not_read", path=path, line=said.line, target=target),
            )
        regular = [
            name
            for name in sorted(p for p in self.found if p.rsplit("/", 1)[0] == target)
            if self.found[name].status is not ReadStatus.EXIT
            and not self._is_taboo(name.rsplit("/", 1)[1])
        ]
        return self._included(regular, said, default, depth)

    def _included(self, names: list[str], said: Said, default: Rotation, depth: int) -> Rotation:
        good = not names
        for name in names:
            errors = self._errors()
            default = self.config(name, default, depth + 1)
            good = good or self._errors() == errors
        if not good and self.version < (3, 12):
            raise Refused(said.line, msg("every_included_file_error"), whole=True)
        return default

    def _is_taboo(self, name: str) -> bool:
        return any(
            fnmatchcase(name, x) and not (name.startswith(".") and not x.startswith("."))
            for x in self.taboo
        )

    def _section(
        self, source: Source, said: Said, default: Rotation, path: str, depth: int
    ) -> None:
        source.head(said)
        # a global addextension is not handed on (config.c: copyLogInfo)
        section = replace(
            default,
            patterns=source.patterns,
            path=path,
            line=said.line,
            addextension="",
            twice=default.ignoreduplicates,
        )
        source.so_far = section
        taken = self._take(section, source)
        section = replace(section, patterns=source.patterns)
        try:
            while (inside := source.inside()).word != "}":
                self._words.take()
                if inside.word in SCRIPTS:
                    source.skip_script(inside.line)
                    if inside.word == "postrotate":
                        section = replace(section, postrotate=True)
                elif inside.word == "/" or inside.word in ("tabooext", "taboopat"):
                    raise Refused(inside.line, msg("unexpected", value=inside.value), whole=False)
                elif inside.word == "include":
                    section = self._include(inside, section, path, depth)
                else:
                    section = applied(section, inside)
                source.so_far = section
        except Refused as refused:
            if refused.whole:
                raise
            self.problems.append(Problem(path, refused.line, refused.why, source.patterns))
            if self.version < _COUNTED:
                self._twice -= 1
            if not source.skip_section() and source.so_far:
                # the file ends before the brace: logrotate takes what it had read
                self.rotations.append(replace(source.so_far, unclear=refused.why))
            else:
                for log in taken:
                    del self._named[log]
            return
        source.in_section = False
        self._named.update(dict.fromkeys(taken, section))
        if source.ended and not taken and self._logs:
            why = msg("left_out_log_file")
            self.problems.append(Problem(path, said.line, why, source.patterns))
            self._twice -= 1  # no error of its own
        else:
            self.rotations.append(section)

    def _take(self, section: Rotation, source: Source) -> list[str]:
        """The logs that are the section's. One that another has is an error of the file, and ends

        the pattern; before 3.12, all the patterns of the file. See `Logrotate.owners`.
        """
        taken: list[str] = []
        for at, pattern in enumerate(section.patterns, 1):
            # glob(3) with GLOB_NOCHECK: a name that nothing matches stands for itself
            for log in matching(self._logs, pattern, self._room) or [pattern]:
                if source.ended:
                    break
                before = self._named.get(log)
                if before is None:
                    self._named[log] = section
                    taken.append(log)
                elif not (before.twice if before is section else before.ignoreduplicates):
                    self._twice += self.version >= (3, 12)
                    if self.version < (3, 12):
                        source.ended, source.patterns = True, section.patterns[:at]
                    break
        return taken
