"""When each store was last backed up well, by what its jobs left behind and reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Literal

from collector.facts.backup.artefacts.base_backups import TOOLS as BASE_TOOLS
from collector.facts.backup.artefacts.files import Artefact, artefacts
from collector.facts.backup.artefacts.reports import Report, reports
from collector.facts.backup.artefacts.traces import records
from collector.facts.backup.commands.jobs import BackupJob, engine_of
from collector.facts.backup.commands.wal_recovery import TOOLS as BASE_BACKUPS
from collector.facts.backup.commands.wal_recovery import reach
from collector.facts.backup.contradicted import (
    bare,
    complaining,
    emptied,
    increment,
    of_failed_run,
    overwritten,
    partly,
    unfinished,
)
from collector.facts.backup.coverage import Cover
from collector.facts.backup.ended import end_unseen, proven, report_tells
from collector.facts.backup.identity import of_another, record_of
from collector.facts.backup.in_view import doubted, in_doubt
from collector.facts.backup.job_artefacts import by_name, empty_folder, of_job
from collector.facts.base.paths import within
from collector.i18n.message import in_chinese, msg
from collector.model import Facts, Quote

State = Literal["fresh", "untold", "stale", "small", "empty", "failed", "unarchived", "none"]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How the last good backup of a store stands: `when` it was made, and what names the case.

    `why` is a path, a job, a read, numbers: it stands in texts of both languages, but for the
    reason why a job does not start or a file is no backup, which is `why_zh` in Chinese.
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


def freshness(
    facts: Facts, known: Cover, bounds: Bounds, *, rolled_forward: bool = True
) -> Freshness:
    """The best that any job or report shows; `untold` outranks a failure, for it may be good.

    Where nothing else is fresh, a base backup counts as far as WAL rolls it forward, unless that
    is not to be looked at.
    """
    own = _own_reports(facts.get(reports), known)
    answers = [_in_view(facts, known, job, own, bounds) for job in known.sure]
    if rolled_forward and all(a.state != "fresh" for a in answers):
        answers = [*_forward(facts, known, answers, bounds), *answers]
    if not answers and own:
        answers = [_judge(own, bounds)]
    if not answers and (known.perhaps or known.agents):
        names = [*known.agents, *(j.label for j in known.perhaps)]
        answers = [Freshness("untold", None, ", ".join(names))]
    if not answers:
        reasons = known.reasons
        why, why_zh = "; ".join(r.en for r in reasons), "；".join(r.zh for r in reasons)
        return Freshness("none", None, why, why_zh=why_zh)
    order: list[State] = [
        "fresh", "untold", "small", "failed", "empty", "unarchived", "stale", "none",
    ]  # fmt: skip
    return min(answers, key=lambda a: order.index(a.state))


def _forward(
    facts: Facts, known: Cover, answers: Sequence[Freshness], bounds: Bounds
) -> Iterator[Freshness]:
    """The base backups of a store of PostgreSQL, as far as its WAL takes them."""
    if engine_of(known.store) != "postgresql":
        return
    files = [a for a in facts.get(artefacts).all if a.start is not None]
    made = [
        (a.when, a.quotes)
        for job, a in zip(known.sure, answers, strict=True)
        if job.tool in BASE_BACKUPS and a.when is not None and a.state != "untold"
    ]
    # what one leaves of which nobody knows whose server it asks may be that one's
    if not known.sure and not any(j.tool in BASE_BACKUPS for j in known.perhaps):
        made = [(a.when, (_point(a).quote,)) for a in files if not a.fault]
    for when, quotes in made:
        file = next((a for a in files if a.when == when), None)
        found = reach(facts, known.store, known.real, file, when)
        shown = (*quotes, *found.quotes)
        end = max(when, found.when or when)
        if found.state == "untold":
            yield Freshness("untold", when, found.why, shown)
        elif found.state != "none" and end > when and bounds.now - end <= bounds.age:
            yield Freshness("fresh", end, found.why, shown)
        elif found.state == "good":
            yield Freshness("stale", end, found.why, shown)
        elif found.state == "broken":
            yield Freshness("unarchived", end, found.why, shown)


def _own_reports(found: Iterable[Report], known: Cover) -> list[_Point]:
    points = []
    for report in found:
        if speaks_of(report, known):
            fault = "" if report.ok else msg("job_reports_failure")
            # `pg_dump | borg create REPO::A -` ends well over nothing at all
            fault = "empty" if report.ok and report.size == 0 else fault
            line = f"{report.job} finished {report.finished.isoformat()} ok={report.ok}"
            quote = Quote("backup.reports", (line,), report.file)
            points.append(_Point(report.finished, report.size, fault, quote))
    return points


def speaks_of(report: Report, known: Cover) -> bool:
    """Is it a report of a run that took this store?"""
    paths = {p for p in (known.store.path, known.real) if p}
    return known.store.name in report.paths or any(
        within(p, r) for p in paths for r in report.paths
    )


def _in_view(
    facts: Facts, known: Cover, job: BackupJob, own: list[_Point], bounds: Bounds
) -> Freshness:
    """A good backup is none of the store where the job may not have seen that."""
    found = _of_job(facts, known, job, own, bounds)
    why = in_doubt(facts, job, known.store, known.real) if found.state == "fresh" else ""
    return replace(found, state="untold", why=doubted(job, why).label) if why else found


def _of_job(
    facts: Facts, known: Cover, job: BackupJob, own: list[_Point], bounds: Bounds
) -> Freshness:
    """Files and reports, the worse of both; without them records; without those the exit status."""
    left, store = facts.get(artefacts), known.store
    groups = by_name(facts, job)
    mine = of_job(facts, job, store)
    answers = []
    if any(not p.fault for p in own) and not report_tells(facts, job):
        return Freshness("untold", None, f"{job.label}: {msg('report_of_a_pipe')}")
    if mine and (over := overwritten(facts, job)):
        return Freshness("untold", None, f"{job.label}: {over}")
    if said := increment(job) or complaining(job, (a for g in mine for a in g if not a.fault)):
        return Freshness("untold", None, f"{job.label}: {said}")
    if mine:
        order: list[State] = ["fresh", "small", "failed", "empty", "stale", "untold", "none"]
        each = [_of_group(facts, job, group, bounds, own) for group in mine]
        answers.append(min(each, key=lambda a: order.index(a.state)))
    elif not groups and (folder := empty_folder(left, job)):
        quote = Quote("backup.artefacts", (f"folder {folder.rpartition('/')[0]}",))
        answers.append(Freshness("empty", None, f"{folder}*", (quote,)))
    if own:
        answers.append(_judge(own, bounds))
    if answers:
        worst: list[State] = ["untold", "none", "empty", "failed", "small", "stale", "fresh"]
        return min(answers, key=lambda a: worst.index(a.state))
    if groups:
        return Freshness("untold", None, job.label)
    if kept := bare(facts, job):
        return Freshness("empty", None, f"{kept.path}/snapshots", (kept,))
    if gone := emptied(facts, job):
        return Freshness("untold", None, f"{job.label}: {gone}")
    own_records = [r for r in facts.get(records) if record_of(facts, r, job, store, known.real)]
    seen = [_Point(r.when, r.size, "", Quote(r.read, (r.line,))) for r in own_records]
    run = job.job.run
    if any(unfinished(r, job.job) for r in own_records):
        return Freshness("untold", None, job.label)
    if seen:
        newest = max(seen, key=lambda p: p.when)
        return _cut_short(job, newest) or _judge(seen, bounds)
    if run is not None and run.finished is not None and run.good is not None:
        if run.good and not proven(facts, job.job, job.tool, job.words):
            return Freshness("untold", None, job.label)
        fault = "" if run.good else f"{run.service}: {run.detail}"
        line = f"{run.service} finished {run.finished.isoformat()} {run.detail}"
        quote = Quote(job.job.read, (line,))
        return _judge([_Point(run.finished, None, fault, quote)], bounds)
    return Freshness("untold", None, job.label)


def _of_group(
    facts: Facts,
    job: BackupJob,
    group: Sequence[Artefact],
    bounds: Bounds,
    own: Sequence[_Point],
) -> Freshness:
    """`own` are the reports of its runs, which say how the command ended."""
    if same := _unchanged(facts, job, group):
        return _judge([same], bounds)
    told = [of_failed_run(facts, job, a) for a in group]
    told = [a if _reported(a, own) else of_another(facts, job, a) for a in told]
    newest = max(told, key=lambda a: a.when)
    earlier = [a for a, b in zip(told, group, strict=True) if a is b]
    if earlier and newest not in earlier and not partly(job, newest.when):
        before = _of_group(facts, job, earlier, bounds, own)
        last = max(earlier, key=lambda a: a.when)
        if before.state == "fresh" and not (last.whole or last.repository):
            # the run before it may have ended as badly, which nobody remembers
            return replace(before, state="untold", why=_of(newest), why_zh=_of(newest, zh=True))
        if before.state in ("fresh", "untold"):
            return before
    group = told
    ended = any(not p.fault and p.when >= newest.when - timedelta(minutes=1) for p in own)
    if cut := _cut_short(job, _point(newest)):
        return cut
    doubt = newest.doubt or _not_looked_into(facts, job, newest)
    if doubt and not newest.fault:
        quote = _point(newest).quote
        newest = replace(newest, doubt=doubt)
        return Freshness("untold", None, _of(newest), (quote,), _of(newest, zh=True))
    points = [_point(a) for a in group if a is newest or a.fault or not a.doubt]
    found = _judge(points, bounds)
    if found.state == "fresh" and not ended and (unseen := end_unseen(facts, job, newest)):
        newest = replace(newest, doubt=unseen)
        return replace(found, state="untold", why=_of(newest), why_zh=_of(newest, zh=True))
    return found


def _unchanged(facts: Facts, job: BackupJob, group: Sequence[Artefact]) -> _Point | None:
    """A good run of restic that found its last snapshot to be as the data is, and made none."""
    run = job.job.run
    asked = {"--skip-if-unchanged", "--skip-if-unchanged=true"} & set(job.words)
    if not asked or job.tool != "restic" or run is None or run.good is not True:
        return None
    newest = max(group, key=lambda a: a.when)
    if newest.fault or run.finished is None or newest.when > run.finished:
        return None
    if not proven(facts, job.job, job.tool, job.words):
        return None
    line = f"{run.service} finished {run.finished.isoformat()} {run.detail}"
    return _Point(run.finished, None, "", Quote(job.job.read, (line,)))


def _reported(artefact: Artefact, own: Sequence[_Point]) -> bool:
    """Does a report of the job tell of a good end soon after it was made?"""
    least, most = timedelta(minutes=-1), timedelta(hours=6)
    return any(not p.fault and least <= p.when - artefact.when <= most for p in own)


def _of(artefact: Artefact, *, zh: bool = False) -> str:
    """What is said of a file, with its path."""
    said = artefact.fault or artefact.doubt
    return f"{artefact.path}：{in_chinese(said)}" if zh else f"{artefact.path}: {said}"


def _not_looked_into(facts: Facts, job: BackupJob, newest: Artefact) -> str:
    """Only the good end of its command says of a dump whose beginning nobody saw that it is one."""
    if not job.engine or job.tool in BASE_TOOLS or newest.repository:
        return ""
    if newest.head or newest.fault:
        return ""
    run = job.job.run
    good = run is not None and run.good is True
    if good and proven(facts, job.job, job.tool, job.words):
        return ""
    return msg("not_looked_inside")


def _cut_short(job: BackupJob, newest: _Point) -> Freshness | None:
    """Where the run that made the newest one ended with a status for `not all of it`."""
    run = job.job.run
    if run is None or not partly(job, newest.when):
        return None
    return Freshness("failed", None, f"{run.service}: {run.detail}", (newest.quote,))


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
        where, zh = _where(newest.quote), in_chinese(newest.fault)
        return Freshness(state, when, f"{where} {newest.fault}", shown, f"{where} {zh}")
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
