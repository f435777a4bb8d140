"""What the register has seen before: when each host was looked at, and each machine elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from collector.errors import BadInput, CollectorError
from collector.i18n.message import msg
from collector.pledges.database import seals, sightings, tables, voids
from collector.pledges.database.rows import Evidence
from collector.pledges.database.sightings import Another, Shared, Sighting, Twin
from collector.pledges.database.store import Store
from collector.pledges.database.transactions import Database
from collector.pledges.register.attached import Attached
from collector.pledges.status.latest_bundle import Newest

# as many bundles as are taken in before others may write
_AT_ONCE = 50


class Seen(Attached):
    """The part of a register that is about machines; see `register.Register`."""

    def __init__(self, database: Database, store: Store, where: str) -> None:
        super().__init__(database, store, where)
        # pledges, None for all of them
        self._taken_in: set[str | None] = set()

    def newest_looks(self, id: str) -> Mapping[str, tuple[datetime, int]]:
        """By host of a pledge, when it was last looked at, and in which evidence."""
        self.take_in(id)
        with self._database.read() as connection:
            return sightings.newest(connection, id, _holding(connection, id))

    def looked_at(self, at: datetime) -> tuple[tuple[str, int, str], ...]:
        """Pledge, evidence and host of every look of that very second; raises as `take_in`."""
        self.take_in()
        with self._database.read() as connection:
            return sightings.looked_at(connection, at, _holding(connection))

    def seen_hosts(self) -> frozenset[str]:
        """The hosts that evidence of any pledge has; raises as `take_in`."""
        self.take_in()
        with self._database.read() as connection:
            found = connection.execute(select(tables.sightings.c.host).distinct())
            return frozenset(found.scalars())

    def handed_in_ever(self) -> frozenset[str]:
        """The records of which some evidence was handed in, or is of before that was kept."""
        table = tables.evidence
        told = table.c.scope.contains('"handed_in": 0,')
        query = select(table.c.pledge).where(table.c.scope.is_(None) | ~told).distinct()
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

    def hosts_that_answered(self, id: str | None = None) -> Mapping[str, frozenset[str]]:
        """By pledge, the hosts that any of its evidence has an answer of; raises as `take_in`.

        With `id` of that one alone: what somebody did to another one is not its matter.
        """
        self.take_in(id)
        table = tables.sightings
        query = select(table.c.pledge, table.c.host).where(table.c.answered == 1).distinct()
        if id is not None:
            query = query.where(table.c.pledge == id)
        found: dict[str, set[str]] = {}
        with self._database.read() as connection:
            for pledge, host in connection.execute(query.where(_holding(connection, id))):
                found.setdefault(pledge, set()).add(host)
        return {pledge: frozenset(hosts) for pledge, hosts in found.items()}

    def twins_of(self, id: str, found: Sequence[Sighting]) -> tuple[Twin, ...]:
        """Where else what is about to be attached was seen, in other hosts of it as well.

        Raises BadInput as `take_in` of all: a pledge whose rows were taken away has no machine.
        """
        self.take_in()
        with self._database.read() as connection:
            elsewhere = sightings.twins(connection, id, {s.host: s.marks for s in found})
        return *_within(id, found), *elsewhere

    def edited(self, id: str, found: Sequence[Sighting]) -> tuple[tuple[str, int], ...]:
        """As `sightings.edited`, of what is about to be attached."""
        self.take_in(id)
        with self._database.read() as connection:
            return tuple(sightings.edited(connection, id, found))

    def twins(self, id: str) -> tuple[Twin, ...]:
        """Where else the machines of a pledge's evidence were seen."""
        self.take_in(id)
        with self._database.read() as connection:
            return sightings.twins(connection, id, sightings.marks_of(connection, id))

    def other_machines(self, id: str | None = None) -> Mapping[str, tuple[Another, ...]]:
        """By pledge, the hosts that are another machine now than they were; of one with `id`.

        As far as was taken in: one that is asked for is, all are when something is attached.
        """
        if id is not None:
            self.take_in(id)
        with self._database.read() as connection:
            known = sightings.machines_of(connection, id)
            looked = {
                pledge: sightings.newest(connection, pledge, _holding(connection, pledge))
                for pledge in known
            }
        found: dict[str, tuple[Another, ...]] = {}
        for pledge, hosts in known.items():
            every = {one.sequence: one for one in self.every_evidence(pledge, hold=False)}
            newest = {host: looked[pledge][host][1] for host in hosts if host in looked[pledge]}
            seen = {n: _machines(every[n]) for n in set(newest.values()) if n in every}
            told = (
                sightings.another(host, marks, seen.get(newest.get(host, 0), {}).get(host))
                for host, marks in sorted(hosts.items())
            )
            if some := tuple(one for one in told if one is not None):
                found[pledge] = some
        return found

    def shared(self) -> tuple[tuple[Shared, ...], tuple[tuple[str, int], ...]]:
        """Hosts of all pledges that are the same; and (pledge, number) of what nothing is known of.

        That is evidence whose bundle could not be read. Raises BadInput as `take_in` of all.
        """
        self.take_in()
        with self._database.read() as connection:
            found, left = sightings.shared(connection), sightings.missing(connection)
            void = voids.of(connection, {row["pledge"] for row in left}) if left else {}
        unread = ((row["pledge"], row["sequence"]) for row in left)
        return found, tuple((id, n) for id, n in unread if n not in void.get(id, ()))

    def sightings_of(self, attached: Evidence) -> tuple[Sighting, ...]:
        """Each host of one bundle; none where it cannot be read."""
        return _read(attached) or ()

    def take_in(self, id: str | None = None) -> None:
        """Takes in what was attached before such things were kept, or came with a backup.

        And makes anew what neither the log nor a seal of this user's vouches for: of one pledge or,
        to be asked before anything is attached, of all. What cannot be read is left as it is:
        whoever asks for its status is told why. Asked for all it raises BadInput where such a
        thing is not what the log says was kept of it: a capture could be attached once more.
        """
        if None in self._taken_in or id in self._taken_in:
            return
        with self._database.read() as connection:
            rows = [] if self._taken_in else sightings.missing(connection)
            unsealed = seals.unsealed(connection, id)
            rows = [row for row in rows if row["pledge"] not in unsealed]
            rows += self._rows_of(connection, unsealed)
            void = voids.of(connection, {row["pledge"] for row in rows}) if rows else {}
            rows = [r for r in rows if r["sequence"] not in void.get(r["pledge"], ())]
        self._taken_in.add(id)
        every: dict[str, list[Evidence]] = {id: [] for id in unsealed}
        for row in rows:
            every.setdefault(row["pledge"], []).append(self._evidence(row))
        unlike: dict[str, int] = {}
        for some in _portions(sorted(every.items())):
            unlike |= self._take_in(some, unsealed)
        for pledge, sequence in unlike.items() if id is None else ():
            self._taken_in.discard(None)
            raise BadInput(
                msg("kept_unlike_logged", pledge=pledge, sequence=sequence),
                where=self.where,
                mend=msg("put_bundle_back_store"),
            )

    def _take_in(
        self, some: Sequence[tuple[str, Sequence[Evidence]]], unsealed: frozenset[str]
    ) -> dict[str, int]:
        """By pledge the first evidence of which other things are kept than the log says."""
        unlike: dict[str, int] = {}
        read = {
            id: {one.sequence: found for one in every if (found := _read(one)) is not None}
            for id, every in some
        }
        with self._database.write() as connection:
            for id, every in some:
                if not (self._hold(connection, id) and (read[id] or id in unsealed)):
                    continue
                if id in tables.emptied(connection):
                    continue
                if id in unsealed:
                    sightings.forget_others(connection, id)
                    sightings.forget(connection, id, read[id])
                for one in every:
                    sightings.put(connection, id, one.sequence, read[id].get(one.sequence, ()))
                # what was read is what the bundle says, whatever code of before made of it
                if wrong := seals.unlike(connection, id) - read[id].keys():
                    unlike[id] = min(wrong)
                else:
                    seals.seal(connection, [id])
        return unlike

    def look_anew(self, id: str) -> None:
        """After evidence of a pledge was declared void, or no longer is: takes in the rest."""
        with self._database.write() as connection:
            if self._hold(connection, id):
                sightings.drop(connection, id)
        self._taken_in.clear()
        self.take_in(id)

    def _rows_of(self, connection: Connection, ids: Collection[str]) -> list[Mapping[Any, Any]]:
        table = tables.evidence
        query = select(table).order_by(table.c.pledge, table.c.sequence)
        return [row for row in connection.execute(query).mappings() if row["pledge"] in ids]


def _holding(connection: Connection, id: str | None = None) -> ColumnElement[bool]:
    """Of what is kept of looks (with `id` of one pledge), what is of no void evidence.

    Another process may have taken it in while ours declared the evidence void.
    """
    void = voids.of(connection, None if id is None else [id])
    return voids.without(void, tables.sightings)


def _portions(
    every: Sequence[tuple[str, Sequence[Evidence]]],
) -> Iterator[Sequence[tuple[str, Sequence[Evidence]]]]:
    some: list[tuple[str, Sequence[Evidence]]] = []
    for id, attached in every:
        some.append((id, attached))
        if sum(len(one) for _, one in some) >= _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _read(attached: Evidence) -> tuple[Sighting, ...] | None:
    try:
        return tuple(Newest(attached).sightings())
    except (CollectorError, OSError):
        return None


def _machines(attached: Evidence) -> dict[str, str]:
    """By host the mark of its machine; none where it cannot be read."""
    return {
        one.host: mark
        for one in _read(attached) or ()
        for mark, kind in one.marks.items()
        if kind == "machine"
    }


def _within(id: str, found: Sequence[Sighting]) -> Iterator[Twin]:
    """Hosts of one bundle with the very same output: one machine's, under two names."""
    first: dict[str, str] = {}
    for one in found:
        for mark, kind in one.marks.items():
            other = first.setdefault(mark, one.host)
            if other != one.host and kind in sightings.SAME_BYTES:
                yield Twin(one.host, id, other, 0, (kind,))
