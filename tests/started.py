"""When what a test has started is there to be seen."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Waits for it.

    Raises:
        AssertionError: It does not hold within so many seconds.
    """
    last = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < last, what
        time.sleep(0.01)


def until_it_runs(pid: int, word: str) -> None:
    """Until /proc shows the process under the arguments of its own program.

    Who starts a process goes on as soon as the old program is gone from it (vfork(2), execve(2));
    its name and its arguments come a moment later.
    """
    told = Path(f"/proc/{pid}/cmdline")
    until(lambda: word.encode() in told.read_bytes().split(b"\0"), f"{pid} does not run {word}")
