"""Takes units away, here and at their nodes: what lies in a datadir is a customer's.

A unit of a coordinator that was killed is taken away by the next one at the same socket.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from collector.run.ansible.driver import driver_alive, driver_name
from collector.run.mesh.control import Control, Unwilling
from collector.run.mesh.faults import CentreLost

_RUN, _DRIVER = "hostpledge_run", "hostpledge_driver"
_LOOKS = 0.5
# Receptor asks the node again and again; where that leads to nothing, its own part goes at least
_PATIENCE = 30.0


def tags(run: str) -> dict[str, str]:
    """What stays with a unit here: of which run it is, and of which process."""
    return {_RUN: run, _DRIVER: f"{_namespace()}/{driver_name()}"}


@dataclass
class _Left:
    node: str
    since: float
    asked: float = field(default=0.0)


class Releases:
    """Use as a context manager: at its end nothing is left of what was handed over, or it is

    in `left`: nodes at which something may lie still.
    """

    def __init__(self, control: Control) -> None:
        self._control = control
        self._handed: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._units: dict[str, _Left] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.left: set[str] = set()

    def __enter__(self) -> Self:
        with suppress(CentreLost, Unwilling):
            for id, unit in self._control.units().items():
                if _is_orphan(unit):
                    self.release(id, str(unit["ExtraData"].get("RemoteNode", "")))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(_PATIENCE * 3)

    def release(self, id: str, node: str) -> None:
        """Hands a unit over; it is taken away when that can be."""
        if id:
            self._handed.put((id, node))

    def _work(self) -> None:
        until = 0.0
        while True:
            while not self._handed.empty():
                id, node = self._handed.get()
                self._units[id] = _Left(node, time.monotonic())
            for id, left in list(self._units.items()):
                with suppress(CentreLost, Unwilling):
                    self._take_away(id, left)
            if self._over.is_set() and self._handed.empty():
                until = until or time.monotonic() + _PATIENCE * 2
                if not self._units or time.monotonic() > until:
                    self.left |= {left.node for left in self._units.values()}
                    return
            self._over.wait(_LOOKS) if not self._over.is_set() else time.sleep(_LOOKS)

    def _take_away(self, id: str, left: _Left) -> None:
        now = time.monotonic()
        if self._control.unit(id) is None:
            del self._units[id]
        elif now - left.since > _PATIENCE:
            self._control.release(id, force=True)
            self.left.add(left.node)
        elif not left.asked:
            left.asked = now
            self._control.release(id)


def _is_orphan(unit: Mapping[str, object]) -> bool:
    """Is it of a process of this machine that is gone?"""
    extra = unit.get("ExtraData")
    params = extra.get("RemoteParams") if isinstance(extra, dict) else None
    whose = str(params.get(_DRIVER, "")) if isinstance(params, dict) else ""
    namespace, _, driver = whose.partition("/")
    return namespace == _namespace() and not driver_alive(driver)


def _namespace() -> str:
    """The numbers of processes mean something within it alone."""
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    return ""
