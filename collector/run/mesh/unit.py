"""One shard at one node, as a unit of Receptor's work: every wait in it has an end.

Seen, and lived with (ADR 70): a unit stays "Running" after its node was switched off; it is
"Succeeded" before all of its output is here. So it is done where the end was seen and as many
bytes came as Receptor says there are, and lost where nothing was heard for some time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from collector.i18n.message import msg
from collector.run.mesh.control import ENDED, Control, Unwilling
from collector.run.mesh.faults import CentreLost, NodeLost
from collector.run.mesh.frames import Arrival, Reader

_LOOKS = 0.5
# a worker that has said its last word has this long to go
_GOING = 20.0
# of a unit that ended badly nothing more is to come
_REST = 3.0


@dataclass(frozen=True, slots=True)
class Patience:
    """When to give up: `stop` is set, `until` (of time.monotonic) is over, or nothing was heard

    for `lost_after` seconds.
    """

    stop: threading.Event
    until: float
    lost_after: float


class Unit:
    """`id` is empty as long as Receptor has not taken it."""

    def __init__(self, control: Control, node: str, reader: Reader, patience: Patience) -> None:
        self._control = control
        self._node = node
        self._reader = reader
        self._patience = patience
        self._heard = time.monotonic()
        self._position = 0
        self._ended = 0.0
        self.id = ""

    def arrivals(self, payload: bytes, tags: Mapping[str, str]) -> Iterator[Arrival]:
        """The captures as they come. Raises NodeRefused, NodeLost, CentreLost.

        Whoever goes through it releases the unit afterwards, however it ended.
        """
        self._submit(payload, tags)
        while not self._done():
            try:
                with self._control.results(self.id, self._position) as results:
                    while (data := results.more(_LOOKS)) != b"":
                        self._look()
                        if data is None:
                            continue
                        self._heard = time.monotonic()
                        self._position += len(data)
                        for one in self._reader.feed(data):
                            if isinstance(one, Arrival):
                                yield one
            except CentreLost:
                self._look()
                if time.monotonic() - self._heard > self._patience.lost_after:
                    raise
            except Unwilling:
                self._look()
            self._patience.stop.wait(_LOOKS)

    def _submit(self, payload: bytes, tags: Mapping[str, str]) -> None:
        while not self.id:
            self._look()
            try:
                self.id = self._control.submit(self._node, payload, self._patience.lost_after, tags)
            except CentreLost:
                if time.monotonic() - self._heard > self._patience.lost_after:
                    raise
                self._patience.stop.wait(_LOOKS)
            except Unwilling as problem:
                raise NodeLost(problem.what, where=msg("mesh_node", node=self._node)) from None
        self._heard = time.monotonic()

    def _done(self) -> bool:
        """Is all there that will come? Raises NodeLost where it will not all come."""
        self._look()
        try:
            status = self._control.unit(self.id)
        except CentreLost:
            return False
        if status is None:
            raise self._lost(msg("mesh_unit_gone"))
        over = status.get("State") in ENDED
        whole = self._position >= int(status.get("StdoutSize") or 0)
        now = time.monotonic()
        if self._reader.ended is not None:
            self._ended = self._ended or now
            # whatever follows is read, and refused
            return (over and whole) or now - self._ended > _GOING
        if not (over and whole):
            self._ended = 0.0
            return False
        self._ended = self._ended or now
        if now - self._ended > _REST:
            self._reader.close()
        return False

    def _look(self) -> None:
        now = time.monotonic()
        if self._patience.stop.is_set():
            raise self._lost(msg("mesh_stopped"))
        if now > self._patience.until:
            raise self._lost(msg("mesh_past_deadline"))
        # of a centre that is away for a while nothing is heard either
        if now - self._heard > self._patience.lost_after and self._is_here():
            raise self._lost(msg("mesh_nothing_heard", seconds=int(self._patience.lost_after)))

    def _is_here(self) -> bool:
        try:
            self._control.status()
        except (CentreLost, Unwilling):
            return False
        return True

    def _lost(self, why: str) -> NodeLost:
        return NodeLost(why, where=msg("mesh_node", node=self._node))
