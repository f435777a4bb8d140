"""Programs beside SSH by which somebody elsewhere runs commands here as root.

The programs are data (`catalogs/ways-in.yml`): pages that administer a host (宝塔, Cockpit …),
agents that fetch commands from the console of a cloud, and tunnels that bring in from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.facts.system.processes import READS as _PROCESS_READS
from collector.facts.system.processes import Process, Processes, processes
from collector.model import Capture, Read, Text
from collector.resources import package_text
from collector.schema import load_own

READS: tuple[Read, ...] = _PROCESS_READS


@dataclass(frozen=True, slots=True)
class WayIn:
    """One program of the catalogue; the fields are those of the file, which explains them."""

    id: str
    name: Text
    kind: str
    programs: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    anywhere: bool = False

    def holds(self, process: Process) -> bool:
        """Does the program of the process lie in its place?"""
        exe = process.exe or ""
        if self.anywhere:
            return not exe or exe.rpartition("/")[2][:15] in self.names
        if any(exe.startswith(f"{folder}/") for folder in self.under):
            return True
        return bool(Processes((process,), complete=True).running(*self.programs))


@dataclass(frozen=True, slots=True)
class Seen:
    """A way in with its processes, which lie in its place and go by its name."""

    way: WayIn
    processes: tuple[Process, ...]


def _load() -> tuple[WayIn, ...]:
    document: Mapping[str, Mapping[str, Any]] = load_own(
        package_text("catalogs/ways-in.yml"), where="catalogs/ways-in.yml"
    )
    found = []
    for id, entry in document.items():
        lists = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
        name = Text(entry["name"]["zh"], entry["name"]["en"])
        found.append(WayIn(id, name, entry["kind"], **lists, anywhere=bool(entry.get("anywhere"))))
    return tuple(found)


WAYS = _load()


def ways_in(capture: Capture) -> tuple[Seen, ...]:
    """Those that run outside of containers. Raises FactError when processes were not seen."""
    run = [p for p in processes(capture).all if not p.container]
    seen = (
        Seen(way, tuple(p for p in run if p.name in way.names and way.holds(p))) for way in WAYS
    )
    return tuple(s for s in seen if s.processes)
