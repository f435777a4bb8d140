"""A key whose signature no register would take is refused before anything is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.attest.keys.keys import PrivateKey
from tests.cli.running import hostpledge

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """With a key of its own, and a register that holds one pledge."""
    home = tmp_path / "home"
    assert hostpledge("key", "new", home=home).status == 0
    added = hostpledge("pledge", "add", ROOT / "examples" / "pledge.yml", home=home)
    assert added.status == 0, added.err
    return home


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    place = tmp_path / "foreign.pem"
    PrivateKey.generate().save(place, None)
    return place


@pytest.mark.parametrize(
    "words",
    [
        ("run", "-i", "localhost,", "--pledge", "demo-2026"),
        ("run", "-i", "register"),
        ("harden", "-i", "localhost,", "--pledge", "demo-2026", "--family", "logging", "--yes"),
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_a_foreign_key_is_refused_before_a_host_is_looked_at(
    words: tuple[str, ...], home: Path, foreign: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ended = hostpledge(*words, "--key", foreign, "-o", out, home=home, LC_ALL="C.UTF-8")
    assert (ended.status, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    assert line.startswith("hostpledge: --key: the key SHA256:")
    assert "neither kept nor trusted here" in line
    assert "hostpledge key show" in line
    assert not out.exists()
