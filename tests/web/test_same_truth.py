"""What a page says of a pledge is what the commands say of it."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from tests.web.sites import Place, Site


def _told(place: Place, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "collector", *words, "--register", place.register, "--lang", "en"],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.stdout.lstrip("\ufeff")


@cache
def _list(place: Place) -> str:
    return _told(place, "pledge", "list", "--format", "csv")


def _rows(text: str) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert rows
    return rows


def _plain(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def test_states_and_verdicts_are_those_of_the_list(place: Place, site: Site) -> None:
    listed = json.loads(_told(place, "pledge", "list", "--format", "json"))["pledges"]
    assert {one["id"] for one in listed} == {"demo-0", "demo-1", "demo-2", "demo-3"}
    for one in listed:
        row = site.house.rows.one(one["id"])
        assert row is not None
        assert row["life"] == one["state"]
        assert row["until"] == (one.get("until") or row["until"])
    for told in _rows(_list(place)):
        row = site.house.rows.one(told["id"])
        assert row is not None
        for clause, column in (("2.2", "c22"), ("2.3", "c23"), ("2.4", "c24")):
            assert row[column] == told[f"clause_{clause}"], (told["id"], clause)


def test_the_export_of_a_page_is_that_of_the_command(place: Place, site: Site) -> None:
    page = site.browser("boss").get("/export.csv?life=all&lang=en")
    assert page.headers["content-type"].startswith("text/csv")
    assert _rows(page.text) == _rows(_list(place))


@pytest.mark.parametrize("id", ["demo-0", "demo-1", "demo-3"])
def test_every_clause_stands_as_the_command_says(place: Place, site: Site, id: str) -> None:
    told: dict[str, Any] = json.loads(_told(place, "pledge", "status", id, "--format", "json"))
    dossier = site.house.customer.dossier(id, datetime.now(UTC), None, "en")
    assert [
        (c.clause.id, c.state, str(c.verdict) if c.verdict else None)
        for c in dossier.status.clauses
    ] == [(c["clause"], c["state"], c["verdict"]) for c in told["clauses"]]
    assert dossier.status.satisfied == told["satisfied"]
    page = _plain(site.browser("boss").get(f"/pledges/{id}?lang=en").text)
    for clause in told["clauses"]:
        if "." not in clause["clause"].split(".", 1)[1]:
            for reason in clause["reasons"]:
                assert " ".join(reason.split()) in page, reason


def test_findings_are_those_of_the_command(place: Place, site: Site) -> None:
    page = site.browser("eng").get("/pledges/demo-0/findings.csv?lang=en")
    told = _told(place, "pledge", "findings", "demo-0", "--all", "--format", "csv")
    key = ("host", "control", "verdict", "state", "owner", "due", "note")

    def of(text: str) -> list[tuple[str, ...]]:
        return sorted(tuple(row[k] for k in key) for row in _rows(text))

    assert of(page.text) == of(told)
