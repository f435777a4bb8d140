"""Folders that hold what is secret are gone with their command, or with the next one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pyrage
import pytest

from collector import private
from collector.verify import scratch
from collector.verify.scratch import Scratch
from tests import bundles

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


def test_one_that_was_killed_before_it_held_anything_goes_later(tmp_path: Path) -> None:
    new, old, full = (tmp_path / f".hostpledge-plain-{name}" for name in ("new", "old", "full"))
    for folder in (new, old, full):
        folder.mkdir()
    (full / "other").touch()
    for folder in (old, full):
        os.utime(folder, (0, 0))
    with private.set_aside(".hostpledge-plain-", tmp_path):
        assert (new.is_dir(), old.exists(), full.is_dir()) == (True, False, True)


_MAKES = re.compile(
    r"mkdtemp|mkstemp|TemporaryDirectory|NamedTemporaryFile|\.part\b[\"']|with_name\(f?[\"']\."
)
# what takes away itself what its killed ones left, and where
_SWEEPS = {
    "private.py": "beside, set_aside",
    "verify/scratch.py": "sweep, with each next one",
    "run/ansible/private.py": "left_behind, with each next play",
    "notify/outbox.py": "tidy, with each notify; what is written there goes through private.py",
    "pledges/database/store.py": "_tidy, with each next copy",
    "run/collected/asking.py": "a program, in the folder that Ansible takes away",
    "run/collected/run_folder.py": "mend, with each run that goes on",
    "attest/trust/keyring.py": "of one name alone, with the next change of that key",
}


def test_nothing_is_made_aside_that_nobody_sweeps() -> None:
    """What is made elsewhere first is made by `private`, or by what sweeps for itself."""
    root = Path(private.__file__).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if path.relative_to(root).parts[0] != "facts" and _MAKES.search(path.read_text("utf-8"))
    }
    assert found == set(_SWEEPS)


@pytest.mark.parametrize(
    ("output", "killing"),
    [("b.zip.age", "age.encrypt"), ("b.zip.age", "making.pack"), ("b.zip", "os.link")],
)
def test_a_killed_repack_leaves_no_captures(tmp_path: Path, output: str, killing: str) -> None:
    """What is not encrypted yet never lies beside the encrypted one, nor anywhere for good."""
    made, _ = bundles.make(tmp_path / "from", [bundles.capture("web-1")])
    there, temporary = tmp_path / "stick", tmp_path / "tmp"
    there.mkdir()
    temporary.mkdir()
    killed = (
        "import os, signal; from collector.attest.bundle import making;"
        "from collector.attest.keys import age; from collector.cli import main;"
        f"{killing} = lambda *_: os.kill(os.getpid(), signal.SIGKILL); main()"
    )
    words = ["repack", str(made.path), "-o", str(there / output)]
    if output.endswith(".age"):
        words += ["--encrypt-to", str(pyrage.x25519.Identity.generate().to_public())]
    environ = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[1]), "TMPDIR": str(temporary),
    }  # fmt: skip
    one = subprocess.run([sys.executable, "-c", killed, *words], env=environ, check=False)
    assert one.returncode == -signal.SIGKILL
    place = temporary if output.endswith(".age") else there
    assert list(place.rglob("*.capture.gz"))
    assert output.endswith(".zip") or not list(there.iterdir())
    # of another name: the next command is not the same one
    words[words.index("-o") + 1] = str(there / f"another-{output}")
    command = [sys.executable, "-m", "collector", *words]
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
    assert list(there.iterdir()) == [there / f"another-{output}"]
    assert not list(temporary.iterdir())
