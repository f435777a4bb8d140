"""Locks of a run's folder: one for its command, one that those who are at a host share."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector import private
from collector.errors import BadInput
from collector.i18n.message import msg


@contextmanager
def sole(path: Path) -> Iterator[None]:
    """Only one command works in a folder; raises BadInput when another does."""
    with lock(path / "lock", fcntl.LOCK_EX) as taken:
        if not taken:
            raise BadInput(
                msg("another_hostpledge_work_here"), where=str(path), mend=msg("wait_for_it")
            )
        yield


@contextmanager
def idle(path: Path, patience: float) -> Iterator[None]:
    """No worker is at a host for this folder now, and none begins while this is held.

    A killed command can leave workers that are still at one; they are waited for, at most
    `patience` seconds. Raises BadInput when that is not enough.
    """
    with lock(path / "workers.lock", fcntl.LOCK_EX, patience) as none:
        if not none:
            raise BadInput(
                msg("workers_earlier_command_still"),
                where=str(path),
                mend=msg("try_again_minute"),
            )
        yield


@contextmanager
def lock(path: Path, how: int, patience: float = 0.0) -> Iterator[bool]:
    """Holds a flock(2) on `path` if it can be had within `patience` seconds; yields whether."""
    private.folder(path.parent)
    try:
        # a folder that somebody handed over may hold a link to any place
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        if problem.errno != errno.ELOOP:
            raise
        raise BadInput(
            msg("link_another_special_entry"), where=str(path), mend=msg("give_another_folder")
        ) from None
    try:
        until = time.monotonic() + patience
        taken = _try(handle, how)
        while not taken and time.monotonic() < until:
            time.sleep(0.05)
            taken = _try(handle, how)
        yield taken
    finally:
        os.close(handle)


def _try(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
