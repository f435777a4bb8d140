"""Scans that came to their end: by the summary in a log, by systemd, by a product's own list.

ClamAV ends a log with `SCAN SUMMARY` (clamscan(1), clamdscan(1)), with dates in the host's own
zone since 0.103; the summary does not say what was scanned, so that the job that writes the log
has to. Exit status 0 and 1 are both a scan that ended; 2 is one that did not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import NotUnderstood
from collector.facts.base.timestamps import zone_of
from collector.facts.scheduling.jobs import READS as _SCHEDULE_READS
from collector.facts.scheduling.jobs import jobs
from collector.facts.scheduling.models import Job, Run
from collector.facts.security.clamav import READS as _CLAMAV_READS
from collector.facts.security.clamav import clamav, scanners, state_sections
from collector.facts.security.scan_scope import Scope, scope_of
from collector.facts.shell.exit_status import whose
from collector.facts.system.processes import READS as _PROCESS_READS
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_CLAMAV_READS, *_SCHEDULE_READS, *_PROCESS_READS)

_TOOL = re.compile(r"(?<![\w.-])(clamd?scan)(?![\w.-])([^\n;|&]*)")
_LOG = re.compile(r"(?:--log[= ]|-l |>{1,2} ?)\"?(/[\w./-]+)")
# a Debian container of the least packages has more than ten thousand
_FEW = 1000
_ROOT = ("root", "0")
_AS_ROOT = re.compile(r"(?<![\w.-])(sudo|doas)\s")


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan that came to its end at `ended` (aware, UTC); `found` files, or None: not told.

    `idle` tells that it looked at next to nothing.
    """

    product: str
    ended: datetime
    scope: Scope
    found: int | None
    read: str
    line: str
    idle: bool = False


@dataclass(frozen=True, slots=True)
class ScanJob:
    """A job that scans: what it takes, and the logs that it writes."""

    job: Job
    scope: Scope
    logs: tuple[str, ...]


def scan_jobs(capture: Capture, trees: tuple[str, ...]) -> tuple[ScanJob, ...]:
    """Jobs that run clamscan or clamdscan; full is one that takes each of `trees`.

    Only root's can be: nobody else may read everything, and who may write the log of his own job
    can write there what he likes.
    """
    found = []
    skipped = _skipped(capture)
    weak = any(settings.weak for settings in clamav(capture).settings.values())
    for job in jobs(capture):
        scopes: list[Scope] = []
        for call in _TOOL.finditer(job.text):
            scope = scope_of(call[1], call[2], trees, skipped)
            if scope == "full" and job.user not in _ROOT:
                scope = "unknown" if _AS_ROOT.search(job.text) else "part"
            less = _refused(capture, call) or (call[1] != "clamscan" and weak)
            scopes.append("part" if scope == "full" and less else scope)
        if scopes:
            best = next(s for s in ("full", "unknown", "part") if s in scopes)
            found.append(ScanJob(job, best, tuple(_LOG.findall(job.text))))
    return tuple(found)


def _skipped(capture: Capture) -> tuple[str, ...]:
    """What clamd leaves out, whoever asks it to scan: ExcludePath of clamd.conf(5)."""
    paths = (x for kind, _, lines in state_sections(capture) if kind == "conf" for x in lines)
    words = (x.split(maxsplit=1) for x in paths)
    return tuple(w[1].strip().strip('"') for w in words if len(w) == 2 and w[0] == "ExcludePath")


def _refused(capture: Capture, call: re.Match[str]) -> bool:
    """Is it left to a clamd to open files that only root may read, and clamd is not root?

    clamdscan(1): it opens them itself with --fdpass and --stream. What clamd may not read is told
    by a count of errors in the summary, beside "Infected files: 0".
    """
    if call[1] == "clamscan" or re.search(r"\s--(fd|st)", call[2]):
        return False
    servers = scanners(processes(capture))
    return bool(servers) and all(server.uid for server in servers)


def clamav_scans(capture: Capture, found: tuple[ScanJob, ...]) -> tuple[Scan, ...]:
    """Every scan of ClamAV that is known to have ended. Raises FactError."""
    scans = []
    for job in found:
        run = job.job.run
        if run and run.finished and _told(job.job, run):
            line = f"{run.service} {run.finished:%Y-%m-%d %H:%M:%S} {run.detail}"
            hit = None if run.good else 1
            scans.append(Scan("clamav", run.finished, job.scope, hit, job.job.read, line))
    for path, mtime, lines in _logs(capture):
        # logrotate puts .1 or -20261122 behind the name
        name = re.sub(r"(?:\.\d{1,3}|-\d{8})$", "", path)
        scopes = {job.scope for job in found if {path, name} & set(job.logs)}
        scope: Scope = scopes.pop() if len(scopes) == 1 else "unknown"
        scans += _summaries(capture, path, mtime, lines, scope)
    return tuple(scans)


def _told(job: Job, run: Run) -> bool:
    """Does how the service ended tell that its scan came to the end?

    A script may end well whatever became of the scan in it, and ends with 1 for more than a find.
    """
    how = whose(job.command, job.text, lambda call: _TOOL.search(call) is not None)
    good = {"own": "[01]", "script": "0"}.get(how)
    return good is not None and re.search(rf"ExecMainStatus={good}\b", run.detail) is not None


def unfinished(capture: Capture, found: tuple[ScanJob, ...]) -> tuple[str, ...]:
    """Logs of jobs that are there and hold no summary: scans that never came to their end."""
    return tuple(
        path
        for path, _, lines in _logs(capture)
        if not any("SCAN SUMMARY" in x for x in lines) and any(path in job.logs for job in found)
    )


def antiy_scan(capture: Capture) -> Scan | None:
    """The last scan of Antiy's client: the one epoch in its file. Raises NotUnderstood."""
    for kind, name, lines in state_sections(capture):
        if kind == "antiy":
            times = {m for x in lines for m in re.findall(r"(?<!\d)(1[6-9]\d{8}|2\d{9})(?!\d)", x)}
            if len(times) != 1:
                raise NotUnderstood(
                    "clamav.state", msg("not_one_time", name=name, lines=repr(lines)[:160])
                )
            ended = datetime.fromtimestamp(int(times.pop()), UTC)
            return Scan("antiy", ended, "unknown", None, "clamav.state", lines[0].strip()[:120])
    return None


def _logs(capture: Capture) -> Iterator[tuple[str, int, list[str]]]:
    for kind, name, lines in state_sections(capture):
        if kind == "log":
            mtime, _, path = name.partition(" ")
            if "== refused" in lines:
                raise NotUnderstood("clamav.state", msg("could_not_read", path=path))
            yield path, int(mtime) if re.fullmatch(r"\d{1,11}", mtime) else 0, lines


# clamdscan sums up what it did not scan too, when clamd died on the way or was never there
_CUT_OFF = re.compile(r"^ERROR: (Communication error|Could not connect)", re.MULTILINE)


def _idle(block: str) -> bool:
    """Did it look at less than the smallest system has, or end before it can have begun?"""
    count = re.search(r"^Scanned files: (\d{1,12})\s*$", block, re.MULTILINE)
    time = re.search(r"^Time: (\d{1,9})\.\d+ sec", block, re.MULTILINE)
    return (count is not None and int(count[1]) < _FEW) or (time is not None and time[1] == "0")


def _summaries(
    capture: Capture, path: str, mtime: int, lines: list[str], scope: Scope
) -> Iterator[Scan]:
    before, *blocks = "\n".join(lines).split("SCAN SUMMARY")
    for number, block in enumerate(blocks, 1):
        ahead, before = before, block
        if _CUT_OFF.search(ahead):
            continue
        last = number == len(blocks)
        ended = re.search(
            r"^End Date:\s+(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)", block, re.MULTILINE
        )
        infected = re.search(r"^Infected files: (\d{1,9})\s*$", block, re.MULTILINE)
        if infected is None:
            continue
        idle = _idle(block)
        taken = "part" if scope == "full" and idle else scope
        if ended:
            zone = zone_of(capture.head.get("zone", ""))
            try:
                stamp = datetime.fromisoformat(f"{ended[1]}-{ended[2]}-{ended[3]} {ended[4]}")
                when = stamp.replace(tzinfo=zone).astimezone(UTC)
            except (ValueError, OverflowError):
                raise NotUnderstood("clamav.state", msg("no", path=path, told=ended[0])) from None
            line = f"{path}: {ended[0]}, {infected[0]}"
        elif last and mtime:
            # before 0.103 the summary has no date: the log was closed by it
            when = datetime.fromtimestamp(mtime, UTC)
            line = f"{path}: {infected[0]}, written {when:%Y-%m-%d %H:%M} UTC"
        else:
            continue
        yield Scan("clamav", when, taken, int(infected[1]), "clamav.state", line, idle)
