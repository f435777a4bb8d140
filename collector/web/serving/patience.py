"""How long a connection may do nothing, and how many one address may have.

uvicorn bounds neither: it waits for headers, for the rest of a body, and for a reader who does not
read, for as long as the other side likes, and counts who is silent as one who asks. So two hundred
silent connections stopped it. Here each step has its time, and where there is no place left for a
new connection, one goes that is silent, or whose form has not come whole: of the network that has
most of them the oldest. A capture that comes by a link is not ended for another.
"""

from __future__ import annotations

import asyncio
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from collector.handin.http import RECEIVING
from collector.handin.places import Bounds
from collector.handin.senders import networks

# seconds: until all headers are there, a form is, and a reader has taken what waits for it
HEADERS, BODY, READING = 15.0, 40.0, 60.0
# after so long he who reads nothing makes room for others
STALLED, LONG = 5.0, 60.0
# a capture has bounds of its own, and is told when it meets them
_CAPTURE = Bounds().whole + BODY
# of one address, unless many come by it (a proxy of ours); of all: a process has 1,024 files
OF_ONE, OF_ALL = 64, 512
# each part of a body that comes in parts costs the same, however small it is: bytes for one line
# end, on the average of what has come at once, where that is much
_FINEST, _MUCH = 8, 4096


class Patient(H11Protocol):
    """A connection. `trusts`: is that address a proxy, by which many come?"""

    trusts: Callable[[str], bool] = staticmethod(lambda _address: False)
    _all: ClassVar[weakref.WeakSet[Patient]] = weakref.WeakSet()

    @classmethod
    def talking(cls) -> frozenset[int]:
        """The numbers of the files of those for whom the rules below hold."""
        return frozenset(
            one.file for one in cls._all if one.file != -1 and not one.transport.is_closing()
        )

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._receiving = _Timer(self.loop)
        self._sending = _Timer(self.loop)
        self.since = self.loop.time()
        self.networks: tuple[str, ...] = ("",)
        self.is_proxy = False
        self.file, self._of_capture = -1, False
        self._paused: float | None = None
        self._begun = self.loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]  # as uvicorn has it
        if self.client:
            address = str(self.client[0])
            self.networks, self.is_proxy = networks(address), self.trusts(address)
        if (conn := self.transport.get_extra_info("socket")) is not None:
            self.file = conn.fileno()
            self._all.add(self)
        if not self._has_place():
            self.transport.abort()
            return
        self._receiving.start(HEADERS, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.discard(self)
        self._receiving.stop()
        self._sending.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        asked, before = self.cycle, self.silent
        in_parts = self._in_parts(data)
        if in_parts and self.conn.their_state is h11.SEND_BODY and before:
            # the rest of what has its answer: nobody reads it, and its time runs
            return
        if in_parts and len(data) >= _MUCH and data.count(b"\r\n") > len(data) // _FINEST:
            self._too_slow()
            return
        super().data_received(data)
        if self.transport.is_closing():
            self._ends()
            return
        if self.cycle is not asked:
            self._of_capture, self._begun = False, self.loop.time()
            # the headers are there; what its body has is counted from here
            self._receiving.stop()
            if before:
                self.since = self.loop.time()
        self._wait_for_more()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.since = self.loop.time()
        if self.transport.is_closing():
            self._ends()
        else:
            self._wait_for_more()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._paused is None:
            self._paused = self.loop.time()
        self._sending.start(READING, self.transport.abort)

    def resume_writing(self) -> None:
        self._paused = None
        if not self.transport.is_closing():
            self._sending.stop()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._ends()

    @property
    def silent(self) -> bool:
        """Is there no request that is being answered, or whose body comes?"""
        return self.cycle is None or self.cycle.response_complete

    @property
    def may_end(self) -> bool:
        """May it be ended for another: is nothing lost with it that somebody waits for?

        Who does not read what he asked for, waits for nothing.
        """
        coming = self.conn.their_state is h11.SEND_BODY and not self._hands_in()
        return self.silent or coming or self.stalled

    @property
    def stalled(self) -> bool:
        """Has it taken nothing for a while of what waits for it, or very long for all of it?"""
        if self.silent or self._hands_in() or self.conn.their_state is h11.SEND_BODY:
            return False
        now = self.loop.time()
        stands = self._paused is not None and now - self._paused > STALLED
        return stands or now - self._begun > LONG

    def _wait_for_more(self) -> None:
        """What has begun to come has a time for its rest; no next byte gives it a new one."""
        if self.conn.their_state is h11.SEND_BODY:
            left, capture = self.cycle.response_complete, self._hands_in()
            if capture and not left and not self._of_capture:
                # known by its link only now, and what came before was a form to us
                self._of_capture = True
                self._receiving.stop()
            seconds = HEADERS if left else _CAPTURE if capture else BODY
            self._receiving.start(seconds, self._too_slow)
        elif self.conn.their_state is not h11.IDLE:
            self._receiving.stop()
        elif self.timeout_keep_alive_task is None:
            self._receiving.start(HEADERS, self._too_slow)

    def _hands_in(self) -> bool:
        """Does a capture come by a link that there is? What the path is called proves nothing."""
        return bool(self.scope.get(RECEIVING))

    def _in_parts(self, data: bytes) -> bool:
        """Does a body come, or begin here, whose length is not said before it?"""
        if self.conn.their_state is h11.SEND_BODY:
            return any(name == b"transfer-encoding" for name, _ in self.headers)
        return b"chunked" in data[: 1 << 16].lower()

    def _too_slow(self) -> None:
        self.transport.close()
        self._ends()

    def _ends(self) -> None:
        """What is closed still waits for a reader to take the rest: not for ever."""
        self._sending.start(READING, self.transport.abort)

    def _has_place(self) -> bool:
        """Is there room for it, if need be by the end of another?"""
        others = [one for one in self._others() if one is not self]
        mine = [one for one in others if one.networks[0] and one.networks[0] == self.networks[0]]
        if len(mine) >= OF_ONE and not self.is_proxy:
            return _made([one for one in mine if one.silent or one.stalled])
        return len(others) < OF_ALL or _made([one for one in others if one.may_end])

    def _others(self) -> Iterator[Patient]:
        return (
            one
            for one in self.connections
            if isinstance(one, Patient) and not one.transport.is_closing()
        )


def _made(among: list[Patient]) -> bool:
    """Ends the oldest of the network that has most of them; False where there is none.

    Of a proxy each counts for itself: many come by it.
    """
    counts = Counter(one.networks[-1] for one in among)

    def place(one: Patient) -> tuple[int, float]:
        return -(1 if one.is_proxy else counts[one.networks[-1]]), one.since

    oldest = min(among, key=place, default=None)
    if oldest is None:
        return False
    oldest.transport.abort()
    return True


class _Timer:
    """One that runs is not begun anew."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    def start(self, seconds: float, call: Callable[[], None]) -> None:
        if self._handle is None:
            self._handle = self._loop.call_later(seconds, call)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle = None
