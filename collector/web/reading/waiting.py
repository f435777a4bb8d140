"""What customers handed in and nobody has decided on yet: it proves nothing before that."""

from __future__ import annotations

from collections.abc import Sequence

from collector.errors import CollectorError
from collector.handin import quarantine
from collector.handin.lost import Accepted
from collector.handin.places import Places
from collector.handin.quarantine import Receipt
from collector.web.reading.library import Library


class Waiting:
    """Reads the quarantine, which holds so much and no more (`Bounds`)."""

    def __init__(self, places: Places, library: Library) -> None:
        self._places, self._library = places, library
        self._accepted = Accepted(places)
        self._lost: tuple[tuple[str, int], Sequence[Receipt]] | None = None
        # what was received never changes
        self._known: dict[str, Receipt] = {}

    def lost(self, only: frozenset[str] | None) -> Sequence[Receipt]:
        """Of these pledges, what was taken in and is in no evidence of the register any more."""
        try:
            changed = self._places.room("decided").stat().st_mtime_ns
        except OSError:
            return ()
        with self._library.open() as register:
            mark = register.mark(), changed
            known = self._lost
            if known is None or known[0] != mark:
                known = self._lost = mark, self._accepted.lost(register.bundles())
        return [one for one in known[1] if only is None or one.pledge in only]

    def of(self, only: frozenset[str] | None) -> Sequence[Receipt]:
        """Of these pledges (None: of all), the oldest first; what is damaged, intake tells."""
        found = []
        try:
            digests = [path.name for path in self._places.room("quarantine").iterdir()]
        except OSError:
            return ()
        self._known = {d: self._known[d] for d in digests if d in self._known}
        for digest in digests:
            if self._places.file("decided", digest, ".json").exists():
                continue
            try:
                one = self._known.get(digest) or quarantine.receipt(self._places, digest)
            except CollectorError:
                continue
            if one is None:
                continue
            self._known[digest] = one
            if only is None or one.pledge in only:
                found.append(one)
        return sorted(found, key=lambda one: (one.received_at, one.id))
