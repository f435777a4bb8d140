"""A signer whose key is trusted, and who wants a clean-looking green."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from collector import catalog
from collector.attest.bundle.evidence import waiver_entry
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import trust_of
from collector.errors import VerifyFailed
from collector.model import Result, Waiver
from collector.verify import Verification, open_bundle, verify
from tests import bundles
from tests.counts import AT_2
from tests.signers import EVIDENCE, green, keeping, lie, sign

SEVEN = [c.id for c in catalog.select() if c.clause == "2.2"][:7]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PrivateKey]:
    key = PrivateKey.generate()
    made, _ = bundles.make(tmp_path_factory.mktemp("made"), [bundles.capture("web-1")], key)
    return made.path, key


@pytest.fixture
def copy(whole: tuple[Path, PrivateKey], tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole[0], tmp_path / "copy"))


@pytest.fixture
def key(whole: tuple[Path, PrivateKey]) -> PrivateKey:
    return whole[1]


def verified(path: Path, key: PrivateKey, now: datetime | None = None) -> Verification:
    with open_bundle(path) as opened:
        return verify(opened, trust_of([key.public]), now=now)


def unproven(found: Verification) -> str:
    return "\n".join(text.en for text in found.unproven)


def test_what_is_whole_is_whole(whole: tuple[Path, PrivateKey]) -> None:
    found = verified(*whole)
    assert found.scope.whole
    assert found.scope.said().en == f"{AT_2} of {AT_2} controls"
    assert not found.strange
    assert found.to_json()["clauses"] == found.statement["predicate"]["clauses"]
    assert "Scope:" not in unproven(found)


@pytest.mark.parametrize("told", [True, False], ids=["new", "as before scopes were told"])
def test_fifty_controls_left_out_prove_nothing(copy: Path, key: PrivateKey, *, told: bool) -> None:
    def change(document: dict[str, Any]) -> None:
        keeping(SEVEN)(document)
        green(document)

    lie(copy, key, change, told=told)
    found = verified(copy, key)
    assert found.statement["predicate"]["clauses"]["2.2"] == ("error" if told else "pass")
    assert found.clauses == {
        "2.2": Result.ERROR,
        "2.3": Result.NOTCHECKED,
        "2.4": Result.NOTCHECKED,
    }
    assert found.scope.said().en == f"7 of {AT_2} controls"
    assert found.scope.unproven == ("2.2",)
    assert found.unproven[0].en.startswith(
        f"Scope: no proof of 二(二): 7 of {AT_2} controls judged"
    )
    assert found.unproven[0].zh.startswith(f"不能证明二(二)：只判定了 {AT_2} 项核查项中的 7 项")
    assert not found.to_json()["scope"]["whole"]


def test_one_control_left_out_is_enough_to_prove_its_clause_no_more(
    copy: Path, key: PrivateKey
) -> None:
    left = [c.id for c in catalog.select() if c.id != "antivirus.realtime"]

    def change(document: dict[str, Any]) -> None:
        keeping(left)(document)
        green(document)

    lie(copy, key, change, told=False)
    found = verified(copy, key)
    assert found.clauses["2.2"] is Result.ERROR
    assert found.clauses["2.4"] is Result.PASS
    assert found.scope.unproven == ("2.2",)


def test_a_scope_that_claims_more_than_there_is_is_refused(copy: Path, key: PrivateKey) -> None:
    lie(copy, key, keeping(SEVEN))
    place = copy / EVIDENCE
    document = json.loads(place.read_bytes())
    for part in (document["scope"], *document["scope"]["clauses"].values()):
        part["of"] = part["judged"]
    _store(copy, key, document)
    with pytest.raises(VerifyFailed, match="its scope does not follow from its controls"):
        verified(copy, key)


def test_a_statement_of_another_scope_is_refused(copy: Path, key: PrivateKey) -> None:
    document = json.loads((copy / EVIDENCE).read_bytes())
    sign(copy, key, document, scope={**document["scope"], "absent": ["db-1"]})
    with pytest.raises(VerifyFailed, match="the signed statement says another scope"):
        verified(copy, key)


def _store(root: Path, key: PrivateKey, document: dict[str, Any]) -> None:
    (root / EVIDENCE).write_bytes(rfc8785.dumps(document))
    sign(root, key, document)


def _each(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Says another thing of the first control, in its entry and in its findings alike."""

    def change(document: dict[str, Any]) -> None:
        id = "antivirus.running"
        document["controls"][id][name] = value
        for entry in document["hosts"].values():
            for finding in entry["findings"]:
                if finding["control"] == id and name in finding:
                    finding[name] = value

    return change


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("severity", "low"),
        ("veto", False),
        ("clause", "2.3"),
        ("number", "M99"),
        ("family", "backup"),
        ("sha256", "0" * 64),
    ],
)
def test_what_verdicts_follow_from_is_the_releases(
    copy: Path, key: PrivateKey, name: str, value: object
) -> None:
    lie(copy, key, _each(name, value))
    with pytest.raises(VerifyFailed, match=f"that it names has another {name}"):
        verified(copy, key)


def test_a_control_of_the_signers_own_is_refused(copy: Path, key: PrivateKey) -> None:
    def change(document: dict[str, Any]) -> None:
        document["controls"]["antivirus.mine"] = document["controls"]["antivirus.running"]
        for entry in document["hosts"].values():
            mine = next(f for f in entry["findings"] if f["control"] == "antivirus.running")
            entry["findings"].append({**mine, "control": "antivirus.mine"})

    lie(copy, key, change)
    with pytest.raises(VerifyFailed, match=r"antivirus\.mine: .* has no such control"):
        verified(copy, key)


def test_a_control_of_another_grade_is_refused(copy: Path, key: PrivateKey) -> None:
    """Else two controls of grade 3 could stand in for two that were left out."""
    strict = next(c for c in catalog.select((), 3) if 2 not in c.grades)

    def change(document: dict[str, Any]) -> None:
        document["controls"][strict.id] = {
            **document["controls"]["antivirus.running"],
            "sha256": strict.digest,
        }
        for entry in document["hosts"].values():
            mine = next(f for f in entry["findings"] if f["control"] == "antivirus.running")
            entry["findings"].append({**mine, "control": strict.id})

    lie(copy, key, change)
    with pytest.raises(VerifyFailed, match="has no such control at this grade"):
        verified(copy, key)


def test_titles_criteria_and_messages_of_the_signers_own_are_told(
    copy: Path, key: PrivateKey
) -> None:
    def change(document: dict[str, Any]) -> None:
        about = document["controls"]
        about["antivirus.running"]["title"]["en"] = "All is well"
        about["logging.retention_observed"]["criterion"]["zh"] = "日志至少保留 30 天"
        finding = next(iter(document["hosts"].values()))["findings"][0]
        finding["message"]["en"] = "Nothing to be mended"
        finding["expected"]["en"] = "logs are kept for 30 days"
        finding["remediation"]["zh"] = "无需整改"

    lie(copy, key, change)
    found = verified(copy, key)
    first = json.loads((copy / EVIDENCE).read_bytes())["hosts"]["web-1"]["findings"][0]["control"]
    assert set(found.strange) == {
        "antivirus.running title",
        "logging.retention_observed criterion",
        f"{first} message",
        f"{first} expected",
        f"{first} remediation",
    }
    assert "5 text(s) are not those of the release it names, but the signer's own" in unproven(
        found
    )
    assert found.to_json()["strange_texts"] == list(found.strange)


def test_a_release_that_nobody_knows_is_never_silently_fine(copy: Path, key: PrivateKey) -> None:
    """Else any signer could name one, with as few controls as he likes."""

    def change(document: dict[str, Any]) -> None:
        keeping(SEVEN)(document)
        green(document)
        document["catalog_sha256"] = "ab" * 32

    lie(copy, key, change, told=False)
    found = verified(copy, key)
    assert not found.scope.known
    assert set(found.clauses.values()) == {Result.ERROR, Result.NOTCHECKED}
    assert "made by a release that is not known here" in found.unproven[0].en
    assert not found.to_json()["scope"]["known"]


def test_an_unknown_release_that_tells_its_scope_still_verifies(
    copy: Path, key: PrivateKey
) -> None:
    """As evidence of a newer hostpledge does: its maker narrowed its clauses by what it knew."""
    document = json.loads((copy / EVIDENCE).read_bytes())
    document["catalog_sha256"] = "ab" * 32
    _store(copy, key, document)
    found = verified(copy, key)
    assert found.scope.said().en == f"{AT_2} of {AT_2} controls"
    assert not found.scope.whole


def test_a_host_that_is_in_it_is_not_missing(copy: Path, key: PrivateKey) -> None:
    document = json.loads((copy / EVIDENCE).read_bytes())
    document["scope"]["absent"] = ["web-1"]
    _store(copy, key, document)
    with pytest.raises(VerifyFailed, match="web-1 is in it, and said to be missing"):
        verified(copy, key)


def test_waivers_are_the_signers_word(tmp_path: Path) -> None:
    waiver = Waiver(
        "antivirus.running", "*", "none needed", "nobody", datetime.now(UTC) + timedelta(days=9)
    )
    key = PrivateKey.generate()
    made, _ = bundles.make(tmp_path, [bundles.capture("web-1")], key, waivers=[waiver])
    assert waiver_entry(waiver)["approver"] == "nobody"
    said = unproven(verified(made.path, key))
    assert "1 waiver(s) were approved: the signer says so" in said
    assert "antivirus.running @ * (nobody)" in said


def test_a_clause_of_which_nothing_applies_is_told(copy: Path, key: PrivateKey) -> None:
    def change(document: dict[str, Any]) -> None:
        for entry in document["hosts"].values():
            for finding in entry["findings"]:
                finding["verdict"] = "notapplicable"

    lie(copy, key, change)
    said = unproven(verified(copy, key))
    assert "二(二): all its 25 finding(s) are “not applicable”" in said


def test_what_was_never_read_is_told(tmp_path: Path) -> None:
    """Quotes are held to the capture; a signer who quotes nothing was never asked for a read."""
    whole = bundles.capture("web-1")
    left = {id: read for id, read in whole.reads.items() if not id.startswith("accounts.")}
    key = PrivateKey.generate()
    made, _ = bundles.make(tmp_path, [replace(whole, reads=left)], key)

    def change(document: dict[str, Any]) -> None:
        green(document)
        for entry in document["hosts"].values():
            for finding in entry["findings"]:
                finding["evidence"] = []

    lie(made.path, key, change)
    said = unproven(verified(made.path, key))
    count = len(whole.reads) - len(left)
    assert f"What follows from {count} read(s) of the script that ran and are not in the" in said


@pytest.mark.parametrize(
    ("ahead", "what"),
    [(timedelta(days=-400), ["looked_at", "made_at"]), (timedelta(minutes=-3), [])],
)
def test_a_time_to_come_is_told(
    whole: tuple[Path, PrivateKey], ahead: timedelta, what: list[str]
) -> None:
    path, key = whole
    found = verified(path, key, verified(path, key).made_at + ahead)
    assert [one.what for one in found.ahead] == what
    assert ("yet to come" in unproven(found)) == bool(what)


def test_a_waiver_that_stands_at_a_finding_alone_is_refused(copy: Path, key: PrivateKey) -> None:
    """It would soften its clause, and whoever looks at the list of waivers would not see it."""

    def change(document: dict[str, Any]) -> None:
        for entry in document["hosts"].values():
            for finding in entry["findings"]:
                finding["verdict"] = "fail"
                finding["waiver"] = {
                    "reason": "r",
                    "approver": "a",
                    "expires": "2099-01-01T00:00:00+00:00",
                    "expired": False,
                }

    lie(copy, key, change)
    with pytest.raises(VerifyFailed, match="a waiver that it does not list"):
        verified(copy, key)


def test_one_machine_under_two_names_is_told(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    made, _ = bundles.make(tmp_path, [bundles.capture("web-1"), bundles.capture("db-1")], key)
    assert "That 2 host(s) are each a machine of their own" in unproven(verified(made.path, key))
