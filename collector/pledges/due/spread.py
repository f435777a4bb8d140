"""When in a window each pledge is checked, so that thousands imported on one day are not all due
on one day. Pure.

>>> from datetime import timedelta
>>> week = timedelta(days=7)
>>> slot("demo-2026", week) == slot("demo-2026", week) < week
True
>>> slot("demo-2026", timedelta(0))
datetime.timedelta(0)
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

_PARTS = 1 << 32


def slot(id: str, window: timedelta) -> timedelta:
    """How much earlier than it is due a pledge is checked: the same each time, below `window`.

    By the SHA-256 of its id, so that slots are even over the window and no two machines differ.
    """
    part = int.from_bytes(hashlib.sha256(id.encode()).digest()[:4], "big")
    return timedelta(seconds=int(window.total_seconds()) * part // _PARTS)
