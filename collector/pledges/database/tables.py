"""The register's tables, and how its database is opened: SQLite by default, PostgreSQL by URL.

The database itself refuses to change what is there, but for `form`, `pledges`, and what is made
from the rest of it: `briefs`, `looks`, `sightings`, `marks` and their `seals`.
`log_entries` says once more, in the bytes that are hashed, what `evidence` says; see `log`.
"""

from __future__ import annotations

import errno
import hashlib
import json
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
    Index,
    MetaData,
    Table,
    create_engine,
    event,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from collector.errors import BadInput
from collector.i18n.message import msg, of_system
from collector.pledges import migrations
from collector.pledges.database import last_kept
from collector.pledges.database.columns import HeldInteger as Integer
from collector.pledges.database.columns import HeldString as String
from collector.pledges.database.columns import HeldText as Text
from collector.pledges.database.columns import name_each

# what a hostpledge without migrations looks at: it turns away what is newer than 2
FORM = 3
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
    Column("scope", Text),
    Column("record", Text),
    Column("seen", String(64)),
)
log_head = Table("log_head", metadata, Column("origin", String(255), primary_key=True))
log_entries = Table(
    "log_entries",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("leaf", Text, nullable=False),
)
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("made_at", String(40), nullable=False),
)
# made from the newest version of each record, for each user (`keeper`), and made anew where other
# code made it: `seal` is over that code, that version and what stands in the row; see `briefs`
briefs = Table(
    "briefs",
    metadata,
    Column("pledge", String(64), ForeignKey("pledges.id"), primary_key=True),
    Column("keeper", String(16), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("seal", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("deadlines", Text, nullable=False),
    Column("first_on", String(10)),
)
# made from the newest bundle of each record, and made anew where other code made it; see `looks`
looks = Table(
    "looks",
    metadata,
    Column("pledge", String(64), ForeignKey("pledges.id"), primary_key=True),
    Column("keeper", String(16), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
    Column("document", Text, nullable=False),
)
# made from the bundles of all evidence, and made anew where it is missing; see `sightings`
sightings = Table(
    "sightings",
    metadata,
    Column("pledge", String(64), ForeignKey("pledges.id"), primary_key=True),
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("host", String(255), primary_key=True),
    Column("answered", Integer, nullable=False),
    Column("looked_at", String(40)),
)
marks = Table(
    "marks",
    metadata,
    Column("mark", String(64), primary_key=True),
    Column("pledge", String(64), ForeignKey("pledges.id"), primary_key=True),
    Column("host", String(255), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("sequence", Integer, nullable=False),
)
Index("marks_of_pledge", marks.c.pledge)
# over all rows of one pledge in `sightings` and `marks`, by each user; see `seals`
seals = Table(
    "seals",
    metadata,
    Column("pledge", String(64), ForeignKey("pledges.id"), primary_key=True),
    Column("keeper", String(16), primary_key=True),
    Column("seal", String(64), nullable=False),
)

# what is made from the others, and so is in no backup
MADE_ANEW = (briefs, looks, sightings, marks, seals)
name_each(metadata, MADE_ANEW)
APPEND_ONLY = (versions, evidence, log_head, log_entries, checkpoints)


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
            f"CREATE OR REPLACE FUNCTION {name}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"'BEGIN RAISE EXCEPTION ''{name} is append-only''; END'"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_refuse()"
        )


def emptied(connection: Connection) -> frozenset[str]:
    """The pledges of whose earlier versions only the digests are left: they were disposed of.

    Where the newest version does not say so, somebody else emptied them (`emptied_wrongly`).
    """
    return frozenset(id for id, document in _newest_of_emptied(connection) if _disposed(document))


def emptied_wrongly(connection: Connection) -> frozenset[str]:
    """The pledges of which a version is empty, and whose newest one tells of no disposal."""
    found = _newest_of_emptied(connection)
    return frozenset(id for id, document in found if not _disposed(document))


def as_written(document: str, sha256: str) -> bool:
    """Is a version's text the one that its digest is of?"""
    return hashlib.sha256(document.encode("utf-8", "surrogatepass")).hexdigest() == sha256


def _newest_of_emptied(connection: Connection) -> list[tuple[str, str]]:
    """By pledge the newest text; an empty one where it is not what was written."""
    gone = select(versions.c.pledge).where(versions.c.document == "").distinct()
    found = []
    for id in connection.execute(gone).scalars().all():
        newest = select(versions.c.document, versions.c.sha256).where(versions.c.pledge == id)
        row = connection.execute(newest.order_by(versions.c.version.desc()).limit(1)).one()
        found.append((str(id), row.document if as_written(*row) else ""))
    return found


def _disposed(document: str) -> bool:
    try:
        return "disposed" in json.loads(document)
    except (ValueError, TypeError, RecursionError):
        return False


@contextmanager
def unguarded(connection: Connection) -> Iterator[None]:
    """Lets a write change what is append-only; whatever ends it, others never see it unguarded."""
    sqlite = connection.dialect.name == "sqlite"
    for table in APPEND_ONLY:
        if sqlite:
            for act in ("update", "delete"):
                connection.exec_driver_sql(f"DROP TRIGGER {table.name}_no_{act}")
        else:
            _trigger(connection, table, "DISABLE")
    yield
    for table in APPEND_ONLY:
        if sqlite:
            _guard(table, connection)
        else:
            _trigger(connection, table, "ENABLE")


def _trigger(connection: Connection, table: Table, act: str) -> None:
    name = table.name
    connection.exec_driver_sql(f"ALTER TABLE {name} {act} TRIGGER {name}_append_only")


for _table in APPEND_ONLY:
    event.listen(_table, "after_create", _guard)


def open_sqlite(path: Path) -> Engine:
    """The engine of a register file, which is made (for its owner alone) when missing."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        # never opened here: closing it would drop the locks of all connections that this process
        # has to it, and another process could take the log away under them (POSIX)
        if not os.access(path, os.R_OK | os.W_OK):
            if os.statvfs(path).f_flag & os.ST_RDONLY:
                raise BadInput(
                    msg("file_system_read_only"),
                    where=str(path),
                    mend=msg("copy_folder_where_can"),
                ) from None
            raise BadInput(os.strerror(errno.EACCES), where=str(path)) from None
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_opened"), where=str(path)) from None
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        poolclass=NullPool,
    )
    event.listen(engine, "connect", _settle_sqlite)
    event.listen(engine, "begin", begin_sqlite)
    return engine


def open_url(url: URL) -> Engine:
    """The engine of a register in a database server."""
    return create_engine(
        url, poolclass=NullPool, isolation_level="READ COMMITTED", connect_args=unasked(url)
    )


def unasked(url: URL) -> dict[str, str]:
    """For a URL without a password: pg8000 fails on a server that asks for one and gets None."""
    return {"password": ""} if url.drivername.endswith("pg8000") and url.password is None else {}


def _settle_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    # sqlite3 would begin transactions by itself, and too late; `begin_sqlite` does it
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


def begin_sqlite(connection: Connection) -> None:
    # a write that begins as a read could find, too late, that another has written meanwhile
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def is_current(connection: Connection, *, where: str) -> bool:
    """Are its tables there, in the form of today? Raises BadInput as `create`."""
    names = set(inspect(connection).get_table_names())
    known = migrations.revision(connection, names, where=where)
    return known == migrations.HEAD and names >= set(metadata.tables)


def create(connection: Connection, *, where: str) -> bool:
    """Makes the tables, or brings them to this form; returns whether the log has still to begin.

    Raises BadInput when a newer hostpledge made them, or something else did.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    names = set(inspect(connection).get_table_names())
    known = migrations.revision(connection, names, where=where)
    if known == migrations.HEAD:
        # a dump may be of the record alone, and these are made of it
        metadata.create_all(connection, tables=[t for t in MADE_ANEW if t.name not in names])
        return False
    if known is None:
        if names and (connection.dialect.name == "sqlite" or names & set(metadata.tables)):
            raise BadInput(
                msg("database_no_register"), where=where, mend=msg("give_another_register")
            )
        # one that is made anew in the place of another is the user's own doing
        last_kept.forget(where)
        metadata.create_all(connection)
        connection.execute(form.insert().values(version=FORM))
        migrations.stamp_new(connection)
    else:
        migrations.upgrade(connection, known=known)
    return connection.execute(select(log_head.c.origin)).first() is None


def insert_new(connection: Connection, *, id: str, added_at: str) -> bool:
    """Adds a row of `pledges`; False where another process has just added the same."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = insert(pledges).values(id=id, added_at=added_at).on_conflict_do_nothing()
    return connection.execute(row).rowcount == 1
