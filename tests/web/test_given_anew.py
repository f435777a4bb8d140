"""An id that was given anew is another customer's: whoever had it before sees nothing of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from collector.web.asking import settings as told
from collector.web.asking.settings import Settings
from collector.web.keeping import tables
from collector.web.keeping.accounts import Account
from tests.web.sites import Place, Site


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
    site_of_old.house.accounts.mark("cust", "changed", "boss")
    assert site_of_old.browser("cust").get("/pledges/demo-2").status_code == 200


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
    site.house.accounts.mark("old", "changed", "boss")
    assert seen("old", "/pledges/demo-2")[0] == 200
