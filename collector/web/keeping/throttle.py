"""How often a password may be tried: enough for people, too seldom for guessing.

A browser in which an account has signed in before has a count of its own, which others cannot use
up; who comes from elsewhere is counted by address, and by name. Of IPv6 the address is its /64, and
what one customer may be given, a /56 and a /48, are counted too: nobody who has one uses up what
all strangers share. So tries of many can keep a browser that is new out for a while, and no other;
nor who comes with a one-time password, which nobody guesses: the count of a name does not hold them
up (`sign_in`).
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from collector.handin.senders import networks
from collector.web.keeping import tables
from collector.web.keeping.state import State

SPAN = 900.0
# of one address for one name, of one address, of all strangers for one name
PAIR, ADDRESS, NAME, DEVICE = 5, 60, 100, 10
# how many times that the networks of an address have, as `networks` has them
WIDER = (1, 2, 4)
# any constant of our own: of two tries at once the second sees the first
_LOCK = 0x77657472


@dataclass(frozen=True, slots=True)
class Try:
    """`wait`: seconds until another one is heard; 0 where this one is, and was counted."""

    wait: int
    mark: str = ""


class Throttle:
    """The counts of a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def take(self, buckets: Sequence[tuple[str, int]]) -> Try:
        """Counts a try before anything is done for it, as all that are under way are counted.

        One that is not heard is not counted, or who is kept out would keep themselves out.
        """
        table, now, longest = tables.attempts, time.time(), 0.0
        mark = secrets.token_hex(16)
        with self._state.write() as connection:
            self._state.alone(connection, _LOCK)
            # what a clock wrote that was ahead would hold until that time has come
            over = (table.c.at < now - SPAN) | (table.c.at > now + SPAN)
            connection.execute(table.delete().where(over))
            for bucket, most in buckets:
                mine = (table.c.bucket == _digest(bucket)) & (table.c.at > now - SPAN)
                query = select(func.count(), func.min(table.c.at)).where(mine)
                count, first = connection.execute(query).one()
                if count >= most:
                    longest = max(longest, first + SPAN - now)
            if longest > 0:
                return Try(int(longest) + 1)
            rows = [{"bucket": _digest(bucket), "at": now, "mark": mark} for bucket, _ in buckets]
            connection.execute(table.insert(), rows)
        return Try(0, mark)

    def right(self, one: Try, buckets: Sequence[tuple[str, int]]) -> None:
        """After the right password: that try counts for nothing, nor do those of `buckets`."""
        table = tables.attempts
        digests = [_digest(bucket) for bucket, _ in buckets]
        with self._state.write() as connection:
            mine = (table.c.mark == one.mark) | table.c.bucket.in_(digests)
            connection.execute(table.delete().where(mine))


def buckets(name: str, address: str, device: str | None) -> list[tuple[str, int]]:
    """What a try counts for, each with how many are heard; `device` of a browser that is known."""
    if device is not None:
        return [(f"device {device}", DEVICE)]
    return [
        *((f"pair {network} {name}", most) for network, most in _shares(address, PAIR)),
        *of_address("address", address),
        (f"name {name}", NAME),
    ]


def of_address(what: str, address: str) -> list[tuple[str, int]]:
    """What a try counts for that is about no name."""
    return [(f"{what} {network}", most) for network, most in _shares(address, ADDRESS)]


def _shares(address: str, most: int) -> list[tuple[str, int]]:
    return [(one, most * times) for one, times in zip(networks(address), WIDER, strict=False)]


def _digest(bucket: str) -> str:
    return hashlib.sha256(bucket.encode("utf-8", "replace")).hexdigest()
