"""The register as pages read it: by one thread at a time, and never written to.

It may be restored from a backup meanwhile: it is opened anew then.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.register.over_keys import OverKeys
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.web.reading.turns import Turns


class Library:
    """One register, opened read-only, for all threads of this process."""

    def __init__(self, location: str | None) -> None:
        self._location = location
        self._register = ReadOnlyRegister.open_read_only(location)
        self._name = self._register.name()
        self._seen = self._register.stands()
        self._within = False
        # what is read of the log is kept from page to page, and grows with it
        self._one_at_a_time = Turns()
        self._looking = threading.Lock()
        self._trust = OverKeys(self._register.where, wanted=True)

    @property
    def where(self) -> str:
        return self._register.where

    @property
    def trusts_nobody(self) -> bool:
        """Is there nobody whose signature counts here? Asked for each page, beside what is read."""
        with self._looking:
            self._trust.look()
            return self._trust.nobody

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
        with self._one_at_a_time:
            if not self._within and self._is_replaced():
                self._open_anew()
            before, self._within = self._within, True
            try:
                with self._register.reading():
                    yield self._register
            finally:
                self._within = before

    def _is_replaced(self) -> bool:
        """Was another register, or an earlier state of it, put in its place?

        What is remembered of the one before would speak against it.
        """
        now, before = self._register.stands(), self._seen
        if not now.grew_out_of(before, self._register.entry(before.size)):
            return True
        self._seen = now
        return False

    def _open_anew(self) -> None:
        """Raises BadInput for one that is another by its log: whom accounts see is not in it."""
        opened = ReadOnlyRegister.open_read_only(self._location)
        if opened.name() != self._name:
            raise BadInput(
                msg("web_register_is_another"), where=opened.where, mend=msg("web_start_anew")
            )
        self._register, self._seen = opened, opened.stands()
