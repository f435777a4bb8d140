"""encryption.transport: what can be reached from elsewhere is served by sound TLS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from collector.facts.base.intervals import show
from collector.facts.firewall.exposure import Exposure, exposures
from collector.facts.system.processes import processes
from collector.facts.tls.probe import OUTSIDE, READ, Served, tls_outside, tls_served
from collector.facts.tls.server_hello import VERSIONS
from collector.judges.predicates import attested
from collector.judges.served_tls import (
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
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_SSH = ("sshd", "sshd-session", "dropbear")
# ssh.socket; and where processes are not shown
_PERHAPS_SSH = ("systemd", "")
# whose sites are asked for by name; and where processes are not shown
_SITES = ("nginx", "openresty", "tengine", "apache2", "httpd", "haproxy", "")


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
    seen = [e for e in seen if not _ssh(facts, e)]
    if not seen:
        return _alone(Result.NOTAPPLICABLE, "not_reachable")
    asked = facts.get(tls_served)
    if not asked.possible:
        values: dict[str, Value] = {"told": [*dict.fromkeys(word_of(e) for e in seen)]}
        return Verdict(Result.ERROR, "no_bash", Method.TESTED, values, (Quote(READ),))
    elsewhere = facts.get(tls_outside)
    found = [
        _View(e, asked.of(e.listener), elsewhere.near(e.listener) if elsewhere else None)
        for e in seen
    ]
    faults = [f for view in found for f in view.faults(facts, limits)]
    if asked.names_left and any(e.listener.process in _SITES for e in seen):
        # each may be served with a certificate and settings of its own
        faults.append(Fault("untold", f"server_name +{asked.names_left}", (Quote(READ),)))
    verdict = _worst(facts, faults, clock)
    if verdict is not None:
        return verdict
    sound = [v for v in found if v.spoken or engine_of(v.exposure, limits)]
    if not sound:
        return _alone(Result.NOTAPPLICABLE, "nothing_served")
    return _good(sound, [v.exposure for v in found if not v.spoken], limits)


@dataclass(frozen=True)
class _View:
    """A socket as its host sees it served, and as the control node does; each may be None."""

    exposure: Exposure
    inside: Served | None
    outside: Served | None

    @property
    def seen(self) -> list[Served]:
        """From both where both know."""
        outside = self.outside if self.outside and self.outside.told else None
        return [s for s in (self.inside, outside) if s]

    @property
    def spoken(self) -> bool:
        """Did it answer by TLS or HTTP?"""
        return any(s.tls or s.http for s in self.seen)

    def faults(self, facts: Facts, limits: Limits) -> list[Fault]:
        """From elsewhere is what counts; but one place is not all, so the host's own view stays."""
        inside = list(faults_of(facts, self.exposure, self.inside, limits))
        if self.outside is None or not self.outside.told:
            return inside
        # who was answered did reach it
        reached = replace(self.exposure, yes=self.exposure.yes | self.exposure.unknown)
        inside = list(faults_of(facts, reached, self.inside, limits))
        outside = list(faults_of(facts, reached, self.outside, limits))
        if all(f.kind != "untold" for f in outside):
            inside = [f for f in inside if f.kind != "untold"]
        known = {f.told for f in inside}
        more = [f for f in outside if f.kind != "untold" and f.told not in known]
        return inside + [replace(f, told=f"{f.told} ({_at(self.outside)})") for f in more]


def _at(served: Served) -> str:
    """Where it was asked from elsewhere."""
    shown = show(served.address or 0, served.families[0])
    return f"{shown}:{served.port}" if served.families[0] == 4 else f"[{shown}]:{served.port}"


def _ssh(facts: Facts, exposure: Exposure) -> bool:
    """Port 22 is opened by nobody but root; at any other what is called sshd may be anything."""
    process, port = exposure.listener.process, exposure.listener.port
    if port == 22:
        return process in _SSH or (process in _PERHAPS_SSH and not exposure.targets)
    if process not in _SSH:
        return False
    own = facts.get(processes).of_the_system(*_SSH)
    return exposure.listener.pid in {p.pid for p in own}


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


def _good(sound: list[_View], others: list[Exposure], limits: Limits) -> Verdict:
    seen = [(v.exposure, s) for v in sound for s in v.seen]
    ends = [c.ends for _, s in seen for c in leaves(s)]
    until = min(ends) - timedelta(days=limits.days) if ends else None
    values: dict[str, Value] = {
        "told": [*dict.fromkeys(_shown(e, s) for e, s in seen)],
        "outside": [*dict.fromkeys(_at(s) for _, s in seen if s.read == OUTSIDE)] or ["-"],
        "others": [*dict.fromkeys(word_of(e) for e in others)] or ["-"],
    }
    quotes = tuple(dict.fromkeys(Quote(s.read, (s.line,)) for _, s in seen))
    return Verdict(Result.PASS, "good", Method.TESTED, values, quotes, until)


def _shown(exposure: Exposure, served: Served) -> str:
    chosen = [a for a in served.answers.values() if a.state == "chosen"]
    if not chosen:
        how = "→ https" if all(redirects(p) for p in answered([*served.http])) else "HTTP"
        return f"{word_of(exposure)} ({how})" if served.http else word_of(exposure)
    leaf = next(iter(leaves(served)), None)
    named = f", {leaf.line}" if leaf else ""
    return f"{word_of(exposure)} ({VERSIONS[max(a.version for a in chosen)]}{named})"
