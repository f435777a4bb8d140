"""Which hosts are in the evidence that says how each pledge is now.

The rows that say so are kept to be quick, and whoever can write the database can write them. Of a
record that is as it was when its evidence was attached, the log tells how many hosts were not
looked at; of one that changed since, those rows are believed that the log or the seal of this user
vouches for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sqlalchemy import Connection, func, select

from collector.pledges.database import seals, tables
from collector.pledges.database.rows import Evidence, current

# from so many pledges on it is quicker to ask for all of them
_MANY = 300
Attached = Mapping[str, tuple[Evidence, ...]]


def with_hosts(connection: Connection, attached: Attached) -> dict[str, tuple[Evidence, ...]]:
    """The same, with the hosts of the one of each pledge that says how it is now.

    None where nothing vouches for what is kept of it.
    """
    known = _kept(connection, attached)
    table = tables.sightings
    doubted = _doubted(connection, attached)
    found: dict[str, tuple[Evidence, ...]] = {}
    for id, few in attached.items():
        found[id], one = few, current(few)
        if one is None or id not in known or id in doubted:
            continue
        sequence, hosts = known[id]
        if sequence != one.sequence:
            mine = (table.c.pledge == id) & (table.c.sequence == one.sequence)
            hosts = set(connection.execute(select(table.c.host).where(mine)).scalars())
        if hosts:
            told = replace(one, hosts=frozenset(hosts))
            found[id] = tuple(told if each is one else each for each in few)
    return found


def _kept(connection: Connection, attached: Attached) -> dict[str, tuple[int, set[str]]]:
    """By pledge the number of the newest evidence that rows are kept of, and its hosts."""
    table = tables.sightings
    last = select(table.c.pledge, func.max(table.c.sequence).label("last"))
    if len(attached) == 1:
        last = last.where(table.c.pledge.in_(attached))
    newest = last.group_by(table.c.pledge).subquery()
    of_newest = select(table.c.pledge, table.c.sequence, table.c.host).join(
        newest, (table.c.pledge == newest.c.pledge) & (table.c.sequence == newest.c.last)
    )
    known: dict[str, tuple[int, set[str]]] = {}
    for pledge, sequence, host in connection.execute(of_newest):
        known.setdefault(pledge, (sequence, set()))[1].add(host)
    return known


def _doubted(connection: Connection, attached: Attached) -> frozenset[str]:
    """Those whose record changed since, and of which nothing vouches for what is kept."""
    changed = _changed(connection, attached)
    if len(changed) > _MANY:
        return seals.unsealed(connection) & frozenset(changed)
    return frozenset(id for id in changed if seals.unsealed(connection, id))


def _changed(connection: Connection, attached: Attached) -> Collection[str]:
    """The pledges whose record has another version than its newest evidence was attached to."""
    table = tables.versions
    versions = select(table.c.pledge, func.max(table.c.version)).group_by(table.c.pledge)
    if len(attached) == 1:
        versions = versions.where(table.c.pledge.in_(attached))
    now: dict[str, int] = {row[0]: row[1] for row in connection.execute(versions)}
    return [
        id
        for id, few in attached.items()
        if (one := current(few)) is not None and one.version != now.get(id)
    ]
