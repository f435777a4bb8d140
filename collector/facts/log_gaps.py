"""Holes in a host's logs: between neighbouring files, inside them as far as was looked, and what

explains them.

A hole is more than a day between two records that follow each other. Only a log that any running
host writes to each day (the syslog, the journal, the audit log) shows by a hole that something is
missing; another may be quiet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.facts import log_files as _log_files
from collector.facts.log_families import family_of, is_log, log_of
from collector.facts.log_files import Look
from collector.model import Capture, Read

READS: tuple[Read, ...] = _log_files.READS

HOLE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole: the last record before it and the first one after it.

    `explained_by` is empty where nothing explains it; else `shutdown` (the host was off),
    `quiet` (a log that need not be written to each day), or the path of a log that holds the same
    records. `missing` is the name of a rotated file that should lie there and does not.
    """

    start: datetime
    end: datetime
    explained_by: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A stretch longer than a day into which nobody looked; `paths` are the files it lies in."""

    start: datetime | None
    end: datetime | None
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogGaps:
    """One log with its rotated files. `steady`: any running host writes to it each day.

    `backwards` are places where time runs back by more than an hour: (before, after, path).
    """

    path: str
    family: str
    steady: bool
    first: datetime | None = None
    last: datetime | None = None
    gaps: tuple[Gap, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    backwards: tuple[tuple[datetime, datetime, str], ...] = ()

    @property
    def unexplained(self) -> tuple[Gap, ...]:
        return tuple(g for g in self.gaps if not g.explained_by)


@dataclass(frozen=True, slots=True)
class Gaps:
    """All logs of a host by path; `down` are the times when it was off: (from, to)."""

    logs: Mapping[str, LogGaps]
    down: tuple[tuple[datetime, datetime], ...] = ()


def gaps(capture: Capture) -> Gaps:
    """Raises FactError where the files could not be listed or read."""
    seen = _log_files.log_files(capture)
    groups: dict[str, list[_log_files.LogFile]] = {}
    for path, file in seen.files.items():
        if is_log(path):
            groups.setdefault(log_of(path, seen.files), []).append(file)
    return Gaps({path: _log_gaps(path, files) for path, files in groups.items()})


_STEADY = ("syslog", "messages", "audit.log")


def _log_gaps(path: str, files: Sequence[_log_files.LogFile]) -> LogGaps:
    ordered = sorted((f for f in files if f.first), key=lambda f: (f.first, f.path))
    steady = path.rsplit("/", 1)[-1] in _STEADY
    found, unseen = [], []
    last: datetime | None = None
    open_: tuple[str, ...] = ()
    for file in ordered:
        for start, end, solid in _stretches(file):
            if last is not None and start - last > HOLE:
                if open_:
                    unseen.append(Unseen(last, start, open_))
                else:
                    found.append(Gap(last, start, "" if steady else "quiet"))
            last, open_ = end, () if solid else (file.path,)
    firsts = [f.first for f in ordered if f.first]
    return LogGaps(
        path,
        family_of(path),
        steady,
        min(firsts, default=None),
        last,
        tuple(found),
        tuple(unseen),
    )


def _stretches(file: _log_files.LogFile) -> Iterable[tuple[datetime, datetime, bool]]:
    """(first, last, is nothing after it unseen) of what is known of a file, in its order."""
    if file.days:
        whole = file.look is Look.WHOLE
        for number, day in enumerate(file.days, 1):
            yield day.first, day.last, whole or number == len(file.days)
    elif file.first is not None and file.last is not None:
        if file.last - file.first > HOLE:
            yield file.first, file.first, False
        yield file.last, file.last, True
    elif file.first is not None:
        yield file.first, file.first, False
