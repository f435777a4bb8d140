"""Where the page keeps its own: opened, made where it is missing, and one secret in it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.database.location import server_url
from collector.pledges.database.transactions import Database
from collector.resources import home_place
from collector.web.keeping import tables

# any constant of our own: two processes do not make the tables at once
_LOCK = 0x77656270


class State:
    """Open with `State.open`. Any number of threads and processes may use one."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine, self._database = engine, Database(engine, where)
        self.where = where
        with self._database.write() as connection:
            self.alone(connection, _LOCK)
            tables.metadata.create_all(connection)
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {tables.OLD_DUES}")
        self.secret = self.once("secret", secrets.token_hex(32)).encode()

    @classmethod
    def open(cls, at: str | None = None) -> State:
        """In the folder or the database (a URL of PostgreSQL) named, else in the user's own.

        Without `at`: $HOSTPLEDGE_STATE, where a password is seen by nobody else.
        """
        at = at or os.environ.get("HOSTPLEDGE_STATE")
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

    def alone(self, connection: Connection, lock: int) -> None:
        """Within a write: of all who ask for the same lock the others wait, and see what was done.

        Whoever writes to SQLite is alone as it is.
        """
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({lock})")

    def forget(self) -> bool:
        """Writes over what was taken away and lies in the file beside that of SQLite still.

        False where somebody else is at it, and it is to be tried again.
        """
        if self._engine.dialect.name != "sqlite":
            return True
        connection = self._engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return [row[0] for row in cursor.fetchall()] == [0]
        finally:
            connection.close()

    def value(self, name: str) -> str | None:
        table = tables.kept
        with self.read() as connection:
            found = connection.execute(select(table.c.value).where(table.c.name == name)).scalar()
        return None if found is None else str(found)

    def put(self, connection: Connection, name: str, value: str) -> None:
        """Within a write."""
        self.upsert(connection, tables.kept, {"name": name, "value": value})

    def upsert(
        self, connection: Connection, table: Table, row: Mapping[str, object], *kept: str
    ) -> None:
        """Within a write: that row, whether or not there is one of its key; two at once may do it.

        Of one that is there the columns `kept` stay as they are.
        """
        kind = postgresql if connection.dialect.name == "postgresql" else sqlite
        keys = [column.name for column in table.primary_key]
        changed = {name: value for name, value in row.items() if name not in (*keys, *kept)}
        new = kind.insert(table).values(**row)
        connection.execute(new.on_conflict_do_update(index_elements=keys, set_=changed))

    def once(self, name: str, value: str) -> str:
        """What is kept by that name; `value`, from now on, where nothing is."""
        table = tables.kept
        with self.write() as connection:
            kind = postgresql if connection.dialect.name == "postgresql" else sqlite
            row = kind.insert(table).values(name=name, value=value).on_conflict_do_nothing()
            connection.execute(row)
        return self.value(name) or value

    def belongs_to(self, register: str) -> None:
        """From the first time on, to that register alone. Raises BadInput for another one.

        Accounts see pledges by their ids, and the lists that are kept have none of a register.
        """
        if register and self.once("register", register) != register:
            raise BadInput(
                msg("web_state_of_another_register"), where=self.where,
                mend=msg("web_state_mend"),
            )  # fmt: skip


def _url(at: str) -> URL:
    url = server_url(at, "--state")
    if url.get_backend_name() != "postgresql":
        raise BadInput(
            msg("no_register_can", backend=url.get_backend_name()),
            where="--state",
            mend=msg("path_postgresql_url"),
        )
    return url
