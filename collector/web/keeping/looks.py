"""How many pages of each account have a line of their own in the log of access.

Pages can be asked for without end, and a line is kept for months: who asks for more of them than a
person reads has one line a minute that counts them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

# lines at once, and how many more a minute
AT_ONCE, A_MINUTE = 600, 10
# the note of a file that was given out, and the path of what is counted alone
FILE, MORE = "file", "…"


@dataclass(slots=True)
class _Budget:
    """`left` at the time `at`; of `minute` the line that counts, and how many it has."""

    left: float
    at: float
    minute: str = ""
    number: int | None = None
    more: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Looks:
    """Of one process: each worker has a budget, and lines that count, of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[str, _Budget] = {}

    def has_room(self, account: str) -> bool:
        """Takes the room for one line, where there is any."""
        one = self._budget(account)
        with one.lock:
            now = time.monotonic()
            one.left = min(AT_ONCE, one.left + (now - one.at) * A_MINUTE / 60)
            one.at = now
            if one.left < 1:
                return False
            one.left -= 1
            return True

    def count(self, account: str, at: datetime, written: Callable[[int | None, str], int]) -> None:
        """`written`: puts a note into the line of that number, or a new one; gives its number."""
        one, minute = self._budget(account), f"{at:%Y-%m-%dT%H:%M}"
        # one after the other: a count does not overtake another
        with one.lock:
            if one.minute != minute:
                one.minute, one.number, one.more = minute, None, 0
            one.more += 1
            one.number = written(one.number, f"{one.more} more pages")

    def _budget(self, account: str) -> _Budget:
        with self._lock:
            return self._of.setdefault(account, _Budget(AT_ONCE, time.monotonic()))
