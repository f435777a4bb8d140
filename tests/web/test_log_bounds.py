"""Nobody who may look fills the disk by looking, and what matters is written down all the same."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.web.keeping import access, looks
from collector.web.keeping.access import Access, Line
from collector.web.keeping.state import State
from tests.web.sites import PASSWORD, Place, Site

_LINE = Line(datetime(2026, 5, 1, 8, 0, 1, tzinfo=UTC), "cust", "a", "GET", "/due", 200, "")


@pytest.fixture
def log(tmp_path: Path) -> Access:
    return Access(State.open(str(tmp_path / "s")))


def _lines(log: Access) -> list[Line]:
    return [line for _, line in log.newest(5000)][::-1]


def test_of_too_many_pages_one_line_a_minute_says_how_many(
    log: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "AT_ONCE", 20)
    monkeypatch.setattr(looks, "A_MINUTE", 0)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: log.put(_LINE), range(300)))
    log.put(replace(_LINE, at=_LINE.at + timedelta(minutes=1)))
    # another account has a budget of its own
    log.put(replace(_LINE, account="eng"))
    found = _lines(log)
    assert Counter(line.path for line in found) == {"/due": 21, "…": 2}
    assert [line.note for line in found if line.path == "…"] == ["280 more pages", "1 more pages"]
    assert {line.account for line in found if line.path == "…"} == {"cust"}
    assert found[-1].account == "eng"


def test_what_was_spent_comes_back(log: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(looks, "AT_ONCE", 5)
    for _ in range(9):
        log.put(_LINE)
    now[0] += 12
    for _ in range(9):
        log.put(_LINE)
    assert [line.path for line in _lines(log)].count("/due") == 7


@pytest.mark.parametrize(
    "kept",
    [
        {"note": "denied", "status": 404},
        {"note": "file", "path": "/pledges/demo-2/findings.csv"},
        {"method": "POST", "path": "/sign-in", "status": 303, "note": "signed in: cust"},
        {"method": "POST", "path": "/password", "status": 403, "note": "csrf"},
        {"path": "/oidc/back", "status": 303, "note": "signed in: cust"},
    ],
)
def test_all_that_matters_has_its_line(
    log: Access, monkeypatch: pytest.MonkeyPatch, kept: Mapping[str, str | int]
) -> None:
    monkeypatch.setattr(looks, "AT_ONCE", 1)
    monkeypatch.setattr(looks, "A_MINUTE", 0)
    for _ in range(30):
        log.put(_LINE)
        log.put(replace(_LINE, **kept))  # type: ignore[arg-type]
    assert len(_lines(log)) == 32


def test_each_account_has_so_many_lines_of_each_kind(
    log: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "OF_ONE", 30)
    monkeypatch.setattr(access, "_OFTEN", 10)
    first = [
        replace(_LINE, method="POST", path="/sign-in", status=303, note="signed in: cust"),
        replace(_LINE, path="/export.csv", note="file"),
        replace(_LINE, account="boss"),
    ]
    for line in first:
        log.put(line)
    for _ in range(200):
        log.put(_LINE)
        log.put(replace(_LINE, path="/log", status=404, note="denied"))
    found = _lines(log)
    assert found[:3] == first
    assert 30 <= sum(line.path == "/due" and line.account == "cust" for line in found) <= 42
    assert 30 <= sum(line.note == "denied" for line in found) <= 42


def test_pages_are_answered_all_the_same(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(replace(place, state=str(shutil.copytree(place.state, tmp_path / "state"))))
    monkeypatch.setattr(looks, "AT_ONCE", 3)
    monkeypatch.setattr(looks, "A_MINUTE", 0)
    browser = site.browser("cust")
    before = len(_lines(site.house.access))
    for _ in range(12):
        assert browser.get("/due").status_code == 200
    assert browser.get("/pledges/demo-0").status_code == 404
    assert browser.get("/pledges/demo-2/findings.csv").status_code == 200
    form = {"csrf": browser.token("/password"), "old": PASSWORD, "new": "x", "again": "x"}
    assert browser.post("/password", form).status_code >= 400
    found = [(line.path, line.note) for line in _lines(site.house.access)[before:]]
    assert found[:3] == [("/due", "")] * 3
    counting = [note for path, note in found if path == "…"]
    assert sum(int(note.split()[0]) for note in counting) >= 9
    assert ("/pledges/demo-0", "denied") in found
    assert ("/pledges/demo-2/findings.csv", "file") in found
    assert [path for path, _ in found].count("/password") >= 1
