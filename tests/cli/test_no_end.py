"""Files without end, given where a small one belongs, are refused and not read; full disks."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from collector.cli.commands.repack import repack
from collector.errors import BadInput
from tests import bundles
from tests.cli.running import hostpledge


@pytest.fixture
def home(tmp_path: Path) -> Path:
    assert hostpledge("key", "new", home=tmp_path / "home").status == 0
    bundles.write(tmp_path / "in", [bundles.unreachable("a")])
    return tmp_path / "home"


@pytest.fixture
def endless(tmp_path: Path) -> Path:
    """More than any of them takes, and no more than a machine has where one takes it."""
    place = tmp_path / "endless"
    with place.open("wb") as out:
        out.truncate((64 << 20) + 1)
    return place


@pytest.mark.parametrize(
    "words",
    [
        ("bundle", "in", "-o", "b", "--attach", "scan=endless"),
        ("bundle", "in", "-o", "b", "--inventory", "endless"),
        ("bundle", "in", "-o", "b.age", "--encrypt-to", "endless"),
        ("inventory", "check", "endless"),
        ("key", "trust", "--add", "endless"),
        ("key", "authority", "endless"),
    ],
    ids=lambda words: " ".join(word for word in words if word not in ("in", "-o", "endless")),
)
def test_a_file_without_end(
    words: tuple[str, ...],
    home: Path,
    endless: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = hostpledge(*words, home=home)
    assert (ended.status, ended.out) == (2, "")
    (line,) = ended.err.splitlines()
    assert f"{endless.name}: larger than " in line
    assert not (tmp_path / "b").exists()


def test_a_passphrase_that_openssl_takes_for_none(home: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    words = ("key", "new", "--name", "long", "--passphrase-file", secret)
    secret.write_bytes(b"x" * 1024)
    ended = hostpledge(*words, home=home)
    assert (ended.status, ended.out) == (2, "")
    assert "a passphrase of more than 1023 bytes" in ended.err
    secret.write_bytes(b"x" * 1023 + b"\r\n")
    assert hostpledge(*words, home=home).status == 0


def test_what_packs_better_than_a_bomb_still_verifies(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan of an empty page: the reader of a ZIP file takes no more than 200 to 1."""
    monkeypatch.chdir(tmp_path)
    Path("blank.bmp").write_bytes(bytes(4 << 20))
    made = hostpledge("bundle", "in", "-o", "b.zip", "--attach", "扫描件=blank.bmp", home=home)
    assert made.status == 0, made.err
    ended = hostpledge("verify", "b.zip", "--trust", home / "keys/trust.json", home=home)
    assert ended.status == 0, ended.err


def test_a_full_disk_is_one_line(home: Path, tmp_path: Path) -> None:
    """What copies many files complains of each of them: the first says enough."""
    made = hostpledge("bundle", tmp_path / "in", "-o", tmp_path / "b", home=home)
    assert made.status == 0, made.err
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, hard))
    try:
        with pytest.raises(BadInput) as refused:
            repack.main([str(tmp_path / "b"), "-o", str(tmp_path / "c")], standalone_mode=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(refused.value) == f"{tmp_path / 'c'}: File too large"
    assert not (tmp_path / "c").exists()
