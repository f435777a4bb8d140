"""What is handed in for a register in a database server is not a copy's, wherever that lies."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from collector import own_folder
from collector.errors import BadInput
from collector.pledges.register.register import Register
from collector.web.asking.settings import Settings
from collector.web.keeping.state import State
from collector.web.serving.app import house
from tests.cli.running import Ended, answer, hostpledge
from tests.pledges.places import PROGRAMS, database, postgresql
from tests.web.sites import record

__all__ = ["postgresql"]
_LISTED = (("intake", "--all"), ("intake", "--list"), ("pledge", "hand-in-link", "--list"))


class Desk:
    """One home, and a register with a link in a database that was dumped into another."""

    def __init__(self, at: str, home: Path) -> None:
        self.home = home
        self.one, self.copy = database(at), database(at)
        Register.open(self.one).add(record("demo-1", "示例单位", 1))
        link = self("pledge", "hand-in-link", "demo-1", "web-01", "--register", self.one)
        assert link.status == 0, link.err
        _dumped(self.one, self.copy)
        assert Register.open(self.copy).name() == Register.open(self.one).name()

    def __call__(self, *words: object) -> Ended:
        return hostpledge(*words, home=self.home)


@pytest.fixture
def desk(postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    return Desk(postgresql, tmp_path / "home")


def _dumped(one: str, other: str) -> None:
    def words(url: str) -> list[str]:
        at = make_url(url)
        return ["-h", str(at.host), "-p", str(at.port), "-U", str(at.username), str(at.database)]

    environment = {**os.environ, "PGPASSFILE": "/dev/null"}
    dump = subprocess.run(
        [f"{PROGRAMS}/pg_dump", *words(one)], capture_output=True, check=True, env=environment
    )
    subprocess.run(
        [f"{PROGRAMS}/psql", "-q", "-v", "ON_ERROR_STOP=1", *words(other)], input=dump.stdout,
        capture_output=True, check=True, env=environment,
    )  # fmt: skip


def test_a_copy_does_not_take_in_what_is_anothers(desk: Desk, tmp_path: Path) -> None:
    for words in _LISTED:
        done = desk(*words, "--register", desk.copy)
        assert done.status == 2, (words, done.out)
        assert "another register" in done.err
        assert "hostpledge register moved" in done.err
        assert desk(*words, "--register", desk.one).status in (0, 1), words
    with pytest.raises(BadInput, match="another register"):
        house(desk.copy, State.open(str(tmp_path / "state")), Settings())
    # the same database by another name of its server, and asked by another driver, is the same
    again = desk.one.replace("127.0.0.1", "localhost").replace("+pg8000", "")
    for words in _LISTED:
        assert desk(*words, "--register", again).status in (0, 1), words


def test_what_was_moved_has_it_by_one_command(desk: Desk) -> None:
    link = answer(desk(*_LISTED[2], "--register", desk.one, "--format", "json").out)["links"]
    done = desk("register", "moved", "--register", desk.copy, "--lang", "en")
    assert done.status == 0, done.err
    assert str(make_url(desk.one).database) in done.out
    found = answer(desk(*_LISTED[2], "--register", desk.copy, "--format", "json").out)["links"]
    assert found == link
    # and then it is the other that has it no more
    assert desk(*_LISTED[1], "--register", desk.one).status == 2
    again = desk("register", "moved", "--register", desk.copy, "--lang", "en")
    assert (again.status, again.out) == (0, "there is nothing to change\n")


def test_another_register_is_not_moved_there(desk: Desk, postgresql: str) -> None:
    other = database(postgresql)
    Register.open(other).add(record("demo-1", "示例单位", 1))
    done = desk("register", "moved", "--register", other)
    assert done.status == 2
    assert desk(*_LISTED[1], "--register", desk.one).status == 0
    assert desk(*_LISTED[1], "--register", other).status == 2


@pytest.mark.parametrize(
    ("there", "where", "refused"),
    [
        ("postgresql://a@db/x", "postgresql+pg8000://b:***@DB:5432/x", False),
        ("postgresql://a@db/x", "postgresql://a@db/y", True),
        ("postgresql://a@db/x", "postgresql://a@db2/x", True),
        ("postgresql://a@db/x", "postgresql://a@db:5433/x", True),
        ("postgresql://a@/x", "postgresql://a@[::1]/x", False),
        ("postgresql://a@db/x", "{here}", True),
        ("{here}", "postgresql://a@db/x", True),
        ("{gone}", "postgresql://a@db/x", False),
        ("{gone}", "{here}", False),
    ],
)
def test_which_place_is_another(tmp_path: Path, there: str, where: str, refused: bool) -> None:
    (tmp_path / "here").write_bytes(b"")
    names = {"here": str(tmp_path / "here"), "gone": str(tmp_path / "gone")}
    there, where = there.format(**names), where.format(**names)
    known = {"register": "log", "where": there}
    (tmp_path / "register.json").write_text(json.dumps(known))
    assert (own_folder.other(tmp_path, "log", where) is not None) is refused
