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
from collector.facts.scheduling.units import ignoring
from collector.facts.security.clamav import READS as _CLAMAV_READS
from collector.facts.security.clamav import clamav, scanners, state_sections
from collector.facts.security.scan_scope import Scope, scope_of
from collector.facts.security.scan_summaries import READ, Log, summaries
from collector.facts.shell.exit_status import tells, whose
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
_INLINE = re.compile(r"\S*sh\s+-\w*c\s")
# what stands before its name where it is only asked for, told of or ended
_ONLY_NAMED = re.compile(
    r"(?:^|[\n;|&({`])\s*(?:(?:if|while|until|then|else|elif|do|!)\s+)*"
    r"(?:echo|printf|logger|test|\[\[?|command\s+-[vV]|which|type|hash|mail\w*|p(?:kill|grep)"
    r"|pidof|killall|systemctl)\s[^\n;|&]*\Z"
)
# these scan nothing; --st… is short for --stream and for --stdout, and refused
_NO_SCAN = re.compile(r"\s(?:--reload|--ping|--version|--help|-V|-h)(?![\w-])")
_OPENS = re.compile(r"\s--(?:fd[a-z]*|stre[a-z]*)(?![\w-])")


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan that came to its end at `ended` (aware, UTC); `found` files, or None: not told.

    `idle` tells that it looked at next to nothing, `unread` how many files it could not look into.
    """

    product: str
    ended: datetime
    scope: Scope
    found: int | None
    read: str
    line: str
    idle: bool = False
    unread: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a scanner in a job: what it takes, the logs it may write to; by `clamd`?"""

    scope: Scope
    logs: tuple[str, ...]
    clamd: bool
    text: str


@dataclass(frozen=True, slots=True)
class ScanJob:
    """A job that scans; `scope` is the most that one of its calls takes."""

    job: Job
    calls: tuple[Call, ...]

    @property
    def scope(self) -> Scope:
        """What its widest call takes."""
        own = {call.scope for call in self.calls}
        return "full" if "full" in own else "unknown" if "unknown" in own else "part"

    @property
    def logs(self) -> frozenset[str]:
        """The logs of all its calls."""
        return frozenset(log for call in self.calls for log in call.logs)


def scan_jobs(capture: Capture, trees: tuple[str, ...]) -> tuple[ScanJob, ...]:
    """Jobs that run clamscan or clamdscan; full is one that takes each of `trees`.

    Only root's can be: nobody else may read everything, and who may write the log of his own job
    can write there what he likes.
    """
    found = []
    for job in jobs(capture):
        # a shell reads a line that ends with a backslash together with the next
        text = job.text.replace("\\\n", "")
        uses = [m for m in _TOOL.finditer(text) if _scans(text, m)]
        shared = set(_LOG.findall(text)).difference(*(_LOG.findall(m[0]) for m in uses))
        calls = tuple(
            Call(
                _scope(capture, job, use, trees),
                (*_LOG.findall(use[0]), *sorted(shared)),
                use[1] != "clamscan",
                _plain(use[0]),
            )
            for use in uses
        )
        if calls:
            found.append(ScanJob(job, calls))
    return tuple(found)


def _plain(words: str) -> str:
    """As it is written, without quotes and without what is redirected."""
    return " ".join(re.sub(r"[\"']|\s\d?>.*", "", words).split())


def _scans(text: str, use: re.Match[str]) -> bool:
    """Is the scanner started there, and has it something to scan?"""
    at = use.start()
    # its own line, and of that no more than anybody writes
    since = max(text.rfind("\n", 0, max(0, at - 200)) + 1, at - 4000, 0)
    return not (_ONLY_NAMED.search(text[since:at]) or _NO_SCAN.search(use[2]))


def _scope(capture: Capture, job: Job, use: re.Match[str], trees: tuple[str, ...]) -> Scope:
    scope = scope_of(use[1], use[2], trees, _skipped(capture))
    if scope != "full":
        return scope
    if (refused := _refused(capture, use)) is not False:
        return "part" if refused else "unknown"
    if use[1] != "clamscan" and any(x.weak for x in clamav(capture).settings.values()):
        return "part"
    if job.user not in _ROOT:
        return "unknown" if _AS_ROOT.search(job.text) else "part"
    return scope


def _skipped(capture: Capture) -> tuple[str, ...]:
    """What clamd leaves out, whoever asks it to scan: ExcludePath of clamd.conf(5)."""
    paths = (x for kind, _, lines in state_sections(capture) if kind == "conf" for x in lines)
    words = (x.split(maxsplit=1) for x in paths)
    return tuple(w[1].strip().strip('"') for w in words if len(w) == 2 and w[0] == "ExcludePath")


def _refused(capture: Capture, call: re.Match[str]) -> bool | None:
    """Is it left to a clamd to open files that only root may read, and clamd is not root?

    clamdscan(1): it opens them itself with --fdpass and --stream. What clamd may not read is told
    by a count of errors in the summary, beside "Infected files: 0". None: which clamd it asks, and
    whose that is, is not told.
    """
    if call[1] == "clamscan" or _OPENS.search(call[2]):
        return False
    servers = scanners(processes(capture))
    owners = {server.uid != 0 for server in servers}
    return owners.pop() if len(owners) == 1 else None


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
        if run and run.finished and _told(capture, job, run):
            line = f"{run.service} {run.finished:%Y-%m-%d %H:%M:%S} {run.detail}"
            hit = None if run.good else 1
            scans.append(Scan("clamav", run.finished, job.scope, hit, job.job.read, line))
    for log in _logs(capture):
        # logrotate puts .1 or -20261122 behind the name
        name = re.sub(r"(?:\.\d{1,3}|-\d{8})$", "", log.path)
        writers = [c for job in found for c in job.calls if {log.path, name} & set(c.logs)]
        # where several write there, a summary may be that of any
        scopes = {call.scope for call in writers}
        scope: Scope = scopes.pop() if len(scopes) == 1 else "unknown"
        clamd = not writers or any(call.clamd for call in writers)
        try:
            for one in summaries(capture, log, clamd=clamd):
                taken: Scope = "part" if scope == "full" and one.idle else scope
                told = (one.found, READ, one.line, one.idle, one.unread)
                scans.append(Scan("clamav", one.ended, taken, *told))
        except NotUnderstood as problem:
            doubts.append(problem)
    return tuple(scans), tuple(doubts)


def _told(capture: Capture, job: ScanJob, run: Run) -> bool:
    """Does how the service ended tell that its widest scan came to the end?

    A script may end well whatever became of the scan in it, and ends with 1 for more than a find.
    The status is that of the last command of several: of those before it only a good end tells.
    """
    command, text = job.job.command, job.job.text
    widest = {call.text for call in job.calls if call.scope == job.scope}

    def wanted(shown: str) -> bool:
        use = _TOOL.search(shown)
        return use is not None and (len(job.calls) == 1 or _plain(use[0]) in widest)

    if "\n" in command.strip() and not _INLINE.match(command):
        loose = run.service in ignoring(capture)
        how = "script" if not loose and tells(command, wanted, errexit=True) else ""
    else:
        how = whose(command, text, wanted)
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
