"""Holes in a host's logs: between neighbouring files, inside them, and what explains them.

A hole is more than a day between two records that follow each other; an hour on top is granted,
for what a daily job's own delay and the change to summer time make of a day. Only a log that any
running host writes to each day (the general syslog, the journal, the audit log) shows by a hole
that something is missing; any other may be quiet, unless a rotated file is missing in its row.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs import files as _log_files
from collector.facts.logs.audit import status as _audit
from collector.facts.logs.downtime import HOLE, Down, Span, downtimes, explains, holes
from collector.facts.logs.journald import coverage as _journal
from collector.facts.logs.logrotate import config as _logrotate
from collector.facts.logs.model.families import family_of
from collector.facts.logs.model.file_names import age_rank, number_of, told_in_turn
from collector.facts.logs.model.shapes import LogFile, LogFiles, Look
from collector.i18n.message import msg
from collector.model import Capture, HostStatus, Read

READS: tuple[Read, ...] = (
    *_log_files.READS,
    *_journal.READS,
    *_logrotate.READS,
    _audit.CONFIG,
)

JOURNAL = "/var/log/journal"
# what stands in these of a host's general messages is the same, so that one fills another's hole
_GENERAL = re.compile(r"/var/log/(syslog|messages|journal)$")
_ELSEWHERE = re.compile(r"/(syslog|messages)$")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Gap:
    """A hole: the last record before it and the first one after it.

    `explained_by` is empty where nothing explains it; else `shutdown` (the host was shut down and
    started again), `boot` (it was started again, and nothing was written before; how it went off is
    not recorded), `quiet` (a log that need not be written to each day), or the path of a log that
    holds the same records. `missing` is the name of a rotated file that should lie there and does
    not.
    """

    start: datetime
    end: datetime
    explained_by: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Unseen:
    """A stretch longer than a day into which nobody looked; `paths` are the files it lies in.

    `start` or `end` is None where no record bounds it.
    """

    start: datetime | None
    end: datetime | None
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogGaps:
    """One log with its rotated files. `steady`: any running host writes to it each day.

    `spans` are the stretches in which no hole can be. `backwards` are places where time runs back
    by more than an hour: (before, after, path). `foreign` are files whose records name another
    host, between files that name this one; see `strangers`.
    """

    path: str
    family: str
    steady: bool
    first: datetime | None = None
    last: datetime | None = None
    gaps: tuple[Gap, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    spans: tuple[Span, ...] = ()
    backwards: tuple[tuple[datetime, datetime, str], ...] = ()
    foreign: tuple[str, ...] = ()

    @property
    def general(self) -> bool:
        """Is it one of the host's general messages?"""
        return self.steady and self.family != "audit"

    @property
    def unexplained(self) -> tuple[Gap, ...]:
        return tuple(g for g in self.gaps if not g.explained_by)


@dataclass(frozen=True, slots=True)
class Gaps:
    """All logs of a host by path, `unopened` files, and what could not be listed (`hindered`).

    `down` are the times when the host was off, by its login records and its journal.
    """

    logs: Mapping[str, LogGaps]
    down: tuple[Down, ...] = ()
    unopened: tuple[str, ...] = ()
    hindered: tuple[str, ...] = ()

    @property
    def general(self) -> tuple[LogGaps, ...]:
        """The logs of the host's general messages, of which any one is enough at any time."""
        return tuple(log for log in self.logs.values() if log.general)

    @property
    def audit(self) -> tuple[LogGaps, ...]:
        """The log of auditd, where there is one."""
        return tuple(log for log in self.logs.values() if log.family == "audit" and log.steady)

    def holes(self, logs: Sequence[LogGaps], start: datetime, end: datetime) -> list[Gap]:
        """Where none of `logs` is known to go on, between the two times; the explained ones too."""
        spans = [span for log in logs for span in log.spans]
        return [Gap(a, b, explains(self.down, a, b)) for a, b in holes(spans, start, end)]

    def certain(self, logs: Sequence[LogGaps], start: datetime, end: datetime) -> list[Gap]:
        """The same, taking what was not looked at for unbroken: holes whatever stands there."""
        spans = [span for log in logs for span in log.spans]
        for unseen in (u for log in logs for u in log.unseen):
            spans.append((unseen.start or start, unseen.end or end))
        return [Gap(a, b, explains(self.down, a, b)) for a, b in holes(spans, start, end)]


def gaps(capture: Capture) -> Gaps:
    """Raises FactError where the files or the journal could not be listed or read."""
    at = capture.collected_at
    if at is None:
        raise CouldNotLook("log_files.times", msg("capture_no_time_collection"))
    seen = _log_files.log_files(capture)
    journal = _journal.journal_days(capture)
    audit_log = _audit.audit_log(capture)
    moved = _moved(capture, seen)
    logs = {
        path: _of_files(path, files, at, audit=path == audit_log)
        for path, files in seen.grouped(moved).items()
        if any(f.size or f.first for f in files)
    }
    if journal.there:
        logs[JOURNAL] = _of_journal(journal)
    down = downtimes(seen, journal)
    logs = {path: _explained(log, logs, down) for path, log in logs.items()}
    return Gaps(logs, down, seen.unopened, seen.hindered)


def _moved(capture: Capture, seen: LogFiles) -> Mapping[str, str]:
    """See `Logrotate.moved`; empty where old files are found where they usually lie."""
    asked = _logrotate.READS[0].id in capture.reads
    if capture.status is HostStatus.COMPLETE and not asked:
        return {}  # captures of the time when this was not asked for
    try:
        return _logrotate.logrotate(capture, seen.files).moved(seen.files)
    except NotUnderstood:
        return {}


# --- one log -------------------------------------------------------------------------------------


class _Walk:
    """Goes through the records of one log that are known, from the oldest to the newest."""

    def __init__(self, *, steady: bool) -> None:
        self.steady = steady
        self.last: datetime | None = None
        self.unseen_in: tuple[str, ...] = ()
        self.gaps: list[Gap] = []
        self.unseen: list[Unseen] = []
        self.spans: list[Span] = []
        self.backwards: list[tuple[datetime, datetime, str]] = []
        self.missing = ""

    def record(self, first: datetime, last: datetime, path: str) -> None:
        """Records from `first` to `last` follow, with no hole between these two."""
        if self.last is None:
            if self.unseen_in:
                self.unseen.append(Unseen(None, first, self.unseen_in))
        elif first - self.last > HOLE:
            if self.unseen_in:
                self.unseen.append(Unseen(self.last, first, self.unseen_in))
            else:
                quiet = "" if self.steady or self.missing else "quiet"
                self.gaps.append(Gap(self.last, first, quiet, self.missing))
        elif self.last - first > timedelta(hours=1):
            self.backwards.append((self.last, first, path))
        if self.spans and self.last and first - self.last <= HOLE:
            start, end = self.spans[-1]
            self.spans[-1] = (start, max(end, last))
        else:
            self.spans.append((first, last))
        self.last = max(last, self.last) if self.last else last
        self.unseen_in, self.missing = (), ""

    def unknown(self, path: str) -> None:
        """What follows up to the next record was not looked at."""
        self.unseen_in = (*self.unseen_in, path)


def _is_general(path: str, files: Sequence[LogFile]) -> bool:
    """On a disk for logs too, where each day names this very host, no other that sends to it."""
    own = [day.own for file in files for day in file.days]
    elsewhere = _ELSEWHERE.search(path) is not None and bool(own) and all(own)
    return _GENERAL.search(path) is not None or elsewhere


def _of_files(path: str, files: Sequence[LogFile], at: datetime, *, audit: bool) -> LogGaps:
    steady = audit or _is_general(path, files)
    walk = _Walk(steady=steady)
    latest = at + timedelta(days=1)
    number = 0
    for file in _in_order(files):
        here = number_of(file.path)
        if number - here > 1:
            walk.missing = f"{path}.{number - 1}"
        number = here
        _walk_file(walk, file, latest)
    if walk.unseen_in:
        walk.unseen.append(Unseen(walk.last, None, walk.unseen_in))
    firsts = [f.first for f in files if f.first]
    return LogGaps(
        path,
        "audit" if audit else family_of(path),
        steady,
        min(firsts, default=None),
        walk.last,
        tuple(walk.gaps),
        tuple(walk.unseen),
        tuple(walk.spans),
        tuple(walk.backwards),
        strangers(files)[1],
    )


def _in_order(files: Sequence[LogFile]) -> list[LogFile]:
    """The oldest first, by name; by their first records where the names do not surely tell it."""
    ordered = sorted(files, key=lambda f: age_rank(f.path), reverse=True)
    sure = told_in_turn(f.path for f in files)
    if any(f.session for f in files) or (not sure and all(f.first for f in files)):
        ordered = sorted(files, key=lambda f: (f.first or _NEVER, f.path))
    return ordered


def _walk_file(walk: _Walk, file: LogFile, latest: datetime) -> None:
    if file.look is Look.NONE or (file.first is None and not file.days):
        if file.size:
            walk.unknown(file.path)
        return
    if file.days:
        for number, day in enumerate(file.days):
            if number and file.look is Look.SAMPLED:
                walk.unknown(file.path)
            # not those of a time to come, or from before what the file believably begins with
            if file.first and file.first <= day.first <= latest and day.last <= latest:
                walk.record(day.first, day.last, file.path)
        return
    if file.first is not None:
        walk.record(file.first, file.first, file.path)
    if file.last is None:
        walk.unknown(file.path)
    elif file.first is not None and file.last > file.first:
        if file.look is Look.WHOLE:
            # login records: nobody need log in
            walk.last = file.last
            return
        walk.unknown(file.path)
        walk.record(file.last, file.last, file.path)


def strangers(files: Sequence[LogFile]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files of one log whose records name another host: before all that name this one, and

    between those. The first may come from a host that got its name later, the second may not.
    """
    named: list[tuple[str, bool]] = []
    for file in _in_order(files):
        said = [day.own for day in file.days if day.own is not None]
        if said:
            named.append((file.path, any(said)))
    own = [number for number, (_, mine) in enumerate(named) if mine]
    others = [(n, path) for n, (path, mine) in enumerate(named) if not mine] if own else []
    before = tuple(path for n, path in others if n < own[0])
    return before, tuple(path for n, path in others if own[0] < n < own[-1])


def _of_journal(journal: _journal.JournalDays) -> LogGaps:
    walk = _Walk(steady=True)
    for number, day in enumerate(journal.days):
        if number and not journal.whole and day.first - journal.days[number - 1].last <= HOLE:
            # a step: what lies between the two is known to be there, not looked at one by one
            walk.last = day.first
            walk.spans[-1] = (walk.spans[-1][0], day.first)
            continue
        walk.record(day.first, day.last, JOURNAL)
    if journal.seen_to:
        walk.unseen.append(Unseen(journal.seen_to, None, (JOURNAL,)))
    return LogGaps(
        JOURNAL, "journal", True,
        journal.days[0].first if journal.days else None, walk.last,
        tuple(walk.gaps), tuple(walk.unseen), tuple(walk.spans), tuple(walk.backwards),
    )  # fmt: skip


# --- what explains a hole ------------------------------------------------------------------------


def _explained(log: LogGaps, logs: Mapping[str, LogGaps], down: Sequence[Down]) -> LogGaps:
    found = []
    others = [o for o in logs.values() if o.path != log.path and o.general]
    for gap in log.gaps:
        by = explains(down, gap.start, gap.end) or gap.explained_by
        if not by and log.general:
            by = next((o.path for o in others if not holes(o.spans, gap.start, gap.end)), "")
        found.append(replace(gap, explained_by=by))
    return replace(log, gaps=tuple(found))
