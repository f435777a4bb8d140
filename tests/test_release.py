"""`make changelog` and `make release`: what they make, and what keeps them from making it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from collector import __version__
from collector.attest.envelope import dsse
from collector.attest.keys.keys import PrivateKey
from tools import release

ROOT = Path(__file__).parents[1]


def test_the_changelog_takes_every_fragment() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    fragments = [p for p in (ROOT / "changelog.d").glob("*.md") if p.name != "README.md"]
    assert done.stdout.count("\n- ") >= len({p.read_text("utf-8").strip() for p in fragments})
    assert "## 9.9.9" in done.stdout


def test_the_sum_of_a_release_is_signed_in_our_own_form(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    wheel = tmp_path / "hostpledge.whl"
    wheel.write_bytes(b"a wheel")
    digest = "33ce25cdb6b1d3f4e3d1a8e2d1c36cd7b4f96a0e17ae37ad4a0e0a8d2b3ba1b0"
    sealed = dsse.seal(release.statement({wheel.name: digest}), key)
    found = dsse.unseal(sealed)
    found.verify(key.public)
    document = json.loads(found.payload)
    assert document["predicateType"] == release.PREDICATE
    assert document["predicate"]["version"] == __version__
    assert document["subject"] == [{"name": wheel.name, "digest": {"sha256": digest}}]


def test_a_commit_without_its_tag_is_no_release(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"status": "", "tag": "v0.0.1"}
    monkeypatch.setattr(release, "_git", lambda *words: answers[words[0]])
    assert release.main([]) == 2
    assert f"not tagged v{__version__}" in capsys.readouterr().err


def test_a_release_of_a_changed_checkout_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(release, "_git", lambda *_: " M Makefile")
    assert release.main([]) == 2
    assert "commit them first" in capsys.readouterr().err
