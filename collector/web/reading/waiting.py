"""What customers handed in and nobody has decided on yet: it proves nothing before that."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from collector.errors import CollectorError
from collector.handin import quarantine
from collector.handin.earlier import asked_at, is_earlier
from collector.handin.lost import Accepted
from collector.handin.places import Places
from collector.handin.quarantine import Receipt
from collector.web.reading.library import Library


class Waiting:
    """Reads the quarantine, which holds so much and no more (`Bounds`).

    Of some pledges alone nothing is told that came under their ids before they were on record: that
    is another customer's. Whoever sees all pledges is told of it as just that (`of_before`).
    """

    def __init__(self, places: Places, library: Library) -> None:
        self._places, self._library = places, library
        self._accepted = Accepted(places)
        self._lost: tuple[tuple[str, int], Sequence[Receipt]] | None = None
        # what was received never changes
        self._known: dict[str, Receipt] = {}
        self._asked: dict[str, datetime] = {}

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
        return self._theirs(known[1], only)

    def of(self, only: frozenset[str] | None) -> Sequence[Receipt]:
        """Of these pledges (None: of all), the oldest first; what is damaged, intake tells."""
        found = []
        try:
            digests = [path.name for path in self._places.room("quarantine").iterdir()]
        except OSError:
            return ()
        # another thread may put another one in its place at any moment
        known = self._known
        known = self._known = {d: known[d] for d in digests if d in known}
        for digest in digests:
            if self._places.file("decided", digest, ".json").exists():
                continue
            try:
                one = known.get(digest) or quarantine.receipt(self._places, digest)
            except CollectorError:
                continue
            if one is None:
                continue
            known[digest] = one
            found.append(one)
        return sorted(self._theirs(found, only), key=lambda one: (one.received_at, one.id))

    def of_before(self, found: Collection[Receipt]) -> frozenset[str]:
        """The digests of those whose links are older than the record that bears their id today."""
        if not found:
            return frozenset()
        with self._library.open() as register:
            begun = register.begun({one.pledge for one in found})
        return frozenset(
            one.digest
            for one in found
            if one.pledge in begun and is_earlier(self._asked_at(one), begun[one.pledge])
        )

    def _theirs(self, found: Sequence[Receipt], only: frozenset[str] | None) -> Sequence[Receipt]:
        if only is None:
            return found
        mine = [one for one in found if one.pledge in only]
        with self._library.open() as register:
            there = register.begun(only) if mine else {}
        before = self.of_before(mine)
        # of an id that nobody has yet, nobody knows whose it was
        return [one for one in mine if one.pledge in there and one.digest not in before]

    def _asked_at(self, one: Receipt) -> datetime:
        if one.digest not in self._asked:
            self._asked[one.digest] = asked_at(self._places, one)
        return self._asked[one.digest]
