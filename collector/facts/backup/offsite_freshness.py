"""When copies of a store last reached where they go: by reports, records, mounts, exit statuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from collector.facts.backup.artefacts.files import artefacts
from collector.facts.backup.artefacts.reports import Report, reports
from collector.facts.backup.artefacts.traces import records
from collector.facts.backup.commands.addresses import Address, address_of, same_target
from collector.facts.backup.commands.destinations import says_when_it_fails
from collector.facts.backup.contradicted import unfinished
from collector.facts.backup.coverage import Cover
from collector.facts.backup.ended import proven
from collector.facts.backup.freshness import Bounds, freshness, speaks_of
from collector.facts.backup.identity import record_of
from collector.facts.backup.offsite import Copy
from collector.facts.base.paths import within
from collector.facts.system.host_names import is_here, own_names
from collector.i18n.message import msg
from collector.model import Facts, Quote

State = Literal["fresh", "failed", "stale", "untold"]


@dataclass(frozen=True, slots=True)
class Sent:
    """How the last good transfer of one copy stands; `why` names the case in both languages."""

    state: State
    when: datetime | None
    why: str
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class _Run:
    when: datetime
    good: bool
    why: str
    quote: Quote


def sent(facts: Facts, known: Cover, copy: Copy, every: Sequence[Copy], bounds: Bounds) -> Sent:
    """The last transfer of `copy`, one of `every` copy of the store. Raises FactError.

    What the job reports outranks what is inferred from records, and these an exit status.
    """
    told = [_reported(r) for r in facts.get(reports) if is_of(facts, r, known, copy, every)]
    if told:
        return _judge(told, bounds)
    use = copy.way.use
    if use is not None and not copy.taken and copy.to.kind == "path":
        # a folder mounted from another host shows its files
        alone = Cover(known.store, known.real, (use,), (), (), ())
        seen = freshness(facts, alone, bounds, rolled_forward=False)
        if seen.state == "fresh":
            return Sent("fresh", seen.when, seen.why, seen.quotes)
        state: State = "untold" if seen.state == "untold" else "stale"
        return Sent(state, seen.when, seen.why, seen.quotes)
    if copy.to.kind == "path" and copy.taken:
        arrived = _arrived(facts, copy)
        if arrived:
            return _judge(arrived, bounds)
    made = [
        r
        for r in facts.get(records)
        if use is not None and _shows(r.read, r.where, copy, every)
        and record_of(facts, r, use, known.store, known.real)
    ]  # fmt: skip
    if any(unfinished(r, copy.way.job) for r in made):
        return Sent("untold", None, copy.way.label)
    shown = [_Run(r.when, True, r.read, Quote(r.read, (r.line,))) for r in made]
    if shown:
        return _judge(shown, bounds)
    run = copy.way.job.run
    if run is not None and run.finished is not None and run.good is not None:
        says = says_when_it_fails(copy.way.tool, copy.way.words)
        if run.good and not (says and proven(facts, copy.way.job, copy.way.tool, copy.way.words)):
            return Sent("untold", None, copy.way.label)
        line = f"{run.service} finished {run.finished.isoformat()} {run.detail}"
        quote = Quote(copy.way.job.read, (line,))
        return _judge([_Run(run.finished, run.good, line, quote)], bounds)
    return Sent("untold", None, copy.way.label)


def _arrived(facts: Facts, copy: Copy) -> list[_Run]:
    """Files in a folder of another host that are named as those that were to be carried there."""
    every = facts.get(artefacts).all
    names = {
        a.path.rpartition("/")[2] for a in every if a.path.startswith(copy.taken.rstrip("/") + "/")
    } | {copy.taken.rpartition("/")[2]}
    return [
        _Run(a.when, not a.fault, a.path, Quote("backup.artefacts", (a.line,), a.path))
        for a in every
        if a.path.startswith(copy.to.path.rstrip("/") + "/") and a.path.rpartition("/")[2] in names
    ]


def _shows(read: str, where: str, copy: Copy, every: Sequence[Copy]) -> bool:
    """Can a record in `read` be of this copy, and not of another one that the same tool makes?"""
    if read == "backup.borg":
        return same_target(address_of(where), copy.to)
    kin = {c.to for c in every if c.way.tool == copy.way.tool}
    return len(kin) == 1


def is_of(facts: Facts, report: Report, known: Cover, copy: Copy, every: Sequence[Copy]) -> bool:
    """Does it tell of this very transfer, and not of another job's or of a copy on this host?"""
    if not tells_of(report, known, copy.taken):
        return False
    if report.repository:
        return reaches(facts, address_of(report.repository), copy.to)
    alone = len({c.way.job.name for c in every}) == 1
    return report.offsite is True or (report.offsite is None and alone)


def tells_of(report: Report, known: Cover, taken: str = "") -> bool:
    """Is the store, or the copy of it at the path `taken`, among what was backed up?"""
    return speaks_of(report, known) or (bool(taken) and any(within(taken, r) for r in report.paths))


def said_encrypted(
    facts: Facts, known: Cover, copy: Copy | None, every: Sequence[Copy]
) -> Report | None:
    """The last good report of this copy (of any, without one), where it calls it encrypted."""
    alone = len({c.way.job.name for c in every}) <= 1
    mine = [
        r
        for r in facts.get(reports)
        if r.ok
        and tells_of(r, known, copy.taken if copy else "")
        and (
            copy is None
            or (reaches(facts, address_of(r.repository), copy.to) if r.repository else alone)
        )
    ]
    last = max(mine, key=lambda r: r.finished, default=None)
    return last if last is not None and last.encrypted else None


def reaches(facts: Facts, told: Address, seen: Address) -> bool:
    """Is what a report calls its repository the target that the job names?"""
    if told.kind == "host" and seen.kind == "host":
        own = own_names(facts.capture)
        ours, theirs = own.follow(told.host), own.follow(seen.host)
        return bool(ours[0] & theirs[0] or ours[1] & theirs[1])
    if told.kind == "unknown" or seen.kind == "unknown":
        return False
    return same_target(told, seen) or bool(told.text and told.text == seen.text)


def claims(facts: Facts, known: Cover, every: Sequence[Copy], bounds: Bounds) -> tuple[Report, ...]:
    """Good reports young enough that claim a copy elsewhere where no command of a job shows one.

    A claim that is seen to be false is none: its repository lies on this host, or all copies do
    that the jobs make.
    """
    found = []
    for report in facts.get(reports):
        young = timedelta(0) <= bounds.now - report.finished + timedelta(hours=1)
        old = bounds.now - report.finished > bounds.age
        told = report.ok and report.offsite and tells_of(report, known)
        if told and young and not old:
            if report.repository and _false(facts, address_of(report.repository)):
                continue
            if not report.repository and every and all(c.place in ("disk", "host") for c in every):
                continue
            found.append(report)
    return tuple(found)


def _false(facts: Facts, told: Address) -> bool:
    return told.kind == "path" or (
        told.kind == "host" and is_here(facts.capture, told.host) is not False
    )


def _reported(report: Report) -> _Run:
    line = f"{report.job} finished {report.finished.isoformat()} ok={report.ok}"
    return _Run(report.finished, report.ok, line, Quote("backup.reports", (line,), report.file))


def _judge(runs: Iterable[_Run], bounds: Bounds) -> Sent:
    """A good run that is young enough, even before a failed one; none that is yet to come."""
    known = sorted(
        (r for r in runs if r.when <= bounds.now + timedelta(days=1)), key=lambda r: r.when
    )
    if not known:
        return Sent("untold", None, msg("times_told_yet_come"))
    good = [r for r in known if r.good]
    when = good[-1].when if good else None
    if when is not None and bounds.now - when <= bounds.age:
        return Sent("fresh", when, good[-1].quote.read, (good[-1].quote,))
    newest = known[-1]
    shown = (newest.quote, *((good[-1].quote,) if good and good[-1] is not newest else ()))
    return Sent("stale" if newest.good else "failed", when, newest.why, shown)
