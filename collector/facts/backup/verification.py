"""Stores joined with what shows that their backups were found readable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

from collector.facts.backup.artefacts.base_backups import TOOLS as BASE_TOOLS
from collector.facts.backup.artefacts.borg_archives import archives
from collector.facts.backup.artefacts.checks import Trace, borgmatic_times, runs, traces
from collector.facts.backup.artefacts.files import Artefact
from collector.facts.backup.artefacts.reports import all_reports
from collector.facts.backup.chains import with_copies
from collector.facts.backup.commands.checks import CheckJob, check_jobs
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.permissions import account_of, in_home_of
from collector.facts.backup.commands.repositories import one_repository, repositories
from collector.facts.backup.commands.scheduled import all_jobs
from collector.facts.backup.coverage import Cover
from collector.facts.backup.freshness import speaks_of
from collector.facts.backup.identity import stanza_of
from collector.facts.backup.job_artefacts import left_by, of_job
from collector.i18n.message import in_chinese
from collector.model import Capture, Facts, Quote

State = Literal["verified", "old", "failed", "untold", "hidden", "never", "no_backup", "unopened"]
_SKEW = timedelta(hours=1)
_FAMILY = {"borgmatic": "borg"}


@dataclass(frozen=True, slots=True)
class Verification:
    """How it stands with a store: `when` the last good check was, `why` names what was met.

    `unopened`: what holds the dump of a database was checked, and the dump itself by nobody.
    """

    state: State
    when: datetime | None
    why: str
    quotes: tuple[Quote, ...] = ()
    why_zh: str = ""


@dataclass(frozen=True, slots=True)
class _Check:
    when: datetime
    good: bool
    label: str
    quote: Quote


def verification(facts: Facts, known: Cover, now: datetime, age: timedelta) -> Verification:
    """The newest check decides: after one that failed, an older good one is no comfort.

    A repository in which a dump lies may be in order, and the dump be noise.

    Raises FactError where jobs or traces could not be seen.
    """
    dumps = _newest_dumps(facts, known, known.sure)
    # of a job that may leave something out, noise is noise
    for dump in (*dumps, *_newest_dumps(facts, known, known.perhaps)):
        # whether the last one is empty or cut off backup.fresh asks
        if what := dump.doubt:
            state: State = "failed" if dump.fault else "untold"
            quote = Quote("backup.artefacts", (dump.line,), dump.path)
            zh = f"{dump.path}：{in_chinese(what)}"
            return Verification(state, None, f"{dump.path}: {what}", (quote,), zh)
    own = (*known.sure, *known.perhaps)
    every = _found(facts, known, (*with_copies(facts, known), *known.perhaps), now, age)
    seen_whole = bool(dumps) and all(d.whole for d in dumps)
    if known.store.kind != "database" or seen_whole or every.state != "verified":
        return every
    found = _found(facts, known, own, now, age)
    if found.state in ("verified", "failed"):
        return found
    unread = [d.path for d in dumps if not d.whole] or [j.label for j in known.sure]
    return replace(every, state="unopened", why=f"{every.why}; {', '.join(unread)}")


def _newest_dumps(facts: Facts, known: Cover, of: Sequence[BackupJob]) -> list[Artefact]:
    """Of each kind of file that dumps of a database left, the newest one."""
    if known.store.kind != "database":
        return []
    jobs = [j for j in of if j.engine and j.tool not in BASE_TOOLS]
    groups = [g for j in jobs for g in of_job(facts, j, known.store)]
    return [max(g, key=lambda a: a.when) for g in groups if not g[0].repository]


def _found(
    facts: Facts, known: Cover, jobs: Sequence[BackupJob], now: datetime, age: timedelta
) -> Verification:
    related: list[tuple[CheckJob, bool | None]] = []
    told = {r.repository.rstrip("/") for _, r in facts.get(all_reports) if speaks_of(r, known)}
    for check in facts.get(check_jobs):
        answers = [_checks(facts, check, job) for job in jobs]
        answers += [True] if told & check.repositories else []
        if any(a is not False for a in answers):
            related.append((check, True if True in answers else None))
    seen = [*_reported(facts, known), *_of_jobs(facts, [c for c, sure in related if sure])]
    return _judge(facts, known, related, seen, now, age)


def _judge(
    facts: Facts,
    known: Cover,
    related: list[tuple[CheckJob, bool | None]],
    seen: list[_Check],
    now: datetime,
    age: timedelta,
) -> Verification:
    past = sorted((c for c in seen if c.when <= now + _SKEW), key=lambda c: (c.when, not c.good))
    late = [c for c in seen if c.when > now + _SKEW]
    good = [c for c in past if c.good]
    quotes = tuple(dict.fromkeys(c.quote for c in (*past[-1:], *good[-1:])))
    last = good[-1].when if good else None
    if past and not past[-1].good:
        return Verification("failed", last, past[-1].label, quotes)
    if last is not None and now - last <= age:
        return Verification("verified", last, good[-1].label, quotes)
    if late:
        return Verification("untold", last, f"{late[-1].label} {late[-1].when:%Y-%m-%dT%H:%MZ}")
    hidden = [c for c, sure in related if sure and c.hidden and c.job.enabled]
    if hidden and last is None:
        return Verification("hidden", None, ", ".join(_labels(hidden)), _lines(hidden))
    open_ = [c for c, sure in related if c.job.enabled and not (sure and _shown(facts, c))]
    if open_:
        return Verification("untold", last, ", ".join(_labels(open_)), (*quotes, *_lines(open_)))
    if last is not None:
        return Verification("old", last, good[-1].label, quotes)
    if known.sure or known.perhaps or _backed_up(facts, known):
        idle = [c for c, _ in related if not c.job.enabled]
        return Verification("never", None, ", ".join(_labels(idle)), _lines(idle))
    if known.agents:
        return Verification("untold", None, ", ".join(known.agents))
    return Verification("no_backup", None, "")


def _labels(checks: Iterable[CheckJob]) -> list[str]:
    return list(dict.fromkeys(c.label for c in checks))


def _lines(checks: Iterable[CheckJob]) -> tuple[Quote, ...]:
    return tuple(dict.fromkeys(Quote(c.job.read, (c.job.line,), c.job.path) for c in checks))


def _backed_up(facts: Facts, known: Cover) -> bool:
    return any(a == "backup" and speaks_of(r, known) for a, r in facts.get(all_reports))


def _shown(facts: Facts, check: CheckJob) -> bool:
    """Would a check of this job have been seen, so that none seen means none made?"""
    if any(t.path and t.path in check.job.text and _own(t, check) for t in facts.get(traces)):
        return True
    return check.tells and check.job.run is not None and check.job.run.finished is not None


def _own(trace: Trace, check: CheckJob) -> bool:
    """Can nobody but the system and whom the job runs as have written it?"""
    return trace.by in ("", check.job.user)


def _checks(facts: Facts, check: CheckJob, job: BackupJob) -> bool | None:
    """Does it check what the job backs up? None where that cannot be told."""
    # anybody has a crontab: whether he can open the repository of another is not seen
    if check.job.user not in ("", "root", job.job.user, account_of(job)):
        return None if check.tool == job.tool or check.patterns else False
    if check.patterns:
        return _files_checked(facts, check, job)
    if _FAMILY.get(check.tool, check.tool) != _FAMILY.get(job.tool, job.tool):
        return False
    if check.tool == "pgbackrest":
        told = re.findall(r"--stanza[= ][\"']?([\w.-]+)", check.job.text)
        return stanza_of(job) in told if told else None
    if check.job.name == job.job.name and not check.repositories:
        return True
    ours = repositories(job)
    theirs = check.repositories
    if check.tool == "borgmatic":
        theirs = ours if job.tool == "borgmatic" else frozenset()
    return one_repository(job.tool, ours, theirs, facts.get(all_jobs))


def _files_checked(facts: Facts, check: CheckJob, job: BackupJob) -> bool | None:
    files = left_by(facts, job)
    if files:
        newest = max(files, key=lambda f: f.when)
        return any(fnmatchcase(newest.path, p) for p in check.patterns)
    folders = {p.partition("*")[0].rpartition("/")[0] for p in check.patterns}
    return None if folders & set(job.targets) else False


def _reported(facts: Facts, known: Cover) -> Iterator[_Check]:
    ours = set[str]().union(*(repositories(j) for j in known.sure))
    for _, report in facts.get(all_reports):
        if report.checked is None:
            continue
        if speaks_of(report, known) or report.repository.rstrip("/") in ours:
            when, good = report.checked
            line = f"{report.job} checked {when.isoformat()} ok={good}"
            yield _Check(when, good, report.job, Quote("backup.reports", (line,), report.file))


def _of_jobs(facts: Facts, checks: list[CheckJob]) -> Iterator[_Check]:
    every = facts.get(check_jobs)
    for check in checks:
        run = check.job.run
        if run is not None and check.tells:
            if run.finished is not None and run.good is not None and (run.good or check.sole):
                line = f"{run.service} finished {run.finished.isoformat()} {run.detail}"
                yield _Check(run.finished, run.good, check.label, Quote(check.job.read, (line,)))
            for ended in facts.get(runs):
                if ended.unit == run.service and (ended.good or check.sole):
                    yield _Check(ended.when, ended.good, check.label, ended.quote)
        for trace in facts.get(traces):
            if _trace_of(trace, check, every):
                yield _Check(trace.when, trace.good, check.label, trace.quote)
        if check.tool == "borgmatic":
            yield from _by_borgmatic(facts, check)


def _trace_of(trace: Trace, check: CheckJob, every: tuple[CheckJob, ...]) -> bool:
    """Is it certain that this job printed it? It did where no other one prints the like."""
    tool = _FAMILY.get(check.tool, check.tool)
    # that a user's log tells of errors counts, whoever wrote it there
    if trace.tool != tool or (trace.good and not _own(trace, check)):
        return False
    kin = {c.job.name for c in every if _FAMILY.get(c.tool, c.tool) == tool}
    if trace.unit and check.job.run is not None and trace.unit == check.job.run.service:
        return True
    if trace.path and trace.path in check.job.text:
        return True
    own = any(c.job.run is not None and c.job.run.service == trace.unit for c in every)
    return len(kin) == 1 and not own and len(check.repositories) <= 1


def _by_borgmatic(facts: Facts, check: CheckJob) -> Iterator[_Check]:
    """Its own times, by the repository's id, whose place borg's cache knows."""
    times = facts.get(borgmatic_times)
    places = facts.get(borg_places)
    targets = {t for j in facts.get(all_jobs) if j.tool == "borgmatic" for t in repositories(j)}
    for id, (when, quote) in times.items():
        if places.get(id, "").rstrip("/") in targets or (len(times) == 1 and len(targets) == 1):
            yield _Check(when, True, check.label, quote)


def borg_places(capture: Capture) -> dict[str, str]:
    """Where the repositories lie that root's borg was used with here, by id. Raises FactError."""
    return {a.id: a.where for a in archives(capture) if in_home_of(a.home, {"root"})}
