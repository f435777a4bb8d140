"""Places for uploads that are under way: nobody has them all, and nobody sits in one.

A link is one customer's, and so are all the links of a pledge; a sender is an address. Each has its
share of the places, some are kept for pledges that have none, and what comes slower than
`Bounds.least` gives its place up.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from weakref import WeakValueDictionary

from collector.errors import CollectorError
from collector.handin.links import Link
from collector.handin.places import Bounds
from collector.i18n.message import msg

# captures that are looked through at once, each by a process
_LOOKING = 2


class BusyError(CollectorError):
    """As many uploads as are taken at once."""


class SlowError(CollectorError):
    """An upload that pauses, lasts too long, or comes too slowly."""


class Slots:
    """Those of one process, for one thread."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._taken: Counter[tuple[str, str]] = Counter()
        self._looking = asyncio.Semaphore(_LOOKING)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @contextmanager
    def one(self, link: Link, sender: str) -> Iterator[None]:
        """Raises BusyError."""
        bounds, taken = self._bounds, self._taken
        first = not taken[("pledge", link.pledge)]
        shares = {
            ("all", ""): int(bounds.at_once * (1 if first else 1 - bounds.kept)),
            ("link", link.digest): bounds.of_link,
            ("pledge", link.pledge): bounds.of_pledge,
            ("sender", sender): bounds.of_sender,
        }
        if any(taken[share] >= most for share, most in shares.items()):
            raise BusyError(msg("hand_in_busy"))
        taken.update(shares.keys())
        try:
            yield
        finally:
            taken.subtract(shares.keys())
            for share in shares:
                if not taken[share]:
                    del taken[share]

    @asynccontextmanager
    async def looking(self, link: Link) -> AsyncIterator[None]:
        """Those of one pledge in turn: what takes long there keeps nobody else waiting."""
        turn = self._turns.setdefault(link.pledge, asyncio.Lock())
        async with turn, self._looking:
            yield


class Pace:
    """Of one upload: each stretch of `Bounds.stretch` seconds brings so much at the least."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._since, self._bytes = time.monotonic(), 0

    def went_on(self, size: int) -> None:
        """So many bytes have come. Raises SlowError."""
        self._bytes += size
        now = time.monotonic()
        if (lasted := now - self._since) < self._bounds.stretch:
            return
        if self._bytes < self._bounds.least * lasted:
            raise SlowError(msg("hand_in_too_slow"))
        self._since, self._bytes = now, 0
