"""A server that goes away, or takes no work for the moment: one line, and no more."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pg8000.exceptions import DatabaseError  # type: ignore[import-untyped]
from sqlalchemy.exc import DBAPIError

from collector.pledges.database.transactions import Database, DatabaseAwayError, DatabaseSaysError
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.pledges.standing.finding_history import lives_where_due
from tests.cli.running import hostpledge
from tests.pledges.places import database, limited, no_more
from tests.pledges.records import made

ROOT = Path(__file__).parents[2]
_ENDS_IT = """
import time
from collector.cli.app import main
from collector.pledges.register.register import Register

def history(self, id):
    # as a server does it that is stopped, in the middle of the work
    with self._database.write() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        with self._database._engine.connect() as another:
            another.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
        time.sleep(0.5)
        connection.exec_driver_sql("SELECT 1")

Register.history = history
main()
"""

_ASIDE = """
import logging
from collector.cli.ui import streams

class Connection:
    def __del__(self):
        raise OSError("closed")

streams.begin()
try:
    raise ValueError("of a\\nlibrary")
except ValueError:
    logging.getLogger("some.library").exception("it ended")
del streams
Connection()
"""


def test_a_command_whose_server_goes_away_says_one_line(postgresql: str, tmp_path: Path) -> None:
    where = database(postgresql)
    Register.open(where).add(made(id="one-1"))
    environment = {
        **os.environ, "HOSTPLEDGE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8",
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-c", _ENDS_IT, "pledge", "show", "one-1", "--register", where],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1, ended.stderr
    assert "the register says: network error" in ended.stderr


def test_what_a_library_says_is_one_line() -> None:
    """And what nobody can do anything about is none."""
    wanted = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-c", _ASIDE], env=wanted, capture_output=True, text=True, check=False
    )
    assert ended.stderr == "it ended: ValueError: of a\\x0alibrary\n"
    ended = subprocess.run(
        [sys.executable, "-c", _ASIDE],
        env=wanted | {"HOSTPLEDGE_DEBUG": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stderr.count("Traceback") == 2


def test_a_command_that_gets_no_connection_says_one_line(postgresql: str, tmp_path: Path) -> None:
    where = limited(postgresql)
    Register.open(where).add(made(id="one-1"))
    no_more(postgresql, where)
    for words in (("list",), ("show", "one-1"), ("due",)):
        ended = hostpledge("pledge", *words, "--register", where, home=tmp_path)
        assert (ended.status, ended.out) == (2, "")
        assert len(ended.err.splitlines()) == 1, ended.err
        assert "too many connections" in ended.err


class _Broken:
    """An engine whose server says this when it is asked for a connection."""

    def __init__(self, problem: Exception) -> None:
        self._problem = problem

    def connect(self) -> None:
        raise self._problem


def _said(state: str) -> Exception:
    return DBAPIError("", None, DatabaseError({"S": "FATAL", "C": state, "M": "no"}))


@pytest.mark.parametrize(
    "problem",
    [
        *map(_said, ("57P01", "57P02", "57P03", "53300", "08006", "08P01")),
        # before it says a word
        ConnectionResetError(104, "Connection reset by peer"),
    ],
    ids=["57P01", "57P02", "57P03", "53300", "08006", "08P01", "reset"],
)
def test_what_is_said_of_no_work_for_the_moment_is_known(problem: Exception) -> None:
    where = "postgresql+pg8000://x@127.0.0.1/x"
    with pytest.raises(DatabaseAwayError), Database(_Broken(problem), where).read():  # type: ignore[arg-type]
        pass


@pytest.mark.parametrize("state", ["28P01", "3D000", "57014", "57P04", "25006", "42P01"])
def test_what_is_wrong_with_what_was_asked_is_something_else(state: str) -> None:
    database = Database(_Broken(_said(state)), "postgresql+pg8000://x@127.0.0.1/x")  # type: ignore[arg-type]
    with pytest.raises(DatabaseSaysError) as found, database.read():
        pass
    assert not isinstance(found.value, DatabaseAwayError)


def test_a_register_that_is_opened_meanwhile_is_away(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path))
    where = limited(postgresql)
    Register.open(where)
    no_more(postgresql, where)
    with pytest.raises(DatabaseAwayError):
        ReadOnlyRegister.open_read_only(where)


def test_what_a_server_does_not_say_is_not_taken_for_open(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is where a bundle cannot be read: people would be told of what was mended."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path))
    where = limited(postgresql)
    register = Register.open(where)
    followed = {
        "control": "encryption.password_hash",
        "host": "web-01",
        "owner": "x",
        "due": "2026-01-20",
    }
    record = made(id="one-1", resources={"hosts": ["web-01"]}, follow_ups=[followed])
    register.add(record)
    no_more(postgresql, where)
    now = datetime(2026, 2, 1, tzinfo=UTC)
    with pytest.raises(DatabaseAwayError):
        lives_where_due(register, record, now, now)
