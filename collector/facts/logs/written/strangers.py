"""Programs that nobody knows and that wait for other hosts, with the logs that they hold open."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import CouldNotLook
from collector.facts.logs import service_logs as _services
from collector.facts.logs.service_logs import SERVICES, looks_like_log, open_files
from collector.facts.system import processes as _processes
from collector.facts.system.processes import Process, processes
from collector.i18n.message import msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_services.READS, *_processes.READS)

_READ = "service_logs.open"
_KNOWN = frozenset(name for service in SERVICES for name in service.names)
_RUNS = re.compile(rf"(?:{_services.RUNS})[0-9.]*")
# where packages put programs; what else lies elsewhere is somebody's own
_PACKAGED = re.compile(r"/(?:usr/)?(?:s?bin|lib(?:exec|32|64|x32)?|share)/")


@dataclass(frozen=True, slots=True)
class Stranger:
    """One such program: its `name`, where it listens, and the `logs` that it holds open."""

    name: str
    pid: int
    ports: tuple[str, ...]
    logs: tuple[str, ...]

    @property
    def line(self) -> str:
        """As one line of evidence."""
        return f"{self.name} pid={self.pid} {' '.join(self.ports)}: {' '.join(self.logs) or '-'}"


def needed(capture: Capture) -> bool:
    """Does anything run whose open files tell which logs it writes?"""
    return any(
        p.name in _KNOWN or p.name in _services.PIPES or _foreign(p)
        for p in processes(capture).all
        if not p.container
    )


def strangers(capture: Capture) -> tuple[Stranger, ...]:
    """Raises FactError where programs run that could be such, and nobody looked."""
    held = open_files(capture)
    run = processes(capture).all
    if not held.all_programs:
        for process in run:
            if _foreign(process) and not process.container and process.name not in _KNOWN:
                raise CouldNotLook(
                    _READ, msg("program_process", pid=process.pid, name=process.name)
                )
    if held.more_programs:
        raise CouldNotLook(_READ, msg("more_than_is_read"))
    names = {p.pid: p.name for p in run}
    return tuple(
        Stranger(
            names.get(pid, "?"),
            pid,
            tuple(dict.fromkeys(map(_place, places))),
            tuple(dict.fromkeys(filter(looks_like_log, held.held.get(pid, ())))),
        )
        for pid, places in held.listens.items()
        if pid not in held.names
    )


def _foreign(process: Process) -> bool:
    if process.exe is None:
        return bool(_RUNS.fullmatch(process.name))
    base = process.exe.rpartition("/")[2]
    return bool(_RUNS.fullmatch(base)) or not _PACKAGED.match(process.exe)


def _place(said: str) -> str:
    """An address of /proc/net/tcp as people write it.

    >>> _place("00000000:1F40"), _place("0502000A:0050")
    ('0.0.0.0:8000', '10.0.2.5:80')
    """
    address, _, port = said.partition(":")
    if len(address) == 8:
        shown = ".".join(str(int(x, 16)) for x in reversed(re.findall("..", address)))
    else:
        shown = "[::]" if not address.strip("0") else "[IPv6]"
    return f"{shown}:{int(port, 16)}"
