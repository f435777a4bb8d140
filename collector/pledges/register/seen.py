"""What the register has seen before: when each host was looked at, and each machine elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from collector.errors import CollectorError
from collector.pledges.database import sightings
from collector.pledges.database.rows import Evidence
from collector.pledges.database.sightings import Sighting, Twin
from collector.pledges.register.attached import Attached
from collector.pledges.status.latest_bundle import Newest

# as many bundles as are taken in before others may write
_AT_ONCE = 50


class Seen(Attached):
    """The part of a register that is about machines; see `register.Register`."""

    _all_seen = False

    def newest_looks(self, id: str) -> Mapping[str, tuple[datetime, int]]:
        """By host of a pledge, when it was last looked at, and in which evidence."""
        self._see_all()
        with self._database.read() as connection:
            return sightings.newest(connection, id)

    def twins_of(self, id: str, found: Sequence[Sighting]) -> tuple[Twin, ...]:
        """Where else what is about to be attached was seen, in other hosts of it as well."""
        self._see_all()
        with self._database.read() as connection:
            elsewhere = sightings.twins(connection, id, {s.host: s.marks for s in found})
        return *_within(id, found), *elsewhere

    def edited(self, id: str, found: Sequence[Sighting]) -> tuple[tuple[str, int], ...]:
        """As `sightings.edited`, of what is about to be attached."""
        self._see_all()
        with self._database.read() as connection:
            return tuple(sightings.edited(connection, id, found))

    def twins(self, id: str) -> tuple[Twin, ...]:
        """Where else the machines of a pledge's evidence were seen."""
        self._see_all()
        with self._database.read() as connection:
            return sightings.twins(connection, id, sightings.marks_of(connection, id))

    def sightings_of(self, attached: Evidence) -> tuple[Sighting, ...]:
        """Each host of one bundle; none where it cannot be read."""
        return _read(attached) or ()

    def _see_all(self) -> None:
        """Takes in what was attached before such things were kept, or came with a backup.

        What cannot be read is left out: whoever asks for its status is told why.
        """
        if self._all_seen:
            return
        self._all_seen = True
        with self._database.read() as connection:
            missing = [self._evidence(row) for row in sightings.missing(connection)]
        for first in range(0, len(missing), _AT_ONCE):
            some = missing[first : first + _AT_ONCE]
            read = [(one, found) for one in some if (found := _read(one)) is not None]
            with self._database.write() as connection:
                for one, found in read:
                    sightings.put(connection, one.pledge, one.sequence, found)


def _read(attached: Evidence) -> tuple[Sighting, ...] | None:
    try:
        return tuple(Newest(attached).sightings())
    except (CollectorError, OSError):
        return None


def _within(id: str, found: Sequence[Sighting]) -> Iterator[Twin]:
    """Hosts of one bundle with the very same output: one machine's, under two names."""
    first: dict[str, str] = {}
    for one in found:
        for mark, kind in one.marks.items():
            other = first.setdefault(mark, one.host)
            if other != one.host and kind in sightings.SAME_BYTES:
                yield Twin(one.host, id, other, 0, (kind,))
