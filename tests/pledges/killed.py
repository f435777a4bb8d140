"""Work in a process of its own, which may be killed at any moment of it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable


def begin(work: Callable[[], object]) -> int:
    """Its process id; exit status 0 says that it was done. What is imported is there at once."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return child


def run(work: Callable[[], object], seconds: float | None = None) -> bool:
    """Whether it came to its end before it was killed."""
    child = begin(work)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFEXITED(status)


def lasts(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    assert run(work)
    return time.monotonic() - begun
