"""What a killed command left beside a file goes with the next one that writes it."""

from __future__ import annotations

import os
import signal
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from collector import private


def _gone() -> int:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


@pytest.fixture(autouse=True)
def _first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "_LEFT", {})


def _killed(place: Path) -> None:
    child = os.fork()
    if child == 0:
        os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        private.write_aside(place, b"new")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)


def test_what_a_killed_one_left_goes(tmp_path: Path) -> None:
    place = tmp_path / "register.logs.json"
    place.write_bytes(b"old")
    _killed(place)
    assert len(list(tmp_path.iterdir())) == 2
    assert place.read_bytes() == b"old"
    private.write_aside(place, b"newer")
    assert list(tmp_path.iterdir()) == [place]
    assert place.read_bytes() == b"newer"


def test_what_is_not_its_own_stays(tmp_path: Path) -> None:
    gone, place = _gone(), tmp_path / "a.json"
    kept = [
        tmp_path / f".b.json.{gone}.0123abcd.part",
        tmp_path / f".a.json.{os.getpid()}.0123abcd.part",
        tmp_path / f".a.json.{gone}.0123abc.part",
        tmp_path / f"a.json.{gone}.0123abcd.part",
        tmp_path / f".a.json.{gone}.0123abcf.part",
    ]
    for one in kept[:-1]:
        one.write_bytes(b"x")
    kept[-1].symlink_to(kept[0])
    held = tmp_path / f".a.json.{gone}.0123abce.part"
    with held.open("wb") as out:
        flock(out, LOCK_EX)
        private.write_aside(place, b"x")
    assert sorted(tmp_path.iterdir()) == sorted([*kept, held, place])
