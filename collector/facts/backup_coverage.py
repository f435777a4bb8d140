"""Stores joined with the jobs that back them up and with what those jobs left behind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import Literal

from collector.errors import CouldNotLook
from collector.facts.artefacts import Artefact, Artefacts, artefacts
from collector.facts.backup import Record, Report, records, reports
from collector.facts.backup_jobs import BackupJob, backup_jobs
from collector.facts.backup_words import ENGINES, filled
from collector.facts.inventory import Store, links_on, place
from collector.facts.jobs import Script
from collector.facts.processes import Processes, processes
from collector.facts.storage import Storage
from collector.facts.storage import mounts as mounts_of
from collector.model import Capture, Facts, Quote

_CRON_NAMES = ("cron", "crond", "fcron", "dcron")
_CRON = tuple(f"{place}/{name}" for place in ("/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin")
              for name in _CRON_NAMES)  # fmt: skip
# Programs that a backup server talks to: what they cover stands on that server.
_AGENTS = ("bacula-fd", "bareos-fd", "veeamservice", "veeamagent", "urbackupclient", "hbrclient",
           "nsrexecd", "bpcd", "cvd", "dsmcad", "avagent.bin")  # fmt: skip
_SCRIPT_END = re.compile(r"\.(sh|bash|py|pl|log|cnf|conf|lock|pid|env|txt|yaml|yml)$")

State = Literal["fresh", "untold", "stale", "small", "empty", "failed", "none"]


@dataclass(frozen=True, slots=True)
class Cover:
    """What backs a store up: `sure` jobs start by themselves and take it, `perhaps` might.

    `idle` would take it and do not start, with the reason in `Job.reason`; `agents` run here for
    a backup server that alone knows what it takes.
    """

    store: Store
    real: str
    sure: tuple[BackupJob, ...]
    perhaps: tuple[BackupJob, ...]
    idle: tuple[BackupJob, ...]
    agents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How the last good backup of a store stands: `when` it was made, and what names the case.

    `why` is a path, a job, a read, numbers: it stands in texts of both languages, but for the
    reason why a job does not start, which is `why_zh` in Chinese.
    """

    state: State
    when: datetime | None
    why: str
    quotes: tuple[Quote, ...] = ()
    why_zh: str = ""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`age`: how old a good backup may be; `percent`: how small beside the usual size."""

    now: datetime
    age: timedelta
    percent: int


@dataclass(frozen=True, slots=True)
class _Point:
    when: datetime
    size: int | None
    fault: str
    quote: Quote


def cover(facts: Facts, store: Store) -> Cover:
    """Raises FactError when jobs, or whether cron runs, cannot be seen."""
    real = ""
    if store.path.startswith("/"):
        try:
            found = place(facts.capture, store.path)
            real = found.real if found else ""
        except CouldNotLook:
            real = ""
    links = links_on(facts.capture, store.path, real) if real != store.path else ()
    left = facts.get(artefacts)
    sure, perhaps, idle = [], [], []
    for job in facts.get(all_jobs):
        answer = job.covers(store, real, links, partial(_one_file_system, facts))
        at_run_time = job.unclear or "?" in job.databases
        if (
            answer == "perhaps"
            and at_run_time
            and _named(_groups(left, job, facts.get(all_jobs)), store)
        ):
            answer = "yes"
        if answer == "no":
            continue
        if not job.job.enabled:
            idle.append(job)
        elif answer == "yes":
            sure.append(job)
        else:
            perhaps.append(job)
    return Cover(store, real, tuple(sure), tuple(perhaps), tuple(idle), facts.get(agents))


def _one_file_system(facts: Facts, path: str, other: str) -> bool:
    """Raises FactError where the mounts could not be seen."""
    mounts = Storage(facts.get(mounts_of), {}, {})
    return mounts.mount_of(path) == mounts.mount_of(other)


def all_jobs(capture: Capture) -> tuple[BackupJob, ...]:
    """Backup jobs; those of cron are not enabled where no cron daemon runs."""
    found = backup_jobs(capture)
    if not any(j.job.kind != "timer" and j.job.enabled for j in found):
        return found
    known = processes(capture)
    # busybox has it in a program of another name; but who is not root can take any name
    if known.running(*_CRON) or any(p.uid == 0 for p in known.named(*_CRON_NAMES)):
        return found
    known.absent(*_CRON)
    reason, reason_zh = "no cron daemon runs", "没有运行 cron 服务"
    return tuple(
        replace(j, job=replace(j.job, enabled=False, reason=reason, reason_zh=reason_zh))
        if j.job.kind != "timer" and j.job.enabled
        else j
        for j in found
    )


def agents(capture: Capture) -> tuple[str, ...]:
    """Agents of backup servers that run here, by name."""
    known = processes(capture)
    return tuple(sorted({p.name for p in known.named(*(a[:15] for a in _AGENTS))}))


def freshness(facts: Facts, known: Cover, bounds: Bounds) -> Freshness:
    """The best that any job or report shows; `untold` outranks a failure, for it may be good."""
    own = _own_reports(facts.get(reports), known)
    answers = [_of_job(facts, known.store, job, own, bounds) for job in known.sure]
    if not answers and own:
        answers = [_judge(own, bounds)]
    if not answers and (known.perhaps or known.agents):
        names = [*known.agents, *(j.label for j in known.perhaps)]
        answers = [Freshness("untold", None, ", ".join(names))]
    if not answers:
        why = "; ".join(dict.fromkeys(f"{j.label}: {j.job.reason}" for j in known.idle))
        why_zh = "；".join(dict.fromkeys(f"{j.label}：{j.job.reason_zh}" for j in known.idle))
        return Freshness("none", None, why, why_zh=why_zh)
    order: list[State] = ["fresh", "untold", "small", "failed", "empty", "stale", "none"]
    return min(answers, key=lambda a: order.index(a.state))


def _own_reports(found: Iterable[Report], known: Cover) -> list[_Point]:
    points = []
    for report in found:
        paths = {p for p in (known.store.path, known.real) if p}
        mine = known.store.name in report.paths or any(
            p == r or p.startswith(r.rstrip("/") + "/") for p in paths for r in report.paths
        )
        if mine:
            fault = "" if report.ok else "the job reports a failure"
            line = f"{report.job} finished {report.finished.isoformat()} ok={report.ok}"
            quote = Quote("backup.reports", (line,), report.file)
            points.append(_Point(report.finished, report.size, fault, quote))
    return points


def _of_job(
    facts: Facts, store: Store, job: BackupJob, own: list[_Point], bounds: Bounds
) -> Freshness:
    """Files and reports, the worse of both; without them records; without those the exit status."""
    left = facts.get(artefacts)
    groups = _groups(left, job, facts.get(all_jobs))
    mine = _named(groups, store) or (list(groups.values()) if len(groups) == 1 else [])
    answers = []
    if mine:
        order: list[State] = ["fresh", "small", "failed", "empty", "stale", "untold", "none"]
        each = [_judge([_point(a) for a in group], bounds) for group in mine]
        answers.append(min(each, key=lambda a: order.index(a.state)))
    elif not groups and (folder := _empty_folder(left, job)):
        quote = Quote("backup.artefacts", (f"folder {folder.rpartition('/')[0]}",))
        answers.append(Freshness("empty", None, f"{folder}*", (quote,)))
    if own:
        answers.append(_judge(own, bounds))
    if answers:
        worst: list[State] = ["untold", "none", "empty", "failed", "small", "stale", "fresh"]
        return min(answers, key=lambda a: worst.index(a.state))
    if groups:
        return Freshness("untold", None, job.label)
    seen = [
        _Point(r.when, r.size, "", Quote(r.read, (r.line,)))
        for r in facts.get(records)
        if _record_of(r, job, facts.get(all_jobs))
    ]
    if seen:
        return _judge(seen, bounds)
    run = job.job.run
    if run is not None and run.finished is not None and run.good is not None:
        fault = "" if run.good else f"{run.service}: {run.detail}"
        line = f"{run.service} finished {run.finished.isoformat()} {run.detail}"
        quote = Quote(job.job.read, (line,))
        return _judge([_Point(run.finished, None, fault, quote)], bounds)
    return Freshness("untold", None, job.label)


def _judge(points: list[_Point], bounds: Bounds) -> Freshness:
    points = sorted(points, key=lambda p: p.when)
    late = [p for p in points if p.when > bounds.now + timedelta(days=1)]
    points = [p for p in points if p not in late]
    if not points:
        quote = late[-1].quote
        return Freshness("untold", None, f"{_where(quote)} {_stamp(late[-1].when)}", (quote,))
    newest = points[-1]
    sizes = [p.size for p in points[:-1] if p.size and not p.fault][-30:]
    usual = median(sizes) if len(sizes) >= 2 else None
    good = [p for p in points if not p.fault and not _small(p, usual, bounds.percent)]
    if good and bounds.now - good[-1].when <= bounds.age:
        return Freshness("fresh", good[-1].when, good[-1].quote.read, (good[-1].quote,))
    shown = (newest.quote, *((good[-1].quote,) if good and good[-1] is not newest else ()))
    when = good[-1].when if good else None
    if newest.fault:
        state: State = "empty" if "empty" in newest.fault else "failed"
        return Freshness(state, when, f"{_where(newest.quote)} {newest.fault}", shown)
    if _small(newest, usual, bounds.percent):
        return Freshness("small", when, f"{_where(newest.quote)} {newest.size}/{usual:.0f}", shown)
    return Freshness("stale", when, newest.quote.read, shown)


def _where(quote: Quote) -> str:
    return quote.path or quote.read


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%MZ")


def _small(point: _Point, usual: float | None, percent: int) -> bool:
    return usual is not None and point.size is not None and point.size * 100 < usual * percent


def _point(artefact: Artefact) -> _Point:
    # the file of a snapshot says nothing of how much it holds
    size = None if artefact.repository else artefact.size
    quote = Quote("backup.artefacts", (artefact.line,), artefact.path)
    return _Point(artefact.when, size, artefact.fault, quote)


def _groups(
    left: Artefacts, job: BackupJob, every: tuple[BackupJob, ...]
) -> dict[str, list[Artefact]]:
    """Files in the folders that the job writes to, by name with dates and numbers left out.

    A restic repository that several jobs write to shows for none of them that it was the one.
    """
    for prefix in _written(left.closed, job):
        raise CouldNotLook("backup.artefacts", f"{prefix} is closed to this user")
    found: dict[str, list[Artefact]] = {}
    others = {t for j in every if j.tool == "restic" and j.job.name != job.job.name
              for t in j.targets}  # fmt: skip
    repositories = {a.repository for a in left.all if a.repository}
    alone = len({j.job.name for j in every if j.tool == "restic"}) == 1
    if len(repositories) != 1 or not alone:
        repositories = (repositories & set(job.targets)) - others
    prefixes = tuple(_written(left.folders, job))
    for artefact in left.all:
        if artefact.repository:
            if job.tool == "restic" and artefact.repository in repositories:
                found.setdefault(artefact.repository, []).append(artefact)
        elif job.tool != "restic" and artefact.path.startswith(prefixes):
            found.setdefault(_family(artefact.path), []).append(artefact)
    return found


def _written(folders: frozenset[str], job: BackupJob) -> list[str]:
    """How the paths of its files begin: folders it names, and files it names in such folders.

    A folder counts as a whole only where nothing in it is named: `D=/backup; … > $D/shop-…` does
    not make its own what another job lays into /backup.
    """
    named = [
        t
        for t in job.targets
        if (t in folders or t.rpartition("/")[0] in folders)
        and not _source(t, job)
        and not _SCRIPT_END.search(t)
    ]
    exact = [t for t in named if not any(o.startswith(t + "/") for o in named)]
    return [t + "/" if t in folders else t for t in exact]


def _source(folder: str, job: BackupJob) -> bool:
    return any(f"{folder}/".startswith(s.rstrip("/") + "/") for s in job.sources)


def _family(path: str) -> str:
    """`/b/shop-2026-11-25.sql.gz` → `/b/shop-#.sql.gz`; names of days and months count as dates."""
    text = re.sub(
        r"(?<![A-Za-z])(mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov"
        r"|dec)[a-z]*(?![A-Za-z])",
        "#",
        path,
        flags=re.IGNORECASE,
    )
    return re.sub(r"(\d|#)[\d#_.:T-]*(\d|#)|\d", "#", text)


def _named(groups: dict[str, list[Artefact]], store: Store) -> list[list[Artefact]]:
    names = {store.name.casefold(), store.path.rpartition("/")[2].casefold()} - {""}
    return [
        group
        for family, group in groups.items()
        if any(re.search(rf"(?<![a-z0-9]){re.escape(n)}(?![a-z0-9])", family.casefold())
               for n in names)
    ]  # fmt: skip


def _empty_folder(left: Artefacts, job: BackupJob) -> str:
    """What a dump or archive is written to, in a folder that was looked through; empty: none."""
    if job.tool not in ENGINES and job.tool != "tar":
        return ""
    text = filled(job.job.text)
    for prefix in _written(left.folders, job):
        if re.search(rf"(>|f\s|=)\s*[\"']?{re.escape(prefix)}", text):
            return prefix
    return ""


def nothing_hidden(scripts: Mapping[str, Script], known: Processes) -> None:
    """Raises CouldNotLook where a job may be there that was not seen.

    Nothing is missing for certain while a script was not read to its end or processes are hidden.
    """
    for script in scripts.values():
        if not script.whole:
            raise CouldNotLook("schedules.called", f"{script.path} is longer than what was read")
    if not known.complete:
        raise CouldNotLook("processes.all", "the processes of others are hidden")


def _record_of(record: Record, job: BackupJob, every: tuple[BackupJob, ...]) -> bool:
    """Is it certain that the record is of this job, and of no other one?"""
    tool = {"borgmatic": "borg"}.get(job.tool, job.tool)
    kin = {j.job.name for j in every if {"borgmatic": "borg"}.get(j.tool, j.tool) == tool}
    alone = len(kin) == 1
    if record.read == "backup.borg":
        return tool == "borg" and (alone or record.where in job.targets)
    if record.read == "backup.journal":
        return tool == "restic" and alone
    if record.read == "backup.pgbackrest":
        return tool == "pgbackrest"
    if "rsnapshot" in record.where:
        return tool == "rsnapshot" and alone
    return tool == "restic" and record.where in job.targets
