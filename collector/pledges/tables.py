"""The register's tables, and how its database is opened: SQLite by default, PostgreSQL by URL.

`versions` and `evidence` are append-only, and the database itself refuses to change them.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from collector.errors import BadInput

FORM = 1
BUSY_SECONDS = 60
# any constant of our own: it keeps two processes from making the tables at once (PostgreSQL)
_LOCK = 0x706C6564

metadata = MetaData()
form = Table("form", metadata, Column("version", Integer, primary_key=True, autoincrement=False))
pledges = Table(
    "pledges",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("added_at", String(40), nullable=False),
)
versions = Table(
    "versions",
    metadata,
    Column("pledge", String(64), ForeignKey("pledges.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("added_at", String(40), nullable=False),
)
evidence = Table(
    "evidence",
    metadata,
    Column("pledge", String(64), ForeignKey("pledges.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("previous", String(64)),
    Column("collected_at", String(40), nullable=False),
    Column("made_at", String(40), nullable=False),
    Column("attached_at", String(40), nullable=False),
    Column("verdicts", Text, nullable=False),
)


def _guard(table: Table, connection: Connection, **_known: Any) -> None:
    name = table.name
    if connection.dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name}_no_{act.lower()} BEFORE {act} ON {name} "
                f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
            )
    elif connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            f"CREATE FUNCTION {name}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"'BEGIN RAISE EXCEPTION ''{name} is append-only''; END'"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_refuse()"
        )


for _table in (versions, evidence):
    event.listen(_table, "after_create", _guard)


def open_sqlite(path: Path) -> Engine:
    """The engine of a register file, which is made (for its owner alone) when missing."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise BadInput(problem.strerror or "cannot be opened", where=str(path)) from None
    os.close(handle)
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        poolclass=NullPool,
    )
    event.listen(engine, "connect", _settle_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def open_url(url: URL) -> Engine:
    """The engine of a register in a database server."""
    return create_engine(url, poolclass=NullPool, isolation_level="READ COMMITTED")


def _settle_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # sqlite3 would begin transactions by itself, and too late; `_begin_sqlite` does it
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turning the log on does not wait for other processes as everything else does: so wait."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as problem:
            if "locked" not in str(problem) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # a write that begins as a read could find, too late, that another has written meanwhile
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def create(connection: Connection, *, where: str) -> None:
    """Makes the tables unless they are there; raises BadInput when a newer hostpledge made them."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    names = inspect(connection).get_table_names()
    if names and form.name not in names and connection.dialect.name == "sqlite":
        raise BadInput("a database, but no register", where=where, mend="give another --register")
    metadata.create_all(connection)
    known = connection.execute(select(form.c.version)).scalars().all()
    if not known:
        connection.execute(form.insert().values(version=FORM))
    elif max(known) > FORM:
        raise BadInput("made by a newer hostpledge", where=where, mend="use that one, or newer")


class Database:
    """An engine, its transactions, and what the database complains of as one line."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self.where = where

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._said(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that takes the right to write at once, and keeps it to its end."""
        with self._said(), self._engine.connect() as connection:
            writer = connection.execution_options(writing=True)
            with writer.begin():
                yield writer

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise BadInput(
                "another process wrote the same just now", where=self.where, mend="try again"
            ) from None
        except DBAPIError as problem:
            raise BadInput(_plain(str(problem.orig)), where=self.where) from None


def _plain(complaint: str) -> str:
    if "not a database" in complaint:
        return "not a register"
    if "locked" in complaint:
        return "another process holds the register; try again"
    return f"the register says: {complaint}"
