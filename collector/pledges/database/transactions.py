"""The register's transactions, and what its database complains of as one line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, exc
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError

from collector.errors import BadInput
from collector.i18n.message import msg


class DatabaseSaysError(BadInput):
    """What a database complains of: with its address, and in its own words."""


class DatabaseAwayError(DatabaseSaysError):
    """It cannot be reached, or has no connection left: nothing is wrong with what was asked."""


class Database:
    """An engine, its transactions, and what the database complains of as one line."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine = engine
        self.where = where
        # of each thread, the write and the row of reads that it is within
        self._within = threading.local()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """What is there now; within `writing` or `reading`, as those see it."""
        if (within := self._outer() or getattr(self._within, "reader", None)) is not None:
            yield within
            return
        with self._said(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Reads of this thread up to its end are one: hundreds of them need no connection each."""
        if getattr(self._within, "reader", None) is not None:
            yield
            return
        with self.read() as connection:
            self._within.reader = connection
            try:
                yield
            finally:
                del self._within.reader

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A read that sees one moment, however long it lasts and whatever others write."""
        if (within := self._outer()) is not None:
            yield within
            return
        with self._said(), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                yield connection.execution_options(snapshot=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that takes the right to write at once, and keeps it to its end.

        Within `writing` it is a part of that one.
        """
        if (within := self._outer()) is not None:
            yield within
            return
        with self._said(), self._engine.connect() as connection:
            writer = connection.execution_options(writing=True)
            with writer.begin():
                yield writer

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write that all reads and writes of this thread are a part of, up to its end.

        What is looked at in it is still so when it is written.
        """
        with self.write() as connection:
            self._within.connection = connection
            try:
                yield connection
            finally:
                del self._within.connection

    def _outer(self) -> Connection | None:
        found: Connection | None = getattr(self._within, "connection", None)
        return found

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise DatabaseSaysError(
                msg("another_process_wrote_same"), where=self.where, mend=msg("try_again")
            ) from None
        except DBAPIError as problem:
            away = _is_away(problem) and "://" in self.where
            kind = DatabaseAwayError if away else DatabaseSaysError
            raise kind(_plain(problem.orig), where=self.where) from None
        except exc.TimeoutError:
            raise DatabaseAwayError(msg("database_takes_no_more"), where=self.where) from None
        except (TimeoutError, ConnectionError) as problem:
            # pg8000 passes on what the socket says where a server takes the first word of it and
            # answers none, or ends just then
            if isinstance(problem, ConnectionError) and "://" not in self.where:
                raise
            raise DatabaseAwayError(_plain(problem), where=self.where) from None


# by which PostgreSQL says that it takes no work for the moment: the line is broken, it ends or
# begins, it has no connection left; postgresql.org/docs/current/errcodes-appendix.html
_TAKES_NONE = ("08", "57P01", "57P02", "57P03", "57P05", "53300")


def _is_away(problem: DBAPIError) -> bool:
    if problem.connection_invalidated or type(problem) is InterfaceError:
        return True
    return str(_fields(problem.orig).get("C", "")).startswith(_TAKES_NONE)


# by which SQLite says that what was to be written found no room, sqlite.org/rescode.html
_NO_ROOM = frozenset(
    {"SQLITE_FULL"} | {f"SQLITE_IOERR_{what}" for what in ("WRITE", "FSYNC", "TRUNCATE", "SHMSIZE")}
)


def _plain(problem: BaseException | None) -> str:
    if getattr(problem, "sqlite_errorname", "") in _NO_ROOM:
        return msg("no_room_left_written")
    complaint = _sentence(problem)
    if "not a database" in complaint:
        return msg("not_a_register")
    if "locked" in complaint:
        return msg("another_process_holds_register")
    return msg("register_says", complaint=complaint)


def _sentence(problem: BaseException | None) -> str:
    """That of the server; pg8000 has it among all the fields that came with it."""
    said = _fields(problem).get("M")
    return said if isinstance(said, str) else str(problem)


def _fields(problem: BaseException | None) -> dict[Any, Any]:
    """All that a server said with it, by its letters; nothing where no server spoke."""
    fields = problem.args[0] if problem is not None and problem.args else None
    return fields if isinstance(fields, dict) else {}
