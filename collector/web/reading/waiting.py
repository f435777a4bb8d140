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

    def of(self, only: frozenset[str] | None) -> Sequence[Receipt]:
        """Of these pledges (None: of all), the oldest first; what is damaged, intake tells."""
        found = []
        try:
            digests = [path.name for path in self._places.room("quarantine").iterdir()]
        except OSError:
            return ()
        for digest in digests:
            try:
                one = quarantine.receipt(self._places, digest)
                decided = one is not None and quarantine.decision(self._places, one) is not None
            except CollectorError:
                continue
            if one is not None and not decided and (only is None or one.pledge in only):
                found.append(one)
        return sorted(found, key=lambda one: (one.received_at, one.id))
