"""An id that was given anew is another customer's: whoever had it before sees nothing of it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update

from collector.pledges.register.register import Register
from collector.pledges.transfer.backup import write as backup
from collector.pledges.transfer.restore import restore
from collector.web.asking import settings as told
from collector.web.asking.settings import Settings
from collector.web.keeping import tables
from collector.web.keeping.accounts import Account
from collector.web.keeping.changes import change
from tests.pledges.records import made
from tests.web.sites import NAMES, PASSWORD, Place, Site, filled, record, with_accounts


@pytest.fixture
def site_of_old(place: Place, tmp_path: Path) -> Site:
    """The account of demo-2's customer is older than the record, as after a restore."""
    own = replace(place, state=str(shutil.copytree(place.state, tmp_path / "state")))
    site = Site(own)
    table = tables.accounts
    old = update(table).where(table.c.name.in_(["cust", "aud"]))
    with site.house.state.write() as connection:
        connection.execute(old.values(added_at="2020-01-01T00:00:00+00:00"))
    return site


def test_who_had_the_id_before_sees_nothing_of_it(site_of_old: Site) -> None:
    for name, id in (("cust", "demo-2"), ("aud", "demo-0"), ("aud", "demo-1")):
        browser = site_of_old.browser(name)
        for path in (
            f"/pledges/{id}",
            f"/pledges/{id}/findings.csv",
            f"/pledges/{id}?at=2026-01-01",
        ):
            assert browser.get(path).status_code == 404, (name, path)
        for path in ("/", "/due", "/export.csv?life=all"):
            assert id not in browser.get(path).text, (name, path)


def test_once_it_is_said_again_they_do(site_of_old: Site) -> None:
    site_of_old.house.accounts.mark("cust", "given", "boss")
    assert site_of_old.browser("cust").get("/pledges/demo-2").status_code == 200


def test_what_says_nothing_of_its_pledges_gives_none(site_of_old: Site) -> None:
    state = site_of_old.house.state
    change(state, "aud", ends=date(2099, 6, 30), by="op")
    change(state, "cust", role="auditor", ends=date(2099, 6, 30), by="op")
    for name, id in (("cust", "demo-2"), ("aud", "demo-0")):
        assert site_of_old.browser(name).get(f"/pledges/{id}").status_code == 404, name
    change(state, "aud", pledges=["demo-0"], by="op")
    assert site_of_old.browser("aud").get("/pledges/demo-0").status_code == 200


def test_lists_that_are_of_who_had_it_before_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large register's take a while to be made anew; and so do those of a page just begun."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    own = filled(tmp_path / "web")
    with_accounts(own.state)
    register, file = Register.open(own.register), tmp_path / "old.zip"
    backup(register, file)
    register.add(record("demo-9", "先前的单位", 0))
    site = Site(own)
    restore(file, own.register, replace=True)
    Register.open(own.register).add(record("demo-9", "后来的单位", 1))
    both = frozenset({"demo-9", "demo-1"})
    site.house.accounts.add(Account("new", "auditor", both, date(2099, 12, 31)), PASSWORD)
    site.house.index._took = 1.0
    browser = site.browser("new")
    for path in ("/", "/due", "/export.csv", "/due/export.csv"):
        answer = browser.get(path)
        assert (answer.status_code, "先前的单位" in answer.text) == (503, False), path
    # who sees all is told what was there a moment ago, as of any change
    assert site.browser("boss").get("/").status_code == 200
    site.house.index.renew()
    shown = browser.get("/export.csv")
    assert shown.status_code == 200
    assert "后来的单位" in shown.text and "先前的单位" not in shown.text


def test_a_renewal_that_vanished_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is its customer told of others by what its id is like."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    own = filled(tmp_path / "web")
    with_accounts(own.state)
    register, file = Register.open(own.register), tmp_path / "old.zip"
    backup(register, file)
    known = record("demo-33", NAMES["demo-2"], 7).document
    papers = [{**one, "sha256": f"{n:064x}"} for n, one in enumerate(known["documents"], 1)]
    register.add(made(**{**known, "documents": papers, "renews": "demo-2"}))
    site = Site(own)
    assert "demo-33" in site.browser("boss").get("/pledges/demo-2").text
    restore(file, own.register, replace=True)
    site.house.index._took = 1.0
    page = site.browser("cust").get("/pledges/demo-2")
    assert page.status_code == 200
    assert "Nothing is proven" not in page.text and "demo-3" not in page.text


def test_an_account_that_was_made_for_it_sees_it(site: Site) -> None:
    assert site.browser("cust").get("/pledges/demo-2").status_code == 200
    assert site.browser("aud").get("/pledges/demo-2").status_code == 404


_HEADER = "X-Remote-User"


def test_one_of_a_proxy_is_held_to_it_as_well(place: Place, tmp_path: Path) -> None:
    """It has no password here, and was added here all the same."""
    own = replace(place, state=str(shutil.copytree(place.state, tmp_path / "state")))
    proxies = (told._network("10.0.0.0/8", ""),)
    site = Site(own, Settings(proxies=proxies, user_header=_HEADER))
    for name in ("old", "new"):
        one = Account(name, "customer", frozenset({"demo-2"}), local=False)
        site.house.accounts.add(one, None)
    table = tables.accounts
    with site.house.state.write() as connection:
        old = update(table).where(table.c.name == "old")
        connection.execute(old.values(added_at="2020-01-01T00:00:00+00:00"))

    def seen(name: str, path: str) -> tuple[int, bool]:
        answer = site.browser(peer="10.0.0.1").get(path, **{_HEADER: name})
        return answer.status_code, "demo-2" in answer.text

    for path in ("/pledges/demo-2", "/pledges/demo-2/evidence/1.zip"):
        assert seen("old", path)[0] == 404
        assert seen("new", path)[0] == 200
    for path in ("/due", "/export.csv?life=all"):
        assert seen("old", path) == (200, False), path
    site.house.accounts.mark("old", "given", "boss")
    assert seen("old", "/pledges/demo-2")[0] == 200


def _damaged(own: Place, id: str) -> None:
    with closing(sqlite3.connect(own.register)) as file:
        triggers = file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            file.execute(f"DROP TRIGGER {name}")
        file.execute("UPDATE versions SET document = document || ' ' WHERE pledge = ?", (id,))
        file.commit()


def test_what_is_wrong_with_anothers_record_is_told_to_the_house_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    own = filled(tmp_path / "web")
    with_accounts(own.state)
    register = Register.open(own.register)
    known = record("demo-33", NAMES["demo-2"], 7).document
    papers = [{**one, "sha256": f"{n:064x}"} for n, one in enumerate(known["documents"], 1)]
    register.add(made(**{**known, "documents": papers, "renews": "demo-2"}))
    site = Site(own)
    customer, boss = site.browser("cust"), site.browser("boss")
    register.add(record("demo-9", "后来的单位", 9))
    _damaged(own, "demo-33")
    for path in ("/due", "/due/export.csv", "/export.csv", "/pledges/demo-2"):
        answer = customer.get(path)
        assert (answer.status_code, "demo-33" in answer.text) == (200, False), path
    assert "demo-33" in boss.get("/export.csv").text
