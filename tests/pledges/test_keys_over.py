"""Evidence that is remembered, and whose key is over since: it counts no more than for anybody."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.attest.bundle.evidence import PledgeReference
from collector.attest.keys import keys
from collector.attest.trust import keyring
from collector.attest.trust.trust_file import Trust
from collector.cli.workflows.hand_over import of_export
from collector.pledges.database.rows import Evidence, few_of
from collector.pledges.register.attach import attach
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.register.register import Register
from collector.pledges.register.signers import Signers
from collector.pledges.standing.due import due
from collector.pledges.standing.standing import standing
from collector.scope import Part, Scope
from tests.cli.running import hostpledge
from tests.pledges.bundles import Signer
from tests.pledges.lives import CONTROLS, captured, check, few
from tests.pledges.records import made
from tests.pledges.test_against_log import ID, Home
from tests.pledges.test_follow_ups import EMPTY, second_root

__all__ = ["few"]

NOW = datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HOSTPLEDGE_REGISTER", raising=False)
    monkeypatch.delenv("HOSTPLEDGE_TRUST", raising=False)
    found = Home(tmp_path)
    assert found.listed()[2] == ""
    return found


def _refused(home: Home, id: str = ID) -> list[str]:
    return [one.refused for one in Register.open(str(home.register.where)).evidence(id)]


def _is_over(home: Home, said: str) -> None:
    """Lists, one pledge and the register itself say the same."""
    status, listed, err = home.listed()
    assert (status, len(err.splitlines())) == (2, 1), err
    assert said in err
    assert set(listed[ID]["proven"].values()) == {"error"}
    assert listed[ID]["proof"] is False
    shown = json.loads(home("status", ID, "--format", "json").out)
    told = {c["clause"]: c for c in shown["clauses"]}
    for clause in ("responsibility.2.2", "responsibility.2.4", "pledge.4"):
        assert told[clause]["verdict"] == "error"
        assert any(said in reason for reason in told[clause]["reasons"]), told[clause]
    assert said in " ".join(home("list").out.split())


def test_a_key_of_ones_own_that_was_revoked(home: Home) -> None:
    assert _refused(home) == ["", ""]
    keyring.revoke("default")
    assert all("revoked" in why for why in _refused(home))
    _is_over(home, "signed by the key default, revoked")


def test_what_it_signed_closes_nothing_and_the_report_says_so(home: Home) -> None:
    register = Register.open(str(home.register.where))
    before = json.loads(home("findings", ID, "--all", "--format", "json").out)["findings"]
    keyring.revoke("default")
    after = json.loads(home("findings", ID, "--all", "--format", "json").out)["findings"]
    assert {f["state"] for f in after} <= {"open", "waived"}
    assert len(after) >= len([f for f in before if f["state"] != "closed"])
    page = of_export(register, ID)["report.html"].decode()
    answers = page[page.index('class="answers"') : page.index('class="facts"')]
    assert "Not verified" in answers
    assert "signed by the key default, revoked" in answers
    assert "Kept" not in answers
    assert "Broken" not in answers


def test_by_the_trust_that_is_named(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = Trust(tuple(replace(key, revoked_at=NOW) for key in home.trust.keys))
    named = tmp_path / "trust.json"
    named.write_bytes(over.to_bytes())
    monkeypatch.setenv("HOSTPLEDGE_TRUST", str(named))
    assert all("revoked" in why for why in _refused(home))
    named.write_bytes(home.trust.to_bytes())
    assert _refused(home) == ["", ""]
    named.write_text("{")
    assert all(_refused(home)), "whom the user trusts nobody knows"


def test_a_register_that_is_open_sees_it(home: Home) -> None:
    register = Register.open(str(home.register.where))
    assert register.evidence(ID)[-1].refused == ""
    keyring.revoke("default")
    assert "revoked" in register.evidence(ID)[-1].refused
    assert all(one.refused for one in register.all_evidence()[ID])
    few, doubts = register.newest_and_doubts()
    assert [one.word("2.2") for one in few[ID] if "2.2" in one.verdicts] == ["error"] * len(few[ID])
    assert len(doubts) == 1
    found = standing(made(), register.evidence(ID), NOW, renewed=False)
    assert str(next(c for c in found if c.clause.id == "responsibility.2.2").verdict) == "error"


def test_what_another_key_signs_after_that_counts(home: Home, tmp_path: Path) -> None:
    """Nor does it stop the work: the next evidence is attached to what is over."""
    keyring.revoke("default")
    keyring.new("next", "p256", None)
    signer = Signer(tmp_path / "next")
    signer.key = keys.load(keyring.path_of("next"))
    third = signer.make("third", home.register.reference(ID))
    attach(home.register, ID, third.path, keyring.trust())
    assert [bool(why) for why in _refused(home)] == [True, True, False]
    assert home.listed()[0] == 0


def test_a_key_that_ended_after_it_was_attached(home: Home) -> None:
    """The log that the user knows shows that it was there: as `--proof` of it does."""
    keyring.rotate("default", "p256", None)
    assert _refused(home) == ["", ""]
    trust = keyring.trust()
    early = NOW - timedelta(days=300)
    ended = tuple(replace(k, valid_from=None, valid_until=early) for k in trust.keys)
    (keyring.folder() / keyring.TRUST).write_bytes(Trust(ended).to_bytes())
    assert all("end" in why for why in _refused(home))


def test_a_name_that_was_put_into_a_bundle_is_not_its_signer(home: Home) -> None:
    """The key in an envelope is no part of what is signed."""
    keyring.rotate("default", "p256", None)
    (newer,) = (key for key in keyring.trust().keys if key.valid_until is None)
    place = home.register.evidence(ID)[-1].path / "data" / "bundle.sigstore.json"
    text = place.read_text()
    place.chmod(0o600)
    place.write_text(text.replace(home.trust.keys[0].keyid, newer.keyid))
    for key in keyring.trust().keys:
        if key.valid_until is not None:
            keyring.revoke(key.name)
    assert all(_refused(home))


def test_a_bundle_that_lies_elsewhere(home: Home) -> None:
    keyring.revoke("default")
    place = home.register.evidence(ID)[-1].path
    place.rename(place.with_name("elsewhere"))
    assert "may have signed it" in _refused(home)[-1]


def test_an_older_bundle_of_a_revoked_key_takes_nothing_from_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for whom attached them, nor for whom the register is new."""
    named = tmp_path / "trust.json"
    monkeypatch.setenv("HOSTPLEDGE_TRUST", str(named))
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    stolen, good = Signer(tmp_path / "stolen"), Signer(tmp_path / "good")
    both = Trust((*stolen.trust.keys, *good.trust.keys))
    named.write_bytes(both.to_bytes())
    register = Register.open(str(tmp_path / "register.sqlite"))
    register.add(made(id=ID))
    for number, signer in enumerate((stolen, good), 1):
        last = register.evidence(ID)
        pledge = PledgeReference(ID, number, last[-1].digest if last else None)
        attach(register, ID, signer.make(f"b{number}", pledge).path, both)
    over = Trust((*(replace(key, revoked_at=NOW) for key in stolen.trust.keys), *good.trust.keys))
    named.write_bytes(over.to_bytes())
    for home in ("home", "of-another"):
        monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / home))
        for opened in (Register.open, ReadOnlyRegister.open_read_only):
            found = opened(str(tmp_path / "register.sqlite"))
            assert [bool(one.refused) for one in found.every_evidence(ID)] == [True, False]
            assert found.newest_and_doubts()[1] == []


def test_an_older_whole_one_counts_where_a_newer_ones_key_is_over(tmp_path: Path) -> None:
    """Lists, what is due and mail say by the same evidence as the status of one pledge."""
    old, part, new = (_row(n, days, whole=n != 3) for n, days in ((1, 9), (3, 1), (2, 5)))
    refused = replace(new, refused="revoked")
    held = few_of((old, refused, part))
    assert [one.sequence for one in held] == [1, 3]
    assert [one.sequence for one in few_of((old, new, part))] == [2, 3]
    known = made(id=ID)
    found = [
        {d.kind for d in due(known, rows, NOW, within=timedelta(0), renewed=False, lives=())}
        for rows in (held, (old, refused, part))
    ]
    assert found[0] == found[1]
    assert "evidence" not in found[0]


def _row(sequence: int, days: int, *, whole: bool) -> Evidence:
    at = NOW - timedelta(days=days)
    scope = Scope(3, {n: Part(1, 1 if whole else 2) for n in ("2.2", "2.3", "2.4")})
    return Evidence(
        ID, sequence, f"{sequence:064d}", None, at, at, at, {}, Path("x"), scope,
        hosts=frozenset(made(id=ID).hosts),
    )  # fmt: skip


@pytest.mark.usefixtures("few")
def test_a_register_looks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two whole ones the newer is in force; once its key is over, the older is found."""
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HOSTPLEDGE_TRUST", raising=False)
    (tmp_path / "r").mkdir()
    register = Register.open(str(tmp_path / "r"))
    register.add(made(id="two-2", resources={"hosts": ["web-01"]}))
    mine, other = (Signer(tmp_path / name) for name in ("mine", "other"))
    both = Trust((*other.trust.keys, *mine.trust.keys))
    looks = ((mine, 9, CONTROLS), (other, 5, CONTROLS), (mine, 1, CONTROLS[:2]))
    for signer, days, some in looks:
        at = NOW - timedelta(days=days)
        check(register, "two-2", signer, captured("hardened"), at, controls=some, trust=both)
    before = register.newest_evidence()["two-2"]
    assert [row.sequence for row in before] == [2, 3]
    over = tuple(replace(key, revoked_at=NOW) for key in other.trust.keys)
    Signers(register.where).learn(Trust(over))
    now = Register.open(str(tmp_path / "r")).newest_evidence()["two-2"]
    assert [row.sequence for row in now if row.whole and not row.refused] == [1]


@pytest.mark.parametrize(("first", "word"), [("bad", "fail"), ("good", "error")])
def test_what_a_look_that_counts_found_failing_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, word: str
) -> None:
    """What a revoked key signed after it neither mends it, nor breaks anything itself."""
    named = tmp_path / "trust.json"
    monkeypatch.setenv("HOSTPLEDGE_TRUST", str(named))
    register = Register.open(str(tmp_path / "register.sqlite"))
    period = {"from": "2026-01-01", "until": (NOW + timedelta(days=60)).date().isoformat()}
    register.add(made(id=ID, resources={"hosts": ["web-01"]}, period=period))
    mine, other = (Signer(tmp_path / name) for name in ("mine", "other"))
    both = Trust((*other.trust.keys, *mine.trust.keys))
    looks = {"bad": second_root("c"), "good": captured("hardened")}
    order = sorted(looks, key=lambda name: name != first)
    for name, signer, days in zip(order, (mine, other), (9, 5), strict=True):
        at = NOW - timedelta(days=days)
        check(register, ID, signer, looks[name], at, controls=(*CONTROLS, EMPTY), trust=both)
    over = tuple(replace(key, revoked_at=NOW) for key in other.trust.keys)
    named.write_bytes(Trust((*over, *mine.trust.keys)).to_bytes())

    def told(*words: str) -> Any:
        at = ("--register", str(tmp_path / "register.sqlite"), "--format", "json")
        given = {"HOSTPLEDGE_TRUST": str(named)}
        return json.loads(hostpledge("pledge", *words, *at, home=tmp_path / "home", **given).out)

    (listed,) = told("list")["pledges"]
    assert listed["proven"]["2.2"] == word
    assert [one["id"] for one in told("list", "--veto")["pledges"]] == [ID] * (word == "fail")
    clauses = {one["clause"]: one["verdict"] for one in told("status", ID)["clauses"]}
    assert clauses["responsibility.2.2"] == word
