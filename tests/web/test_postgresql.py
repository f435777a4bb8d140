"""A register and accounts in a database server, which several processes share."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from collector.pledges.database import tables
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.web.keeping.accounts import Accounts
from collector.web.keeping.state import State
from tests.pledges.bundles import Signer
from tests.pledges.places import database, postgresql
from tests.web.sites import Place, Site, record, with_accounts

__all__ = ["postgresql"]


@pytest.fixture
def place(postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    where, state = database(postgresql), database(postgresql)
    register = Register.open(where)
    for number in range(3):
        register.add(record(f"demo-{number}", f"示例单位{number}", number))
    with_accounts(state)
    return Place(where, state, Signer(tmp_path / "signer"), tmp_path)


def test_pages_over_a_server(place: Place) -> None:
    one, other = Site(place), Site(place)
    browser = one.browser("boss")
    assert "示例单位2" in browser.get("/").text
    assert browser.get("/pledges/demo-1").status_code == 200
    # the other process knows the session, and that it has ended
    again = other.browser()
    again.client.cookies.update(browser.client.cookies)
    assert again.get("/due").status_code == 200
    browser.post("/sign-out", {})
    assert again.get("/due").status_code == 303
    Register.open(place.register).add(record("demo-7", "新单位", 7))
    assert "新单位" in other.browser("eng").get("/").text


def test_the_server_itself_refuses_a_write(place: Place) -> None:
    register = ReadOnlyRegister.open_read_only(place.register)
    with pytest.raises(Exception, match="read-only"), register._database.write() as connection:
        connection.execute(tables.pledges.delete())
    with pytest.raises(Exception, match="read-only"), register._database.snapshot() as connection:
        connection.execute(text("CREATE TABLE x (y int)"))


def test_two_that_begin_at_once_make_one_manager(postgresql: str) -> None:
    where = database(postgresql)
    found = [Accounts(State.open(where)).first() for _ in range(2)]
    assert [word is not None for word in found] == [True, False]
