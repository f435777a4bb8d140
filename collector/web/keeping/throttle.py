"""How often a password may be tried: enough for people, too seldom for guessing.

Nobody can lock another out. A browser in which an account has signed in before has a count of its
own, which others cannot use up; who comes from elsewhere is counted by address, and by name.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence

from sqlalchemy import func, select

from collector.web.keeping import tables
from collector.web.keeping.state import State

SPAN = 900.0
# of one address for one name, of one address, of all strangers for one name
PAIR, ADDRESS, NAME, DEVICE = 5, 60, 100, 10


class Throttle:
    """The counts of a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def wait(self, buckets: Sequence[tuple[str, int]]) -> int:
        """Seconds until another try is heard; 0 where this one is."""
        table, now, longest = tables.attempts, time.time(), 0.0
        with self._state.read() as connection:
            for bucket, most in buckets:
                mine = (table.c.bucket == _digest(bucket)) & (table.c.at > now - SPAN)
                query = select(func.count(), func.min(table.c.at)).where(mine)
                count, first = connection.execute(query).one()
                if count >= most:
                    longest = max(longest, first + SPAN - now)
        return int(longest) + 1 if longest > 0 else 0

    def failed(self, buckets: Sequence[tuple[str, int]]) -> None:
        table, now = tables.attempts, time.time()
        with self._state.write() as connection:
            connection.execute(table.delete().where(table.c.at < now - SPAN))
            rows = [{"bucket": _digest(bucket), "at": now} for bucket, _ in buckets]
            connection.execute(table.insert(), rows)

    def forget(self, buckets: Sequence[tuple[str, int]]) -> None:
        """After the right password."""
        table = tables.attempts
        with self._state.write() as connection:
            digests = [_digest(bucket) for bucket, _ in buckets]
            connection.execute(table.delete().where(table.c.bucket.in_(digests)))


def buckets(name: str, address: str, device: str | None) -> list[tuple[str, int]]:
    """What a try counts for, each with how many are heard; `device` of a browser that is known."""
    if device is not None:
        return [(f"device {device}", DEVICE)]
    return [
        (f"pair {address} {name}", PAIR),
        (f"address {address}", ADDRESS),
        (f"name {name}", NAME),
    ]


def _digest(bucket: str) -> str:
    return hashlib.sha256(bucket.encode("utf-8", "replace")).hexdigest()
