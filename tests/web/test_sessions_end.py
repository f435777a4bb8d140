"""What ends a session ends those that were only just being begun, and those of a word that went."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from collector.web.keeping import passwords
from collector.web.keeping import tables as kept
from collector.web.keeping.accounts import Account, Accounts
from collector.web.keeping.sessions import Sessions
from collector.web.keeping.state import State
from tests.pledges.places import database, postgresql
from tests.web.sites import PASSWORD, Place, Site

__all__ = ["postgresql"]

_NEW = "a new horse battery"


@pytest.fixture
def own(place: Place, tmp_path: Path) -> Site:
    """A site whose accounts a test may spoil."""
    return Site(replace(place, state=str(shutil.copytree(place.state, tmp_path / "state"))))


def _sessions(site: Site, name: str) -> int:
    with site.house.state.read() as connection:
        found = [
            connection.execute(table.select().where(table.c.account == name)).all()
            for table in (kept.sessions, kept.devices)
        ]
    return sum(map(len, found))


def _once_verified(monkeypatch: pytest.MonkeyPatch, then: Callable[[], object]) -> None:
    """`then` happens once, after the next password was found right and before anything is done."""
    real, left = passwords.verified, [then]

    def slow(hashed: str, password: str) -> bool:
        found = real(hashed, password)
        if left:
            left.pop()()
        return found

    monkeypatch.setattr(passwords, "verified", slow)


def test_a_sign_in_with_the_password_of_before_comes_too_late(
    own: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was under way, and verified, when the password was changed because others had it."""
    thief = own.browser()
    token = thief.token("/sign-in")
    _once_verified(monkeypatch, lambda: own.house.accounts.change_password("eng", _NEW))
    form = {"name": "eng", "password": PASSWORD}
    assert thief.post("/sign-in", form, token=token).status_code == 401
    assert thief.get("/due").status_code == 303
    assert _sessions(own, "eng") == 0
    assert thief.sign_in("eng", _NEW).status_code == 303


def test_a_sign_in_of_an_account_that_is_stopped_meanwhile(
    own: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = own.browser()
    token = browser.token("/sign-in")
    _once_verified(monkeypatch, lambda: own.house.accounts.disable("eng"))
    form = {"name": "eng", "password": PASSWORD}
    assert browser.post("/sign-in", form, token=token).status_code == 401
    # nor does it wake up when the account may be used again
    own.house.accounts.disable("eng", back=True)
    assert browser.get("/due").status_code == 303
    assert _sessions(own, "eng") == 0


def test_a_change_of_password_that_another_one_overtook(
    own: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds a stolen session does not set the password back that its owner just set."""
    thief = own.browser("eng")
    token = thief.token("/password")
    _once_verified(monkeypatch, lambda: own.house.accounts.change_password("eng", _NEW))
    theirs = "a thief's own password"
    form = {"old": PASSWORD, "new": theirs, "again": theirs}
    assert thief.post("/password", form, token=token).status_code == 403
    assert thief.get("/due").status_code == 303
    assert own.browser().sign_in("eng", theirs).status_code == 401
    assert own.browser().sign_in("eng", _NEW).status_code == 303


@pytest.mark.parametrize("path", ["/accounts/new", "/accounts"])
def test_what_a_manager_asked_for_whose_session_has_ended(
    own: Site, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    # the last manager is stopped by nobody
    own.house.accounts.add(Account("other", "manager"), PASSWORD)
    boss = own.browser("boss")
    token = boss.token("/accounts")
    real = passwords.hashed

    def slow(password: str) -> str:
        own.house.accounts.disable("boss")
        return real(password)

    monkeypatch.setattr(passwords, "hashed", slow)
    form = {"name": "mallory", "role": "manager"}
    if path == "/accounts":
        form = {"name": "eng", "act": "password"}
    assert boss.post(path, form, token=token).status_code == 403
    assert own.house.accounts.find("mallory") is None
    assert own.browser().sign_in("eng").status_code == 303


def test_the_change_of_one_connection_is_seen_by_the_other(postgresql: str, tmp_path: Path) -> None:
    """Of a server: a session waits for a change that is not put down yet, and is none after it."""
    state = State.open(database(postgresql))
    known = Accounts(state)
    known.add(Account("eng", "engineer"), PASSWORD)
    was = known.find("eng")
    assert was is not None
    begun: list[str | None] = []
    with state.write() as connection:
        table = kept.accounts
        connection.execute(table.update().values(password="another"))
        other = threading.Thread(target=lambda: begun.append(Sessions(state).begin(was)))
        other.start()
        other.join(1)
        assert not begun
        connection.execute(kept.sessions.delete())
    other.join(20)
    assert begun == [None]
    with state.read() as connection:
        assert connection.execute(kept.sessions.select()).all() == []


def test_an_account_of_elsewhere_signs_in_twice_at_once(postgresql: str) -> None:
    """Neither is told that another process was quicker."""
    state = State.open(database(postgresql))
    known, one = Accounts(state), Account("lin~0123456789abcdef", "manager", local=False)
    failed: list[BaseException] = []
    gate = threading.Barrier(4)

    def sign_in() -> None:
        try:
            for _ in range(8):
                gate.wait(20)
                known.told(one)
                known.mark(one.name, "signed_in")
        except BaseException as problem:
            failed.append(problem)
            gate.abort()

    threads = [threading.Thread(target=sign_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


# --- passwords that are looked at -----------------------------------------------------------------


def test_who_guesses_holds_up_nobody_elses_pages(own: Site) -> None:
    """A password takes its time, and the threads that it waits in are those of all pages."""
    reader, gate = own.browser("eng"), threading.Event()
    home = own.browser("cust")
    home.post("/sign-out", {})
    guessers = [own.browser(peer=f"198.51.{n // 200}.{n % 200 + 1}") for n in range(60)]
    tokens = [one.token("/sign-in") for one in guessers]

    def slow(_kept: str, _password: str) -> bool:
        gate.wait(30)
        return False

    def guess(number: int) -> httpx.Response:
        form = {"name": f"n{number}", "password": "x" * 14}
        return guessers[number].post("/sign-in", form, token=tokens[number])

    real = passwords.verified
    with ThreadPoolExecutor(60) as pool, pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "verified", slow)
        under_way = [pool.submit(guess, number) for number in range(60)]
        until = time.monotonic() + 20
        while sum(one.done() for one in under_way) < 50 and time.monotonic() < until:
            time.sleep(0.05)
        begun = time.monotonic()
        assert reader.get("/due").status_code == 200
        assert time.monotonic() - begun < 3
        # nor does it keep those out who have been here before
        patch.setattr(passwords, "verified", real)
        assert home.sign_in("cust").status_code == 303
        gate.set()
        found = [one.result() for one in under_way]
    assert {one.status_code for one in found} == {401, 503}
    busy = next(one for one in found if one.status_code == 503)
    assert busy.headers["retry-after"]
    assert "Too many sign in at once" in busy.text
    assert {line.note for _, line in own.house.access.newest(70)} >= {"busy"}
    # and counts for nothing: all of them may try
    statuses = {guess(number).status_code for number in range(12)}
    assert statuses == {401}


def test_one_address_takes_not_every_place() -> None:
    places = passwords.Places(3, 2)
    with places.one("a"), places.one("a"):
        with pytest.raises(passwords.BusyError), places.one("a"):
            pass
        with places.one("b"), pytest.raises(passwords.BusyError), places.one("c"):
            pass
    with places.one("a"):
        pass


def test_a_form_from_before_the_sign_in_of_another_tab(own: Site) -> None:
    browser = own.browser()
    token = browser.token("/sign-in")
    assert browser.sign_in("eng").status_code == 303
    form = {"name": "eng", "password": PASSWORD}
    answer = browser.post("/sign-in?next=/due", form, token=token)
    assert (answer.status_code, answer.headers["location"]) == (303, "/due")
    assert browser.get("/due").status_code == 200
    # it is a form of the door, and of nothing else
    assert browser.post("/sign-out", {}, token=token).status_code == 403
    assert browser.post("/sign-in", form, token="0" * 64).status_code == 403
