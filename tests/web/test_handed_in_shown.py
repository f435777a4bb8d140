"""What was handed in is shown as that for as long as anything of it is shown."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.attest.bundle.provenance import is_collected
from collector.cli.commands.pledge.tables import list_json, list_table
from collector.pledges.register.register import Register
from collector.pledges.standing import listing
from collector.pledges.standing.newest_looks import newest_looks
from collector.pledges.standing.since import Since
from collector.report.model import listed as columns
from tests.web.sites import Place, filled, with_accounts
from tests.web.test_declared_since import _passing

NOW = datetime.now(UTC)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    found = filled(tmp_path / "web")
    with_accounts(found.state)
    return found


def _cells(one: Any) -> dict[str, Any]:
    return dict(zip(columns.titles("en"), columns.row(one, "en"), strict=True))


_RUN = {"nonce": "n" * 32}
_COLLECTED = {"transport": "ansible", "run": "n" * 32}
_GIVEN = {"transport": "handed-in"}


def _document(origin: dict[str, Any], run: dict[str, Any] | None, *controls: str) -> dict[str, Any]:
    findings = [{"control": c, "clause": "2.3", "verdict": "pass"} for c in controls]
    entry = {"status": "complete", "origin": origin, "findings": findings}
    return {"controls": {}, "hosts": {"web1": entry}, "run": run}


def test_a_run_of_a_part_does_not_hide_that_the_rest_was_handed_in() -> None:
    given = _document(_GIVEN, None, "a", "b")
    part, all_ = (_document(_COLLECTED, _RUN, *c) for c in (["a"], ["a", "b"]))
    assert is_collected(_COLLECTED, _RUN) and not is_collected(_GIVEN, None)
    found = newest_looks([(3, part, False), (2, given, True)], ("web1",))
    assert found.seen == {("web1", "a"): 3, ("web1", "b"): 2}
    assert found.handed_in == {"web1"}
    # nothing of it is shown any more
    found = newest_looks([(3, all_, False), (2, given, True)], ("web1",))
    assert found.handed_in == frozenset()


def test_lists_say_of_how_many_hosts_it_stands_now(own: Place) -> None:
    """The newest evidence is a run of a part, and the rest of what stands was handed in."""
    register = Register.open(own.register)
    rows = register.newest_evidence()["demo-0"]
    part = {"demo-0": (*rows[:-1], replace(rows[-1], handed_in=0))}
    counted = Since().counted(register, part, NOW)
    (one,) = (
        x
        for x in listing.listed(register.briefs(NOW), counted, NOW, timedelta(0), {})
        if x.record.id == "demo-0"
    )
    assert not rows[-1].whole
    assert one.handed_in == 1
    assert _cells(one)["handed_in"] == 1
    assert "1 capture(s) handed in" in " ".join(list_table([one]).split())
    assert json.loads(list_json([one], [one]))["pledges"][0]["handed_in"] == 1
    asked = listing.Wanted(given=True)
    assert asked.holds(one, NOW.date())
    collected = replace(one, evidence=[replace(rows[-1], handed_in=0, handed_in_now=0)])
    assert collected.handed_in == 0 and not asked.holds(collected, NOW.date())
    assert not asked.holds(replace(one, evidence=[]), NOW.date())
    # by the row alone nobody can tell where a bundle is gone
    shutil.rmtree(rows[-1].path)
    counted = Since().counted(register, part, NOW)
    told = replace(one, evidence=counted["demo-0"])
    assert told.handed_in is None and asked.holds(told, NOW.date())
    assert _cells(told)["handed_in"] == ""
    # and of a whole one its own count stands
    whole = {"demo-0": (*rows[:-1], _passing(rows[-1]))}
    assert replace(one, evidence=Since().counted(register, whole, NOW)["demo-0"]).handed_in == 1
