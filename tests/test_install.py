"""`make install` puts program, man pages, completions where they are found; uninstall removes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def _make(place: Path, purpose: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS", "VENV"))}
    env = kept | {"PREFIX": str(place / "app"), "LINKS": str(place / "usr"), "EXTRAS": ""}
    return subprocess.run(
        [ROOT / "tools/install.sh", purpose],
        env=env | {"PYTHON": sys.executable} | settings,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_is_installed_found_and_removed(tmp_path: Path) -> None:
    kept = tmp_path / "usr/share/zsh/site-functions/_hostpledge"
    kept.parent.mkdir(parents=True)
    kept.write_text("somebody else's\n")
    done = _make(tmp_path, "install")
    assert done.returncode == 0, done.stderr
    program = tmp_path / "usr/bin/hostpledge"
    assert done.stdout == f"{program}\n"
    assert "put" in done.stderr
    assert "on PATH" in done.stderr
    assert f"not linked, for something is there: {kept}" in done.stderr
    assert (tmp_path / "usr/bin/hostpledge-backup-report").exists()
    for name in (
        "man/man1/hostpledge-run.1",
        "man/zh_CN/man1/hostpledge-run.1",
        "bash-completion/completions/hostpledge",
        "fish/vendor_completions.d/hostpledge.fish",
    ):
        assert (tmp_path / "usr/share" / name).is_file(), name

    env = {"PATH": os.defpath, "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    ran = subprocess.run(
        [program, "explain", "L05"], cwd="/", env=env, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    pages = [str(program), "report", "b", "--pdf", "r.pdf"]
    ran = subprocess.run(pages, cwd="/", env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert f"pip install 'hostpledge[pdf]' (by {tmp_path}/app/bin/python" in ran.stderr

    again = _make(tmp_path, "uninstall")
    assert again.returncode == 0, again.stderr
    assert [p for p in tmp_path.rglob("*") if p.is_symlink() or p.is_file()] == [kept]


def test_what_others_made_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/letters").write_text("")
    for purpose in ("install", "uninstall"):
        done = _make(tmp_path, purpose)
        assert done.returncode == 2
        assert done.stderr.startswith(f"make {purpose}: ")
        assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "app/letters").exists()
    for settings in ({"PREFIX": "app"}, {"LINKS": "usr"}, {"PREFIX": f"{tmp_path}/o'b"}):
        assert _make(tmp_path, "install", **settings).returncode == 2
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    shutil.rmtree(tmp_path / "app")
    done = _make(tmp_path, "install", PYTHON=str(old))
    assert (done.returncode, "older than 3.11" in done.stderr) == (2, True)
    assert not (tmp_path / "app").exists()
