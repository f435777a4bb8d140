"""The register: pledge records in all their versions, and the evidence attached to each.

Every change is one transaction, and a bundle is on disk, synced, before its row is written: a
process killed at any moment leaves the register as before or as after, and may be run again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Waiver
from collector.pledges.database import location, sightings, tables, unmade
from collector.pledges.database.location import FILE
from collector.pledges.database.rows import Evidence, Version
from collector.pledges.database.store import Store
from collector.pledges.database.transactions import Database
from collector.pledges.due.lifecycle import continued
from collector.pledges.record import form as records
from collector.pledges.record.changes import (
    check_customer,
    check_names,
    check_renewed,
    check_signed,
    following,
)
from collector.pledges.record.drafts import is_free
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.papers import check_papers
from collector.pledges.record.times import moment_or_last
from collector.pledges.record.voiding import voided
from collector.pledges.register import naming
from collector.pledges.register.past import Past
from collector.pledges.status import briefs
from collector.pledges.status import snapshots as looks
from collector.pledges.status.brief import Brief
from collector.resources import home

__all__ = ["FILE", "Evidence", "Register", "Version"]

_NO_TIME = datetime.min.replace(tzinfo=UTC)


class Register(Past):
    """Open with `Register.open`. Any number of processes may use one register at once."""

    def __init__(self, engine: Engine, store: Store, where: str) -> None:
        super().__init__(Database(engine, where), store, where)
        with self._database.read() as connection:
            if tables.is_current(connection, where=where):
                return
        with self._database.write() as connection:
            if tables.create(connection, where=where):
                from collector.pledges.database import log

                log.begin(connection)
        self._know_log()

    @classmethod
    def open(cls, at: str | None = None, *, create: bool = True) -> Register:
        """The register at a path or a database URL (see `location`), made when it is missing.

        With `create=False` a named register that is not there is BadInput, and one's own that is
        not there is an empty one, of which nothing is kept.
        """
        place = location.place(at)
        if place.path is not None:
            if not create and not place.path.exists():
                if not location.is_named(at):
                    return cls(unmade.engine(), place.store, place.where)
                raise BadInput(
                    msg("no_register"), where=place.where, mend=msg("hostpledge_pledge_add_makes")
                )
            if create and not location.is_named(at):
                home()
            if not place.path.parent.is_dir():
                raise BadInput(
                    msg("no_such_folder"), where=str(place.path.parent), mend=msg("make_first")
                )
        return cls(place.engine(), place.store, place.where)

    def add(self, record: PledgeRecord, *, update: bool = False) -> Version:
        """Puts a record in; with `update`, a further version of one that is there.

        Raises BadInput when the id is taken (without `update`) or unknown (with it). A version
        that equals the newest one is not written again.
        """
        return self.add_all([record], update=update)[0]

    def change(self, id: str, make: Callable[[PledgeRecord], PledgeRecord]) -> Version:
        """A further version, made of the newest one while nobody else can write another."""
        with self._database.write() as connection:
            newest = self._newest(connection, id)
            if newest is None:
                raise self.unknown(connection, id)
            done = self._add(connection, make(newest.record), update=True, keep=None)
            self._check_papers(connection, [done.record], {id: newest.record})
            briefs.put(connection, [(done.record, done.number)])
        return done

    def replace_all(
        self, id: str, make: Callable[[PledgeRecord], PledgeRecord]
    ) -> tuple[Version, int]:
        """A version that takes the place of all others, and how many: their digests alone stay."""
        table = tables.versions
        with self._database.write() as connection:
            newest = self._newest(connection, id)
            if newest is None:
                raise self.unknown(connection, id)
            done = self._add(connection, make(newest.record), update=True, keep=None)
            if connection.dialect.name == "sqlite":
                # what is overwritten leaves no trace in the file
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            others = (table.c.pledge == id) & (table.c.version < done.number)
            with tables.unguarded(connection):
                emptied = connection.execute(table.update().where(others).values(document=""))
            looks.drop(connection, id)
            sightings.drop(connection, id)
            briefs.put(connection, [(done.record, done.number)])
        return done, emptied.rowcount

    def emptied(self) -> frozenset[str]:
        """The ids of the records that `replace_all` was done to."""
        with self._database.read() as connection:
            return tables.emptied(connection)

    def add_all(
        self,
        records: Iterable[PledgeRecord],
        *,
        update: bool = False,
        keep: Collection[str] = (),
        told: Collection[str] | None = None,
    ) -> tuple[Version, ...]:
        """As `add` for all of them or, where one cannot be added, for none.

        `keep` and `told`: what stays as the newest version has it, see `changes.updated`.
        """
        every = tuple(records)
        with self._database.write() as connection:
            if not update:
                self._check_names(connection, every)
            before: dict[str, PledgeRecord] = {}
            for record in every if update else ():
                if (newest := self._newest(connection, record.id)) is not None:
                    check_customer(newest.record, record)
                    before[record.id] = newest.record
            # each in its turn by id: two that add the same would wait for each other otherwise
            done = {
                record.id: self._add(connection, record, update=update, keep=keep, told=told)
                for record in sorted(every, key=lambda record: record.id)
            }
            for id, held in before.items() if keep else ():
                # a list of thousands may be shifted by a row; one record is put right by itself
                check_signed(held, done[id].record)
            made = [version.record for version in done.values()]
            self._check_papers(connection, made, before)
            check_renewed(made, before, partial(self._record, connection))
            briefs.put(connection, ((v.record, v.number) for v in done.values()))
        return tuple(done[record.id] for record in every)

    def _add(
        self,
        connection: Connection,
        record: PledgeRecord,
        *,
        update: bool,
        keep: Collection[str] | None = (),
        told: Collection[str] | None = None,
    ) -> Version:
        now = datetime.now(UTC)
        newest = self._newest(connection, record.id)
        if newest is None and update:
            raise self.unknown(connection, record.id)
        if newest is not None and not update and not self._free(connection, newest):
            raise self._taken(record.id)
        if newest is not None:
            record = following(newest.record, record, update=update, keep=keep, told=told)
        if newest is None:
            if not tables.insert_new(connection, id=record.id, added_at=now.isoformat()):
                raise self._taken(record.id)
        elif newest.record.digest == record.digest:
            return newest
        if newest is not None and voided(newest.record) != voided(record):
            # what is kept of looks is of what counts: it is made anew
            sightings.drop(connection, record.id)
            self._taken_in.clear()
        number = newest.number + 1 if newest else 1
        connection.execute(
            tables.versions.insert().values(
                pledge=record.id,
                version=number,
                document=record.canonical().decode(),
                sha256=record.digest,
                added_at=now.isoformat(),
            )
        )
        return Version(number, record, now)

    def _record(self, connection: Connection, id: str) -> PledgeRecord | None:
        newest = self._newest(connection, id)
        return newest.record if newest is not None else None

    @staticmethod
    def _free(connection: Connection, newest: Version) -> bool:
        """Is it a draft that was withdrawn, and nothing was ever attached to it?"""
        if not is_free(newest.record):
            return False
        table = tables.evidence
        mine = select(table.c.sequence).where(table.c.pledge == newest.record.id).limit(1)
        return connection.execute(mine).first() is None

    def _check_names(self, connection: Connection, records: Iterable[PledgeRecord]) -> None:
        known = connection.execute(select(tables.pledges.c.id)).scalars()
        check_names(known, (record.id for record in records), where=self.where)

    @staticmethod
    def _check_papers(
        connection: Connection, made: Sequence[PledgeRecord], before: Mapping[str, PledgeRecord]
    ) -> None:
        check_papers(made, before, naming.naming(connection, made, before))

    def _taken(self, id: str) -> BadInput:
        return BadInput(
            msg("pledge_register_already", which=id),
            where=self.where,
            mend=msg("give_another_id"),
        )

    def get(self, id: str) -> PledgeRecord:
        """The newest version of a record; raises BadInput when there is none."""
        with self._database.read() as connection:
            newest = self._newest(connection, id)
            if newest is None:
                raise self.unknown(connection, id)
        return newest.record

    def list(self) -> tuple[PledgeRecord, ...]:
        """The newest version of every record, by id, each held to its digest."""
        with self._database.read() as connection:
            return tuple(version.record for version in self._newest_of_all(connection))

    def briefs(self, until: datetime = _NO_TIME) -> tuple[Brief, ...]:
        """The brief of every record, by id, with what falls due until then (aware)."""
        with self._database.read() as connection:
            known, without = briefs.read(connection, until)
        if without:
            known |= self._make_briefs(without, until)
        return tuple(known[id] for id in sorted(known))

    def _make_briefs(self, ids: Collection[str], until: datetime) -> dict[str, Brief]:
        with self._database.write() as connection:
            self._hold_all(connection)
            made = [v for v in self._newest_of_all(connection) if v.record.id in ids]
            briefs.put(connection, ((v.record, v.number) for v in made))
        return {v.record.id: briefs.of(v.record, until) for v in made}

    def renewed(self) -> frozenset[str]:
        """The ids of the records that another one says it continues."""
        return continued(self.briefs())

    def begun(self, ids: Collection[str] | None = None) -> dict[str, datetime]:
        """When the first version of each of these records (None: of all) was written (aware).

        The last day that there is where that cannot be read: it is nobody's of before.
        """
        table = tables.versions
        query = select(table.c.pledge, func.min(table.c.added_at)).group_by(table.c.pledge)
        if ids is not None:
            query = query.where(table.c.pledge.in_(ids))
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return {str(id): moment_or_last(str(at)) for id, at in rows}

    def history(self, id: str) -> tuple[Version, ...]:
        """All versions of a record, the first one first; raises BadInput when there is none.

        Those that were emptied are not among them.
        """
        table = tables.versions
        said = (table.c.pledge == id) & (table.c.document != "")
        query = select(table).where(said).order_by(table.c.version)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
            if not rows:
                raise self.unknown(connection, id)
        return tuple(self._version(row) for row in rows)

    @staticmethod
    def waivers(record: PledgeRecord) -> tuple[Waiver, ...]:
        return records.waivers(record)

    @staticmethod
    def attached_documents(record: PledgeRecord) -> dict[str, bytes]:
        return records.attached_documents(record)

    def reading(self) -> AbstractContextManager[None]:
        """Within it hundreds of records are read as one: see `Database.reading`."""
        return self._database.reading()

    def snapshot(self) -> AbstractContextManager[Connection]:
        """A read of all that is there at one moment."""
        return self._database.snapshot()

    def _newest(self, connection: Connection, id: str) -> Version | None:
        """The newest version; in a write, no other process writes to this pledge meanwhile."""
        self._hold(connection, id)
        table = tables.versions
        row = (
            connection.execute(
                select(table).where(table.c.pledge == id).order_by(table.c.version.desc()).limit(1)
            )
            .mappings()
            .first()
        )
        return self._version(row) if row is not None else None

    def _newest_of_all(self, connection: Connection) -> Sequence[Version]:
        table = tables.versions
        last = (
            select(table.c.pledge, func.max(table.c.version).label("version"))
            .group_by(table.c.pledge)
            .subquery()
        )
        query = (
            select(table)
            .join(last, (table.c.pledge == last.c.pledge) & (table.c.version == last.c.version))
            .order_by(table.c.pledge)
        )
        return [self._version(row) for row in connection.execute(query).mappings()]

    def _version(self, row: Mapping[Any, Any]) -> Version:
        where = f"{self.where}: {row['pledge']} version {row['version']}"
        record = records.stored(row["document"], sha256=row["sha256"], where=where)
        try:
            return Version(row["version"], record, datetime.fromisoformat(row["added_at"]))
        except (ValueError, TypeError):
            raise BadInput(
                msg("version_not_as_written", at=row["added_at"]),
                where=where,
                mend=msg("restore_backup"),
            ) from None
