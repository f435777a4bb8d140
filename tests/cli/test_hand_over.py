"""What an inspector is handed checks itself, alone, and says how in ten lines."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from collector.attest.bundle.making import Made, PledgeReference
from collector.attest.keys.keys import PrivateKey
from tests import bundles
from tests.cli.running import hostpledge


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("bundle")
    hosts = [bundles.capture(name) for name in bundles.ODD_HOSTS[:2]]
    key = PrivateKey.generate()
    made, trust = bundles.make(folder, hosts, key, pledge=PledgeReference("P-1", 1, None))
    (folder / "trust.json").write_bytes(trust.to_bytes())
    return made


@pytest.mark.parametrize("redact", [False, True])
def test_it_stands_alone(made: Made, tmp_path: Path, redact: bool) -> None:
    trust = made.path.parent / "trust.json"
    out = tmp_path / "交接 一号"
    words = ["--for-inspector", "-o", out, "--trust", trust, *(["--redact"] if redact else [])]
    ended = hostpledge("repack", made.path, *words)
    assert ended.status == 0, ended.err
    names = {path.name for path in out.iterdir()}
    assert {"README.txt", "evidence.zip", "trust.json"} <= names
    assert {"verify.html", "manifest-sha256.txt"} <= names
    # a report shows what stands in captures
    assert {name for name in names if name.endswith((".html", ".xlsx", ".pdf"))} - {
        "verify.html", "report.pdf", "brief.pdf"
    } == (set() if redact else {"report.html", "report.xlsx"})  # fmt: skip
    assert ("brief.pdf" in names) == ("report.pdf" in names)
    assert not any(name.startswith(".") for name in names)
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "manifest-sha256.txt"],
        cwd=out, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.count(": OK") == len(names) - 1
    # as the README says, in its own folder
    text = (out / "README.txt").read_text(encoding="utf-8")
    assert "hostpledge verify evidence.zip --trust trust.json" in text
    assert ("hostpledge replay evidence.zip --trust trust.json" in text) is not redact
    verified = hostpledge("verify", out / "evidence.zip", "--trust", out / "trust.json")
    assert verified.status == 0, verified.err
    assert made.digest in verified.out
    replayed = hostpledge("replay", out / "evidence.zip", "--trust", out / "trust.json")
    assert replayed.status == (2 if redact else 0), replayed.err
    assert text.index("怎样核对") < text.index("How to check it"), "Chinese first"
    assert "北京时间" in text
    assert made.digest in text
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}


def test_without_captures_nothing_of_them_is_handed_over(made: Made, tmp_path: Path) -> None:
    """Neither a report nor anything else holds what the bundle leaves out; nor do two steps."""
    trust = made.path.parent / "trust.json"
    first, second, bare = tmp_path / "one", tmp_path / "two", tmp_path / "bare.zip"
    words = ("--for-inspector", "--trust", trust)
    assert hostpledge("repack", made.path, "-o", first, "--redact", *words).status == 0
    assert hostpledge("repack", made.path, "-o", bare, "--redact").status == 0
    ended = hostpledge("repack", bare, "-o", second, *words)
    assert ended.status == 0, ended.err
    for folder in (first, second):
        assert not list(folder.glob("report*"))
        assert not list(folder.glob("brief*"))
        with zipfile.ZipFile(folder / "evidence.zip") as packed:
            assert not [n for n in packed.namelist() if "captures/" in n]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "--for-inspector: wants the trust file, and is not encrypted; add --trust FILE"),
        (["--trust", "none.json"], "--for-inspector: wants the trust file"),
    ],
)
def test_without_keys_there_is_none(
    made: Made, tmp_path: Path, words: list[str], says: str
) -> None:
    ended = hostpledge("repack", made.path, "--for-inspector", "-o", tmp_path / "out", *words)
    assert ended.status == 2
    assert says in ended.err
    assert ended.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_does_not_verify_is_not_handed_over(made: Made, tmp_path: Path) -> None:
    other = PrivateKey.generate()
    (tmp_path / "b").mkdir()
    _, trust = bundles.make(tmp_path / "b", [bundles.capture("x")], other)
    (tmp_path / "trust.json").write_bytes(trust.to_bytes())
    words = ("--for-inspector", "-o", tmp_path / "out", "--trust", tmp_path / "trust.json")
    ended = hostpledge("repack", made.path, *words)
    assert ended.status == 2
    assert not (tmp_path / "out").exists()


def test_a_folder_is_no_file_and_nothing_is_replaced(made: Made, tmp_path: Path) -> None:
    trust = made.path.parent / "trust.json"
    words = ("repack", made.path, "--for-inspector", "--trust", trust, "-o")
    ended = hostpledge(*words, tmp_path / "out.zip")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    (tmp_path / "there").mkdir()
    ended = hostpledge(*words, tmp_path / "there")
    assert ended.status == 2
    assert "exists already" in ended.err
