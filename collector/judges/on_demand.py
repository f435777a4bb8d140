"""What starts when somebody connects: by inetd and xinetd, and by sockets that systemd holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from collector.errors import NotUnderstood
from collector.facts.access.inetd import OnDemand, on_demand
from collector.facts.network.listeners import sockets
from collector.facts.network.relays import held_by_systemd
from collector.facts.network.socket_units import Started, started
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Facts, Quote

# what they start stands in arguments that are not read
_WRAPPERS = frozenset((
    "sh", "bash", "dash", "ash", "ksh", "busybox", "env", "nice", "ionice", "setsid", "timeout",
    "sudo", "setpriv", "chroot", "nsenter", "unshare", "firejail", "bwrap", "chrt", "taskset",
    "tcpd", "stdbuf", "logger", "strace", "script", "?", "",
))  # fmt: skip


def called(program: str, patterns: Sequence[str]) -> bool:
    """Is the program one of those, in whatever folder it lies?"""
    name = program.rpartition("/")[2]
    return any(fnmatchcase(name, pattern.rpartition("/")[2]) for pattern in patterns)


def of_systemd(facts: Facts) -> tuple[Started, ...]:
    """What sockets that are open to others start. Raises FactError where that is not told."""
    held = [s for s in facts.get(sockets) if held_by_systemd(s) and not s.loopback]
    if not held:
        return ()
    known = [s for s in facts.get(started) if not s.loopback]
    for listener in held:
        if not any(s.port == listener.port for s in known):
            said = msg("what_socket_starts", where=f"{listener.port}/{listener.proto}")
            raise NotUnderstood("sockets.listening", said)
    return tuple(known)


def refuse_wrapped(those: Iterable[Started | OnDemand]) -> None:
    """Raises NotUnderstood where a shell or its like starts what nobody read."""
    for one in those:
        if one.program.rpartition("/")[2] in _WRAPPERS:
            where = one.unit if isinstance(one, Started) else one.name
            raise NotUnderstood(one.quote.read, msg("what_socket_starts", where=where))


def telnet(
    facts: Facts, patterns: Sequence[str], inetds: Sequence[str]
) -> tuple[str, Quote] | None:
    """The first telnetd that somebody outside gets, at whatever port. Raises FactError."""
    open_ = [s for s in facts.get(sockets) if s.proto == "tcp" and not s.loopback]
    for listener in open_:
        if listener.process and called(listener.process, patterns):
            return listener.process, Quote("sockets.listening", (listener.line,))
    for process in facts.get(processes).all:
        busybox = (process.exe or "").rpartition("/")[2].startswith("busybox")
        runs = called(process.name if busybox else process.exe or "", patterns)
        if runs and not process.container:
            return process.name, Quote("processes.all", (process.line,))
    found: list[Started | OnDemand] = [*of_systemd(facts)]
    if any(called(listener.process, inetds) for listener in open_):
        found += [s for s in facts.get(on_demand) if s.program != "internal"]
    for one in found:
        if called(one.program, patterns):
            return one.program, one.quote
    refuse_wrapped(found)
    return None
