"""What a probe of a restore compares with lies where root alone can put another in its place."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.run.probing import texts

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="wants root and a user")
UID = 65529


@pytest.fixture
def place() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="hp-live-", dir="/var/lib"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def _live(place: Path, file: Path, before: float, *owner: int) -> str:
    room = place / "room"
    room.mkdir(mode=0o700, exist_ok=True)
    body = Path(texts.__file__).with_name("live.sh").read_text(encoding="utf-8")
    words = " ".join(map(str, (int(before), *owner)))
    ran = subprocess.run(
        ["sh", "-c", f'HP_W={room}\n{body}\nhp_live "$1" {words}; echo "$hp_l"', "sh", str(file)],
        capture_output=True, text=True, check=True, timeout=30, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    return ran.stdout.strip()


def _file(path: Path, owner: int = 0, text: bytes = b"words") -> str:
    path.write_bytes(text)
    path.chmod(0o600)
    os.chown(path, owner, owner)
    return hashlib.sha256(text).hexdigest()


def test_what_is_older_than_the_copy_is_compared(place: Path) -> None:
    mine, his = _file(place / "a"), _file(place / "b", UID, b"his words")
    later = time.time() + 60
    assert _live(place, place / "a", later) == mine
    # whoever owns it: in a folder of root's nothing comes in its place
    assert _live(place, place / "b", later) == his
    assert _live(place, place / "a", time.time() - 60) == ""


def test_who_sets_the_time_back_is_not_compared(place: Path) -> None:
    _file(place / "a")
    os.utime(place / "a", (1, 1))
    assert _live(place, place / "a", time.time() - 60) == ""


@pytest.mark.parametrize("kind", ["link", "folder", "fifo", "of another", "in his folder"])
def test_nothing_is_told_of_what_a_user_puts_there(place: Path, kind: str) -> None:
    _file(place / "secret")
    home = place / "home"
    home.mkdir()
    target = home / "f"
    if kind == "link":
        target.symlink_to(place / "secret")
    elif kind == "folder":
        (home / "d").symlink_to(place)
        target = home / "d" / "secret"
    elif kind == "fifo":
        os.mkfifo(target)
    else:
        _file(target)
    os.chown(home, UID, UID)
    os.chown(target, UID if kind in ("link", "fifo") else 0, 0, follow_symlinks=False)
    if kind == "of another":
        os.chown(home, 0, 0)
        assert _live(place, target, time.time() + 60, UID) == ""
    assert _live(place, target, time.time() + 60) == ("" if kind != "of another" else _sum(target))


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
