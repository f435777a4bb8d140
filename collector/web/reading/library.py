"""The register as pages read it: by one thread at a time, and never written to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.pledges.register.read_only import ReadOnlyRegister


class Library:
    """One register, opened read-only, for all threads of this process."""

    def __init__(self, location: str | None) -> None:
        self._register = ReadOnlyRegister.open_read_only(location)
        # what is read of the log is kept from page to page, and grows with it
        self._one_at_a_time = threading.RLock()

    @property
    def where(self) -> str:
        return self._register.where

    @property
    def name(self) -> str:
        """Which register it is; see `ReadOnlyRegister.name`."""
        with self.open() as register:
            return register.name()

    @property
    def folders(self) -> tuple[str, ...]:
        """Where it lies on this machine, the longest first."""
        found = {str(self._register.store.folder), self._register.where}
        if "://" not in self._register.where:
            found.add(str(Path(self._register.where).parent))
        return tuple(sorted(found, key=len, reverse=True))

    @contextmanager
    def open(self) -> Iterator[ReadOnlyRegister]:
        """The register, all its reads in one transaction, alone up to the end."""
        with self._one_at_a_time, self._register.reading():
            yield self._register
