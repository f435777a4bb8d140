"""encryption.transport: what can be reached from elsewhere is served by sound TLS."""

from __future__ import annotations

from datetime import timedelta

from collector.controls.encryption.served_faults import (
    FAILS,
    PARTLY,
    Fault,
    Limits,
    answered,
    engine_of,
    faults_of,
    leaves,
    redirects,
    word_of,
)
from collector.facts.exposure import Exposure, exposures
from collector.facts.tls_records import VERSIONS
from collector.facts.tls_served import READ, Served, tls_served
from collector.judges import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_SSH = ("sshd", "sshd-session", "dropbear")
# ssh.socket; and where processes are not shown
_PERHAPS_SSH = ("systemd", "")


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Only what can be reached from elsewhere counts, under the rules as they are loaded."""
    limits = Limits(
        clock.now,
        parameters.integer("min_days"),
        parameters.integer("most_sources"),
        frozenset(parameters.integers("database_ports")),
        frozenset(parameters.integers("tls_ports")),
    )
    seen = [e for e in facts.get(exposures) if e.listener.proto == "tcp" and e.reachable != "no"]
    seen = [e for e in seen if not _ssh(e)]
    if not seen:
        return _alone(Result.NOTAPPLICABLE, "not_reachable")
    asked = facts.get(tls_served)
    if not asked.possible:
        values: dict[str, Value] = {"told": [*dict.fromkeys(word_of(e) for e in seen)]}
        return Verdict(Result.ERROR, "no_bash", Method.TESTED, values, (Quote(READ),))
    found = [(e, asked.of(e.listener)) for e in seen]
    faults = [f for e, served in found for f in faults_of(facts, e, served, limits)]
    verdict = _worst(facts, faults, clock)
    if verdict is not None:
        return verdict
    sound = [(e, s) for e, s in found if s and (s.tls or s.http or engine_of(e, limits))]
    if not sound:
        return _alone(Result.NOTAPPLICABLE, "nothing_served")
    return _good(sound, [e for e, s in found if s and not s.tls and not s.http],
                 asked.names_left, limits)  # fmt: skip


def _ssh(exposure: Exposure) -> bool:
    process, port = exposure.listener.process, exposure.listener.port
    usual = port == 22 and process in _PERHAPS_SSH and not exposure.targets
    return process in _SSH or usual


def _alone(result: Result, reason: str) -> Verdict:
    quotes = (Quote("sockets.listening"),)
    return Verdict(result, reason, Method.OBSERVED, evidence=quotes)


def _worst(facts: Facts, faults: list[Fault], clock: Clock) -> Verdict | None:
    bad = [f for f in faults if f.kind in FAILS]
    if bad:
        return _told(Result.FAIL, bad)
    untold = [f for f in faults if f.kind == "untold"]
    partly = [f for f in faults if f.kind in PARTLY]
    answer = attested(facts, "encryption.transport", clock) if untold else None
    if untold and answer is None:
        return _told(Result.ERROR, untold)
    if partly:
        return _told(Result.PARTIAL, partly)
    if answer is None:
        return None
    values: dict[str, Value] = {"by": f"{answer.by}: {answer.statement}"}
    return Verdict(Result.PASS, "attested", Method.ATTESTED, values, (answer.quote,), answer.until)


def _told(result: Result, faults: list[Fault]) -> Verdict:
    """The message of their kind; one of its own where there are several kinds."""
    kinds = {f.kind for f in faults}
    several = {Result.FAIL: "several", Result.PARTIAL: "partly"}
    reason = kinds.pop() if len(kinds) == 1 else several[result]
    values: dict[str, Value] = {"told": [*dict.fromkeys(f.told for f in faults)]}
    quotes = dict.fromkeys(q for f in faults for q in f.quotes)
    return Verdict(result, reason, Method.TESTED, values, tuple(quotes))


def _good(
    sound: list[tuple[Exposure, Served]], others: list[Exposure], left: int, limits: Limits
) -> Verdict:
    ends = [c.ends for _, s in sound for c in leaves(s)]
    until = min(ends) - timedelta(days=limits.days) if ends else None
    values: dict[str, Value] = {
        "told": [*dict.fromkeys(_shown(e, s) for e, s in sound)],
        "others": [*dict.fromkeys(word_of(e) for e in others)] or ["-"],
        "left": left,
    }
    quotes = tuple(dict.fromkeys(Quote(READ, (s.line,)) for _, s in sound))
    return Verdict(Result.PASS, "good", Method.TESTED, values, quotes, until)


def _shown(exposure: Exposure, served: Served) -> str:
    chosen = [a for a in served.answers.values() if a.state == "chosen"]
    if not chosen:
        how = "→ https" if all(redirects(p) for p in answered([*served.http])) else "HTTP"
        return f"{word_of(exposure)} ({how})" if served.http else word_of(exposure)
    leaf = next(iter(leaves(served)), None)
    named = f", {leaf.line}" if leaf else ""
    return f"{word_of(exposure)} ({VERSIONS[max(a.version for a in chosen)]}{named})"
