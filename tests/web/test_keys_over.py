"""A key that was revoked while the page is there: what it signed is no pass from then on."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.attest.trust.trust_file import Trust
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.web.pages import customer
from collector.web.reading import broken
from tests.web.sites import Place, Site, filled, with_accounts
from tests.web.test_declared_since import _listed, _passing

NOW = datetime.now(UTC)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    named = tmp_path / "trust.json"
    monkeypatch.setenv("HOSTPLEDGE_TRUST", str(named))
    found = filled_with(tmp_path / "web", named)
    with_accounts(found.state)
    return found


def filled_with(folder: Path, named: Path) -> Place:
    named.write_bytes(Trust().to_bytes())
    found = filled(folder)
    named.write_bytes(found.signer.trust.to_bytes())
    return found


def _revoke(own: Place) -> None:
    over = tuple(replace(key, name="bo", revoked_at=NOW) for key in own.signer.trust.keys)
    Path(os.environ["HOSTPLEDGE_TRUST"]).write_bytes(Trust(over).to_bytes())


def _words(site: Site) -> dict[str, set[str]]:
    rows = csv.DictReader(io.StringIO(site.browser("boss").get("/export.csv?life=all").text[1:]))
    return {row["id"]: {row[f"clause_{n}"] for n in ("2.2", "2.3", "2.4")} for row in rows}


def test_no_page_says_that_it_passes(own: Place) -> None:
    site, register = Site(own), Register.open(own.register)
    assert {_listed(register).verdict(n) for n in ("2.2", "2.3", "2.4")} == {"pass"}
    before = _words(site)
    _revoke(own)
    site.house.index.renew()
    assert _words(site) == {
        id: {"error"} if id != "demo-3" else words for id, words in before.items()
    }
    assert {_listed(register).verdict(n) for n in ("2.2", "2.3", "2.4")} == {"error"}
    known = site.house.customer.dossier("demo-1", NOW, None, "en")
    passing = replace(known, evidence=tuple(map(_passing, known.evidence)))
    assert passing.standing == "unverified"
    answers = customer._answers(passing, None, "en", readable=True)
    assert {str(one["result"]) for one in answers} == {"error"}
    page = site.browser("boss").get("/pledges/demo-1?lang=en").text
    assert "signed by the key bo, revoked" in page
    assert site.house.index.said("months")[-1]["unverified"] == 3


def test_what_was_read_of_bundles_is_read_anew_once_a_key_is_over(
    own: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which look stands for a host depends on whose signature counts: of any of its evidence."""
    register = Register.open(own.register)
    one, looked = _listed(register), ReadOnlyRegister.open_read_only(own.register)
    rows = register.every_evidence("demo-1")
    asked: list[object] = []

    def read(*given: object) -> bool:
        asked.append(given)
        return False

    monkeypatch.setattr(broken, "may_be", lambda *_, **__: True)
    monkeypatch.setattr(broken, "_read", read)
    known = broken.Broken()
    over = replace(rows[0], refused="revoked")
    for held in (rows, rows, (over, *rows[1:]), rows):
        known.is_broken(looked, one, "digest", held, NOW)
    assert len(asked) == 3
