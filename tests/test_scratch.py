"""Folders that hold what is secret are gone with their command, or with the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from collector import private
from collector.verify import scratch
from collector.verify.scratch import Scratch

_HOLDS = """
from collector.verify.scratch import Scratch
held = Scratch()
print(held.path, flush=True)
input()
"""
_ASIDE = """
import sys
from pathlib import Path
from collector import private
with private.set_aside(*sys.argv[1:2], *map(Path, sys.argv[2:])) as folder:
    print(folder, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def _other(code: str = _HOLDS, *words: object) -> tuple[subprocess.Popen[str], Path]:
    command = [sys.executable, "-c", code, *map(str, words)]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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


@pytest.mark.parametrize("within", [False, True])
def test_what_is_set_aside_goes_with_the_next_command(tmp_path: Path, within: bool) -> None:
    """Notices and bundles of customers, which a killed command leaves behind."""
    place = tmp_path / "out"
    place.mkdir()
    words = (".hostpledge-plain-", place) if within else ()
    killed, left = _other(_ASIDE, *words)
    (left / "notice.pdf").write_text("of a customer")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    running, held = _other(_ASIDE, *words)
    assert not left.exists()
    with private.set_aside(*words) as mine:
        assert mine.parent == (place if within else tmp_path)
        assert mine.stat().st_mode & 0o777 == 0o700
        assert held.is_dir()
    assert not mine.exists()
    assert held.is_dir()
    running.communicate("\n")
    assert not held.exists()


@pytest.mark.parametrize(
    "module",
    [
        "web/pages/customer.py", "cli/commands/pledge/handed/notify.py",
        "cli/options/register_source.py", "cli/options/packing.py",
    ],
)  # fmt: skip
def test_no_folder_of_customers_is_left_for_good(module: str) -> None:
    """A folder of `tempfile` alone is swept by nobody once its command was killed."""
    text = (Path(private.__file__).parent / module).read_text(encoding="utf-8")
    assert "set_aside(" in text
    assert "TemporaryDirectory" not in text
