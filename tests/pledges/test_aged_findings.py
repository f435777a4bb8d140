"""What nobody looked at for too long has one word everywhere, and its customer is asked no look."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from collector import releases
from collector.cli.commands.pledge.findings import _table
from collector.cli.workflows.desk.noticing import Asked
from collector.cli.workflows.desk.noticing import made as notice
from collector.model import Result
from collector.pledges.register.register import Register
from collector.pledges.standing.found_now import lives_now
from collector.pledges.standing.status import Status, status
from tests.pledges.bundles import Signer
from tests.pledges.lives import captured, check
from tests.pledges.records import made

NOW = datetime.now(UTC)
HASH, FRESH = "encryption.password_hash", "backup.fresh"
PERIOD = {
    "from": (NOW - timedelta(days=300)).date().isoformat(),
    "until": (NOW + timedelta(days=300)).date().isoformat(),
}
ASKED = Asked(False, None, (NOW + timedelta(days=20)).date().isoformat(), "", "", None, check=False)


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    """One control that fails and one without proof are all that there is to look at."""
    known = releases.current()
    mine = {id: known.controls[id] for id in (HASH, FRESH)}
    small = dataclasses.replace(known, controls=MappingProxyType(mine))
    monkeypatch.setattr(releases, "current", lambda: small)
    monkeypatch.setattr(releases, "find", lambda _digest: small)
    (tmp_path / "r").mkdir()
    register = Register.open(str(tmp_path / "r"))
    register.add(made(id="one-1", resources={"hosts": ["web-01"]}, period=PERIOD))
    return register


def _looked(register: Register, tmp_path: Path, days: int) -> None:
    signer = Signer(tmp_path / "made")
    at = NOW - timedelta(days=days)
    check(register, "one-1", signer, captured("weak"), at, controls=(HASH, FRESH))


def _status(register: Register) -> Status:
    record, evidence = register.get("one-1"), register.evidence("one-1")
    return status(record, evidence, NOW, renewed=False, shown=lambda _: ())


def _why(found: Status) -> str:
    said = [r.en for entry in found.clauses for r in entry.reasons if "web-01" in r.en]
    return " | ".join(said)


@pytest.mark.parametrize(("days", "word"), [(200, Result.ERROR), (3, Result.NOTCHECKED)])
def test_status_and_findings_have_one_word(
    register: Register, tmp_path: Path, days: int, word: Result
) -> None:
    _looked(register, tmp_path, days)
    by_findings = {x.control: x.verdict for x in lives_now(register, register.get("one-1"), NOW)}
    assert by_findings == {HASH: Result.FAIL, FRESH: word}
    found = _status(register)
    assert {life.control: life.verdict for life in found.lives} == by_findings
    said = {Result.ERROR: "not verified", Result.NOTCHECKED: "no proof"}
    number = next(life.number for life in found.lives if life.control == FRESH)
    assert f"{said[word]}: {number}" in _why(found)
    assert "fail: D12" in _why(found)


def findings_of(register: Register) -> str:
    lives = lives_now(register, register.get("one-1"), NOW)
    return _table(lives, lives, NOW)


@pytest.mark.parametrize("days", [200, 3])
def test_a_notice_tells_what_was_found_and_not_that_nobody_looked(
    register: Register, tmp_path: Path, days: int
) -> None:
    _looked(register, tmp_path, days)
    given = notice(register, "one-1", ASKED, NOW, html=True)
    assert given is not None
    page = given.data.decode()
    assert "at least every 90 days" not in page
    assert "collect again as root" not in page
    assert "there is no data inventory, so it is not known which data must be backed up" in page
    assert ("were to be looked at again by" in page) is (days == 200)
    # the same word as everywhere, beside what the last look found
    assert ("last look: needs attestation" in page) is (days == 200)
    shown = findings_of(register)
    assert ("last look" in shown) is (days == 200)
