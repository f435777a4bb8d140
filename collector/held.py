"""Folders in the temporary place that one command has to itself for as long as it runs.

A command that is killed cannot take its own away: the next one does. Which are held still is told
by a lock, which ends with whoever held it; a process number would tell nothing to a command in
another PID namespace that has the same temporary place.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

_LOCK = ".held"


def hold(folder: Path) -> int:
    """Holds `folder` until the handle that is returned is closed, or its process has ended."""
    # the lock has its name only once it is held: another command may look at any time
    made = folder / f"{_LOCK}.made"
    handle = os.open(made, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    flock(handle, LOCK_EX)
    made.rename(folder / _LOCK)
    return handle


def left_behind(prefix: str) -> Iterator[Path]:
    """This user's folders of that name that nobody holds any more: each is held while it is told.

    A folder that somebody is just making has no lock yet, and is not told.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        with suppress(OSError):
            about = folder.lstat()
            if about.st_uid != os.geteuid() or not stat.S_ISDIR(about.st_mode):
                continue
            handle = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                flock(handle, LOCK_EX | LOCK_NB)
                yield folder
            finally:
                os.close(handle)
