"""The least change to sections of logrotate's configuration after which they keep long enough.

Only `rotate` and `maxage` are raised, and `delaycompress` set where without it a failing script
would lose files; intervals, sizes and scripts stay the owner's. What is said of the new text is
read from the new text: a section that does not come out as it was meant to is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from collector.errors import FactError
from collector.facts.logs.logrotate.directives import Refused, Rotation, Said, Version
from collector.facts.logs.logrotate.lexer import SCRIPTS, Source
from collector.facts.logs.logrotate.parser import Problem, Reader
from collector.facts.logs.logrotate.schedule import Runs
from collector.facts.logs.logrotate.simulator import kept
from collector.facts.logs.rotated import quiet
from collector.i18n.message import msg, told
from collector.model import CapturedFile

MARK = "# hostpledge: six calendar months"
_FIRST = {"yearly": 2, "monthly": 7, "weekly": 27}
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Longer:
    """`files`: path → the new text; `changes`: path → what is changed there, a line each.

    `left`: sections that fall short and that no change of these helps, with why.
    """

    files: Mapping[str, str]
    changes: Mapping[str, tuple[str, ...]]
    left: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Reckoning:
    need: int
    runs: Runs

    def enough(self, rotation: Rotation) -> bool:
        if self.runs.forced:
            every = "daily" if self.runs.every >= 1 else "size"
            rotation = replace(rotation, interval=every)
        found, resting = kept(rotation, self.runs.every), quiet(rotation)
        surely = found.least if found.known else found.surely
        return (surely is None or surely >= self.need) and (resting or self.need) >= self.need

    def longer(self, rotation: Rotation) -> Rotation | None:
        """The section with the least that is enough; None where nothing of this kind is."""
        if self.enough(rotation):
            return rotation
        if 0 < rotation.maxage < self.need:
            rotation = replace(rotation, maxage=self.need)
        if kept(rotation, self.runs.every).reason == "program":
            rotation = replace(rotation, delaycompress=True)
        if self.enough(rotation):
            return rotation
        low, high = rotation.count, max(_FIRST.get(rotation.interval, self.need), 1)
        if low < 0:
            return None
        while not self.enough(replace(rotation, count=high)):
            low, high = high, high * 2
            if high > _MOST:
                return None
        while high - low > 1:
            middle = (low + high) // 2
            if self.enough(replace(rotation, count=middle)):
                high = middle
            else:
                low = middle
        return replace(rotation, count=high)


def lengthened(
    found: Mapping[str, CapturedFile],
    main: str,
    version: Version,
    logs: Iterable[str],
    runs: Runs,
    need: int,
    leave: Collection[str] = (),
) -> Longer:
    """`found`: the files of the configuration by path, whole; `main` is the one that begins it.

    `need` is in days; files and logs named in `leave` stay as they are. Raises FactError where the
    configuration cannot be followed.
    """
    known, reckoning = sorted(set(logs)), _Reckoning(need, runs)
    before = _read(found, main, version, known)
    broken = {p.path for p in before.problems if p.refused}
    left = [*before.problems]
    wanted: dict[str, list[tuple[Rotation, Rotation]]] = {}
    for rotation in before.rotations:
        if reckoning.enough(rotation) or {rotation.path, *rotation.patterns} & set(leave):
            continue
        better = reckoning.longer(rotation)
        if better is None or rotation.unclear or rotation.path in broken:
            why = msg("how_long_keeps_logs")
            left.append(Problem(rotation.path, rotation.line, why, rotation.patterns))
        else:
            wanted.setdefault(rotation.path, []).append((rotation, better))
    files: dict[str, str] = {}
    changes: dict[str, tuple[str, ...]] = {}
    for path, pairs in wanted.items():
        try:
            # a file in another encoding is not written anew
            new = _edited(found[path].data.decode(), version, pairs)
            _confirm(found, main, version, known, {path: new}, pairs)
        except (Refused, FactError, ValueError) as problem:
            left += [Problem(path, r.line, told(problem), r.patterns) for r, _ in pairs]
            continue
        files[path] = new
        changes[path] = tuple(_said(*pair) for pair in pairs)
    return Longer(files, changes, tuple(left))


def _read(
    found: Mapping[str, CapturedFile], main: str, version: Version, logs: Iterable[str]
) -> Reader:
    reader = Reader(found, version, logs)
    reader.config(main, Rotation(version=version))
    return reader


def _confirm(
    found: Mapping[str, CapturedFile],
    main: str,
    version: Version,
    logs: Iterable[str],
    texts: Mapping[str, str],
    pairs: Iterable[tuple[Rotation, Rotation]],
) -> None:
    """Reads the whole with the new text: what was meant must have come about, and no more."""
    changed = dict(found)
    for path, text in texts.items():
        changed[path] = replace(found[path], data=text.encode())
    meant = {(old.path, old.line): new for old, new in pairs}
    before, after = _read(found, main, version, logs), _read(changed, main, version, logs)
    if len(before.rotations) != len(after.rotations):
        raise ValueError(msg("edited_file_would_not"))
    for old, new in zip(before.rotations, after.rotations, strict=True):
        if replace(new, line=0) != replace(meant.get((old.path, old.line), old), line=0):
            raise ValueError(msg("edited_section_would_not"))


def _said(old: Rotation, new: Rotation) -> str:
    words = [f"rotate {old.count} → {new.count}"] if old.count != new.count else []
    words += [f"maxage {old.maxage} → {new.maxage}"] if old.maxage != new.maxage else []
    words += ["delaycompress"] if old.delaycompress != new.delaycompress else []
    return f"{' '.join(old.patterns)}: {', '.join(words)}"


def _edited(text: str, version: Version, pairs: Iterable[tuple[Rotation, Rotation]]) -> str:
    """The text with the directives of its sections changed; all else byte for byte as it was."""
    lines = text.split("\n")
    put: dict[int, str] = {}
    before: dict[int, list[str]] = {}
    for old, new in pairs:
        inside, brace = _section(text, version, old.line)
        indent = _indent(lines[inside[0].line - 1]) if inside else "\t"
        wanted = {
            "rotate": str(new.count) if new.count != old.count else "",
            "maxage": str(new.maxage) if new.maxage != old.maxage else "",
        }
        added = []
        for word, value in wanted.items():
            said = next((s for s in reversed(inside) if s.word == word), None)
            if value and said is not None:
                line = put.get(said.line, lines[said.line - 1])
                was = f"{word} {said.value}"
                form = rf"(?<![A-Za-z]){word}([ \t=]+){re.escape(said.value or '')}(?=\s*$)"
                put[said.line] = re.sub(form, rf"{word}\g<1>{value}", line)
                before.setdefault(said.line, []).append(f"{_indent(line)}{MARK} (was: {was})")
            elif value:
                added.append(f"{indent}{word} {value}")
        if new.delaycompress != old.delaycompress:
            added.append(f"{indent}delaycompress")
        if added:
            last = put.get(brace, lines[brace - 1])
            if not last.strip().startswith("}"):
                raise ValueError(msg("line_closing_brace_not", brace=brace))
            before.setdefault(brace, []).extend([f"{indent}{MARK}", *added])
    out = []
    for number, line in enumerate(lines, 1):
        out += [*before.get(number, ()), put.get(number, line)]
    return "\n".join(out)


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))] or "\t"


def _section(text: str, version: Version, line: int) -> tuple[list[Said], int]:
    """The directives of the section whose names begin on `line`, and its closing brace's line."""
    source = Source(text, version)
    while (said := source.next()) is not None:
        if said.word in SCRIPTS:
            source.skip_script(said.line)
        if said.word != "/":
            continue
        source.head(said)
        inside = []
        while (each := source.inside()).word != "}":
            if each.word in SCRIPTS:
                source.skip_script(each.line)
            inside.append(each)
        if said.line == line:
            if not each.line:
                raise ValueError(msg("section_no_closing_brace"))
            return inside, each.line
    raise ValueError(msg("no_section_begins_line", line=line))
