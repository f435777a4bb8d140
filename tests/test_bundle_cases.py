"""Every case of tests/bundles is refused for its own reason, and what is good verifies."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from collector import schema
from collector.errors import BadInput, VerifyFailed
from collector.faults import first_fault
from collector.verify import open_bundle, verify
from tests import bundle_cases as cases


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return cases.good(tmp_path_factory.mktemp("base"))


@pytest.fixture(autouse=True)
def _compiled_and_explaining_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a case holds, the two readings of a schema say the same of it."""
    quick = schema._fits

    def both(validator: jsonschema_rs.Validator, document: Any) -> bool | None:
        fits = quick(validator, document)
        assert fits is (first_fault(document, *named[id(validator)]) is None)
        return fits

    def note(name: str, part: str | None = None) -> jsonschema_rs.Validator:
        found = real(name, part)
        named[id(found)] = (name, part)
        return found

    named: dict[int, tuple[str, str | None]] = {}
    real = schema.validator
    monkeypatch.setattr(schema, "validator", note)
    monkeypatch.setattr(schema, "_fits", both)


def _stage(base: dict[str, Path], begin: str, tmp_path: Path) -> cases.Stage:
    for name, path in base.items():
        shutil.copytree(path, tmp_path / name)
    return cases.Stage(tmp_path / begin, cases.trust(base["plain"].parent))


def _check(stage: cases.Stage) -> None:
    with open_bundle(stage.path) as opened:
        verify(opened, stage.trust, now=stage.now)


@pytest.mark.parametrize("name", cases.names())
def test_a_case(name: str, base: dict[str, Path], tmp_path: Path) -> None:
    about = cases.case(name)
    stage = _stage(base, about.get("begin", "plain"), tmp_path)
    cases.play(stage, about)
    if name.endswith("_ok"):
        _check(stage)
        return
    with pytest.raises((VerifyFailed, BadInput), match=about["said"]) as raised:
        _check(stage)
    where = getattr(raised.value, "where", "").removeprefix(f"{tmp_path}/")
    assert where.startswith(about["where"]), where


def test_there_are_enough_and_each_fails_for_its_own_reason() -> None:
    failing = [name for name in cases.names() if name.endswith("_fail")]
    assert len(failing) >= 150
    assert all(name.endswith(("_fail", "_ok")) for name in cases.names())
    # what is no form of a ZIP file is told by where it shows first, whatever it was meant for
    own = [case for case in map(cases.case, failing) if case["who"] != "archiver"]
    reasons = [(case["where"], case["said"]) for case in own]
    # several lies may show as one contradiction: that clauses do not follow, in four ways
    assert max(Counter(reasons).values()) <= 4
    assert len(set(reasons)) >= len(reasons) - 6
    assert {cases.case(name)["who"] for name in failing} == {
        "carrier", "thief", "operator", "customer", "archiver", "time",
    }  # fmt: skip
