"""Registers of older forms that are opened to be looked at: they say what makes them new."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.errors import BadInput
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.web.asking.settings import Settings
from collector.web.keeping.state import State
from collector.web.serving.app import house
from tests.pledges.places import owner, place, postgresql
from tests.pledges.records import made
from tests.pledges.test_migrations import _older
from tests.web.sites import PASSWORD, Place, Site, filled, with_accounts

__all__ = ["place", "postgresql"]


@pytest.mark.parametrize("form", range(1, 9))
def test_it_says_the_one_command(place: str, form: int, tmp_path: Path) -> None:
    Register.open(place).add(made())
    with owner(place) as theirs:
        _older(theirs, form)
    for opened in (
        lambda: ReadOnlyRegister.open_read_only(place),
        lambda: house(place, State.open(str(tmp_path / "state")), Settings()),
    ):
        with pytest.raises(BadInput) as told:
            opened()
        assert "hostpledge pledge list" in str(told.value)
    Register.open(place)
    assert ReadOnlyRegister.open_read_only(place).get("demo-2026")


@pytest.mark.parametrize("table", ["sightings", "marks", "seals", "looks", "briefs"])
def test_of_one_that_lacks_a_table_too(place: str, table: str) -> None:
    """Of a dump that was made of some tables alone; its revision says that all are there."""
    Register.open(place).add(made())
    with owner(place) as theirs:
        theirs.execute(f"DROP TABLE {table}")
    with pytest.raises(BadInput) as told:
        ReadOnlyRegister.open_read_only(place)
    assert "hostpledge pledge list" in str(told.value)
    Register.open(place)
    assert ReadOnlyRegister.open_read_only(place).evidence("demo-2026") == ()


@pytest.mark.parametrize(("table", "column"), [("evidence", "seen"), ("sightings", "looked_at")])
def test_or_a_column(place: str, table: str, column: str) -> None:
    Register.open(place).add(made())
    with owner(place) as theirs:
        theirs.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    with pytest.raises(BadInput, match="lacks a column"):
        ReadOnlyRegister.open_read_only(place)


@pytest.mark.parametrize("form", [1, 5, 6, 8])
def test_under_a_page_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, form: int
) -> None:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    own: Place = filled(tmp_path / "web")
    with_accounts(own.state)
    site = Site(own)
    browser = site.browser("boss")
    assert PASSWORD
    with owner(own.register) as theirs:
        _older(theirs, form)
    caplog.clear()
    for path in ("/", "/pledges/demo-0", "/export.csv", "/pledges/demo-0/findings.csv"):
        answer = browser.get(path)
        assert answer.status_code in (200, 500, 503), path
    assert not [one for one in caplog.records if one.exc_info]
