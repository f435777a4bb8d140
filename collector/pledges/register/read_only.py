"""A register that is looked at and never written to, whatever is asked of it.

The database itself refuses: SQLite is opened read-only, and PostgreSQL's transactions are read-only
by default. What a register makes anew and keeps to be quick is made anew each time, and not kept.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, func, inspect, select
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from collector.errors import BadInput, CollectorError
from collector.i18n.message import msg
from collector.pledges.database import (
    last_kept,
    location,
    log,
    seals,
    sightings,
    tables,
    voids,
)
from collector.pledges.database.held import Disagrees
from collector.pledges.database.location import SILENT_SECONDS, Place, of_pages
from collector.pledges.database.rows import Evidence
from collector.pledges.database.sightings import Twin
from collector.pledges.database.transactions import Database
from collector.pledges.register import over_time
from collector.pledges.register.over_keys import OverKeys, trusted
from collector.pledges.register.register import Register
from collector.pledges.status import briefs
from collector.pledges.status import snapshots as looks
from collector.pledges.status.brief import Brief
from collector.pledges.status.on_disk import stands as on_disk

if TYPE_CHECKING:
    from collector.pledges.status.declared_resources import Shown
    from collector.pledges.status.latest_bundle import Newest

# connections of one process to a server, beside each other
_POOL = 8
# rows that are changed in place show in no count, and a seal may be made anew beside this process
_HELD_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Stands:
    """By what a register is known not to be the one that it was.

    Its file (0 of a server's), its log, how long that is and its last entry, and how much of it the
    user remembers. `then` is the entry that was the last one `before`.
    """

    file: tuple[int, int]
    origin: str
    size: int
    last: str
    kept: tuple[str, int]

    def grew_out_of(self, before: Stands, then: str) -> bool:
        same = self.file == before.file and self.origin == before.origin
        if not same or self.size < before.size or then != before.last:
            return False
        origin, size = before.kept
        return not origin or (self.kept[0] == origin and self.kept[1] >= size)


def _entry(connection: Connection, size: int) -> str:
    table = tables.log_entries
    query = select(table.c.leaf).where(table.c.number == size - 1)
    leaf = connection.execute(query).scalar()
    return "" if leaf is None else hashlib.sha256(leaf.encode("utf-8", "replace")).hexdigest()


class ReadOnlyRegister(Register):
    """Open with `open_read_only`."""

    @cached_property
    def _over(self) -> OverKeys:
        return OverKeys(self.where, wanted=True)

    @property
    def trusts_nobody(self) -> bool:
        """Then nothing in it counts: see `OverKeys`."""
        self._over.look()
        return self._over.nobody

    # what all pledges were held to when, and which of them nothing vouched for
    _held: tuple[str, float, frozenset[str]] | None = None

    @classmethod
    def open_read_only(cls, at: str | None = None) -> ReadOnlyRegister:
        """Raises BadInput where there is none, or one of an older form that nobody renewed yet."""
        place = location.place(at)
        if place.path is not None and not place.path.exists():
            raise BadInput(
                msg("no_register"), where=place.where, mend=msg("hostpledge_pledge_add_makes")
            )
        engine = _engine(place)
        try:
            with Database(engine, place.where).read() as connection:
                current = tables.is_current(connection, where=place.where)
                lacking = _lacking(connection) if current else ""
        except CollectorError:
            engine.dispose()
            raise
        if lacking:
            engine.dispose()
            raise BadInput(
                msg("register_lacks", name=lacking), where=place.where, mend=msg("restore_backup")
            )
        if not current:
            engine.dispose()
            raise BadInput(
                msg("register_not_renewed"), where=place.where, mend=msg("renew_by_pledge_list")
            )
        return cls(engine, place.store, place.where)

    def entry(self, size: int) -> str:
        """The digest of the last entry of a log of that size, in hex; empty where there is none."""
        with self._database.read() as connection:
            return _entry(connection, size)

    def stands(self) -> Stands:
        """To be asked for before and after: has it been replaced?"""
        with self._database.read() as connection:
            origin, size = log.extent(connection)
            last = _entry(connection, size)
        kept = last_kept.read(self.where)
        try:
            about = Path(self.where).stat() if "://" not in self.where else None
        except OSError:
            about = None
        return Stands(
            (about.st_dev, about.st_ino) if about else (0, 0),
            origin,
            size,
            last,
            (kept.origin, kept.size) if kept else ("", 0),
        )

    def mark(self) -> str:
        """Another text once records or evidence were added; nothing is read for it but counts."""
        with self._database.read() as connection:
            entries = connection.execute(select(func.max(tables.log_entries.c.number))).scalar()
            known = connection.execute(
                select(func.count(), func.max(tables.versions.c.added_at)).select_from(
                    tables.versions
                )
            ).one()
            # of a restored register as many may have come since
            last = _entry(connection, 0 if entries is None else entries + 1)
        return f"{entries}/{last}/{known[0]}/{known[1]}"

    def digests(self) -> dict[str, str]:
        """By id, the digest of each record's newest version."""
        table = tables.versions
        last = (
            select(table.c.pledge, func.max(table.c.version).label("version"))
            .group_by(table.c.pledge)
            .subquery()
        )
        query = select(table.c.pledge, table.c.sha256).join(
            last, (table.c.pledge == last.c.pledge) & (table.c.version == last.c.version)
        )
        with self._database.read() as connection:
            return {row.pledge: row.sha256 for row in connection.execute(query)}

    def versions(self, known: over_time.Known) -> dict[str, Sequence[over_time.Then]]:
        """Of every record what its versions said of what evidence rests on; see `over_time`."""
        with self._database.read() as connection:
            return over_time.versions(connection, known)

    def void(self) -> dict[str, frozenset[int]]:
        """By id, the numbers of the evidence that was declared void."""
        with self._database.read() as connection:
            return voids.of(connection)

    def ever_void(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of which something is void, or was and counts again."""
        found: set[str] = set()
        with self._database.read() as connection:
            for at in range(0, len(ids), 500):
                found |= voids.ever(connection, ids[at : at + 500])
        return frozenset(found)

    def take_in(self, id: str | None = None) -> None:
        """Nothing: what is not sealed is not believed (`twins`)."""

    def twins(self, id: str) -> tuple[Twin, ...]:
        """As the register has it, of those that it vouches for; see `twins_known`."""
        return self.twins_known(id)[0]

    def twins_known(self, id: str) -> tuple[tuple[Twin, ...], bool]:
        """And whether that is all: not where nothing vouches for what is kept of some pledge.

        Rows of another pledge that were taken away would have no machine in common with this one.
        """
        with self._database.read() as connection:
            if seals.unsealed(connection, id):
                return (), False
            found = sightings.twins(connection, id, sightings.marks_of(connection, id))
            return found, not self._unsealed(connection)

    def _unsealed(self, connection: Connection) -> frozenset[str]:
        """Of all pledges; that takes a second for thousands of them, so it is kept for a while."""
        counts = [
            connection.execute(select(func.count()).select_from(table)).scalar()
            for table in (tables.sightings, tables.marks)
        ]
        mark, now = f"{self.mark()} {counts}", time.monotonic()
        if self._held is None or self._held[0] != mark or now - self._held[1] > _HELD_SECONDS:
            self._held = mark, now, seals.unsealed(connection)
        return self._held[2]

    @cached_property
    def _like(self) -> dict[tuple[str, int], str]:
        """By pledge and number of a bundle, how all stood when it was what its row says."""
        return {}

    def _unlike(self, one: Evidence, strangers: list[str] | None = None) -> Disagrees | None:
        """Pages ask for it again and again: it is read anew where row, files or trust are not as

        they were, and once a minute, for a key may end at any time.
        """
        now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M} {strangers is None}"
        told = (repr(one), now, *trusted(), *on_disk(one, captures=True))
        seal = hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()
        if self._like.get((one.pledge, one.sequence)) == seal:
            return None
        named = len(strangers or ())
        why = super()._unlike(one, strangers)
        if why is None and len(strangers or ()) == named:
            self._like[one.pledge, one.sequence] = seal
        return why

    def shown(self, newest: Newest) -> tuple[Shown, ...]:
        newest.hold_captures()
        with self._database.read() as connection:
            known = looks.read(connection, newest)
        if known is not None:
            return known
        from collector.pledges.status.observed_resources import shown

        return tuple(shown(capture) for capture in newest.captures())

    def _make_briefs(self, ids: Collection[str], until: datetime) -> dict[str, Brief]:
        with self._database.read() as connection:
            made = [v for v in self._newest_of_all(connection) if v.record.id in ids]
        return {v.record.id: briefs.of(v.record, until) for v in made}


def _lacking(connection: Connection) -> str:
    """A table that lacks a column, as one that was made by hand: no command mends that."""
    inspected = inspect(connection)
    for name, table in tables.metadata.tables.items():
        there = {column["name"] for column in inspected.get_columns(name)}
        if not there >= {column.name for column in table.columns}:
            return name
    return ""


def _engine(place: Place) -> Engine:
    if place.path is not None:
        path = f"file:{quote(str(place.path))}"
        url = URL.create("sqlite", database=path, query={"mode": "ro", "uri": "true"})
        engine = create_engine(
            url, connect_args={"timeout": tables.BUSY_SECONDS}, poolclass=NullPool
        )
        event.listen(engine, "connect", _settle_sqlite)
        event.listen(engine, "begin", tables.begin_sqlite)
        return engine
    # only to raise what it raises of a URL that is none, or of a driver that is not installed
    place.engine().dispose()
    engine = create_engine(
        cast("URL", place.database),
        isolation_level="READ COMMITTED",
        pool_size=_POOL,
        max_overflow=0,
        pool_pre_ping=True,
        pool_timeout=SILENT_SECONDS,
        connect_args=of_pages(cast("URL", place.database)),
    )
    event.listen(engine, "connect", _settle_postgresql)
    return engine


def _settle_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {tables.BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA query_only = ON")


def _settle_postgresql(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("SET default_transaction_read_only = on")
    connection.commit()
    cursor.close()
