"""Leases of hosts in a register that several coordinators of a mesh share (PostgreSQL).

A row a host: whose it is, and until when by the database's own clock. Nothing here outlives a run
or proves anything, so the table is no part of the register's form and is in no backup; it is made
by whoever needs it first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Float, MetaData, String, Table, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from collector.pledges.database import location as locations
from collector.pledges.database.transactions import Database

_metadata = MetaData()
_leases = Table(
    "mesh_leases",
    _metadata,
    Column("host", String(255), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", Float, nullable=False),
)


# any constant of our own: it keeps two coordinators from making the table at once
_LOCK = 0x6D657368


def _now() -> ColumnElement[Any]:
    return func.extract("epoch", func.clock_timestamp())


class RegisterLeases:
    """Those of one coordinator, which `holder` names: the nonce of its run.

    A run that is taken up again has them at once; those of one that was killed end by themselves.
    """

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder

    def take(self, hosts: Sequence[str], seconds: float) -> tuple[str, ...]:
        """Those of `hosts` that nobody else is at. Raises BadInput where the database is away."""
        wanted = sorted(set(hosts))
        free = (_leases.c.holder == self._holder) | (_leases.c.until < _now())
        with self._database.write() as connection:
            rows = [{"host": host, "holder": "", "until": 0.0} for host in wanted]
            connection.execute(insert(_leases).values(rows).on_conflict_do_nothing())
            # a row that another coordinator is just taking is not waited for
            found = connection.execute(
                select(_leases.c.host)
                .where(_leases.c.host.in_(wanted), free)
                .order_by(_leases.c.host)
                .with_for_update(skip_locked=True)
            )
            mine = set(found.scalars())
            if mine:
                connection.execute(
                    update(_leases)
                    .where(_leases.c.host.in_(mine))
                    .values(holder=self._holder, until=_now() + seconds)
                )
        return tuple(host for host in hosts if host in mine)

    def give_back(self, hosts: Sequence[str]) -> None:
        """Those of `hosts` that are this coordinator's are free. Raises as `take`."""
        own = (_leases.c.holder == self._holder) & _leases.c.host.in_(set(hosts))
        with self._database.write() as connection:
            connection.execute(update(_leases).where(own).values(until=0.0))


@contextmanager
def opened(location: str, holder: str) -> Iterator[RegisterLeases]:
    """The leases in the register at that URL. Raises BadInput where it cannot be opened."""
    place = locations.place(location)
    engine = place.engine()
    try:
        database = Database(engine, place.where)
        with database.write() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            _metadata.create_all(connection)
        yield RegisterLeases(database, holder)
    finally:
        engine.dispose()
