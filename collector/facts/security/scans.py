"""Scans that came to their end: by the summary in a log, by systemd, by a product's own list.

ClamAV ends a log with `SCAN SUMMARY` (see `scan_summaries`); it does not say what was scanned, so
that the job that writes the log has to. Exit status 0 and 1 are both a scan that ended; 2 is one
that did not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import FactError, NotUnderstood
from collector.facts.scheduling.jobs import READS as _SCHEDULE_READS
from collector.facts.scheduling.jobs import jobs
from collector.facts.scheduling.models import Job, Run
from collector.facts.security.clamav import READS as _CLAMAV_READS
from collector.facts.security.clamav import clamav, scanners, state_sections
from collector.facts.security.scan_scope import Scope, scope_of
from collector.facts.security.scan_summaries import READ, Log, summaries
from collector.facts.shell.exit_status import whose
from collector.facts.system.processes import READS as _PROCESS_READS
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_CLAMAV_READS, *_SCHEDULE_READS, *_PROCESS_READS)

# within quotes `|` and `;` are the expression's own
_TOOL = re.compile(r"(?<![\w.-])(clamd?scan)(?![\w.-])((?:\"[^\"\n]*+\"|'[^'\n]*+'|[^\n;|&])*+)")
_LOG = re.compile(r"(?:--log[= ]|-l |>{1,2} ?)\"?(/[\w./-]+)")
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
    """A job that scans: what it takes, the logs that it writes; `clamd`: clamdscan does it."""

    job: Job
    scope: Scope
    logs: tuple[str, ...]
    clamd: bool = False


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
        # a shell reads a line that ends with a backslash together with the next
        text = job.text.replace("\\\n", "")
        calls = list(_TOOL.finditer(text))
        for call in calls:
            scope = scope_of(call[1], call[2], trees, skipped)
            if scope == "full" and job.user not in _ROOT:
                scope = "unknown" if _AS_ROOT.search(text) else "part"
            less = _refused(capture, call) or (call[1] != "clamscan" and weak)
            scopes.append("part" if scope == "full" and less else scope)
        if scopes:
            best = next(s for s in ("full", "unknown", "part") if s in scopes)
            clamd = any(call[1] != "clamscan" for call in calls)
            found.append(ScanJob(job, best, tuple(_LOG.findall(text)), clamd))
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


def clamav_scans(
    capture: Capture, found: tuple[ScanJob, ...]
) -> tuple[tuple[Scan, ...], tuple[FactError, ...]]:
    """Every scan of ClamAV that is known to have ended, and what was not understood of the logs.

    Raises FactError.
    """
    scans: list[Scan] = []
    doubts: list[FactError] = []
    for job in found:
        run = job.job.run
        if run and run.finished and _told(job.job, run):
            line = f"{run.service} {run.finished:%Y-%m-%d %H:%M:%S} {run.detail}"
            hit = None if run.good else 1
            scans.append(Scan("clamav", run.finished, job.scope, hit, job.job.read, line))
    for log in _logs(capture):
        # logrotate puts .1 or -20261122 behind the name
        name = re.sub(r"(?:\.\d{1,3}|-\d{8})$", "", log.path)
        writers = [job for job in found if {log.path, name} & set(job.logs)]
        scopes = {job.scope for job in writers}
        scope: Scope = scopes.pop() if len(scopes) == 1 else "unknown"
        clamd = not writers or any(job.clamd for job in writers)
        try:
            for one in summaries(capture, log, clamd=clamd):
                taken: Scope = "part" if scope == "full" and one.idle else scope
                scans.append(Scan("clamav", one.ended, taken, one.found, READ, one.line, one.idle))
        except NotUnderstood as problem:
            doubts.append(problem)
    return tuple(scans), tuple(doubts)


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
        log.path
        for log in _logs(capture)
        if not any("SCAN SUMMARY" in x for x in log.lines)
        and any(log.path in job.logs for job in found)
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


def _logs(capture: Capture) -> Iterator[Log]:
    for kind, name, lines in state_sections(capture):
        if kind == "log":
            mtime, _, path = name.partition(" ")
            if "== refused" in lines:
                raise NotUnderstood("clamav.state", msg("could_not_read", path=path))
            at = int(mtime) if re.fullmatch(r"\d{1,11}", mtime) else 0
            yield Log(path, at, tuple(lines))
