"""A bundle with the check before hardening: verify and replay cover both, and what is between."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from collector.attest.bundle import bag, redacted
from collector.attest.keys.keys import PrivateKey
from collector.attest.trust.trust_file import trust_of
from collector.errors import VerifyFailed
from collector.replay import replay
from collector.verify import open_bundle, verify
from tests import bundles, hardened
from tests.test_verify import sign_statement

KEY = PrivateKey.generate()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hardened.bundle(tmp_path_factory.mktemp("hardened"), KEY).path


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "bundle"))


def check(path: Path) -> None:
    with open_bundle(path) as opened:
        verify(opened, trust_of([KEY.public]))


def test_both_checks_verify_and_replay(made: Path) -> None:
    with open_bundle(made) as opened:
        found = verify(opened, trust_of([KEY.public]))
        again = replay(opened)
        assert opened.before is not None
        assert set(opened.before.names) == set(opened.names) == {"web-1", "gone"}
        assert opened.before.hardening["hosts"]["gone"]["untouched"]["en"]
    assert "the check before hardening too (2 host(s))" in " ".join(t.en for t in found.proven)
    assert again.same
    assert again.hosts == 2
    assert again.findings == 4 * len(opened.frame["controls"])
    predicate = found.statement["predicate"]
    assert predicate["run"] == "b" * 32
    assert predicate["before"]["run"] == "a" * 32
    assert predicate["before"]["period"]["to"] < predicate["period"]["from"]


@pytest.mark.parametrize(
    "name",
    [
        "before/evidence.json",
        "before/script.sh",
        "hardening.json",
        "before/captures/web-1.capture.gz",
    ],
)
def test_no_byte_of_before_changes_and_no_file_goes(copy: Path, name: str) -> None:
    place = copy / "data" / name
    data = place.read_bytes()
    place.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    bundles.reseal(copy)
    with pytest.raises(VerifyFailed):
        check(copy)
    place.unlink()
    bundles.reseal(copy)
    with pytest.raises(VerifyFailed):
        check(copy)


def _json(root: Path, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """What a signer who lies can do."""
    place = root / "data" / name
    document = json.loads(place.read_bytes())
    change(document)
    place.write_bytes(rfc8785.dumps(document))
    sign_statement(root, KEY, lambda _: None)


def _verdict(document: dict[str, Any]) -> None:
    step = document["hosts"]["web-1"]["steps"][0]
    step["verdict"] = "partial" if step["verdict"] != "partial" else "fail"


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("hardening.json", lambda d: d["hosts"].pop("gone"), "about other hosts than the checks"),
        ("hardening.json", _verdict, "another verdict than before"),
        (
            "hardening.json",
            lambda d: d["controls"].append("intrusion.nosuch"),
            "about other controls than the checks",
        ),
        ("hardening.json", lambda d: d.update(grade=4), "grade"),
        ("before/evidence.json", lambda d: d.update(grade=3), "another grade"),
        (
            "before/evidence.json",
            lambda d: d["hosts"]["web-1"].update(assessed_at="2026-11-25T13:30:00+00:00"),
            "another period",
        ),
        (
            "before/evidence.json",
            lambda d: d["clauses"]["2.4"].update(verdict="pass"),
            "do not follow from its findings",
        ),
        ("before/evidence.json", lambda d: d["hosts"].pop("gone"), "before/captures/gone"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    copy: Path, name: str, change: Callable[[dict[str, Any]], None], says: str
) -> None:
    _json(copy, name, change)
    with pytest.raises(VerifyFailed, match=says):
        check(copy)


def test_a_check_before_that_the_statement_does_not_name(copy: Path) -> None:
    sign_statement(copy, KEY, lambda d: d["predicate"].pop("before"))
    with pytest.raises(VerifyFailed, match="names no check before hardening"):
        check(copy)


def test_a_check_before_that_is_the_one_after(tmp_path: Path) -> None:
    """The same captures twice show nothing of hardening."""
    swapped = hardened.bundle(tmp_path, KEY, hardened.BEFORE)
    with pytest.raises(VerifyFailed, match="not another run"):
        check(swapped.path)


def test_later_before_than_after_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardened, "NOW", hardened.NOW + timedelta(hours=2))
    before, _ = hardened.checks()
    monkeypatch.undo()
    _, after = hardened.checks()
    monkeypatch.setattr(hardened, "checks", lambda _: (before, after))
    with pytest.raises(VerifyFailed, match="is older than this one"):
        check(hardened.bundle(tmp_path, KEY).path)


def test_the_bag_and_its_manifest_hold_both(made: Path) -> None:
    names = {name.removeprefix("data/") for name in bag.look(made).digests}
    assert {"before/evidence.json", "before/script.sh", "hardening.json"} <= names
    assert "before/captures/web-1.capture.gz" in names


def test_a_redacted_one_has_the_captures_of_neither_check(made: Path, tmp_path: Path) -> None:
    with open_bundle(made) as opened:
        redacted.write(opened.root, tmp_path / "r", opened.info)
    assert not list((tmp_path / "r").rglob("captures"))
    with open_bundle(tmp_path / "r") as opened:
        found = verify(opened, trust_of([KEY.public]))
        assert found.redacted
        assert opened.before is not None
