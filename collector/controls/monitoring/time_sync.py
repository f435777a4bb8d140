"""monitoring.time_sync: the host's clock is in step with a source, and who says so is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collector.errors import FactError
from collector.facts.monitoring import time_sync as timesync
from collector.facts.monitoring.time_sync import State
from collector.facts.system.os_release import platform
from collector.facts.system.processes import Process, processes
from collector.judges.predicates import attested
from collector.model import (
    Capture,
    Clock,
    Facts,
    Method,
    Parameters,
    Quote,
    Result,
    Value,
    Verdict,
)

_Ask = Callable[[Capture], State]
_BUSYBOX = ("/bin/busybox", "/usr/bin/busybox", "/sbin/busybox")
_DAEMONS: Mapping[str, tuple[tuple[str, ...], _Ask]] = {
    "chronyd": (("/usr/sbin/chronyd", "/usr/local/sbin/chronyd"), timesync.chrony),
    "ntpd": (("/usr/sbin/ntpd", "/usr/local/sbin/ntpd"), timesync.ntpd),
    "systemd-timesyncd": (
        ("/usr/lib/systemd/systemd-timesyncd", "/lib/systemd/systemd-timesyncd"),
        timesync.timesyncd,
    ),
}
# they tell how they stand to a program of their own alone (ntp-ctl), or only to the log
_MUTE: Mapping[str, tuple[str, ...]] = {
    "ntpd-rs": ("/usr/bin/ntp-daemon", "/usr/sbin/ntp-daemon", "/usr/local/bin/ntp-daemon"),
    "phc2sys": ("/usr/sbin/phc2sys", "/usr/bin/phc2sys", "/usr/local/sbin/phc2sys"),
}


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Of several daemons the one that is in step speaks for the host."""
    container = facts.get(platform).container
    running = [(name, p, ask) for name, p, ask in _running(facts, outside=not container)]
    mute = _mute(facts, outside=not container)
    if not running and mute:
        return _by_a_person(facts, parameters, clock, mute)
    if not running:
        if container:
            return Verdict(Result.NOTAPPLICABLE, "outer_clock", Method.OBSERVED)
        for paths, _ in _DAEMONS.values():
            facts.get(processes).absent(*paths)
        return Verdict(
            Result.FAIL,
            "no_daemon",
            Method.OBSERVED,
            evidence=(Quote("processes.all"),),
        )
    answers: list[tuple[str, Process, State]] = []
    problem: FactError | None = None
    for name, process, ask in running:
        try:
            answers.append((name, process, facts.get(ask)))
        except FactError as unheard:
            problem = unheard
    answers.sort(key=lambda a: (a[2].synchronised, a[2].offset is not None))
    if problem is not None and not (answers and answers[-1][2].synchronised):
        raise problem
    name, process, state = answers[-1]
    if mute and not state.synchronised:
        return _by_a_person(facts, parameters, clock, mute)
    return _verdict(facts, parameters, name, process, state)


def _running(facts: Facts, *, outside: bool) -> list[tuple[str, Process, _Ask]]:
    """The daemons that run, those of containers on this host left out."""
    known = facts.get(processes)
    found = []
    for name, (paths, ask) in _DAEMONS.items():
        mine = [
            p
            for p in known.running(*paths)
            if not ((outside and p.container) or p.foreign or p.login)
        ]
        found += [(name, p, ask) for p in mine[:1]]
    for process in known.running(*_BUSYBOX):
        if process.name == "ntpd" and not process.foreign and not (outside and process.container):
            found.append(("busybox ntpd", process, timesync.kernel))
            break
    return found


def _mute(facts: Facts, *, outside: bool) -> dict[str, Process]:
    """Those that keep the time and say nothing of it to who asks here."""
    known = facts.get(processes)
    return {
        name: p
        for name, paths in _MUTE.items()
        for p in known.running(*paths)
        if not ((outside and p.container) or p.foreign or p.login)
    }


def _by_a_person(
    facts: Facts, parameters: Parameters, clock: Clock, mute: Mapping[str, Process]
) -> Verdict:
    """What is attested counts, unless the collecting side's clock stands against it."""
    attestation = attested(facts, "monitoring.time_sync", clock)
    apart = facts.get(timesync.skew)
    if attestation is not None and abs(apart or 0) <= parameters.integer("skew"):
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED,
            {"by": attestation.by, "statement": attestation.statement},
            (attestation.quote,), attestation.until,
        )  # fmt: skip
    quote = Quote("processes.all", tuple(p.line for p in mute.values()))
    values: dict[str, Value] = {"daemon": ", ".join(mute)}
    return Verdict(Result.ERROR, "not_asked", Method.OBSERVED, values, (quote,))


def _verdict(
    facts: Facts, parameters: Parameters, name: str, process: Process, state: State
) -> Verdict:
    quotes = (*state.quotes, Quote("processes.all", (process.line,)))
    values: dict[str, Value] = {
        "daemon": name,
        "source": state.source or process.cmdline or "?",
        "said": state.said,
        "zone": facts.get(timesync.zone),
    }
    if not state.synchronised:
        return Verdict(Result.FAIL, "not_synchronised", Method.OBSERVED, values, quotes)
    if state.local:
        return Verdict(Result.FAIL, "local_clock", Method.OBSERVED, values, quotes)
    apart = facts.get(timesync.skew)
    if apart is not None and abs(apart) > parameters.integer("skew"):
        values["seconds"] = f"{abs(apart):.0f}"
        return Verdict(Result.PARTIAL, "clocks_differ", Method.OBSERVED, values, quotes)
    if state.offset is None:
        return Verdict(Result.PARTIAL, "offset_unknown", Method.OBSERVED, values, quotes)
    values["seconds"] = f"{state.offset:.6f}"
    if state.offset > parameters.integer("offset"):
        return Verdict(Result.FAIL, "too_far", Method.OBSERVED, values, quotes)
    return Verdict(Result.PASS, "synchronised", Method.OBSERVED, values, quotes)
