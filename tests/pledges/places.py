"""Where a register can be: a file of SQLite, and a database of a real PostgreSQL server."""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

PROGRAMS = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), "")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a server that runs for these tests, up to the name of a database."""
    if not PROGRAMS:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("PostgreSQL is not installed here")
    with server() as url:
        yield url


@contextmanager
def server() -> Iterator[str]:
    """A server of its own, up to the end."""
    with tempfile.TemporaryDirectory(prefix="pg") as base, _free_port() as port:
        as_user = []
        if os.geteuid() == 0:
            shutil.chown(base, "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        data = Path(base) / "data"
        subprocess.run(
            [*as_user, f"{PROGRAMS}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "-N"],
            check=True, capture_output=True,
        )  # fmt: skip
        running = subprocess.Popen(
            [*as_user, f"{PROGRAMS}/postgres", "-D", data, "-k", base, "-h", "127.0.0.1",
             "-p", str(port), "-c", "fsync=off"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            url = f"postgresql+pg8000://postgres@127.0.0.1:{port}"
            _wait(f"{url}/postgres")
            yield url
        finally:
            subprocess.run(
                [*as_user, f"{PROGRAMS}/pg_ctl", "-D", data, "-m", "immediate", "stop"],
                check=True, capture_output=True,
            )  # fmt: skip
            running.wait(30)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The location of a register that is not there yet."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    if request.param == "sqlite":
        (tmp_path / "register").mkdir()
        return str(tmp_path / "register" / "register.sqlite")
    return database(request.getfixturevalue("postgresql"))


def database(at: str) -> str:
    """The URL of a new and empty database."""
    name = f"t{time.monotonic_ns()}"
    engine = create_engine(f"{at}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return f"{at}/{name}"


def limited(at: str) -> str:
    """The URL of a new database as somebody has it whom the server can hold off."""
    where = database(at)
    name = where.rpartition("/")[2]
    _by_superuser(where, f"CREATE ROLE {name} LOGIN", f"ALTER DATABASE {name} OWNER TO {name}")
    return where.replace("postgres@", f"{name}@")


def no_more(at: str, where: str) -> None:
    """Whom `limited` gave that URL gets no connection any more, and has lost what it had."""
    name = where.rpartition("/")[2]
    _by_superuser(
        f"{at}/postgres",
        f"ALTER ROLE {name} CONNECTION LIMIT 0",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{name}'",
    )


def _by_superuser(where: str, *statements: str) -> None:
    engine = create_engine(where, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


class Owner:
    """Somebody who has the database in their hands, with nothing in their way."""

    def __init__(self, connection: Any, *, sqlite: bool) -> None:
        self._connection = connection
        self._sqlite = sqlite
        self.refused = False

    def execute(self, statement: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """`statement` with `?` where a value goes."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement if self._sqlite else statement.replace("?", "%s"), values)
        except Exception:
            self.refused = True
            raise
        return [tuple(row) for row in cursor.fetchall()] if cursor.description else []

    def has(self, table: str) -> bool:
        names = (
            "SELECT name FROM sqlite_master WHERE name = ?"
            if self._sqlite
            else "SELECT tablename FROM pg_tables WHERE tablename = ?"
        )
        return bool(self.execute(names, (table,)))

    def unguard(self) -> None:
        if self._sqlite:
            for (name,) in self.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
                self.execute(f"DROP TRIGGER {name}")
        else:
            public = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            for (name,) in self.execute(public):
                self.execute(f"ALTER TABLE {name} DISABLE TRIGGER ALL")


@contextmanager
def owner(location: str) -> Iterator[Owner]:
    """Commits at the end, unless something was refused."""
    url = location if "://" in location else f"sqlite:///{location}"
    engine = create_engine(url)
    with closing(engine.raw_connection()) as connection:
        theirs = Owner(connection, sqlite=make_url(url).get_backend_name() == "sqlite")
        yield theirs
        if not theirs.refused:
            connection.commit()
    engine.dispose()


@contextmanager
def _free_port() -> Iterator[int]:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = int(asked.getsockname()[1])
    yield port


def _wait(url: str, seconds: float = 60) -> None:
    engine = create_engine(url)
    end = time.monotonic() + seconds
    while True:
        try:
            engine.connect().close()
            break
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
    engine.dispose()
