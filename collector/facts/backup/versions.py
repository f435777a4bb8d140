"""How many versions of a store can be restored, how far they reach back, and what guards one.

Counted are files, snapshots and trees on the host, pgBackRest's record, and what the job's report
says; what jobs delete (`backup_keeping`) bounds it. A repository that only its password opens
(borg, one on another host) tells nothing without a report.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from collector.facts.backup.artefacts.marks import seen
from collector.facts.backup.artefacts.reports import Report, reports
from collector.facts.backup.artefacts.traces import records
from collector.facts.backup.chains import with_copies
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.repositories import repositories
from collector.facts.backup.commands.scheduled import all_jobs
from collector.facts.backup.contradicted import complaining, increment
from collector.facts.backup.coverage import Cover
from collector.facts.backup.freshness import speaks_of
from collector.facts.backup.identity import record_of
from collector.facts.backup.job_artefacts import groups_of, left_by
from collector.facts.backup.retention import Keeping, Prune, keeping_of, prunes
from collector.model import Facts, Quote

State = Literal[
    "kept", "mutable", "young", "short", "untold", "few", "pruned", "single", "no_backup"
]
# what a rule that removes more could make worse
_LONG = ("kept", "mutable", "young", "short", "untold")
# more files than these are not listed in one folder
_LISTED = 200
_SKEW = timedelta(hours=1)
# in a crontab a percent sign wants a backslash
_DATES = re.compile(r"\bdate\s+\+['\"]?((?:\\?%\w|[^\s'\"`)])+)")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`count` versions that reach back `days`; a report of them is not older than that either.

    `cleaners` tells what removes such files besides the jobs of backups.
    """

    count: int
    days: int
    now: datetime
    cleaners: Callable[[Facts, Sequence[str]], tuple[Prune, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Versions:
    """How a store stands. `count` and `oldest` are None where nothing tells them.

    `guard` names what keeps a version from being deleted, empty for nothing seen; `why` is what
    the state rests on; `date` when a young set of versions will reach back far enough.
    """

    state: State
    count: int | None = None
    oldest: datetime | None = None
    why: str = ""
    guard: str = ""
    date: datetime | None = None
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class _Held:
    times: tuple[datetime, ...]
    count: int
    whole: bool
    files: tuple[str, ...]
    label: str
    quotes: tuple[Quote, ...]


def versions(facts: Facts, known: Cover, wanted: Wanted) -> Versions:
    """The best that any job or report of the store shows. Raises FactError."""
    own = _reported(facts.get(reports), [known], wanted)
    answers = [
        _of_job(facts, known, job, own or _of_copies(facts, known, job, wanted), wanted)
        for job in with_copies(facts, known)
    ]
    if own and not answers:
        answers = [_judge(own, (), _guard(own, facts, None, ()), wanted)]
    if not answers:
        names = [*known.agents, *(j.label for j in known.perhaps)]
        if not names:
            return Versions("no_backup")
        answers = [Versions("untold", why=", ".join(dict.fromkeys(names)))]
    order: list[State] = [
        "kept", "mutable", "young", "short", "untold", "few", "pruned", "single", "no_backup",
    ]  # fmt: skip
    return min(answers, key=lambda a: order.index(a.state))


def _reported(found: tuple[Report, ...], every: Sequence[Cover], wanted: Wanted) -> Report | None:
    """The newest good report of all of them, not older than what it has to reach back."""
    mine = [
        r
        for r in found
        if all(speaks_of(r, known) for known in every)
        and r.ok
        and wanted.now - timedelta(days=wanted.days) <= r.finished <= wanted.now + _SKEW
    ]
    return max(mine, key=lambda r: r.finished, default=None)


def _of_copies(facts: Facts, known: Cover, job: BackupJob, wanted: Wanted) -> Report | None:
    """What a job that takes the folders of a dump reports of these: each version has the dump."""
    if job in known.sure:
        return None
    left = [a for own in known.sure for a in left_by(facts, own) if not a.repository]
    folders = dict.fromkeys(a.path.rpartition("/")[0] for a in left)
    every = [
        replace(known, store=replace(known.store, name=f, kind="path", path=f, engine=""), real=f)
        for f in folders
    ]
    return _reported(facts.get(reports), every, wanted) if every else None


def _of_job(
    facts: Facts, known: Cover, job: BackupJob, own: Report | None, wanted: Wanted
) -> Versions:
    held = _best(facts, known, job)
    files = held.files if held else ()
    rules = _rules(facts, job, files, own)
    guard = _guard(own, facts, job, files)
    if own is not None and own.snapshots is not None:
        return _judge(own, tuple(rules), guard, wanted, label=job.label)
    told = _judge(held, tuple(rules), guard, wanted, label=job.label)
    if wanted.cleaners is None or told.state not in _LONG or not files:
        return told
    if more := wanted.cleaners(facts, files):
        rules += keeping_of(facts.capture, job, list(files), more, ())
        return _judge(held, tuple(rules), guard, wanted, label=job.label)
    return told


def _rules(
    facts: Facts, job: BackupJob, files: tuple[str, ...], own: Report | None
) -> list[Keeping]:
    """What deletes the versions that are counted: of files, or of what the report speaks of."""
    every, found = facts.get(all_jobs), facts.get(prunes)
    if own is None or own.snapshots is None:
        rules = list(keeping_of(facts.capture, job, list(files), found, every))
        return [*rules, *_written_over(job, files)]
    found = tuple(p for p in found if not p.pattern)
    where = own.repository.rstrip("/")
    jobs = {job, *(j for j in every if where and where in repositories(j))}
    ordered = sorted(jobs, key=lambda j: (j.label, j.words))
    return [r for j in ordered for r in keeping_of(facts.capture, j, [], found, every)]


def _judge(
    held: _Held | Report | None,
    rules: tuple[Keeping, ...],
    guard: str,
    wanted: Wanted,
    label: str = "",
) -> Versions:
    if isinstance(held, Report):
        label = label or held.job
        held = _told(held)
    quotes = (*(held.quotes if held else ()), *(r.quote for r in rules))
    # where nothing can be deleted it stays, whatever a job would delete
    for rule in rules if not guard.startswith("append_only") else ():
        few = rule.count is not None and rule.count < wanted.count
        soon = rule.most is not None and rule.most < wanted.days
        if rule.certain and (few or soon):
            state: State = "single" if rule.count == 1 else "pruned"
            return Versions(state, why=f"{label}: {rule.label}", guard=guard, quotes=quotes)
    if held is None:
        return Versions("untold", why=label, guard=guard, quotes=quotes)
    late = any(t > wanted.now + timedelta(days=1) for t in held.times)
    if late or (not held.times and held.count):
        return Versions("untold", why=held.label or label, guard=guard, quotes=quotes)
    if not held.times:
        return Versions("few", 0, None, held.label or label, guard, quotes=quotes)
    oldest = min(held.times)
    far = wanted.now - oldest >= timedelta(days=wanted.days)
    known = Versions(
        "kept", held.count, oldest, held.label or label, guard, quotes=tuple(dict.fromkeys(quotes))
    )
    if far and held.count >= wanted.count:
        return known if guard else replace(known, state="mutable")
    if not held.whole:
        return replace(known, state="untold")
    if far:
        return replace(known, state="few")
    least = min((r.least for r in rules), default=None)
    if least is not None and least < wanted.days:
        short = next(r for r in rules if r.least == least)
        return replace(known, state="short", why=f"{label}: {short.label}")
    return replace(known, state="young", date=oldest + timedelta(days=wanted.days))


def _told(report: Report) -> _Held | None:
    counted = report.snapshots
    if counted is None:
        return None
    times = tuple(t for t in (counted.oldest, counted.newest) if t is not None)
    line = (
        f"{report.job} finished {report.finished.isoformat()} snapshots={counted.count} "
        f"oldest={counted.oldest.isoformat() if counted.oldest else '-'}"
    )
    quote = Quote("backup.reports", (line,), report.file)
    return _Held(times, counted.count, True, (), report.job, (quote,))


def _best(facts: Facts, known: Cover, job: BackupJob) -> _Held | None:
    """The most versions, of those the ones that reach back farthest."""
    found = list(_held(facts, known, job))
    return max(found, key=_reach, default=None)


def _reach(held: _Held) -> tuple[int, float]:
    return held.count, -min(t.timestamp() for t in held.times) if held.times else 0


def _held(facts: Facts, known: Cover, job: BackupJob) -> Iterator[_Held]:
    every = facts.get(all_jobs)
    # what lies in a mirror came from its source
    groups = groups_of(facts, job, known.store) if job.tool != "rsync" else ()
    good_ones = [a for _, group in groups for a in group if not a.fault]
    if good_ones and (increment(job) or complaining(job, good_ones)):
        return
    for family, group in groups:
        good = [a for a in group if not a.fault]
        if not good:
            bad = tuple(Quote("backup.artefacts", (a.line,), a.path) for a in group[:1])
            yield _Held((), 0, len(group) < _LISTED, (), family, bad)
            continue
        # each command of the job that backs up to it leaves one
        each = {j.words for j in every if j.job.name == job.job.name and j.tool == job.tool}
        shared = max(1, len(each)) if good[0].repository else 1
        ordered = sorted(good, key=lambda a: a.when)
        ends = (ordered[0], ordered[-1]) if len(ordered) > 1 else (ordered[0],)
        quotes = tuple(Quote("backup.artefacts", (a.line,), a.path) for a in ends)
        paths = tuple(a.path for a in ordered)
        yield _Held(
            tuple(a.when for a in ordered),
            len(ordered) // shared,
            len(group) < _LISTED,
            paths,
            family,
            quotes,
        )
    trees = {p: t for p, t in facts.get(seen).trees.items() if p.rpartition("/")[0] in job.targets}
    if trees and job.tool in ("rsnapshot", "rsync"):
        lines = tuple(f"tree {int(t.timestamp())} {p}" for p, t in sorted(trees.items()))
        quote = Quote("backup.artefacts", (*lines[:1], *lines[-1:]))
        label = f"{min(trees).rpartition('/')[0]}/*"
        yield _Held(tuple(trees.values()), len(trees), True, tuple(trees), label, (quote,))
    if job.tool == "pgbackrest":
        made = [
            r for r in facts.get(records) if r.read == "backup.pgbackrest"
            and record_of(facts, r, job, known.store, known.real)
        ]  # fmt: skip
        if made:
            quote = Quote("backup.pgbackrest", (made[0].line, made[-1].line), made[0].where)
            times = tuple(r.when for r in made)
            yield _Held(times, len(made), True, (), made[0].where, (quote,))


def _written_over(job: BackupJob, files: tuple[str, ...]) -> Iterator[Keeping]:
    """Files that the next run, or the one in a week, writes over; copies that have one version."""
    quote = Quote(job.job.read, (job.job.line,), job.job.path)
    if len(files) == 1 and files[0] in job.targets and not re.search(r"\d{4}", files[0]):
        yield Keeping(1, None, 0, True, f"> {files[0]}", quote)
    elif files and not any(re.search(r"\d{4}", f) for f in files) and _by_weekday(job.job.text):
        yield Keeping(7, 7, 6, True, "date +%a", quote)
    elif job.tool == "rsync" and not files:
        words = " ".join(job.words)
        kept = re.search(r"--link-dest|--compare-dest|--copy-dest|--backup|\s-\w*b", words)
        plain = re.sub(r"\d?>>?\s*\S+", "", words).split()
        target = plain[-1] if plain else ""
        if not kept and target.startswith("/") and "$" not in target:
            yield Keeping(1, None, 0, True, f"rsync {target}", quote)


def _by_weekday(text: str) -> bool:
    forms = [f.replace("\\", "") for f in _DATES.findall(text)]
    return bool(forms) and all(set(re.findall(r"%(\w)", f)) <= set("aAuw") for f in forms)


def _guard(own: Report | None, facts: Facts, job: BackupJob | None, files: tuple[str, ...]) -> str:
    """What keeps at least one version from being deleted from this host; empty: nothing seen."""
    if own is not None and own.append_only:
        return f"append_only: {own.job}"
    if job is None:
        return ""
    told = facts.get(seen)
    for where in sorted(repositories(job) & told.append_only):
        return f"append_only: {where}"
    for path in files:
        above = path.rpartition("/")[0]
        if path in told.fixed:
            return f"chattr +i {path}"
        if above in told.growing or above in told.fixed:
            return f"chattr +a {above}"
    return ""
