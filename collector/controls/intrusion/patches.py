"""intrusion.patches: the system is in support, and its security fixes are installed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from collector.errors import NotUnderstood
from collector.facts.system.end_of_life import life
from collector.facts.system.kernels import kernels
from collector.facts.system.os_release import platform
from collector.facts.system.updates import Fix, updates
from collector.i18n.message import msg
from collector.judges.predicates import attested, past
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

CONTROL = "intrusion.patches"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """A system out of support fails whatever its lists say: nobody makes fixes for it any more."""
    system = facts.get(platform)
    known = life(system)
    name = system.name or f"{system.id} {system.version}"
    values: dict[str, Value] = {"system": name, "end": "-", "count": 0, "fixes": []}
    release = Quote("platform.release", (name,))
    if known is not None and known.end is not None:
        values["end"] = known.end.isoformat()
        values["source"] = known.source
        ends = datetime.combine(known.end, time(), UTC) + timedelta(days=1)
        if clock.now >= ends:
            answer = attested(facts, CONTROL, clock)
            if answer is None:
                return Verdict(Result.FAIL, "out_of_support", Method.OBSERVED, values, (release,))
    found = facts.get(updates)
    if found is None:
        raise NotUnderstood("updates.apt", msg("neither_apt_nor_dnf", name=name))
    read = Quote(found.read, (*found.lines, *(f.line for f in found.fixes)))
    evidence = (release, read)
    if not found.source or found.fetched is None:
        return Verdict(Result.ERROR, "no_source", Method.OBSERVED, values, evidence)
    now = facts.capture.collected_at or clock.now
    values["age"] = (now - past(found.fetched, clock, found.read)).days
    late = [f for f in found.fixes if _grave(f, parameters) and _older(f, now, parameters)]
    if late:
        values |= {"count": len(late), "fixes": [f.line for f in late[:10]]}
        return Verdict(Result.FAIL, "late", Method.OBSERVED, values, evidence)
    # what is not in old lists may be in new ones: only a failure can rest on them
    if now - found.fetched > timedelta(days=parameters.integer("metadata_days")):
        return Verdict(Result.ERROR, "stale", Method.OBSERVED, values, evidence)
    if known is None:
        raise NotUnderstood("platform.release", msg("until_when_support_not", name=name))
    if found.foreign:
        values["other"] = found.foreign
        return Verdict(Result.ERROR, "other_release", Method.OBSERVED, values, evidence)
    last = "-" if found.last is None else found.last.date().isoformat()
    values["last"] = last
    pending = [f for f in found.fixes if _grave(f, parameters)]
    if pending:
        values |= {"count": len(pending), "fixes": [f.line for f in pending[:10]]}
        undated = [f for f in pending if f.issued is None]
        limit = timedelta(days=parameters.integer("fix_days"))
        if undated and (found.last is None or now - found.last > limit):
            return Verdict(Result.FAIL, "late_undated", Method.OBSERVED, values, evidence)
        return Verdict(Result.PARTIAL, "pending", Method.OBSERVED, values, evidence)
    days = parameters.integer("update_days")
    if found.last is None or now - found.last > timedelta(days=days):
        return Verdict(Result.PARTIAL, "long_ago", Method.OBSERVED, values, evidence)
    if waiting := _not_booted(facts, parameters, now):
        return replace(
            waiting, values=values | dict(waiting.values), evidence=(*evidence, *waiting.evidence)
        )
    until = found.fetched + timedelta(days=parameters.integer("metadata_days"))
    reason = "patched" if "source" in values else "patched_undated"
    return Verdict(Result.PASS, reason, Method.OBSERVED, values, evidence, until)


def _not_booted(facts: Facts, parameters: Parameters, now: datetime) -> Verdict | None:
    """A fix that waits for a boot, which may wait as long as any other."""
    seen = facts.get(kernels)
    # the kernel of a container is its host's
    waiting = () if facts.get(platform).container else seen.waiting()
    if not waiting:
        return None
    first = min(kernel.installed for kernel in waiting)
    values: dict[str, Value] = {
        "running": seen.running,
        "kernels": [kernel.release for kernel in waiting],
        "installed": first.date().isoformat(),
    }
    quote = Quote("kernels.installed", (seen.running, *(kernel.line for kernel in waiting)))
    late = now - first > timedelta(days=parameters.integer("fix_days"))
    result = Result.FAIL if late else Result.PARTIAL
    return Verdict(result, "not_booted", Method.OBSERVED, values, (quote,))


def _grave(fix: Fix, parameters: Parameters) -> bool:
    """Where no severity is told (apt), every security fix counts as grave."""
    return fix.severity is None or fix.severity.lower() in parameters.strings("severities")


def _older(fix: Fix, now: datetime, parameters: Parameters) -> bool:
    if fix.issued is None:
        return False
    issued = datetime.combine(fix.issued, time(), UTC)
    return now - issued > timedelta(days=parameters.integer("fix_days"))
