"""Which host of which evidence was looked at when, and by what its machine is known again.

Made from the captures of the bundles that are attached. It is never evidence: it says where else
the register has seen a machine, and which look of a host is its newest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite

from collector.attest.bundle.provenance import is_collected
from collector.pledges.database import held, tables

# the digests of a machine-id that is empty, not set yet, or a line end alone: of no machine
_NO_MACHINE = frozenset(
    hashlib.sha256(text).hexdigest() for text in (b"", b"\n", b"uninitialized", b"uninitialized\n")
)
# the same bytes under another name: no other machine than the one that gave them can have them
SAME_BYTES = ("capture", "output")
_CHUNK = 1 << 14
# of what a host says are its keys; a machine has half a dozen
_MOST_KEYS = 16
# a statement has at most 32,766 (SQLite) or 65,535 (PostgreSQL) values
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Sighting:
    """One host of one bundle; `looked_at` is None where nothing says when that was.

    `answered`: there was something to look at. `collected`: a run of ours had it from the host.
    `marks` are what the machine, or this very capture, is known again by: mark → kind.
    """

    host: str
    answered: bool
    looked_at: datetime | None
    collected: bool
    marks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Twin:
    """A host of which the same was seen before, under another name; `kinds` says what is the same.

    `sequence` is the evidence of `pledge` that has it as `other`.
    """

    host: str
    pledge: str
    other: str
    sequence: int
    kinds: tuple[str, ...]

    @property
    def same_bytes(self) -> bool:
        return any(kind in SAME_BYTES for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Another:
    """A host that is another machine from evidence `since` on than it was in evidence `before`."""

    host: str
    since: int
    before: int


@dataclass(frozen=True, slots=True)
class Shared:
    """What (`kinds`) is the same of several hosts: (pledge, host) → the evidence that has it."""

    kinds: tuple[str, ...]
    places: Mapping[tuple[str, str], int]


def of_bundle(root: Path, digests: Mapping[str, str], run: str | None) -> Iterator[Sighting]:
    """Of each host in it. `digests` are those of the files under `root`, `run` its run's nonce.

    Raises OSError and BadInput where a capture cannot be read.
    """
    for name, sha256 in digests.items():
        if name.startswith("captures/"):
            with (root / name).open("rb") as source:
                head = held.head(iter(partial(source.read, _CHUNK), b""))
            yield _of(head, sha256, run)


def of_entry(host: str, entry: Mapping[str, Any], run: str | None) -> Sighting:
    """Of one host of evidence.json, whose capture may have been left out."""
    head = {"host": host, "head": entry["head"], "origin": entry["origin"]}
    return _of({**head, "nonce": "", "collected_at": None}, entry["capture_sha256"], run)


def of_capture(head: Mapping[str, Any], sha256: str) -> Sighting:
    """Of one that no run of ours had; `sha256` is that of the file which a bundle would hold."""
    return _of(head, sha256, None)


def _of(head: Mapping[str, Any], sha256: str, run: str | None) -> Sighting:
    said, origin = head["head"], head["origin"]
    answered = bool(head["nonce"] or said)
    at = head["collected_at"]
    if at is None and not answered:
        at = origin.get("clock") or origin.get("claimed", {}).get("clock")
    found = _marks(head, sha256) if answered else ()
    return Sighting(
        head["host"],
        answered,
        datetime.fromisoformat(at).astimezone(UTC) if at else None,
        is_collected(origin, {"nonce": run} if run else None),
        {hashlib.sha256(f"{k}\0{v}".encode()).hexdigest(): k for k, v in found if v},
    )


def _marks(head: Mapping[str, Any], sha256: str) -> Iterator[tuple[str, str]]:
    said, origin = head["head"], head["origin"]
    machine = str(said.get("machine", ""))
    yield "capture", sha256
    # before a capture begins there may be nothing, or the greeting of every host of a fleet
    yield "output", str(origin.get("output_sha256", "")) if said else ""
    yield "nonce", str(head["nonce"])
    yield "machine", "" if machine in _NO_MACHINE else machine
    yield "boot", str(said.get("boot_id", ""))
    keys = dict.fromkeys(key.strip() for key in str(said.get("hostkey", "")).split("\n"))
    # who says that it has thousands would have every page of its pledge look for each of them
    yield from (("hostkey", key) for key in islice(filter(None, keys), _MOST_KEYS))


def missing(connection: Connection) -> Sequence[Mapping[Any, Any]]:
    """The rows of the evidence that nothing is kept of yet, but for what was disposed of."""
    known, every = tables.sightings, tables.evidence
    there = exists().where(
        and_(known.c.pledge == every.c.pledge, known.c.sequence == every.c.sequence)
    )
    query = select(every).where(~there).order_by(every.c.pledge, every.c.sequence)
    gone = tables.emptied(connection)
    return [row for row in connection.execute(query).mappings() if row["pledge"] not in gone]


def put(connection: Connection, pledge: str, sequence: int, found: Iterable[Sighting]) -> None:
    """Of one bundle; a mark stays with the evidence that had it first under this name."""
    found = tuple(found)
    _insert(
        connection,
        tables.sightings,
        [
            {
                "pledge": pledge,
                "sequence": sequence,
                "host": one.host,
                "answered": int(one.answered),
                "looked_at": one.looked_at.isoformat() if one.looked_at else None,
            }
            for one in found
        ],
    )
    _insert(
        connection,
        tables.marks,
        [
            {"mark": m, "pledge": pledge, "host": s.host, "kind": k, "sequence": sequence}
            for s in found
            for m, k in s.marks.items()
        ],
    )


def _insert(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for first in range(0, len(rows), _AT_ONCE):
        some = list(rows[first : first + _AT_ONCE])
        connection.execute(insert(table).values(some).on_conflict_do_nothing())


def drop(connection: Connection, pledge: str) -> None:
    """Nothing is kept of that pledge any more."""
    for table in (tables.sightings, tables.marks, tables.seals):
        connection.execute(table.delete().where(table.c.pledge == pledge))


def forget(connection: Connection, pledge: str, sequences: Collection[int]) -> None:
    """Of these bundles, which are put in anew."""
    for table in (tables.sightings, tables.marks):
        some = (table.c.pledge == pledge) & table.c.sequence.in_(list(sequences))
        connection.execute(table.delete().where(some))


def forget_others(connection: Connection, pledge: str) -> None:
    """What is of no evidence that is there."""
    every = select(tables.evidence.c.sequence).where(tables.evidence.c.pledge == pledge)
    for table in (tables.sightings, tables.marks):
        other = (table.c.pledge == pledge) & table.c.sequence.not_in(every)
        connection.execute(table.delete().where(other))


def newest(
    connection: Connection, pledge: str, holds: ColumnElement[bool]
) -> dict[str, tuple[datetime, int]]:
    """By host, when it was last looked at, and in which evidence of those that `holds` names."""
    table = tables.sightings
    query = select(table.c.host, table.c.looked_at, table.c.sequence).where(
        (table.c.pledge == pledge)
        & (table.c.answered == 1)
        & table.c.looked_at.is_not(None)
        & holds
    )
    found: dict[str, tuple[datetime, int]] = {}
    for host, at, sequence in connection.execute(query):
        known = datetime.fromisoformat(at), sequence
        found[host] = max(known, found.get(host, known))
    return found


def looked_at(
    connection: Connection, at: datetime, holds: ColumnElement[bool]
) -> tuple[tuple[str, int, str], ...]:
    """Pledge, evidence and host of every look of that time (aware), of what `holds` names."""
    table = tables.sightings
    query = (
        select(table.c.pledge, table.c.sequence, table.c.host)
        .where((table.c.answered == 1) & (table.c.looked_at == at.astimezone(UTC).isoformat()))
        .where(holds)
        .order_by(table.c.pledge, table.c.sequence, table.c.host)
    )
    return tuple((row[0], row[1], row[2]) for row in connection.execute(query))


def twins(
    connection: Connection, pledge: str, found: Mapping[str, Iterable[str]]
) -> tuple[Twin, ...]:
    """Where else the marks of each host were seen: under another name, or of another pledge."""
    hosts: dict[str, list[str]] = {}
    for host, known in found.items():
        for mark in known:
            hosts.setdefault(mark, []).append(host)
    table, every = tables.marks, list(hosts)
    same: dict[tuple[str, str, str], list[tuple[int, str]]] = {}
    for first in range(0, len(every), _AT_ONCE):
        query = select(table).where(table.c.mark.in_(every[first : first + _AT_ONCE]))
        for row in connection.execute(query).mappings():
            for host in hosts[row["mark"]]:
                if (row["pledge"], row["host"]) != (pledge, host):
                    key = host, row["pledge"], row["host"]
                    same.setdefault(key, []).append((row["sequence"], row["kind"]))
    return tuple(
        Twin(*key, min(seen)[0], tuple(sorted({kind for _, kind in seen})))
        for key, seen in sorted(same.items())
    )


def edited(
    connection: Connection, pledge: str, found: Iterable[Sighting]
) -> Iterator[tuple[str, int]]:
    """Hosts whose capture was handed in before with other bytes, and the evidence that has it.

    The script draws a nonce each time that it runs: the same one beside other bytes is a file
    that was changed, or cut, after it was made.
    """
    table = tables.marks
    for one in found:
        if one.collected:
            continue
        query = select(table.c.kind, table.c.sequence).where(
            (table.c.pledge == pledge)
            & (table.c.host == one.host)
            & table.c.mark.in_(list(one.marks))
        )
        seen = {row.kind: row.sequence for row in connection.execute(query)}
        if "nonce" in seen and not any(kind in seen for kind in SAME_BYTES):
            yield one.host, seen["nonce"]


def marks_of(connection: Connection, pledge: str) -> dict[str, list[str]]:
    """By host, all marks that are kept of it."""
    table = tables.marks
    query = select(table.c.host, table.c.mark).where(table.c.pledge == pledge)
    found: dict[str, list[str]] = {}
    for host, mark in connection.execute(query):
        found.setdefault(host, []).append(mark)
    return found


def machines_of(
    connection: Connection, pledge: str | None = None
) -> dict[str, dict[str, dict[str, int]]]:
    """By pledge and host its machines, and the evidence that had each first; where it has several.

    With `pledge` of that one alone.
    """
    table = tables.marks
    query = select(table).where(table.c.kind == "machine")
    if pledge is not None:
        query = query.where(table.c.pledge == pledge)
    found: dict[str, dict[str, dict[str, int]]] = {}
    for row in connection.execute(query).mappings():
        hosts = found.setdefault(row["pledge"], {})
        hosts.setdefault(row["host"], {})[row["mark"]] = row["sequence"]
    several = {
        id: {host: marks for host, marks in hosts.items() if len(marks) > 1}
        for id, hosts in found.items()
    }
    return {id: hosts for id, hosts in several.items() if hosts}


def another(host: str, machines: Mapping[str, int], now: str | None) -> Another | None:
    """Is `now`, its machine at the newest look, another than before? None: nobody could look.

    A machine that it was before is no other one, whatever came between.
    """
    since = machines.get(now or "", max(machines.values()))
    before = max((n for n in machines.values() if n < since), default=0)
    return Another(host, since, before) if before else None


def shared(connection: Connection) -> tuple[Shared, ...]:
    """Of all pledges, the hosts that have a mark in common; one for each set of hosts."""
    table = tables.marks
    several = select(table.c.mark).group_by(table.c.mark).having(func.count() > 1)
    query = select(table).where(table.c.mark.in_(several)).order_by(table.c.mark)
    found: dict[frozenset[tuple[str, str]], tuple[set[str], dict[tuple[str, str], int]]] = {}
    for _, rows in groupby(connection.execute(query), key=attrgetter("mark")):
        every = list(rows)
        places = {(row.pledge, row.host): row.sequence for row in every}
        kinds, first = found.setdefault(frozenset(places), (set(), places))
        kinds.update(row.kind for row in every)
        for place, sequence in places.items():
            first[place] = min(first[place], sequence)
    return tuple(Shared(tuple(sorted(kinds)), first) for kinds, first in found.values())
