"""logging.daemon_protection: auditd refuses to be stopped by hand, runs as root, never was down."""

from __future__ import annotations

from datetime import timedelta

from collector.controls.logging.audit_enabled import without_answer
from collector.facts.logs.audit.status import audit
from collector.facts.logs.daemon_stops import Stop, refuses_stop, seen_from, unexplained
from collector.facts.system.os_release import platform
from collector.facts.system.processes import processes
from collector.facts.system.services import services
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

CONTROL = "logging.daemon_protection"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Stops that no shutdown and no boot explains weigh most; short restarts are only counted."""
    known = facts.get(audit)
    if known.status is None:
        return without_answer(facts.get(audit), facts.get(services), facts.get(platform))
    programs = parameters.strings("programs")
    running = [p for p in facts.get(processes).running(*programs) if not p.foreign]
    unit = facts.get(services).unit("auditd")
    if not running and facts.get(processes).absent(*programs):
        quote = Quote("services.units", (unit.line,))
        return Verdict(Result.FAIL, "no_daemon", Method.OBSERVED, {}, (quote,))
    lines = tuple(process.line for process in running)
    if any(process.uid != 0 for process in running):
        quote = Quote("processes.all", lines)
        return Verdict(Result.FAIL, "not_root", Method.OBSERVED, {}, (quote,))
    start = clock.now - timedelta(days=parameters.integer("days"))
    stops = [s for s in facts.get(unexplained) if s.end is None or s.end >= start]
    short = parameters.integer("restart_seconds")
    restarts = [s for s in stops if s.how == "stopped" and s.seconds <= short]
    long = [s for s in stops if s not in restarts]
    refuses = facts.get(refuses_stop)
    refusal = Quote("daemons.units", (f"RefuseManualStop={'yes' if refuses else 'no'}",))
    evidence = (Quote("processes.all", lines), refusal, *_quotes(stops))
    values: dict[str, Value] = {
        "restarts": len(restarts),
        "since": f"{facts.get(seen_from):%Y-%m-%d}",
    }
    if long:
        values |= {
            "stops": [s.brief for s in long[-10:]],
            "stops_zh": [s.brief_zh for s in long[-10:]],
            "count": len(long),
        }
        answer = attested(facts, CONTROL, clock)
        if answer is None or not refuses:
            return Verdict(Result.FAIL, "stopped", Method.OBSERVED, values, evidence)
        values["by"] = f"{answer.by}: {answer.statement}"
        told = (*evidence, answer.quote)
        return Verdict(Result.PASS, "explained", Method.ATTESTED, values, told, answer.until)
    if not refuses:
        return Verdict(Result.FAIL, "stoppable", Method.OBSERVED, values, evidence)
    return Verdict(Result.PASS, "protected", Method.OBSERVED, values, evidence)


def _quotes(stops: list[Stop]) -> tuple[Quote, ...]:
    reads = dict.fromkeys(s.read for s in stops)
    return tuple(Quote(r, tuple(s.line for s in stops if s.read == r)[-10:]) for r in reads)
