"""The tables of what the page keeps, in a file of its own or in a database of PostgreSQL.

None of it is evidence: without it the page begins anew, and the register has lost nothing.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine import URL

from collector import private
from collector.errors import BadInput
from collector.i18n.message import of_system
from collector.pledges.database.location import SILENT_SECONDS, of_pages
from collector.pledges.database.tables import begin_sqlite

FILE = "web.sqlite"
_POOL = 8
_BUSY_SECONDS = 20

metadata = MetaData()
_LONG = BigInteger().with_variant(Integer, "sqlite")
accounts = Table(
    "web_accounts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    # JSON: the ids that an auditor or a customer may see
    Column("pledges", Text, nullable=False),
    # the last day (ISO, of China) that it may be used on
    Column("ends", String(10)),
    # argon2; none where somebody else says who it is
    Column("password", String(255)),
    Column("must_change", Integer, nullable=False),
    Column("disabled", Integer, nullable=False),
    Column("lang", String(2)),
    Column("added_at", String(40), nullable=False),
)
# when an account was added, last signed in, and so on, and by whom
marks = Table(
    "web_account_marks",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("what", String(16), primary_key=True),
    Column("at", String(40), nullable=False),
    Column("by", String(64), nullable=False),
)
# by which word of the settings an account of elsewhere may look (`asking.oidc.ground`)
grounds = Table(
    "web_account_grounds",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("ground", String(64), nullable=False),
)
sessions = Table(
    "web_sessions",
    metadata,
    # SHA-256 of what the browser holds
    Column("token", String(64), primary_key=True),
    Column("account", String(64), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("seen_at", Float, nullable=False),
)
devices = Table(
    "web_devices",
    metadata,
    Column("token", String(64), primary_key=True),
    Column("account", String(64), nullable=False, index=True),
    Column("made_at", Float, nullable=False),
)
attempts = Table(
    "web_tries",
    metadata,
    Column("number", _LONG, primary_key=True),
    Column("bucket", String(64), nullable=False),
    Column("at", Float, nullable=False),
    # of one try, whose rows these are
    Column("mark", String(32), nullable=False, index=True),
)
Index("web_tries_of", attempts.c.bucket, attempts.c.at)
access = Table(
    "web_access",
    metadata,
    # a line for each request, and for each that was refused
    Column("number", _LONG, primary_key=True),
    Column("at", String(40), nullable=False, index=True),
    Column("account", String(64), nullable=False),
    Column("address", String(64), nullable=False),
    Column("method", String(8), nullable=False),
    Column("path", String(400), nullable=False),
    Column("status", Integer, nullable=False),
    Column("note", String(120), nullable=False),
)
kept = Table(
    "web_kept",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
# made of the register, row by row as `pledge list` has it: pages ask it in SQL
listed = Table(
    "web_listed",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("seal", String(64), nullable=False),
    Column("record", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("sought", Text, nullable=False),
    Column("life", String(16), nullable=False),
    Column("standing", String(16), nullable=False),
    Column("grade", Integer, nullable=False),
    Column("c22", String(16), nullable=False),
    Column("c23", String(16), nullable=False),
    Column("c24", String(16), nullable=False),
    Column("until", String(10), nullable=False),
    Column("collected", String(40), nullable=False),
    Column("overdue", Integer, nullable=False),
    Column("due", Integer, nullable=False),
    Column("renews", String(64), nullable=False),
    # JSON, by language: the cells of a row
    Column("cells", Text, nullable=False),
)
for _name in ("life", "standing", "until", "collected", "renews"):
    Index(f"web_listed_{_name}", listed.c[_name])
# since when the record of each row was on record (ISO 8601): an id may be given to somebody else
listed_begun = Table(
    "web_listed_begun",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("begun", String(40), nullable=False),
)
networks = Table(
    "web_networks",
    metadata,
    Column("id", String(64), nullable=False, index=True),
    # the first and the last address as 32 hexadecimal digits, those of IPv4 as ::ffff:0:0/96
    Column("low", String(32), nullable=False),
    Column("high", String(32), nullable=False),
)
Index("web_networks_within", networks.c.low, networks.c.high)
owners = Table(
    "web_owners",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(200), primary_key=True),
)
# what was kept before it had owners; it goes where it is found
OLD_DUES = "web_dues"
dues = Table(
    "web_dues_of",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("owner", String(200), nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
)
# of these nobody could look whether it was done: in a table of its own, as that one has its form
unread_dues = Table(
    "web_dues_unread",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
)


def open_sqlite(folder: Path) -> Engine:
    """The engine of the file in that folder; both are made for their owner alone."""
    try:
        path = private.folder(folder) / FILE
        private.create(path).close()
    except FileExistsError:
        path = folder / FILE
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_written"), where=str(folder)) from None
    if not os.access(path, os.R_OK | os.W_OK):
        raise BadInput(os.strerror(13), where=str(path))
    engine = create_engine(
        URL.create("sqlite", database=str(path)), pool_size=_POOL, max_overflow=_POOL
    )
    event.listen(engine, "connect", _settle)
    event.listen(engine, "begin", begin_sqlite)
    return engine


def open_url(url: URL) -> Engine:
    """The engine of a database of PostgreSQL, which several processes share."""
    return create_engine(
        url, isolation_level="READ COMMITTED", pool_size=_POOL, max_overflow=0, pool_pre_ping=True,
        pool_timeout=SILENT_SECONDS, connect_args=of_pages(url),
    )  # fmt: skip


def _settle(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
    connection.execute("PRAGMA journal_mode = WAL")
    # what is taken away leaves no trace in the file: a record may have been disposed of
    connection.execute("PRAGMA secure_delete = ON")
    # a killed process loses nothing by it; each page writes a line of the log
    connection.execute("PRAGMA synchronous = NORMAL")
