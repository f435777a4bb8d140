"""While one pledge is reckoned, which takes seconds for a large one, all others go on."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.attest.trust.trust_file import Trust
from collector.errors import CollectorError
from collector.pledges.database.transactions import DatabaseAwayError
from collector.pledges.record.form import from_document
from collector.pledges.record.times import CHINA
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.pledges.standing.status import status
from collector.pledges.status.latest_bundle import Newest
from collector.web.keeping import accounts as keeping
from collector.web.keeping.accounts import Account
from collector.web.reading import customer
from collector.web.reading.remembered import Remembered
from collector.web.reading.turns import Turns
from collector.web.serving import endpoint
from tests.pledges import lives
from tests.web.sites import PASSWORD, Place, Site, filled, with_accounts

_PAGE, _LOST = "/pledges/demo-2", "restore it from a backup"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("beside")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOSTPLEDGE_HOME", str(folder / "home"))
        place = filled(folder / "web")
        state = keeping.Accounts(with_accounts(place.state))
        for number in range(4):
            state.add(Account(f"also{number}", "customer", frozenset({"demo-2"})), PASSWORD)
        state.add(Account("neighbour", "customer", frozenset({"demo-1"})), PASSWORD)
        yield place


@pytest.fixture
def own(base: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    copied = Path(shutil.copytree(base.home, tmp_path / "web"))
    monkeypatch.setenv("HOSTPLEDGE_TRUST", str(tmp_path / "trust.json"))
    (tmp_path / "trust.json").write_bytes(base.signer.trust.to_bytes())
    register = copied / "register" / "register.sqlite"
    place = replace(base, register=str(register), state=str(copied / "state"), home=copied)
    return Site(place)


@pytest.mark.parametrize("what", ["status", "lives_at", "looks_of"])
def test_nobody_waits_for_another_customers_pledge(
    own: Site, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    really: Callable[..., Any] = getattr(customer, what)
    go, begun = threading.Event(), threading.Event()

    def slow(*given: Any, **named: Any) -> Any:
        if "demo-2" in (getattr(given[0], "id", ""), given[1][0].pledge):
            begun.set()
            assert go.wait(60)
        return really(*given, **named)

    browser, other, boss = own.browser("cust"), own.browser("neighbour"), own.browser("boss")
    monkeypatch.setattr(customer, what, slow)
    with ThreadPoolExecutor(3) as pool:
        try:
            path = f"{_PAGE}/findings.csv" if what == "lives_at" else _PAGE
            held = pool.submit(browser.get, path)
            assert begun.wait(60)
            assert pool.submit(other.get, "/pledges/demo-1").result(20).status_code == 200
            assert pool.submit(boss.get, "/").result(20).status_code == 200
        finally:
            go.set()
        assert held.result(60).status_code == 200


def test_many_accounts_of_one_customer_are_one(own: Site) -> None:
    every = [own.house.accounts.find(f"also{number}") for number in range(4)]
    with ExitStack() as held:
        for number in range(8):
            account = every[number % 4]
            assert account is not None
            held.enter_context(endpoint._ANY.one(*account.sharing))
        assert own.browser("also3").get(_PAGE).status_code == 503
        assert own.browser("cust").get("/due").status_code == 503
        assert own.browser("neighbour").get("/pledges/demo-1").status_code == 200
        assert own.browser("aud").get("/pledges/demo-1").status_code == 200
    assert own.browser("cust").get(_PAGE).status_code == 200
    assert endpoint._ANY._taken.total() == 0


@pytest.fixture
def read(own: Site, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of each bundle that is opened, its digest."""
    found: list[str] = []
    really = Newest.__init__

    def opened(self: Newest, attached: Any) -> None:
        found.append(attached.digest)
        really(self, attached)

    monkeypatch.setattr(Newest, "__init__", opened)
    return found


def _asked(site: Site, at: datetime, id: str = "demo-0") -> customer.Dossier:
    known = site.house.customer.dossier(id, at, None, "en")
    site.house.customer.lives(known)
    if not known.status.unread:
        site.house.customer.looks(known)
    return known


def test_the_same_state_is_read_once(own: Site, read: list[str]) -> None:
    at = datetime.now(UTC).replace(second=5)
    first = _asked(own, at)
    assert len(set(read)) == 3
    read.clear()
    again = _asked(own, at + timedelta(seconds=50))
    assert not read
    assert again.status is first.status
    assert again.moment == first.moment == at
    # another minute: what ends at a time may have
    assert _asked(own, at + timedelta(seconds=60)).moment == at + timedelta(seconds=60)
    assert read


def test_a_changed_record_is_seen_at_once(own: Site) -> None:
    at = datetime.now(UTC)
    before = _asked(own, at)
    register = Register.open(own.place.register)
    document = {**before.record.document, "follow_ups": []}
    register.add(from_document(document, where="", today=at.astimezone(CHINA).date()), update=True)
    after = _asked(own, at)
    assert after.versions == before.versions + 1
    assert {one.owner for one in before.status.lives} == {"周示例"}
    assert {one.owner for one in after.status.lives} == {""}


def test_more_evidence_is_seen_at_once(own: Site) -> None:
    at = datetime.now(UTC)
    before = _asked(own, at)
    assert before.standing == "broken" or before.status.lives
    lives.check(Register.open(own.place.register), "demo-0", own.place.signer,
                lives.captured("hardened"), at - timedelta(hours=1))  # fmt: skip
    after = _asked(own, at)
    assert len(after.evidence) == len(before.evidence) + 1
    assert after.status.evidence != before.status.evidence
    assert after.status.lives != before.status.lives


def test_a_revoked_key_is_seen_at_once(own: Site, tmp_path: Path) -> None:
    at = datetime.now(UTC)
    before = _asked(own, at)
    over = tuple(replace(key, name="bo", revoked_at=at) for key in own.place.signer.trust.keys)
    (tmp_path / "trust.json").write_bytes(Trust(over).to_bytes())
    after = _asked(own, at)
    assert not any(one.refused for one in before.evidence)
    assert all("bo" in one.refused for one in after.evidence)
    assert after.status.clauses != before.status.clauses


@pytest.mark.parametrize("how", ["capture changed", "capture gone", "gone"])
def test_a_bundle_that_is_lost_is_seen_at_once_and_back_again(own: Site, how: str) -> None:
    page = own.browser("boss").get
    assert _LOST not in page("/pledges/demo-0?lang=en").text
    path = Register.open(own.place.register).evidence("demo-0")[-1].path
    (capture,) = (path / "data" / "captures").iterdir()
    kept = capture.read_bytes()
    if how == "gone":
        path.rename(path.with_name("aside"))
    elif how == "capture gone":
        capture.unlink()
    else:
        capture.write_bytes(kept + b"x")
    assert _LOST in page("/pledges/demo-0?lang=en").text
    if how == "gone":
        path.with_name("aside").rename(path)
    else:
        capture.write_bytes(kept)
    assert _LOST not in page("/pledges/demo-0?lang=en").text


def test_it_may_be_disposed_of_meanwhile(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its rows and its bundles: the page says what it says of a bundle that is lost."""
    path = Register.open(own.place.register).evidence("demo-2")[-1].path

    def late(*given: Any, **named: Any) -> Any:
        shutil.rmtree(path, ignore_errors=True)
        return status(*given, **named)

    monkeypatch.setattr(customer, "status", late)
    answer = own.browser("boss").get("/pledges/demo-2?lang=en")
    assert answer.status_code == 200
    assert _LOST in answer.text


def test_a_database_that_is_away_is_no_lost_bundle(
    own: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> Any:
        raise DatabaseAwayError("gone")

    browser = own.browser("boss")
    with monkeypatch.context() as patch:
        patch.setattr(ReadOnlyRegister, "shown", away)
        assert browser.get(_PAGE).status_code == 503
    assert browser.get(_PAGE).status_code == 200


def test_what_is_remembered_has_bounds() -> None:
    known: Remembered[str] = Remembered(1000, 450, len)
    made: list[str] = []

    def get(pledge: str, key: str, size: int = 0) -> str:
        def make() -> str:
            made.append(f"{pledge}{key}")
            return "x" * size

        return known.get(pledge, key, make)

    for key in "12345":
        get("a", key)
    get("b", "1", 50)
    made.clear()
    for key in "5432":
        get("a", key)
    get("b", "1")
    assert made == []
    get("a", "1")
    assert made == ["a1"]
    # however large, the last of a pledge stays where there is room, and nothing where there is none
    get("c", "1", 600)
    get("c", "1")
    get("d", "1", 2000)
    get("d", "1")
    assert made == ["a1", "c1", "d1", "d1"]
    assert sum(size for _, size in known._kept.values()) <= 1000
    assert not known._turns._turns


def test_what_failed_is_tried_again() -> None:
    known: Remembered[str] = Remembered(1000, 450, len)

    def fails() -> str:
        raise CollectorError("x")

    with pytest.raises(CollectorError):
        known.get("a", "1", fails)
    assert known.get("a", "1", lambda: "y", lambda _: False) == "y"
    assert known.get("a", "1", lambda: "z") == "z"


def test_one_pledge_takes_one_thread() -> None:
    known: Remembered[int] = Remembered(10_000, 5000, lambda _: 0)
    now, most, made = 0, 0, 0

    def make() -> int:
        nonlocal now, most, made
        now, made = now + 1, made + 1
        most = max(most, now)
        time.sleep(0.02)
        now -= 1
        return made

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: known.get("a", str(n % 4), make), range(16)))
    assert (most, made) == (1, 4)


def test_who_came_first_goes_first() -> None:
    turns, order = Turns(), list[int]()
    waiting = []

    def wait(number: int) -> None:
        with turns, turns:
            order.append(number)

    with turns:
        for number in range(6):
            thread = threading.Thread(target=wait, args=(number,))
            thread.start()
            waiting.append(thread)
            until = time.monotonic() + 20
            while len(turns._waiting) <= number and time.monotonic() < until:
                time.sleep(0.001)
        with turns:
            pass
        assert order == []
    for thread in waiting:
        thread.join(20)
    assert order == list(range(6))
