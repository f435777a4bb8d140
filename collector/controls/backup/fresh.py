"""backup.fresh: the last good backup of each store is young enough and of the usual size."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from math import ceil

from collector.facts.backup.coverage import cover, nothing_hidden
from collector.facts.backup.freshness import Bounds, Freshness, freshness
from collector.facts.data.inventory import Store, inventory
from collector.facts.scheduling.jobs import called
from collector.facts.system.processes import processes
from collector.judges.predicates import holds_until
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_REASONS = {
    "none": "no_job",
    "stale": "stale",
    "small": "small",
    "empty": "empty",
    "failed": "failed",
    "unarchived": "unarchived",
}


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """One store without a good backup fails the host, even beside others that cannot be told."""
    known = inventory(facts)
    if known is None:
        return Verdict(Result.NOTCHECKED, "no_inventory")
    wanted = [s for s in known.stores if s.backup_wanted]
    if not wanted:
        return Verdict(Result.NOTAPPLICABLE, "none_wanted", Method.ATTESTED)
    values: dict[str, Value]
    fresh: list[str] = []
    untold: list[tuple[str, str]] = []
    attested: list[str] = []
    failed: dict[str, list[tuple[str, str]]] = {}
    quotes: list[Quote] = []
    until: list[datetime] = []
    for store in wanted:
        age = _age(store, parameters)
        bounds = Bounds(clock.now, age, parameters.integer("percent"))
        known_jobs = cover(facts, store)
        found = freshness(facts, known_jobs, bounds)
        quotes += found.quotes
        said = f"{store.label}: {_say(found)}"
        late, late_zh = _late(found, clock.now, age, [j.label for j in known_jobs.sure])
        if found.state == "fresh" and found.when is not None:
            fresh.append(said)
            until.append(found.when + age)
        elif found.state == "untold":
            zh = f"{store.label}：{found.why_zh}" if found.why_zh else said
            untold.append((zh, said))
        elif found.state == "none" and _is_attested(store, clock):
            by = store.attested["backup"]
            attested.append(f"{store.label}: {by.by}, {by.date}")
        else:
            if found.state == "none":
                nothing_hidden(facts.get(called), facts.get(processes))
                said = f"{store.label} [{found.why}]" if found.why else store.label
                zh = f"{store.label}（{found.why_zh}）" if found.why_zh else said
            else:
                said, zh = f"{store.label}: {late}", f"{store.label}：{late_zh}"
            failed.setdefault(_REASONS[found.state], []).append((zh, said))
    shown = tuple(dict.fromkeys(quotes))
    if failed:
        reason = next(iter(failed)) if len(failed) == 1 else "several"
        names = [said for part in failed.values() for said in part]
        values = {"stores": [en for _, en in names], "stores_zh": [zh for zh, _ in names]}
        return Verdict(Result.FAIL, reason, Method.OBSERVED, values, shown)
    if untold:
        values = {"stores": [en for _, en in untold], "stores_zh": [zh for zh, _ in untold]}
        return Verdict(Result.ERROR, "untold", Method.OBSERVED, values, shown)
    if attested:
        return Verdict(
            Result.ERROR, "attested_only", Method.ATTESTED, {"stores": [*attested]}, shown
        )
    values = {"count": len(fresh), "stores": [*fresh]}
    return Verdict(Result.PASS, "fresh", Method.OBSERVED, values, shown, min(until))


def _is_attested(store: Store, clock: Clock) -> bool:
    """Is a backup attested that this host knows nothing of? Of its last run that tells nothing."""
    told = store.attested.get("backup")
    return told is not None and holds_until(told.date, 1, clock) is not None


def _age(store: Store, parameters: Parameters) -> timedelta:
    most = parameters.integer("important_hours" if store.important else "general_hours")
    return timedelta(hours=min(most, store.objective_hours or most))


def _say(found: Freshness) -> str:
    last = found.when.strftime("%Y-%m-%dT%H:%MZ") if found.when else "-"
    return f"{last} ({found.why})" if found.why else last


def _late(found: Freshness, now: datetime, age: timedelta, jobs: Iterable[str]) -> tuple[str, str]:
    """When the last good backup was made, how long ago, what shows it, which jobs to look at."""
    why = next((q.path for q in found.quotes if q.path and found.why == q.read), found.why)
    why_zh = found.why_zh or why
    names = ", ".join(dict.fromkeys(jobs))
    most = int(age / timedelta(hours=1))
    if found.when is None:
        said, said_zh = f"none ({why})", f"无（{why_zh}）"
    else:
        stamp, hours = (
            f"{found.when:%Y-%m-%dT%H:%MZ}",
            ceil((now - found.when) / timedelta(hours=1)),
        )
        said = f"{stamp}, {hours} h ago, at most {most} h allowed ({why})"
        said_zh = f"{stamp}，距今 {hours} 小时，上限 {most} 小时（{why_zh}）"
    return (f"{said}; job: {names}", f"{said_zh}；任务：{names}") if names else (said, said_zh)
