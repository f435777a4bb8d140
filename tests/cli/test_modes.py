"""What hostpledge writes is its owner's alone, from the first byte on, whatever the umask is."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest

from collector import captures, private
from collector.captures import file_name
from tests import bundles

ROOT = Path(__file__).parents[2]
# what is meant for others: a trust file is handed out, a checkpoint and a proof too
PUBLIC = {"trust.json", "checkpoint.txt", "note.txt", "page.html", "public.html", "public.csv"}


class Shell:
    """hostpledge in a folder of its own, under a umask."""

    def __init__(self, folder: Path, umask: int) -> None:
        self.folder = folder
        self.umask = umask
        self.env = os.environ | {
            "HOSTPLEDGE_HOME": str(folder / "home"),
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(folder / "tmp"),
        }
        (folder / "tmp").mkdir()

    def __call__(self, *words: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "collector", *words],
            cwd=self.folder, env=self.env, capture_output=True, text=True, umask=self.umask,
            check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == status, done.stderr
        return done.stderr


def loose(folder: Path) -> dict[str, str]:
    """Files and folders under `folder` that others may read, by name."""
    found = {}
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        # a socket of Ansible's lies in a folder of its own, and holds nothing
        held = stat.S_ISSOCK(mode) and not path.parent.lstat().st_mode & 0o077
        if not stat.S_ISLNK(mode) and not held and mode & 0o077:
            found[str(path.relative_to(folder))] = f"{stat.S_IMODE(mode):04o}"
    return found


def is_public(name: str) -> bool:
    """Also while it is written beside its place."""
    return any(public in Path(name).name for public in PUBLIC)


class Watched:
    """Looks again and again while a command works: for what is open for a moment only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: dict[str, str] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._stop.wait(0.002):
            try:
                self.seen |= loose(self.folder)
            except FileNotFoundError:
                continue

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


@pytest.fixture(params=[0o000, 0o022], ids=["000", "022"])
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Shell:
    return Shell(tmp_path, request.param)


def test_nothing_that_may_hold_captures_is_open_to_others(shell: Shell) -> None:
    place = shell.folder
    pledge = (ROOT / "examples/pledge.yml").read_text()
    taken = captures.load(ROOT / "tests/pledges/resources.capture.gz")
    bundles.write(place / "in", [replace(taken, host="web-1")])
    for path in [place / "in", place / "tmp", *(place / "in").iterdir()]:
        path.chmod(0o700 if path.is_dir() else 0o600)
    (place / "p.yml").write_text(pledge)
    (place / "p.yml").chmod(0o600)
    with Watched(place) as seen:
        shell("key", "new")
        shell("key", "trust", "-o", "trust.json")
        shell("bundle", "in", "-o", "deep/er/b", "--family", "encryption")
        shell("bundle", "in", "-o", "b.zip", "--family", "encryption")
        shell("repack", "deep/er/b", "-o", "r")
        shell("repack", "b.zip", "-o", "z")
        shell("repack", "z", "-o", "y.zip", "--redact")
        shell("repack", "z", "-o", "x", "--redact")
        shell("report", "z", "--html", "a.html", "--xlsx", "a.xlsx", "--export", "csv=a.csv")
        shell("pledge", "add", "p.yml")
        shell("register", "backup", "-o", "saved")
        shell("register", "checkpoint", "-o", "checkpoint.txt")
    shell("verify", "--page", "page.html")
    shell("report", "z", "--html", "public.html", "--export", "csv=public.csv", "--public")
    found = {n: m for n, m in (seen.seen | loose(place)).items() if not is_public(n)}
    assert found == {}
    for name in ("public.html", "public.csv"):
        assert stat.S_IMODE((place / name).stat().st_mode) == 0o644, "asked for, whatever the umask"


def test_a_run_and_all_in_its_folder(shell: Shell) -> None:
    with Watched(shell.folder) as seen:
        shell(
            "run", "-i", "localhost,", "--family", "classification", "-o", "made/out",
            status=1,
        )  # fmt: skip
        shell("collect", "-i", "localhost,", "--family", "classification", "-o", "made/out")
    named = seen.seen | loose(shell.folder)
    # Ansible's own files, in a folder that nobody else can enter
    outside = {n for n in named if not n.startswith("tmp/hostpledge-") and n != "tmp"}
    assert {n for n in outside if not is_public(n) and ".ansible" not in n} == set()
    assert (shell.folder / "made/out/earlier").is_dir()


def test_a_bundle_that_others_may_read_is_repacked_for_its_owner_alone(tmp_path: Path) -> None:
    shell = Shell(tmp_path, 0o000)
    bundles.write(tmp_path / "in", [bundles.unreachable("a")])
    shell("key", "new")
    shell("bundle", "in", "-o", "b", "--family", "encryption")
    for path in [tmp_path / "b", *(tmp_path / "b").rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    shell("repack", "b", "-o", "r")
    assert loose(tmp_path / "r") == {}
    assert stat.S_IMODE((tmp_path / "r").stat().st_mode) == 0o700


def test_a_folder_that_others_may_look_into_is_told(tmp_path: Path) -> None:
    shell = Shell(tmp_path, 0o022)
    (tmp_path / "out").mkdir(mode=0o755)
    said = shell("collect", "-i", "localhost,", "--family", "classification", "-o", "out")
    assert "others on this machine may look into this folder (mode 0755)" in said
    (tmp_path / "out").chmod(0o700)
    said = shell("collect", "-i", "localhost,", "--family", "classification", "-o", "out")
    assert "others on this machine" not in said


def test_what_is_written_aside_follows_no_link(tmp_path: Path) -> None:
    """Who may write into the folder cannot lead the content elsewhere."""
    target = tmp_path / "report.html"
    for guess in (f".report.html.{os.getpid()}.part", ".report.html.part"):
        (tmp_path / guess).symlink_to(tmp_path / "elsewhere")
    private.write_aside(target, b"x")
    assert not (tmp_path / "elsewhere").exists()
    assert target.read_bytes() == b"x"


def test_long_names_have_room_for_what_is_beside_them(tmp_path: Path) -> None:
    for name in ("n" * 255, file_name("数" * 80)):
        private.write_aside(tmp_path / name, b"x")
        assert (tmp_path / name).read_bytes() == b"x"
