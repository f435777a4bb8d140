"""How often somebody may name a link that is none.

A token has 256 bits: nobody guesses one. What is bounded is the work, and what it writes to the
log. A link that opens is never held up by who shares its sender's address.
"""

from __future__ import annotations

import time
from collections import OrderedDict

_SECONDS = 60.0
# addresses that are kept; the one that was quiet longest goes first
_KEPT = 4096


class Guesses:
    """`most` of one address a minute, and `times` as many of all together."""

    def __init__(self, most: int = 20, times: int = 10) -> None:
        self._most, self._times = most, times
        self._of: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._all = (0.0, 0)

    def wrong(self, address: str) -> bool:
        """Counts one more; is that still within bounds?"""
        at = time.monotonic()
        known = self._of.pop(address, (at, 0))
        self._of[address] = known = _one_more(known, at)
        while len(self._of) > _KEPT:
            self._of.popitem(last=False)
        self._all = _one_more(self._all, at)
        return known[1] <= self._most and self._all[1] <= self._most * self._times


def _one_more(known: tuple[float, int], at: float) -> tuple[float, int]:
    since, count = known
    return (at, 1) if at - since > _SECONDS else (since, count + 1)
