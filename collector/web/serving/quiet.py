"""What strangers send is no reason for a line of the service's log each."""

from __future__ import annotations

import logging
import time

# of requests that are none one line in so many seconds, with how many there were
_SECONDS = 60.0
_SAID = "Invalid HTTP request received."


class Seldom(logging.Filter):
    """Lets one of them through at a time; of those in between the next one tells the number."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        super().__init__()
        self._seconds, self._since, self._count = seconds, float("-inf"), 0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.msg != _SAID:
            return True
        self._count += 1
        if time.monotonic() - self._since < self._seconds:
            return False
        record.msg = f"{self._count} request(s) that were no HTTP"
        self._since, self._count = time.monotonic(), 0
        return True


def quiet() -> None:
    """In this process, from now on."""
    logger = logging.getLogger("uvicorn.error")
    if not any(isinstance(one, Seldom) for one in logger.filters):
        logger.addFilter(Seldom())
    # whose form is none is told so, and that is all
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
