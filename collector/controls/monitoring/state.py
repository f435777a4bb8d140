"""monitoring.state: how the host runs is watched, and what was seen is kept for six months."""

from __future__ import annotations

from datetime import timedelta

from collector.errors import CouldNotLook
from collector.facts.monitoring.agents import Agent, History, Monitoring, monitoring
from collector.i18n.message import msg
from collector.judges.predicates import attested, months_after, past
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_CONTROL = "monitoring.state"
_READ = "monitors.state"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """A link to whoever watches, or history on the host: one of the two is enough."""
    found = facts.get(monitoring)
    linked = [a for a in found.agents if a.links]
    if linked:
        lines = tuple(line for a in linked for line in a.links[:3])
        return Verdict(
            Result.PASS, "linked", Method.OBSERVED, _names(linked), (Quote(_READ, lines),)
        )
    kept = [h for h in found.histories if _whole(h, parameters, clock)]
    if kept:
        return Verdict(
            Result.PASS, "kept", Method.OBSERVED, _said(kept[0]), (Quote(_READ, kept[0].lines),)
        )
    attestation = attested(facts, _CONTROL, clock)
    if attestation is not None and (found.agents or found.histories):
        values: dict[str, Value] = {"by": attestation.by, "statement": attestation.statement}
        return Verdict(
            Result.PASS,
            "attested",
            Method.ATTESTED,
            values,
            (attestation.quote,),
            attestation.until,
        )
    if found.problem is not None:
        raise found.problem
    return _short(found, parameters, clock)


def _short(found: Monitoring, parameters: Parameters, clock: Clock) -> Verdict:
    alive = [h for h in found.histories if _fresh(h, parameters, clock)]
    remote = [a for a in found.agents if a.monitor.how != "local"]
    if remote:
        lines = tuple(p.line for a in remote for p in a.processes[:2])
        quote = Quote("processes.all", lines)
        return Verdict(Result.PARTIAL, "unseen", Method.OBSERVED, _names(remote), (quote,))
    if found.unseen:
        raise CouldNotLook("processes.all", msg("the_program_of", unseen=found.unseen[0]))
    if alive and _reaches(alive[0], parameters, clock):
        quote = Quote(_READ, alive[0].lines)
        return Verdict(Result.FAIL, "gaps", Method.OBSERVED, _said(alive[0]), (quote,))
    if alive:
        history = alive[0]
        quote = Quote(_READ, history.lines)
        values = _said(history)
        months = parameters.integer("months")
        if history.kept is not None and history.kept >= parameters.integer("days"):
            values["on"] = f"{months_after(history.first, months):%Y-%m-%d}"
            return Verdict(Result.PARTIAL, "young", Method.OBSERVED, values, (quote,))
        values["kept"] = "?" if history.kept is None else history.kept
        return Verdict(Result.FAIL, "short", Method.OBSERVED, values, (quote,))
    if found.histories:
        history = found.histories[0]
        quote = Quote(_READ, history.lines)
        return Verdict(Result.FAIL, "stopped", Method.OBSERVED, _said(history), (quote,))
    if found.agents:
        quote = Quote("processes.all", tuple(a.processes[0].line for a in found.agents))
        return Verdict(Result.PARTIAL, "unseen", Method.OBSERVED, _names(found.agents), (quote,))
    return Verdict(Result.FAIL, "none", Method.OBSERVED, evidence=(Quote("processes.all"),))


def _whole(history: History, parameters: Parameters, clock: Clock) -> bool:
    """Six months of it, still written, and (where files are one a day) few days missing."""
    if not (_reaches(history, parameters, clock) and _fresh(history, parameters, clock)):
        return False
    days = (history.last - history.first).days
    return not history.count or history.count * 100 >= parameters.integer("percent") * days


def _reaches(history: History, parameters: Parameters, clock: Clock) -> bool:
    return months_after(history.first, parameters.integer("months")) <= clock.now


def _fresh(history: History, parameters: Parameters, clock: Clock) -> bool:
    hours = timedelta(hours=parameters.integer("hours"))
    return clock.now - past(history.last, clock, _READ) <= hours


def _names(agents: list[Agent] | tuple[Agent, ...]) -> dict[str, Value]:
    return {
        "agents": ", ".join(a.monitor.name.en for a in agents),
        "agents_zh": "、".join(a.monitor.name.zh for a in agents),
    }


def _said(history: History) -> dict[str, Value]:
    return {
        "by": history.by,
        "first": f"{history.first:%Y-%m-%d}",
        "last": f"{history.last:%Y-%m-%d}",
        "count": history.count,
    }
