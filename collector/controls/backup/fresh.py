"""backup.fresh: the last good backup of each store is young enough and of the usual size."""

from __future__ import annotations

from datetime import datetime, timedelta

from collector.facts.backup_coverage import (
    Bounds,
    Freshness,
    cover,
    freshness,
    nothing_hidden,
)
from collector.facts.inventory import Store, inventory
from collector.facts.processes import processes
from collector.facts.schedules import called
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_REASONS = {
    "none": "no_job",
    "stale": "stale",
    "small": "small",
    "empty": "empty",
    "failed": "failed",
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
    untold: list[str] = []
    failed: dict[str, list[tuple[str, str]]] = {}
    quotes: list[Quote] = []
    until: list[datetime] = []
    for store in wanted:
        age = _age(store, parameters)
        bounds = Bounds(clock.now, age, parameters.integer("percent"))
        found = freshness(facts, cover(facts, store), bounds)
        quotes += found.quotes
        said = f"{store.label}: {_say(found)}"
        if found.state == "fresh" and found.when is not None:
            fresh.append(said)
            until.append(found.when + age)
        elif found.state == "untold":
            untold.append(said)
        else:
            if found.state == "none":
                nothing_hidden(facts.get(called), facts.get(processes))
                said = f"{store.label} [{found.why}]" if found.why else store.label
            zh = f"{store.label}（{found.why_zh}）" if found.why_zh else said
            failed.setdefault(_REASONS[found.state], []).append((zh, said))
    shown = tuple(dict.fromkeys(quotes))
    if failed:
        reason = next(iter(failed)) if len(failed) == 1 else "several"
        names = [said for part in failed.values() for said in part]
        values = {"stores": [en for _, en in names], "stores_zh": [zh for zh, _ in names]}
        return Verdict(Result.FAIL, reason, Method.OBSERVED, values, shown)
    if untold:
        return Verdict(Result.ERROR, "untold", Method.OBSERVED, {"stores": [*untold]}, shown)
    values = {"count": len(fresh), "stores": [*fresh]}
    return Verdict(Result.PASS, "fresh", Method.OBSERVED, values, shown, min(until))


def _age(store: Store, parameters: Parameters) -> timedelta:
    most = parameters.integer("important_hours" if store.important else "general_hours")
    return timedelta(hours=min(most, store.objective_hours or most))


def _say(found: Freshness) -> str:
    last = found.when.strftime("%Y-%m-%dT%H:%MZ") if found.when else "-"
    return f"{last} ({found.why})" if found.why else last
