"""backup.jobs: each important store has a backup job that really starts."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.backup.artefacts.reports import reports
from collector.facts.backup.commands.wal_recovery import TOOLS as BASE_BACKUPS
from collector.facts.backup.coverage import Cover, cover, nothing_hidden
from collector.facts.backup.found import lacks, never_starts
from collector.facts.backup.found import untold as left_open
from collector.facts.backup.freshness import Bounds, freshness
from collector.facts.backup.in_view import doubted, in_doubt
from collector.facts.backup.reached import reach
from collector.facts.base.paths import within
from collector.facts.data.inventory import Store, inventory
from collector.facts.scheduling.cadence import hours_apart
from collector.facts.scheduling.jobs import called
from collector.facts.system.processes import processes
from collector.judges.predicates import holds_until
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """A job's own report of a good run shows the job, wherever it is started from."""
    known = inventory(facts)
    if known is None:
        return Verdict(Result.NOTCHECKED, "no_inventory")
    wanted = [s for s in known.stores if s.important]
    if not wanted:
        return Verdict(Result.NOTAPPLICABLE, "none_important", Method.ATTESTED)
    covered: list[str] = []
    untold: list[str] = []
    attested, missing, missing_zh, rare = [], [], [], []
    most = parameters.integer("hours")
    values: dict[str, Value]
    quotes: list[Quote] = []
    until: list[datetime] = []
    for store in wanted:
        seen = _with_tools(facts, cover(facts, store), clock, store.objective_hours or most)
        ends = _attested_until(store, parameters.integer("months"), clock)
        if _only_on_condition(facts, seen, clock, store.objective_hours or most):
            # whether its condition is ever met only shows in what it leaves
            seen = replace(seen, sure=(), perhaps=(*seen.sure, *seen.perhaps))
        if seen.sure or seen.base or _reported(facts, seen):
            names = _names(seen) or [f"WAL ({seen.wal})" if seen.base else "report"]
            doubts = _doubts(facts, seen, clock, store.objective_hours or most)
            (untold if doubts else covered).append(f"{store.label}: {', '.join(doubts or names)}")
            quotes += [Quote(j.job.read, (j.job.line,), j.job.path) for j in seen.sure]
            if said := _too_rare(store, seen, most):
                rare.append(said)
        elif ends is not None and clock.now <= ends:
            attested.append(f"{store.label}: {store.attested['backup'].by}")
            until.append(ends)
        elif seen.perhaps or seen.agents:
            names = [*seen.agents, *dict.fromkeys(j.label for j in seen.perhaps)]
            untold.append(f"{store.label}: {', '.join(names)}")
            quotes += [Quote(j.job.read, (j.job.line,), j.job.path) for j in seen.perhaps]
        else:
            why = "; ".join(r.en for r in seen.reasons)
            why_zh = "；".join(r.zh for r in seen.reasons)
            missing.append(f"{store.label} [{why}]" if why else store.label)
            missing_zh.append(f"{store.label}（{why_zh}）" if why else store.label)
            quotes += [Quote(j.job.read, (j.job.line,), j.job.path) for j in seen.idle]
    shown = tuple(dict.fromkeys(quotes))
    if missing:
        nothing_hidden(facts.get(called), facts.get(processes))
        values = {"stores": [*missing], "stores_zh": [*missing_zh]}
        return Verdict(Result.FAIL, "uncovered", Method.CONFIGURED, values, shown)
    if rare:
        return Verdict(Result.FAIL, "rare", Method.CONFIGURED, {"stores": [*rare]}, shown)
    if untold:
        return Verdict(Result.ERROR, "untold", Method.CONFIGURED, {"stores": [*untold]}, shown)
    if attested:
        named: dict[str, Value] = {"count": len(wanted), "stores": [*attested]}
        return Verdict(Result.PASS, "attested", Method.ATTESTED, named, shown, min(until))
    values = {"count": len(wanted), "stores": [*covered]}
    return Verdict(Result.PASS, "covered", Method.CONFIGURED, values, shown)


def _too_rare(store: Store, seen: Cover, most: int) -> str:
    """Which schedules cannot keep the store's recovery point; empty where one can, or may.

    What goes on between two base backups (WAL) is not looked at, nor who else starts a job.
    """
    allowed = store.objective_hours or most
    if seen.base or any(j.tool in BASE_BACKUPS for j in seen.sure):
        return ""
    apart = [hours_apart(j.job) for j in seen.sure]
    if not apart or any(a is None or a <= allowed for a in apart):
        return ""
    named = ", ".join(dict.fromkeys(f"{j.label} {j.job.when}" for j in seen.sure))
    return f"{store.label} ({allowed} h): {named}"


def _only_on_condition(facts: Facts, seen: Cover, clock: Clock, hours: int) -> bool:
    """Does each job come to its tool on a condition alone, and left nothing good of late?"""
    if not seen.sure or any(reach(facts, j) != "perhaps" for j in seen.sure):
        return False
    found = freshness(facts, seen, Bounds(clock.now, timedelta(hours=hours), 0))
    return found.state in ("none", "empty", "failed", "stale")


def _with_tools(facts: Facts, seen: Cover, clock: Clock, hours: int) -> Cover:
    """Without jobs that cannot run their tool, unless what they leave shows that they do."""
    gone = {j: why for j in seen.sure if (why := never_starts(facts, j)) is not None}
    lost = {j: why for j in seen.sure if (why := lacks(facts, j)) is not None}
    if lost and not _left_of_late(facts, seen, clock, hours):
        gone = {**lost, **gone}
    if not gone:
        return seen
    idle = [
        replace(j, job=replace(j.job, enabled=False, reason=why.en, reason_zh=why.zh))
        for j, why in gone.items()
    ]
    sure = tuple(j for j in seen.sure if j not in gone)
    return replace(seen, sure=sure, idle=(*seen.idle, *idle))


def _left_of_late(facts: Facts, seen: Cover, clock: Clock, hours: int) -> bool:
    try:
        found = freshness(facts, seen, Bounds(clock.now, timedelta(hours=hours), 0))
    except (CouldNotLook, NotUnderstood):
        return False
    return found.state == "fresh"


def _doubts(facts: Facts, seen: Cover, clock: Clock, hours: int) -> list[str]:
    """The jobs with why they may not have the store before them; none where one surely has."""
    why = [(j, in_doubt(facts, j, seen.store, seen.real) or left_open(facts, j)) for j in seen.sure]
    if seen.base or not all(told for _, told in why) or _reported(facts, seen):
        return []
    if any(told == left_open(facts, j) for j, told in why) and _left_of_late(
        facts, seen, clock, hours
    ):
        return []
    return [doubted(j, told).label for j, told in why]


def _names(seen: Cover) -> list[str]:
    return list(dict.fromkeys(j.label for j in seen.sure))


def _reported(facts: Facts, seen: Cover) -> bool:
    paths = {p for p in (seen.store.path, seen.real) if p}
    return any(
        r.ok and (seen.store.name in r.paths or any(within(p, x) for p in paths for x in r.paths))
        for r in facts.get(reports)
    )


def _attested_until(store: Store, months: int, clock: Clock) -> datetime | None:
    attestation = store.attested.get("backup")
    if attestation is None:
        return None
    return holds_until(attestation.date, months, clock)
