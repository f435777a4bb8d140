"""What strangers send is no reason for a line of the service's log each."""

from __future__ import annotations

import logging
import time

# of requests that are none one line in so many seconds, with how many there were
_SECONDS = 60.0
# of a database: each connection that it broke is a line
_POOLS = tuple(f"sqlalchemy.pool.impl.{kind}" for kind in ("QueuePool", "NullPool"))
_SAID = ("Invalid HTTP request", "Unsupported upgrade request", "No supported WebSocket library")


class Seldom(logging.Filter):
    """Lets one of them through at a time; of those in between the next one tells the number."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        super().__init__()
        self._seconds, self._since, self._count = seconds, float("-inf"), 0

    def filter(self, record: logging.LogRecord) -> bool:
        if not str(record.msg).startswith(_SAID):
            return True
        self._count += 1
        if time.monotonic() - self._since < self._seconds:
            return False
        record.msg = f"{self._count} request(s) that were no HTTP"
        self._since, self._count = time.monotonic(), 0
        return True


class OneLine(logging.Filter):
    """What a library says of a connection that broke, without where in its own code that was."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and (problem := record.exc_info[1]) is not None:
            said = f"{record.getMessage()}: {type(problem).__name__}: {problem}"
            record.msg, record.args = " ".join(said.split()), ()
            record.exc_info = record.exc_text = record.stack_info = None
        return True


def quiet() -> None:
    """In this process, from now on."""
    for name in _POOLS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, OneLine) for one in logger.filters):
            logger.addFilter(OneLine())
    logger = logging.getLogger("uvicorn.error")
    if not any(isinstance(one, Seldom) for one in logger.filters):
        logger.addFilter(Seldom())
    # whose form is none is told so, and that is all
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
