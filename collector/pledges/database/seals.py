"""Is what was kept of a pledge's machines what its user took from the bundles? Sealed as a whole.

A seal is over all rows of `sightings` and `marks` of one pledge: one that was changed, put in or
taken away breaks it, and the rows are made anew from the bundles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, delete, select

from collector.pledges.database import tables
from collector.pledges.database.keeper import keeper


def unsealed(connection: Connection, only: str | None = None) -> frozenset[str]:
    """The pledges of which such rows are or should be, and no seal of ours holds."""
    every = select(tables.evidence.c.pledge).distinct()
    if only is not None:
        every = every.where(tables.evidence.c.pledge == only)
    told = dict(_told(connection, only))
    # rows of what has no evidence are of nothing
    ids = {*connection.execute(every).scalars(), *told} - tables.emptied(connection)
    ours = keeper()
    if ours is None:
        return frozenset(ids)
    table = tables.seals
    known = select(table.c.pledge, table.c.seal).where(table.c.keeper == ours.id)
    seals = {row[0]: row[1] for row in connection.execute(known)}
    return frozenset(
        id for id in ids if id not in seals or not ours.holds(seals[id], id, told.get(id, ""))
    )


def seal(connection: Connection, ids: Collection[str]) -> None:
    """Vouches for what stands there of these pledges."""
    ours = keeper(make=True)
    if ours is None:
        return
    table = tables.seals
    for id in ids:
        told = dict(_told(connection, id)).get(id, "")
        connection.execute(
            delete(table).where((table.c.pledge == id) & (table.c.keeper == ours.id))
        )
        connection.execute(
            table.insert().values(pledge=id, keeper=ours.id, seal=ours.seal(id, told))
        )


def _told(connection: Connection, only: str | None) -> Iterator[tuple[str, str]]:
    """By pledge, all its rows as one text."""
    seen = dict(_rows(connection, tables.sightings, only))
    for pledge, marks in _rows(connection, tables.marks, only):
        yield pledge, f"{seen.pop(pledge, '')}\n\n{marks}"
    for pledge, rest in seen.items():
        yield pledge, f"{rest}\n\n"


def _rows(connection: Connection, table: Any, only: str | None) -> Iterator[tuple[str, str]]:
    query = select(table).order_by(table.c.pledge)
    if only is not None:
        query = query.where(table.c.pledge == only)
    place = list(table.c.keys()).index("pledge")
    for pledge, rows in groupby(connection.execute(query), key=itemgetter(place)):
        yield str(pledge), "\n".join(sorted(repr(tuple(row)) for row in rows))
