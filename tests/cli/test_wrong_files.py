"""The wrong file was named: what stands in it is nobody's business, and a bundle stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import hostpledge

ROOT = Path(__file__).parents[2]
CAPTURE = ROOT / "tests/captures/luks-trixie.capture.gz"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "ident.txt").write_text("# created\nAGE-SECRET-KEY-1QQQQSECRETQQQQ7Q9\n")
    (folder / "pass.txt").write_text("hunter2SECRET\n")
    assert hostpledge("key", "new", home=folder / "home").status == 0
    made = hostpledge("bundle", str(CAPTURE), "-o", str(folder / "b"), home=folder / "home")
    assert made.status == 0, made.err
    return folder


@pytest.mark.parametrize(
    "words",
    [
        ("repack", "{b}", "-o", "{p}/z.age", "--encrypt-to", "{p}/ident.txt"),
        ("repack", "{b}", "-o", "{p}/z.age", "--encrypt-to", "{p}/pass.txt"),
        ("repack", "{b}", "-o", "{p}/z.age", "--encrypt-to", "AGE-SECRET-KEY-1QQQQSECRETQQQQ"),
        ("pledge", "add", "{p}/ident.txt"),
        ("pledge", "add", "{p}/pass.txt"),
        ("verify", "{b}", "--trust", "{t}", "--policy", "{p}/home/keys/default.pem"),
        ("verify", "{b}", "--trust", "{t}", "--policy", "{p}/pass.txt"),
        ("verify", "{b}", "--trust", "{p}/pass.txt"),
        ("verify", "{b}", "--trust", "{t}", "--identity", "{p}/home/keys/default.pem"),
        ("bundle", "{c}", "-o", "{p}/x", "--tsa", "http://u:SECRETTSA@127.0.0.1:1/x?k=SECRET2"),
        ("bundle", "{c}", "-o", "{p}/x", "--tsa", "http://u:pa@ss:SECRETTSA@127.0.0.1/x"),
        ("bundle", "{c}", "-o", "{p}/x", "--tsa", "ftp://u:SECRETTSA@127.0.0.1/x?k=SECRET"),
    ],
)
def test_its_content_is_not_shown(place: Path, words: tuple[str, ...]) -> None:
    given = {"b": place / "b", "p": place, "t": place / "home/keys/trust.json", "c": CAPTURE}
    ended = hostpledge(*(word.format(**given) for word in words), home=place / "home")
    assert ended.status == 2, ended.err
    key = (place / "home/keys/default.pem").read_text().splitlines()[1]
    for secret in ("SECRET", "hunter2", key[:12]):
        assert secret not in ended.err + ended.out
    assert len(ended.err.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("collect", "-i", "localhost,", "-o", "{b}"),
        ("run", "-i", "localhost,", "-o", "{b}"),
        ("run", "-i", "localhost,", "-o", "{b}/data/more"),
        ("bundle", "{c}", "-o", "{b}"),
        ("report", "{c}", "--html", "{b}/report.html"),
        ("verify", "--page", "{b}/page.html"),
    ],
)
def test_nothing_is_written_into_a_bundle(place: Path, words: tuple[str, ...]) -> None:
    given = {"b": place / "b", "c": CAPTURE}
    before = sorted(place.joinpath("b").rglob("*"))
    ended = hostpledge(*(word.format(**given) for word in words), home=place / "home")
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
    assert sorted(place.joinpath("b").rglob("*")) == before
