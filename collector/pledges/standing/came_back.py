"""Did what is open come back: was it mended, or waived, and is there again?

What was so once is so whatever is known of it now. Who was told that a finding is open, and saw it
mended by evidence that counts for nothing since, has not heard that it is open again. What never
mended it, and a waiver that accepted nothing, change nothing: then it is what was told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.errors import CollectorError
from collector.model import HostStatus, Result
from collector.pledges.database.rows import Evidence, Version
from collector.pledges.record.times import waiver_end
from collector.pledges.record.voiding import voided
from collector.pledges.register.register import Register
from collector.pledges.standing.standing import SATISFIED
from collector.pledges.status.findings import WAIVABLE, Life, looked_at
from collector.pledges.status.latest_bundle import Newest

_Waiver = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Look:
    """Of one host, where it answered: when, and what was found of what somebody sees to."""

    at: datetime
    verdicts: Mapping[str, Result]


class CameBack:
    """Of one record; its bundles are read once, and where they have to be."""

    def __init__(self, register: Register, id: str) -> None:
        self._history: Sequence[Version] = register.history(id)
        # what counts no more as well
        self._every = register.every_evidence(id, hold=False)
        self._seen: list[tuple[Evidence, Mapping[str, _Look]]] | None = None

    def word(self, life: Life) -> str:
        """Another one each time that it came back; empty where it never did.

        Raises BadInput where a bundle cannot be read.
        """
        mended, accepted = self._mended(life), self._accepted(life)
        return (f"|{mended}" if mended else "") + (f"|waived {accepted}" if accepted else "")

    def _mended(self, life: Life) -> int:
        """The last bundle that found it satisfied after it had been open; 0 where none did.

        What is void now counts, as it did, and does not, as it left room for an older look. When
        it was opened does not change by what is declared void.
        """
        every = list(self._looks(life, frozenset()))
        first = min((row.sequence for row, v in every if v not in SATISFIED), default=0)
        found = [
            row.sequence
            for row, verdict in (*every, *self._looks(life, _void(self._history[-1])))
            if verdict in SATISFIED and row.sequence > first
        ]
        return max(found, default=0)

    def _accepted(self, life: Life) -> int:
        """How many waivers of it have accepted a failure that was seen."""
        moments = [one.added_at for one in self._history]
        moments += [row.attached_at for row in self._every]
        return sum(
            any(self._known(life, at) in WAIVABLE for at in moments if begin <= at < end)
            for begin, end in _waived(self._history, life)
        )

    def _known(self, life: Life, at: datetime) -> Result | None:
        """What was known of it at that time: by what was attached, and not void, then."""
        version = next((one for one in reversed(self._history) if one.added_at <= at), None)
        if version is None:
            return None
        looks = self._looks(life, _void(version))
        return next((v for row, v in reversed(list(looks)) if row.attached_at <= at), None)

    def _looks(self, life: Life, without: frozenset[int]) -> Iterator[tuple[Evidence, Result]]:
        """What each look found of it, as `findings.lives` takes them."""
        newest: datetime | None = None
        for row, hosts in self._read():
            look = hosts.get(life.host)
            if row.sequence in without or look is None:
                continue
            if newest is not None and look.at < newest:
                continue
            newest = look.at
            if life.control in look.verdicts:
                yield row, look.verdicts[life.control]

    def _read(self) -> list[tuple[Evidence, Mapping[str, _Look]]]:
        if self._seen is None:
            record = self._history[-1].record
            wanted = {one["control"] for one in record.document.get("follow_ups", ())}
            void = _void(self._history[-1])
            self._seen = []
            for row in self._every:
                try:
                    hosts = Newest(row).evidence["hosts"]
                except CollectorError:
                    # nothing follows from it any more, and nobody has to keep it
                    if row.sequence not in void:
                        raise
                    continue
                self._seen.append((row, _looks_in(row, hosts, wanted)))
        return self._seen


def _looks_in(
    row: Evidence, hosts: Mapping[str, Any], wanted: Collection[str]
) -> Mapping[str, _Look]:
    """What is kept of a bundle: all of it would be gigabytes for years of a fleet."""
    return {
        host: _Look(
            looked_at(entry, row),
            {
                found["control"]: Result(found["verdict"])
                for found in entry["findings"]
                if found["control"] in wanted
            },
        )
        for host, entry in hosts.items()
        if entry["status"] == HostStatus.COMPLETE
    }


def _waived(history: Sequence[Version], life: Life) -> Iterator[tuple[datetime, datetime]]:
    """From when until when each waiver of it held, or will hold.

    One that was taken back, and given anew, are two.
    """
    begun: dict[str, tuple[datetime, datetime]] = {}
    for version in history:
        there: dict[str, _Waiver] = {
            str(sorted(one.items())): one
            for one in version.record.document.get("waivers", ())
            if one["control"] == life.control and one["host"] in (life.host, "*")
        }
        for known in begun.keys() - there.keys():
            since, end = begun.pop(known)
            yield since, min(end, version.added_at)
        for known in there.keys() - begun.keys():
            begun[known] = version.added_at, waiver_end(there[known]["expires"])
    yield from begun.values()


def _void(version: Version) -> frozenset[int]:
    return frozenset(int(one["sequence"]) for one in voided(version.record))
