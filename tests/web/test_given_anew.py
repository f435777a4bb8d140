"""An id that was given anew is another customer's: whoever had it before sees nothing of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from collector.web.keeping import tables
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
