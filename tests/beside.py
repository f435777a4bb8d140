"""Long jobs that mostly wait: where all tests run, they run beside those that mind no load."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest


class Beside:
    """Two jobs at a time, each with a folder of its own that goes away with the session.

    In a process of its own: what a test does to this one's environment does not reach them.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="beside-"))
        self._pool = ProcessPoolExecutor(2, mp_context=get_context("spawn"))
        self._jobs: dict[str, Future[Any]] = {}

    def begin(self, name: str, job: Callable[[Path], Any]) -> Future[Any]:
        """The job of this name, begun now if it was not yet."""
        if name not in self._jobs:
            folder = self._folder / name
            folder.mkdir()
            self._jobs[name] = self._pool.submit(job, folder)
        return self._jobs[name]

    def end(self) -> None:
        """Waits for those that run; the others are not begun any more."""
        self._pool.shutdown(cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)


_KEY = pytest.StashKey[Beside]()


def beside(config: pytest.Config) -> Beside:
    if _KEY not in config.stash:
        config.stash[_KEY] = Beside()
        config.add_cleanup(config.stash[_KEY].end)
    return config.stash[_KEY]
