"""logrotate(8): what it is told to keep, who runs it, and when it last ran."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial

from collector.facts.logrotate_syntax import Problem, Reader, Rotation, path_matches
from collector.facts.masking import MASK
from collector.model import Capture, CapturedFile, Read, Text, command, files

READS: tuple[Read, ...] = (
    files(
        "logrotate.config",
        "/etc/logrotate.conf",
        "/etc/logrotate.d/*",
        "/usr/etc/logrotate.conf",
        "/usr/etc/logrotate.d/*",
        most=256,
        redact=MASK,
        why=Text("日志轮转规则：保留多久", "how logs are rotated, and so how long they are kept"),
    ),
    files(
        "logrotate.state",
        "/var/lib/logrotate/status",
        "/var/lib/logrotate/logrotate.status",
        "/var/lib/logrotate.status",
        "/var/lib/misc/logrotate.status",
        limit=1 << 18,
        why=Text("每个日志上次轮转的时间", "when each log was last rotated"),
    ),
    command(
        "logrotate.version",
        "logrotate",
        "--version",
        why=Text("日志轮转程序是否存在及其版本", "whether logrotate is there, and its version"),
    ),
)


@dataclass(frozen=True, slots=True)
class Logrotate:
    """What logrotate does when it runs; `installed` is whether it can run at all.

    `last` is when each log was last rotated, in the host's own zone.
    """

    installed: bool
    rotations: tuple[Rotation, ...] = ()
    problems: tuple[Problem, ...] = ()
    last: Mapping[str, datetime] = field(default_factory=dict)

    def owners(self, logs: Iterable[str]) -> dict[str, Rotation | Problem]:
        """Which section has which of these files; a Problem where logrotate leaves one alone.

        As logrotate's glob loop does it: the first section that names a file has it; a later
        pattern that meets it again is an error, which ends the work on that pattern, so that the
        files after it are not rotated (unless the first section says ignoreduplicates).
        """
        known = sorted(set(logs))
        owned: dict[str, Rotation | Problem] = {}
        for rotation in self.rotations:
            for pattern in rotation.patterns:
                self._give(rotation, [x for x in known if path_matches(x, pattern)], owned)
        for problem in self.problems:
            for log in known:
                if any(path_matches(log, pattern) for pattern in problem.patterns):
                    owned.setdefault(log, problem)
        return owned

    def _give(
        self, rotation: Rotation, matched: list[str], owned: dict[str, Rotation | Problem]
    ) -> None:
        twice = ""
        for log in matched:
            before = owned.get(log)
            if twice:
                why = f"left out: the pattern ends at {twice}, which an earlier section has"
                owned.setdefault(log, Problem(rotation.path, rotation.line, why))
            elif not isinstance(before, Rotation):
                owned[log] = rotation
            elif not before.ignoreduplicates:
                twice = log


def logrotate(capture: Capture) -> Logrotate:
    """The configuration in force. Raises FactError where it cannot be read or followed."""
    found = {f.path: f for f in capture.read("logrotate.config").present()}
    version = capture.read("logrotate.version")
    if not version.absent:
        version.text(accept=(0, 1))
    main = next((p for p in ("/etc/logrotate.conf", "/usr/etc/logrotate.conf") if p in found), None)
    if version.absent:
        return Logrotate(installed=False)
    if main is None:
        return Logrotate(installed=True)
    reader = Reader(found)
    reader.config(main, Rotation())
    return Logrotate(
        True,
        tuple(reader.rotations),
        tuple(reader.problems),
        _state(capture.read("logrotate.state").present()),
    )


def _state(found: Iterable[CapturedFile]) -> dict[str, datetime]:
    """The state file: `"path" YYYY-M-D-H:M:S`, the time of day missing in version 1."""
    last: dict[str, datetime] = {}
    for file in found:
        for line in file.text("logrotate.state").splitlines()[1:]:
            match = re.match(r'"(.*)" (\d+)-(\d+)-(\d+)(?:-(\d+):(\d+):(\d+))?$', line)
            if match:
                numbers = [int(n or 0) for n in match.groups()[1:]]
                last[match[1]] = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001 - as written: the host's zone
    return last


# --- how long is kept ----------------------------------------------------------------------------

_MONTHS = [(2023 + m // 12, m % 12 + 1) for m in range(60)]


@dataclass(frozen=True, slots=True)
class Kept:
    """How many days a section keeps at the least, right after a rotation.

    `least` None means that nothing is ever removed. Where `known` is False size decides too:
    `least` is then only what it cannot exceed, None when there is no such bound.
    """

    least: int | None
    known: bool = True


def kept(rotation: Rotation, every: float = 1.0) -> Kept:
    """What the section keeps when logrotate runs every so many days.

    Right after a rotation the oldest record is as old as `rotate` whole intervals; `maxage` takes
    away a file whose last record is older than that many days. Months are counted at their
    shortest over leap and common years.
    """
    if rotation.copy:
        return Kept(None)
    if rotation.count == 0:
        return Kept(0)
    sized = rotation.interval in ("size", "minutes") or rotation.monthday > 0
    if sized:
        return Kept(rotation.maxage + 1 if rotation.maxage else None, known=False)
    if rotation.count < 0 and not rotation.maxage:
        return Kept(None)
    if rotation.interval in ("monthly", "yearly"):
        least = min(_steps(rotation, partial(_months_back, at)) for at in range(48, 60))
    else:
        step = max({"hourly": 1 / 24, "daily": 1.0, "weekly": 7.0}[rotation.interval], every)
        least = _steps(rotation, lambda n: int(n * step))
    return Kept(least, known=not rotation.maxsize)


def _months_back(at: int, months: int) -> int:
    """Days from the first of a month back to the first of the month so many months before."""
    year, month = _MONTHS[at]
    total = year * 12 + month - 1 - months
    return (date(year, month, 1) - date(total // 12, total % 12 + 1, 1)).days


def _steps(rotation: Rotation, days: Callable[[int], int]) -> int:
    """Days kept by `rotate` and `maxage`, where `days(n)` is the length of n rotations."""
    unit = 12 if rotation.interval == "yearly" else 1
    if not rotation.maxage:
        return days(rotation.count * unit)
    n = 1
    while (rotation.count < 0 or n < rotation.count) and days(n * unit) <= rotation.maxage:
        n += 1
    return days(n * unit)
