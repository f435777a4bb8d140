"""Is what was kept of a pledge's machines what was taken from the bundles?

An entry of the log binds what was kept of its bundle (`seen`), for whoever reads it. Of evidence
from before, and of what was made anew since, the user's own seal says so: it is over all rows of
`sightings` and `marks` of one pledge, and one that was changed, put in or taken away breaks it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, delete, select

from collector.pledges.database import tables, voids
from collector.pledges.database.keeper import keeper

# of one pledge: its rows of `sightings`, and of `marks`
_Kept = tuple[Sequence[Any], Sequence[Any]]
_NONE: _Kept = ((), ())


def digest(connection: Connection, id: str, sequence: int) -> str:
    """What an entry of the log says of what is kept of its bundle (hex)."""
    return _digests(dict(_kept(connection, id)).get(id, _NONE)).get(sequence, _digest(_NONE))


def unsealed(connection: Connection, only: str | None = None) -> frozenset[str]:
    """The pledges of which such rows are or should be, and neither log nor seal vouches for."""
    bound, gone, ours = _bound(connection, only), tables.emptied(connection), keeper()
    seals: dict[str, str] = {}
    if ours is not None:
        table = tables.seals
        known = select(table.c.pledge, table.c.seal).where(table.c.keeper == ours.id)
        if only is not None:
            known = known.where(table.c.pledge == only)
        seals = {row[0]: row[1] for row in connection.execute(known)}

    def holds(id: str, kept: _Kept) -> bool:
        if id in gone or _is_bound(bound.get(id, {}), kept):
            return True
        return ours is not None and id in seals and ours.holds(seals[id], id, _text(kept))

    left, found = set(bound), set()
    # rows of what has no evidence are of nothing
    for id, kept in _kept(connection, only):
        left.discard(id)
        if not holds(id, kept):
            found.add(id)
    return frozenset(found | {id for id in left if not holds(id, _NONE)})


def unlike(connection: Connection, id: str) -> frozenset[int]:
    """The evidence of a pledge of which other things are kept than its entry in the log says."""
    kept = _digests(dict(_kept(connection, id)).get(id, _NONE))
    bound = _bound(connection, id).get(id, {})
    nothing = _digest(_NONE)
    return frozenset(n for n, seen in bound.items() if seen and kept.get(n, nothing) != seen)


def seal(connection: Connection, ids: Collection[str]) -> None:
    """Vouches for what stands there of these pledges."""
    ours = keeper(make=True)
    if ours is None:
        return
    table = tables.seals
    for id in ids:
        told = _text(dict(_kept(connection, id)).get(id, _NONE))
        connection.execute(
            delete(table).where((table.c.pledge == id) & (table.c.keeper == ours.id))
        )
        connection.execute(
            table.insert().values(pledge=id, keeper=ours.id, seal=ours.seal(id, told))
        )


def _bound(connection: Connection, only: str | None) -> dict[str, dict[int, str | None]]:
    table = tables.evidence
    query = select(table.c.pledge, table.c.sequence, table.c.seen)
    if only is not None:
        query = query.where(table.c.pledge == only)
    # a mark that stood with what is void stands with the next that has it: not as it was logged
    void = voids.of(connection, None if only is None else {only})
    found: dict[str, dict[int, str | None]] = {}
    for pledge, sequence, seen in connection.execute(query):
        found.setdefault(pledge, {})[sequence] = None if pledge in void else seen
    return found


def _is_bound(bound: dict[int, str | None], kept: _Kept) -> bool:
    if not bound or None in bound.values():
        return False
    found = _digests(kept)
    nothing = _digest(_NONE)
    return found.keys() <= bound.keys() and all(
        found.get(n, nothing) == seen for n, seen in bound.items()
    )


def _digests(kept: _Kept) -> dict[int, str]:
    """By evidence, of what is kept of its bundle."""
    each: dict[int, tuple[list[Any], list[Any]]] = {}
    for place, rows in enumerate(kept):
        for row in rows:
            each.setdefault(row.sequence, ([], []))[place].append(row)
    return {sequence: _digest(some) for sequence, some in each.items()}


def _digest(kept: _Kept) -> str:
    return hashlib.sha256(_text(kept).encode("utf-8", "surrogatepass")).hexdigest()


def _text(kept: _Kept) -> str:
    """All these rows as one text; of none it is empty."""
    if not any(kept):
        return ""
    return "\n\n".join("\n".join(sorted(repr(tuple(row)) for row in rows)) for rows in kept)


def _kept(connection: Connection, only: str | None) -> Iterator[tuple[str, _Kept]]:
    """By pledge."""
    seen = dict(_rows(connection, tables.sightings, only))
    for pledge, marks in _rows(connection, tables.marks, only):
        yield pledge, (seen.pop(pledge, ()), marks)
    for pledge, rest in seen.items():
        yield pledge, (rest, ())


def _rows(connection: Connection, table: Any, only: str | None) -> Iterator[tuple[str, list[Any]]]:
    query = select(table).order_by(table.c.pledge)
    if only is not None:
        query = query.where(table.c.pledge == only)
    place = list(table.c.keys()).index("pledge")
    for pledge, rows in groupby(connection.execute(query), key=itemgetter(place)):
        yield str(pledge), list(rows)
