"""logrotate(8): what it is told to keep, and when it last ran; `logrotate_kept` has the days."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from collector.facts.base.allowance import Allowance
from collector.facts.base.redaction import only_listed
from collector.facts.logs.logrotate.directives import NEWEST, Problem, Rotation, Version
from collector.facts.logs.logrotate.filenames import folder_of, old_name
from collector.facts.logs.logrotate.parser import Reader, held_to_patterns, matching, path_matches
from collector.facts.logs.logrotate.simulator import Kept, kept
from collector.i18n.message import msg
from collector.model import Capture, CapturedFile, Read, ReadResult, Text, command, files

__all__ = ["READS", "Kept", "Logrotate", "Problem", "Rotation", "kept", "logrotate"]

READS: tuple[Read, ...] = (
    files(
        "logrotate.config",
        "/etc/logrotate.conf",
        "/etc/logrotate.d/*",
        "/usr/etc/logrotate.conf",
        "/usr/etc/logrotate.d/*",
        most=256,
        redact=only_listed("rotate"),
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


_LONGEST = {"hourly": 1, "daily": 1, "weekly": 7, "monthly": 31, "yearly": 366}


@dataclass(frozen=True, slots=True)
class Logrotate:
    """What logrotate does when it runs; `installed` is whether it can run at all.

    `last` is when each log was last rotated, or first seen, in the host's own zone. `last_run` is
    when it last came to its end, which is when it writes its state file; None where there is no
    such file: then it never did. `version` is that of the program.
    """

    installed: bool
    rotations: tuple[Rotation, ...] = ()
    problems: tuple[Problem, ...] = ()
    last: Mapping[str, datetime] = field(default_factory=dict)
    last_run: datetime | None = None
    version: Version = NEWEST

    def owners(self, logs: Iterable[str]) -> dict[str, Rotation | Problem]:
        """Which section has which of these files; a Problem where logrotate leaves one alone.

        As logrotate's glob loop does it: the first section that names a file has it; a later
        pattern that meets it again is an error, which ends the work on that pattern, so that the
        files after it are not rotated (unless the first section says ignoreduplicates). Before
        3.12 it ended the work on the whole file. A Problem that is not `refused` stands where the
        section is in force and yet does not say for how long the log is kept.
        """
        known = sorted(set(logs))
        owned: dict[str, Rotation | Problem] = {}
        ended: set[str] = set()
        room = held_to_patterns()
        for rotation in self.rotations:
            for pattern in rotation.patterns:
                matched = matching(known, pattern, room)
                if not _give(rotation, matched, owned, ended=rotation.path in ended):
                    ended |= {rotation.path} if rotation.version < (3, 12) else set()
        for problem in self.problems:
            hit = {log for pattern in problem.patterns for log in matching(known, pattern, room)}
            for log in sorted(hit):
                owned.setdefault(log, problem)
        return owned | self._unclear(owned)

    def moved(self, logs: Iterable[str]) -> dict[str, str]:
        """The logs whose old files go to another folder, by the name that they have there."""
        if not any(rotation.olddir for rotation in self.rotations):
            return {}
        return {
            f"{folder_of(owner, log)}/{log.rsplit('/', 1)[1]}": log
            for log, owner in self.owners(logs).items()
            if isinstance(owner, Rotation) and owner.olddir
        }

    def _unclear(self, owned: Mapping[str, Rotation | Problem]) -> dict[str, Problem]:
        """Where old files get into the way of each other, or an error left half a section."""
        found: dict[str, Problem] = {}
        places: dict[tuple[str, str], list[str]] = {}
        room = held_to_patterns()
        for log, owner in owned.items():
            if not isinstance(owner, Rotation):
                continue
            if owner.unclear:
                why = msg("force_only_far_read", unclear=owner.unclear)
                found[log] = Problem(owner.path, owner.line, why, refused=False)
            if owner.olddir:
                place = (folder_of(owner, log), log.rsplit("/", 1)[1])
                places.setdefault(place, []).append(log)
            if owner.count == 0:
                continue
            old = {old_name(owner, log), old_name(owner, log, delayed=True)}
            again = self._taking(old, room)
            if again is not None and again.patterns != owner.patterns:
                why = msg("old_files_rotated_again", path=again.path, line=again.line)
                found[log] = Problem(owner.path, owner.line, why, refused=False)
        for (folder, name), shared in places.items():
            for log in shared if len(shared) > 1 else ():
                owner = owned[log]
                why = msg("several_logs_named_their", name=name, folder=folder)
                found[log] = Problem(owner.path, owner.line, why, refused=False)
        return found

    def _taking(self, names: Iterable[str], room: Allowance) -> Rotation | None:
        for rotation in self.rotations:
            for pattern in rotation.patterns:
                room.take()
                if any(path_matches(name, pattern) for name in names):
                    return rotation
        return None

    def overdue(
        self, owners: Mapping[str, Rotation | Problem], now: datetime, every: float = 1.0
    ) -> dict[str, datetime]:
        """The logs that should have been rotated since, by when the state says they last were.

        A log that rests or waits for its size is not counted (notifempty, minsize, minage, size).
        `now` is in the host's zone, as the state file is.
        """
        late: dict[str, datetime] = {}
        for log, owner in owners.items():
            last = self.last.get(log)
            if last is None or not isinstance(owner, Rotation):
                continue
            longest = _LONGEST.get(owner.interval)
            waits = owner.notifempty or owner.minsize or owner.minage or owner.monthday
            if longest is None or waits or owner.unclear:
                continue
            if now.replace(tzinfo=None) - last > timedelta(days=max(longest, every) + every + 1):
                late[log] = last
        return late


def _give(
    rotation: Rotation, matched: list[str], owned: dict[str, Rotation | Problem], *, ended: bool
) -> bool:
    """False where a log was met that a section has already."""
    twice = msg("duplicate_before") if ended else ""
    for log in matched:
        before = owned.get(log)
        if twice:
            why = msg("left_out_pattern_ends", twice=twice)
            owned.setdefault(log, Problem(rotation.path, rotation.line, why))
        elif not isinstance(before, Rotation):
            owned[log] = rotation
        elif not (before.twice if before is rotation else before.ignoreduplicates):
            twice = log
    return not twice


def logrotate(capture: Capture, logs: Iterable[str] = ()) -> Logrotate:
    """The configuration in force. Raises FactError where it cannot be read or followed.

    `logs`: the files of the host, as far as known: an included file in which a log comes up for
    the second time loses its global directives.
    """
    found = {f.path: f for f in capture.read("logrotate.config").present()}
    said = capture.read("logrotate.version")
    if not said.absent:
        said.text(accept=(0, 1))
    main = next((p for p in ("/etc/logrotate.conf", "/usr/etc/logrotate.conf") if p in found), None)
    if said.absent:
        return Logrotate(installed=False)
    version = _version(said)
    if main is None:
        return Logrotate(installed=True, version=version)
    reader = Reader(found, version, logs)
    reader.config(main, Rotation(version=version))
    state = tuple(capture.read("logrotate.state").present())
    return Logrotate(
        True,
        tuple(reader.rotations),
        tuple(reader.problems),
        _state(state),
        max(
            (datetime.fromtimestamp(f.mtime, UTC) for f in state if 0 < f.mtime < 1 << 36),
            default=None,
        ),
        version,
    )


def _version(said: ReadResult) -> Version:
    """The first line; before 3.9 it went to stderr."""
    text = said.stdout.decode("ascii", "replace") + said.stderr
    match = re.search(r"logrotate (\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(n or 0) for n in match.groups()) if match else NEWEST


def _state(found: Iterable[CapturedFile]) -> dict[str, datetime]:
    """The state file: `"path" YYYY-M-D-H:M:S`, the time of day missing in version 1."""
    last: dict[str, datetime] = {}
    for file in found:
        for line in file.text("logrotate.state").splitlines()[1:]:
            match = re.match(r'"(.*)" (\d+)-(\d+)-(\d+)(?:-(\d+):(\d+):(\d+))?$', line)
            if not match:
                continue
            numbers = [int(n or 0) for n in match.groups()[1:]]
            try:
                at = datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001 - as written: the host's zone
            except ValueError:  # a day 0, which old versions wrote
                continue
            path = re.sub(r"\\(.)", r"\1", match[1])
            last[path] = max(at, last.get(path, at))
    return last
