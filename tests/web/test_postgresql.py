"""A register and accounts in a database server, which several processes share."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from collector.pledges.database import location, tables
from collector.pledges.register import read_only
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.web.keeping import tables as keeping_tables
from collector.web.keeping.accounts import Accounts
from collector.web.keeping.state import State
from collector.web.reading import index as indexes
from collector.web.serving.quiet import quiet
from tests.pledges.bundles import Signer
from tests.pledges.places import database, limited, no_more, postgresql, server
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


@pytest.mark.parametrize(
    "path",
    [
        "/?q=%00", "/?owner=%00", "/?standing=%00", "/due?kind=%00", "/due/export.csv?kind=a%00",
        "/pledges/%00", "/pledges/demo-0%00", "/pledges/demo-0/findings/%00/%00",
        "/pledges/demo-0/evidence/%00.zip", "/pledges/demo-0?host=%00&owner=%00&at=%00",
        "/log?before=999999999999999", "/log?before=2147483648", "/?page=999999999999999",
        "/due?page=999999999999999", "/?expiring=99999&due=99999", "/%00", "/?%00=%00",
        "/?lang=%00", "/export.csv?q=%00",
    ],
)  # fmt: skip
def test_what_a_server_has_no_word_for_is_not_there(place: Place, path: str) -> None:
    assert Site(place).browser("boss").get(path).status_code in (200, 400, 404)


def test_forms_that_a_server_has_no_word_for(place: Place) -> None:
    site = Site(place)
    for name in ("boss\0", "\0", "b\0oss"):
        assert site.browser().sign_in(name).status_code == 401
    boss = site.browser("boss")
    for path, form in (
        ("/accounts/new", {"name": "x\0", "role": "engineer"}),
        ("/accounts/new", {"name": "x", "role": "customer", "pledges": "demo-0\0"}),
        ("/accounts", {"name": "eng\0", "act": "disable"}),
        ("/accounts", {"name": "eng\0", "act": "password"}),
    ):
        assert boss.post(path, form).status_code == 400, form
    boss.client.cookies.set("hostpledge-device", "x%00", domain="127.0.0.1", path="/")
    assert boss.get("/due").status_code == 200


def test_several_that_make_the_rows_at_once_do_not_complain(
    place: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sites = [Site(place) for _ in range(3)]
    real, gate = indexes._replace, threading.Barrier(3)

    def slow(*given: Any) -> None:
        real(*given)
        # others are where we are now
        time.sleep(0.3)

    monkeypatch.setattr(indexes, "_replace", slow)
    register = Register.open(place.register)

    def renew(site: Site) -> None:
        gate.wait(20)
        try:
            site.house.index.renew()
        except Exception as problem:
            logging.getLogger("collector.web").warning("index: %s", problem)

    for number in (20, 21):
        register.add(record(f"demo-{number}", "新单位", number))
        threads = [threading.Thread(target=renew, args=(site,)) for site in sites]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sites[0].house.rows.one(f"demo-{number}") is not None
    assert [one.message for one in caplog.records if "index" in one.message] == []


def test_a_server_that_is_away_is_one_page_and_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    where = str(tmp_path / "register.sqlite")
    Register.open(where).add(record("demo-0", "示例单位", 0))
    with server() as url:
        state = database(url)
        with_accounts(state)
        site = Site(Place(where, state, Signer(tmp_path / "signer"), tmp_path))
        browser = site.browser("boss")
    caplog.clear()
    for who in (browser, site.browser()):
        for path in ("/", "/sign-in", "/due", "/nothing"):
            answer = who.get(path)
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "30"
            assert "The database cannot be reached for the moment" in answer.text
            assert url not in answer.text
    ours = [one for one in caplog.records if one.name == "hostpledge.web"]
    assert not [one for one in ours if one.exc_info]
    # one each, of what was asked of it
    assert len(ours) == 8
    assert who.get("/web.css").status_code == 200


def test_a_register_that_goes_away_leaves_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Also of the connections that the pool holds; and accounts that are there do not help."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    quiet()
    state = str(tmp_path / "state")
    with_accounts(state)
    with server() as url:
        where = database(url)
        Register.open(where).add(record("demo-0", "示例单位", 0))
        site = Site(Place(where, state, Signer(tmp_path / "signer"), tmp_path))
        browser = site.browser("boss")
        threads = [threading.Thread(target=browser.get, args=("/pledges/demo-0",)) for _ in "123"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    caplog.clear()
    for path in ("/pledges/demo-0", "/pledges/demo-0/findings.csv", "/export.csv"):
        answer = browser.get(path)
        assert answer.status_code in (200, 503), path
    assert browser.get("/pledges/demo-0").status_code == 503
    assert not [one for one in caplog.records if one.exc_info or one.exc_text]
    assert "Traceback" not in caplog.text
    assert all("\n" not in one.getMessage() for one in caplog.records)


@contextmanager
def _between(port: int) -> Iterator[tuple[int, threading.Event]]:
    """The port of a network before that server's; once the event is set it swallows all."""
    swallows = threading.Event()

    def carry(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not swallows.is_set():
                    target.sendall(data)
        if not swallows.is_set():
            # a server that is frozen ends no connection
            for one in (source, target):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                theirs, _ = listener.accept()
                ours = socket.create_connection(("127.0.0.1", port))
                kept.extend((theirs, ours))
                for pair in ((theirs, ours), (ours, theirs)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()

    kept: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        try:
            yield listener.getsockname()[1], swallows
        finally:
            for one in kept:
                one.close()


def test_a_server_that_says_nothing_any_more_is_one_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Frozen, or behind a network that swallows what is sent: both for accounts and register."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    for module in (read_only, keeping_tables):
        monkeypatch.setattr(module, "SILENT_SECONDS", 1)
    monkeypatch.setattr(location, "SILENT_SECONDS", 1)
    with server() as url:
        where = make_url(database(url))
        with _between(int(where.port or 0)) as (port, swallows):
            behind = where.set(port=port).render_as_string(hide_password=False)
            Register.open(behind).add(record("demo-0", "示例单位", 0))
            for state in (behind, str(tmp_path / "state")):
                swallows.clear()
                with_accounts(state)
                site = Site(Place(behind, state, Signer(tmp_path / "signer"), tmp_path))
                browser = site.browser("boss")
                assert browser.get("/pledges/demo-0").status_code == 200
                swallows.set()
                for path in ("/pledges/demo-0", "/pledges/demo-0/findings.csv"):
                    answer = browser.get(path)
                    assert answer.status_code == 503, path
                    assert "The database cannot be reached for the moment" in answer.text
    assert not [one for one in caplog.records if one.exc_info or one.exc_text]


def test_a_pool_with_none_left_is_one_page(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    site = Site(place)
    browser = site.browser("boss")
    engine = site.house.library._register._database._engine
    held = [engine.connect() for _ in range(8)]
    engine.pool._timeout = 0.2  # type: ignore[attr-defined]
    try:
        caplog.clear()
        assert browser.get("/pledges/demo-0").status_code == 503
        assert not [one for one in caplog.records if one.exc_info]
    finally:
        for one in held:
            one.close()


def test_a_server_that_has_no_connection_left_is_one_page(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For who has signed in as well, and whatever is asked or sent."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    where, own = limited(postgresql), str(tmp_path / "state")
    Register.open(where).add(record("demo-0", "示例单位", 0))
    with_accounts(own)
    site = Site(Place(where, own, Signer(tmp_path / "signer"), tmp_path))
    browser = site.browser("boss")
    assert browser.get("/pledges/demo-0").status_code == 200
    no_more(postgresql, where)
    # the connections that the pool holds are found broken by the first of them
    for path in ("/pledges/demo-0", "/pledges/demo-0/findings.csv", "/pledges/demo-0"):
        _turned_away(browser.get(path))
    form = {"name": "new", "role": "customer", "pledges": "demo-0"}
    _turned_away(browser.post("/accounts/new", form))


def test_accounts_whose_server_has_no_connection_left_are_one_page(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    where, state = str(tmp_path / "register.sqlite"), limited(postgresql)
    Register.open(where).add(record("demo-0", "示例单位", 0))
    with_accounts(state)
    site = Site(Place(where, state, Signer(tmp_path / "signer"), tmp_path))
    browser = site.browser("boss")
    no_more(postgresql, state)
    for who in (browser, site.browser()):
        for path in ("/", "/sign-in", "/due", "/nothing"):
            _turned_away(who.get(path))


def _turned_away(answer: Any) -> None:
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert "The database cannot be reached for the moment" in answer.text
