"""Hosts that a record declares since its newest evidence: what that proves is no pass for them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.pledges.database.rows import Evidence
from collector.pledges.record.form import from_document
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing import listing
from collector.pledges.standing.since import Since
from collector.scope import Part, Scope
from collector.web.pages import customer
from collector.web.reading.standings import standing_of
from tests.web.sites import Place, Site, filled, with_accounts

NOW = datetime.now(UTC)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    found = filled(tmp_path / "web")
    with_accounts(found.state)
    return found


def _declares(register: Register, hosts: list[str]) -> None:
    known = json.loads(register.get("demo-1").canonical())
    known["resources"]["hosts"] = hosts
    today = NOW.astimezone(CHINA).date()
    register.add(from_document(known, where="", today=today), update=True)


def _passing(one: Evidence) -> Evidence:
    """As one that judged all, and found nothing."""
    whole = Scope(3, {n: Part(1, 1) for n in listing.CLAUSES}, known=True)
    return replace(one, verdicts=dict.fromkeys(listing.CLAUSES, "pass"), scope=whole, absent=0)


def _listed(register: Register) -> listing.Listed:
    attached = {id: tuple(map(_passing, few)) for id, few in register.newest_evidence().items()}
    every = listing.listed(register.briefs(NOW), attached, NOW, timedelta(0), {})
    return next(one for one in every if one.record.id == "demo-1")


def test_a_list_says_no_pass_of_hosts_that_nobody_looked_at(own: Place) -> None:
    register = Register.open(own.register)
    assert [_listed(register).verdict(n) for n in listing.CLAUSES] == ["pass"] * 3
    assert standing_of(_listed(register)) == "kept"
    _declares(register, ["web-01", "web-02", "web-03"])
    one = _listed(register)
    assert one.unseen == {"web-02", "web-03"}
    assert [one.verdict(n) for n in listing.CLAUSES] == ["error"] * 3
    assert standing_of(one) == "unverified"
    _declares(register, ["elsewhere"])
    assert _listed(register).verdict("2.4") == "error"
    # fewer than were looked at are looked at all
    _declares(register, ["web-01"])
    assert _listed(register).verdict("2.4") == "pass"


def test_nor_does_the_head_of_the_page(own: Place) -> None:
    site = Site(own)
    _declares(Register.open(own.register), ["web-01", "web-02"])
    known = site.house.customer.dossier("demo-1", NOW, None, "en")
    passing = replace(known, evidence=tuple(map(_passing, known.evidence)))
    assert passing.unproven
    assert passing.standing in ("unverified", "broken")
    answers = customer._answers(passing, None, "en", readable=True)
    assert {str(one["result"]) for one in answers} <= {"error", "fail"}


def test_nor_after_the_register_was_restored(
    own: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which hosts were looked at is in no backup."""
    register = Register.open(own.register)
    _declares(register, ["web-01", "web-02"])
    before = Since().counted(register, register.newest_evidence(), NOW)["demo-1"][-1]
    assert "web-02" not in (before.hosts or ())
    with sqlite3.connect(own.register) as table:
        table.execute("DELETE FROM sightings")
    assert register.newest_evidence()["demo-1"][-1].hosts is None
    after = Since().counted(register, register.newest_evidence(), NOW)["demo-1"][-1]
    assert after.hosts == before.hosts
    # where the bundle cannot be read either, nobody knows
    after.path.rename(tmp_path / "elsewhere")
    after = Since().counted(register, register.newest_evidence(), NOW)["demo-1"][-1]
    assert after.hosts == frozenset()
