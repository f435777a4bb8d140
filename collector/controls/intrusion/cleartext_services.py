"""intrusion.cleartext_services: nothing that sends passwords in the clear runs, or will at boot."""

from __future__ import annotations

from collector.facts.access.inetd import encrypted_ftp, on_demand
from collector.facts.network.listeners import sockets
from collector.facts.system.processes import processes
from collector.facts.system.services import services
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """A service counts when it runs, listens, or is started by boot or by a connection."""
    del clock
    found: dict[str, Quote] = {}
    safe = facts.get(encrypted_ftp)
    known = facts.get(services)
    for name in parameters.strings("units"):
        bare = name.partition(".")[0].partition("@")[0]
        unit = known.unit(name)
        if bare in safe or unit.masked:
            continue
        if unit.active or unit.enabled:
            found[name] = Quote("services.units", (unit.line,))
        elif name in known.at_boot:
            found[name] = Quote("services.boot", (name,))
    running = facts.get(processes)
    patterns = parameters.strings("programs")
    shown = [p for p in patterns if p.rpartition("/")[2] not in safe]
    for process in running.running(*shown):
        if not process.container:
            found.setdefault(process.name, Quote("processes.all", (process.line,)))
    demanded = {s.name: s for s in facts.get(on_demand)}
    starters = parameters.strings("starters")
    starts = bool(running.running(*starters)) or any(
        known.unit(s.rpartition("/")[2]).enabled for s in starters
    )
    if starts:
        for name, service in demanded.items():
            program = service.program.rpartition("/")[2]
            if name in parameters.strings("on_demand") and program not in safe:
                found[name] = service.quote
    ports = set(parameters.integers("ports"))
    for listener in facts.get(sockets):
        clear = listener.proto == "tcp" and listener.port in ports
        if clear and not listener.loopback:
            quote = Quote("sockets.listening", (listener.line,))
            found.setdefault(f"{listener.port}/{listener.proto}", quote)
    if found:
        values: dict[str, Value] = {"services": list(found)}
        return Verdict(
            Result.FAIL, "found", Method.OBSERVED, values, tuple(dict.fromkeys(found.values()))
        )
    running.absent(*shown)
    return Verdict(
        Result.PASS,
        "none",
        Method.OBSERVED,
        evidence=(Quote("services.units"), Quote("sockets.listening")),
    )
