"""Folders that hold what is secret are gone with their command, or with the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from collector.verify import scratch
from collector.verify.scratch import Scratch

_HOLDS = """
from collector.verify.scratch import Scratch
held = Scratch()
print(held.path, flush=True)
input()
"""


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def _other() -> tuple[subprocess.Popen[str], Path]:
    other = subprocess.Popen(
        [sys.executable, "-c", _HOLDS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    return other, Path(other.stdout.readline().strip())


def test_what_a_killed_command_left_goes_and_what_is_held_stays(tmp_path: Path) -> None:
    killed, left = _other()
    (left / "bundle.zip").write_text("secret")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    running, held = _other()
    assert not left.exists()
    mine = Scratch()
    assert held.is_dir()
    assert mine.path.stat().st_mode & 0o777 == 0o700
    mine.close()
    mine.close()
    assert not mine.path.exists()
    assert held.is_dir()
    running.communicate("\n")


def test_what_is_of_others_or_looks_like_ours_stays(tmp_path: Path) -> None:
    """A link, a folder that is just being made, a file: none is followed or taken away."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / ".held").touch()
    (tmp_path / "hostpledge-held-link").symlink_to(precious)
    (tmp_path / "hostpledge-held-new").mkdir()
    (tmp_path / "hostpledge-held-file").touch()
    linked = tmp_path / "hostpledge-held-linked"
    linked.mkdir()
    (linked / ".held").symlink_to(precious / ".held")
    Scratch().close()
    assert {path.name for path in tmp_path.iterdir()} == {
        "precious", "hostpledge-held-link", "hostpledge-held-new", "hostpledge-held-file",
        "hostpledge-held-linked",
    }  # fmt: skip


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_a_folder_of_another_user_stays(tmp_path: Path) -> None:
    theirs = tmp_path / "hostpledge-held-theirs"
    theirs.mkdir()
    (theirs / ".held").touch()
    os.chown(theirs, 1234, 1234)
    scratch.Scratch().close()
    assert theirs.is_dir()
