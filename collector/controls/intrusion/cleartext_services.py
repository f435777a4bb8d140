"""intrusion.cleartext_services: nothing that sends passwords in the clear runs, or will at boot."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

from collector.errors import CouldNotLook, FactError, NotUnderstood
from collector.facts.access.inetd import encrypted_ftp, on_demand
from collector.facts.network.ftp_servers import ftp_running
from collector.facts.network.listeners import sockets
from collector.facts.network.socket_units import Started
from collector.facts.system.processes import Process, Processes, processes
from collector.facts.system.services import services
from collector.i18n.message import msg
from collector.judges.on_demand import called, of_systemd, refuse_wrapped
from collector.judges.taken_up import refuse_stale
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """A service counts when it runs, listens, or is started by boot or by a connection."""
    del clock
    safe = facts.get(encrypted_ftp)
    found = _units(facts, parameters, safe)
    running = facts.get(processes)
    patterns = parameters.strings("programs")
    shown = [p for p in patterns if _bare(p) not in safe]
    for process in running.running(*shown):
        if not process.container:
            found.setdefault(process.name, Quote("processes.all", (process.line,)))
    elsewhere = [p for p in running.all if not p.container and _of_own_making(p, patterns)]
    for process in elsewhere:
        # whether the settings that were read are its own is not told
        if _bare(process.exe or process.name) not in safe:
            found.setdefault(process.name, Quote("processes.all", (process.line,)))
    by_inetd = facts.get(on_demand)
    starters = parameters.strings("starters")
    starts = bool(running.running(*starters)) or any(
        facts.get(services).unit(s.rpartition("/")[2]).enabled for s in starters
    )
    for service in by_inetd if starts else ():
        named = service.name in parameters.strings("on_demand")
        if (named or called(service.program, patterns)) and _bare(service.program) not in safe:
            found[service.name] = service.quote
    # of two sockets one may be told, and what it starts is found all the same
    by_socket, doubt = _by_socket(facts)
    for socket in by_socket:
        if called(socket.program, patterns) and _bare(socket.program) not in safe:
            found[socket.unit] = socket.quote
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
    if doubt is not None:
        raise doubt
    refuse_wrapped((*by_socket, *(s for s in by_inetd if starts)))
    running.absent(*shown)
    _refuse_untold(facts, parameters, elsewhere, safe)
    _refuse_older(facts, running, safe)
    return Verdict(
        Result.PASS,
        "none",
        Method.OBSERVED,
        evidence=(Quote("services.units"), Quote("sockets.listening")),
    )


def _units(facts: Facts, parameters: Parameters, safe: Collection[str]) -> dict[str, Quote]:
    found: dict[str, Quote] = {}
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
    return found


def _by_socket(facts: Facts) -> tuple[tuple[Started, ...], FactError | None]:
    try:
        return of_systemd(facts), None
    except FactError as error:
        return (), error


def _bare(path: str) -> str:
    """The server by its program; flavours of pure-ftpd have the same settings."""
    name = path.rpartition("/")[2]
    return "pure-ftpd" if name.startswith("pure-ftpd-") else name


def _of_own_making(process: Process, patterns: Sequence[str]) -> bool:
    """Has its program one of the names, and lies in another folder, or in busybox?"""
    name = (process.exe or "").rpartition("/")[2]
    if name.startswith("busybox"):
        name = process.name
    elif not name or Processes((process,), complete=True).running(*patterns):
        return False
    return any(fnmatchcase(name, pattern.rpartition("/")[2]) for pattern in patterns)


def _refuse_untold(
    facts: Facts, parameters: Parameters, elsewhere: Sequence[Process], safe: Collection[str]
) -> None:
    """Raises NotUnderstood where one may be a server whose settings nobody read."""
    for process in elsewhere:
        raise NotUnderstood("legacy.ftp", msg("settings_of_program", exe=process.exe or ""))
    usual = set(parameters.integers("usual_ports"))
    for listener in facts.get(sockets):
        there = listener.proto == "tcp" and listener.port in usual and not listener.loopback
        if there and _bare(listener.process) not in safe:
            said = msg("what_listens_there", port=listener.port, process=listener.process)
            raise NotUnderstood("sockets.listening", said)


def _refuse_older(facts: Facts, running: Processes, safe: Collection[str]) -> None:
    """Raises FactError where an FTP server may still serve as its files were before.

    A session has what its server had when it began.
    """
    servers = [p for p in running.all if not p.container and _bare(p.exe or p.name) in safe]
    sessions = {(p.pid, p.exe) for p in servers}
    for server in servers:
        if (server.ppid, server.exe) in sessions:
            continue
        taken = facts.get(ftp_running).get(server.pid)
        if taken is None:
            said = msg("command_line", name=server.name, pid=server.pid)
            raise CouldNotLook("legacy.ftp_running", said)
        refuse_stale("legacy.ftp_running", taken, f"{server.name} (pid {server.pid})")
