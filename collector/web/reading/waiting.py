"""What customers handed in and nobody has decided on yet: it proves nothing before that."""

from __future__ import annotations

from collections.abc import Sequence

from collector.errors import CollectorError
from collector.handin import quarantine
from collector.handin.places import Places
from collector.handin.quarantine import Receipt


class Waiting:
    """Reads the quarantine, which holds so much and no more (`Bounds`)."""

    def __init__(self, places: Places) -> None:
        self._places = places
        # what was received never changes
        self._known: dict[str, Receipt] = {}

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
