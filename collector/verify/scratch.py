"""Folders in the temporary place that hold what is secret for as long as a command runs.

A command that is killed cannot take its own away: the next one does. Which are held still is told
by a lock, which ends with whoever held it.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

_PREFIX = "hostpledge-held-"
_LOCK = ".held"


class Scratch:
    """A folder of mode 0700, `path`, until it is closed."""

    def __init__(self) -> None:
        _clear()
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        # it has its name only once it is held: another command may look at any time
        made = self.path / f"{_LOCK}.made"
        self._lock = os.open(made, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        flock(self._lock, LOCK_EX)
        made.rename(self.path / _LOCK)

    def close(self) -> None:
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


def _clear() -> None:
    """Takes away what killed commands of this user left behind."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            about = left.lstat()
            if about.st_uid != os.geteuid() or not stat.S_ISDIR(about.st_mode):
                continue
            # a folder that somebody is just making has no lock yet
            handle = os.open(left / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                flock(handle, LOCK_EX | LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(handle)
