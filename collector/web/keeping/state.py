"""Where the page keeps its own: opened, made where it is missing, and one secret in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.database.transactions import Database
from collector.resources import home_place
from collector.web.keeping import tables

# any constant of our own: two processes do not make the tables at once
_LOCK = 0x77656270


class State:
    """Open with `State.open`. Any number of threads and processes may use one."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._database = Database(engine, where)
        self.where = where
        with self._database.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            tables.metadata.create_all(connection)
        self.secret = self.once("secret", secrets.token_hex(32)).encode()

    @classmethod
    def open(cls, at: str | None = None) -> State:
        """In the folder or the database (a URL of PostgreSQL) named, else in the user's own."""
        if at is None or "://" not in at:
            folder = Path(at) if at else home_place() / "web"
            return cls(tables.open_sqlite(folder), str(folder / tables.FILE))
        url = _url(at)
        return cls(tables.open_url(url), url.set(query={}).render_as_string())

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._database.read() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self._database.write() as connection:
            yield connection

    def value(self, name: str) -> str | None:
        table = tables.kept
        with self.read() as connection:
            found = connection.execute(select(table.c.value).where(table.c.name == name)).scalar()
        return None if found is None else str(found)

    def put(self, connection: Connection, name: str, value: str) -> None:
        """Within a write."""
        table = tables.kept
        connection.execute(table.delete().where(table.c.name == name))
        connection.execute(table.insert().values(name=name, value=value))

    def once(self, name: str, value: str) -> str:
        """What is kept by that name; `value`, from now on, where nothing is."""
        table = tables.kept
        with self.write() as connection:
            kind = postgresql if connection.dialect.name == "postgresql" else sqlite
            row = kind.insert(table).values(name=name, value=value).on_conflict_do_nothing()
            connection.execute(row)
        return self.value(name) or value


def _url(at: str) -> URL:
    try:
        url = make_url(at)
    except ArgumentError:
        raise BadInput(msg("no_database_url"), where="--state") from None
    if url.get_backend_name() != "postgresql":
        raise BadInput(
            msg("no_register_can", backend=url.get_backend_name()),
            where="--state",
            mend=msg("path_postgresql_url"),
        )
    return url.set(drivername="postgresql+pg8000") if url.drivername == "postgresql" else url
