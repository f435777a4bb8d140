"""The register: pledge records in all their versions, and the evidence attached to each.

Every change is one transaction, and a bundle is on disk, synced, before its row is written: a
process killed at any moment leaves the register as before or as after, and may be run again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from collector.errors import BadInput
from collector.model import Waiver
from collector.pledges import record as records
from collector.pledges import tables
from collector.pledges.record import PledgeRecord
from collector.pledges.store import Store
from collector.resources import home

if TYPE_CHECKING:
    from collector.attest.evidence import PledgeReference

FILE = "register.sqlite"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a record: the first is 1. Earlier ones are kept as they were."""

    number: int
    record: PledgeRecord
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """A bundle attached to a pledge record.

    `sequence` counts from 1; `previous` is the digest of the bundle before it (None at 1);
    `collected_at` is the time of its newest capture, `made_at` what the signed statement says;
    `verdicts` is the verdict of each clause ("2.2" → "pass" …); `path` is where the bundle is kept.
    """

    pledge: str
    sequence: int
    digest: str
    previous: str | None
    collected_at: datetime
    made_at: datetime
    attached_at: datetime
    verdicts: Mapping[str, str]
    path: Path


class Register:
    """Open with `Register.open`. Any number of processes may use one register at once."""

    def __init__(self, engine: Engine, store: Store, where: str) -> None:
        self._database = tables.Database(engine, where)
        self.store = store
        self.where = where
        with self._database.write() as connection:
            tables.create(connection, where=where)

    @classmethod
    def open(cls, location: str | None = None, *, create: bool = True) -> Register:
        """The register at a path or a database URL, made when it is missing.

        Without `location`: $HOSTPLEDGE_REGISTER, else `register.sqlite` in the user's own folder.
        With `create=False` a named register that is not there is BadInput.
        """
        named = location or os.environ.get("HOSTPLEDGE_REGISTER") or ""
        if "://" in named:
            return cls._at_url(named)
        path = Path(named) if named else home() / FILE
        if path.is_dir():
            path = path / FILE
        if named and not create and not path.exists():
            raise BadInput(
                "no register there", where=str(path), mend="`hostpledge pledge add` makes one"
            )
        return cls._at_path(path)

    @classmethod
    def _at_path(cls, path: Path) -> Register:
        path = path.absolute()
        if not path.parent.is_dir():
            raise BadInput("no such folder", where=str(path.parent), mend="make it first")
        return cls(tables.open_sqlite(path), Store(path.parent / "bundles"), str(path))

    @classmethod
    def _at_url(cls, location: str) -> Register:
        try:
            url: URL = make_url(location)
            if url.get_backend_name() == "sqlite":
                if not url.database:
                    raise BadInput("a register in memory keeps nothing", where="--register")
                return cls._at_path(Path(url.database))
            if url.get_backend_name() != "postgresql":
                raise BadInput(
                    f"no register can be in {url.get_backend_name()}",
                    where="--register",
                    mend="a path, or a postgresql:// URL",
                )
            if url.drivername == "postgresql":
                url = url.set(drivername="postgresql+pg8000")
            engine = tables.open_url(url)
        except (ArgumentError, NoSuchModuleError) as problem:
            raise BadInput(f"no database URL: {problem}", where="--register") from None
        except ModuleNotFoundError as problem:
            raise BadInput(
                f"the driver {problem.name} is not installed",
                where="--register",
                mend="pip install 'hostpledge[postgresql]'",
            ) from None
        return cls(engine, Store(home() / "bundles"), url.render_as_string())

    # --- records ---------------------------------------------------------------------------------

    def add(self, record: PledgeRecord, *, update: bool = False) -> Version:
        """Puts a record in; with `update`, a further version of one that is there.

        Raises BadInput when the id is taken (without `update`) or unknown (with it). A version
        that equals the newest one is not written again.
        """
        text = record.canonical().decode()
        now = datetime.now(UTC)
        with self._database.write() as connection:
            newest = self._newest(connection, record.id)
            if newest is None and update:
                raise self._unknown(record.id)
            if newest is not None and not update:
                raise BadInput(
                    f"the pledge {record.id} is in the register already",
                    where=self.where,
                    mend="--update adds a new version of it",
                )
            if newest is None:
                self._insert(connection, tables.pledges, id=record.id, added_at=now.isoformat())
            elif newest.record.digest == record.digest:
                return newest
            number = newest.number + 1 if newest else 1
            self._insert(
                connection,
                tables.versions,
                pledge=record.id,
                version=number,
                document=text,
                sha256=record.digest,
                added_at=now.isoformat(),
            )
        return Version(number, record, now)

    def get(self, id: str) -> PledgeRecord:
        """The newest version of a record; raises BadInput when there is none."""
        with self._database.read() as connection:
            newest = self._newest(connection, id)
        if newest is None:
            raise self._unknown(id)
        return newest.record

    def list(self) -> tuple[PledgeRecord, ...]:
        """The newest version of every record, by id."""
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
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(self._version(row).record for row in rows)

    def history(self, id: str) -> tuple[Version, ...]:
        """All versions of a record, the first one first; raises BadInput when there is none."""
        table = tables.versions
        query = select(table).where(table.c.pledge == id).order_by(table.c.version)
        with self._database.read() as connection:
            rows = connection.execute(query).mappings().all()
        if not rows:
            raise self._unknown(id)
        return tuple(self._version(row) for row in rows)

    # --- evidence --------------------------------------------------------------------------------

    def evidence(self, id: str) -> tuple[Evidence, ...]:
        """What is attached to a record, in sequence; raises BadInput when there is no record."""
        table, pledges = tables.evidence, tables.pledges
        query = select(table).where(table.c.pledge == id).order_by(table.c.sequence)
        with self._database.read() as connection:
            if connection.execute(select(pledges.c.id).where(pledges.c.id == id)).first() is None:
                raise self._unknown(id)
            rows = connection.execute(query).mappings().all()
        return tuple(self._evidence(row) for row in rows)

    def all_evidence(self) -> Mapping[str, tuple[Evidence, ...]]:
        """What is attached to every record, by id; a record with none is not among them."""
        table = tables.evidence
        found: dict[str, tuple[Evidence, ...]] = {}
        with self._database.read() as connection:
            rows = connection.execute(select(table).order_by(table.c.pledge, table.c.sequence))
            for row in rows.mappings():
                one = self._evidence(row)
                found[one.pledge] = (*found.get(one.pledge, ()), one)
        return found

    def reference(self, id: str) -> PledgeReference:
        """What the next bundle for this pledge must say of itself; raises BadInput as `get`."""
        from collector.attest.evidence import PledgeReference

        attached = self.evidence(id)
        if not attached:
            return PledgeReference(id, 1, None)
        return PledgeReference(id, attached[-1].sequence + 1, attached[-1].digest)

    def insert_evidence(
        self,
        id: str,
        *,
        sequence: int,
        digest: str,
        previous: str | None,
        collected_at: datetime,
        made_at: datetime,
        verdicts: Mapping[str, str],
        copy: Path,
    ) -> Evidence:
        """Keeps the verified bundle at `copy` and writes its row; see `attach.attach`.

        Raises BadInput when it is attached already, or is not the next one of its pledge.
        """
        now = datetime.now(UTC)
        table = tables.evidence
        with self._database.write() as connection:
            if self._newest(connection, id) is None:
                raise self._unknown(id)
            same = connection.execute(select(table).where(table.c.digest == digest)).mappings()
            there = same.first()
            if there is not None:
                raise BadInput(
                    f"the bundle is attached already, as number {there['sequence']} "
                    f"of {there['pledge']}"
                )
            self._in_order(connection, id, sequence, previous)
            path = self.store.keep(copy, digest)
            self._insert(
                connection,
                table,
                pledge=id,
                sequence=sequence,
                digest=digest,
                previous=previous,
                collected_at=collected_at.astimezone(UTC).isoformat(),
                made_at=made_at.astimezone(UTC).isoformat(),
                attached_at=now.isoformat(),
                verdicts=json.dumps(dict(verdicts), sort_keys=True),
            )
        return Evidence(
            id, sequence, digest, previous, collected_at, made_at, now, dict(verdicts), path
        )

    def _in_order(
        self, connection: Connection, id: str, sequence: int, previous: str | None
    ) -> None:
        table = tables.evidence
        last = (
            connection.execute(
                select(table.c.sequence, table.c.digest)
                .where(table.c.pledge == id)
                .order_by(table.c.sequence.desc())
                .limit(1)
            )
            .mappings()
            .first()
        )
        due = last["sequence"] + 1 if last else 1
        if sequence != due:
            raise BadInput(
                f"the bundle is number {sequence} of {id}, and number {due} is the next",
                mend="make one for it with `hostpledge run --pledge`",
            )
        if previous != (last["digest"] if last else None):
            raise BadInput(
                f"the bundle follows {(previous or 'none')[:12]}, and the last one attached to "
                f"{id} is {last['digest'][:12] if last else 'none'}",
                mend="make one for it with `hostpledge run --pledge`",
            )

    # --- what others of the pledge ask -----------------------------------------------------------

    @staticmethod
    def waivers(record: PledgeRecord) -> tuple[Waiver, ...]:
        return records.waivers(record)

    @staticmethod
    def attached_documents(record: PledgeRecord) -> dict[str, bytes]:
        return records.attached_documents(record)

    # --- the database ----------------------------------------------------------------------------

    def _newest(self, connection: Connection, id: str) -> Version | None:
        """The newest version; in a write, no other process writes to this pledge meanwhile."""
        if connection.get_execution_options().get("writing"):
            held = select(tables.pledges.c.id).where(tables.pledges.c.id == id)
            connection.execute(held.with_for_update())
        table = tables.versions
        row = (
            connection.execute(
                select(table).where(table.c.pledge == id).order_by(table.c.version.desc()).limit(1)
            )
            .mappings()
            .first()
        )
        return self._version(row) if row is not None else None

    def _version(self, row: Mapping[Any, Any]) -> Version:
        where = f"{self.where}: {row['pledge']} version {row['version']}"
        record = records.stored(row["document"], where=where)
        if record.digest != row["sha256"]:
            raise BadInput("the record does not match its digest: it was changed", where=where)
        return Version(row["version"], record, datetime.fromisoformat(row["added_at"]))

    def _evidence(self, row: Mapping[Any, Any]) -> Evidence:
        return Evidence(
            row["pledge"],
            row["sequence"],
            row["digest"],
            row["previous"],
            datetime.fromisoformat(row["collected_at"]),
            datetime.fromisoformat(row["made_at"]),
            datetime.fromisoformat(row["attached_at"]),
            json.loads(row["verdicts"]),
            self.store.path(row["digest"]),
        )

    @staticmethod
    def _insert(connection: Connection, table: Any, **values: Any) -> None:
        connection.execute(table.insert().values(**values))

    def _unknown(self, id: str) -> BadInput:
        return BadInput(
            f"no pledge is named {id}", where=self.where, mend="`hostpledge pledge list` lists them"
        )
