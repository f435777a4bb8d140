"""The wheel alone, in an empty environment outside the checkout, gives a working `run`."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from collector.catalog import FAMILIES

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment that holds the wheel and its locked dependencies."""
    place = tmp_path_factory.mktemp("wheel")
    _run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation",
        "--wheel-dir", str(place), str(ROOT),
    )  # fmt: skip
    (wheel,) = place.glob("hostpledge-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert not [n for n in names if n.startswith(("tests/", "tools/", "demo/", "molecule/"))]
    shipped = {n.removeprefix("collector/shipped/") for n in names}
    assert {"playbooks/harden.yml", "playbooks/tasks/family.yml", "playbooks/undo.yml"} <= shipped
    assert {f"roles/{family}/tasks/main.yml" for family in (*FAMILIES, "safeguard")} <= shipped
    assert "roles/safeguard/files/undo.sh" in shipped
    _run(sys.executable, "-m", "venv", str(place / "env"))
    python = place / "env" / "bin" / "python"
    pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--require-hashes", "-r", str(ROOT / "requirements" / "run.txt"))
    _run(*pip, "--no-deps", str(wheel))
    return python.parent


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def _hostpledge(installed: Path, place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": os.defpath,
        "HOME": str(place),
        "HOSTPLEDGE_HOME": str(place / "home"),
        "LC_ALL": "C.UTF-8",
    }
    return subprocess.run(
        [str(installed / "hostpledge"), *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=place,
        env=env,
    )


def test_harden_checks_and_plans(installed: Path, tmp_path: Path) -> None:
    """Nothing is applied: the host does not answer, so it is not touched."""
    told = _hostpledge(
        installed, tmp_path, "harden", "-i", "127.0.0.1,", "-e", "ansible_port=1", "--check",
        "--family", "classification", "-o", "out",
    )  # fmt: skip
    assert told.returncode == 1, told.stderr
    assert "hosts that are not touched at all" in told.stdout


def test_run_on_this_machine(installed: Path, tmp_path: Path) -> None:
    pledge = (ROOT / "examples" / "pledge.yml").read_bytes()
    (tmp_path / "pledge.yml").write_bytes(pledge)
    added = _hostpledge(installed, tmp_path, "pledge", "add", "pledge.yml")
    assert added.returncode == 0, added.stderr
    ran = _hostpledge(
        installed, tmp_path, "run", "-i", "localhost,", "--pledge", "demo-2026", "-o", "out"
    )
    assert ran.returncode in (0, 1), ran.stderr
    assert (tmp_path / "out" / "report.html").exists()
    trust = str(tmp_path / "home" / "keys" / "trust.json")
    verified = _hostpledge(installed, tmp_path, "verify", "out/bundle", "--trust", trust)
    assert verified.returncode == 0, verified.stderr
    replayed = _hostpledge(installed, tmp_path, "replay", "out/bundle", "--trust", trust)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr


def test_the_wrapper_for_backup_jobs_is_a_program(installed: Path, tmp_path: Path) -> None:
    program = installed / "hostpledge-backup-report"
    words = ("--folder", str(tmp_path), "--job", "a", "--path", "/srv", "--", "true")
    done = subprocess.run([str(program), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("a.*.json"))) == 1


@pytest.mark.parametrize("command", ["controls", "reads", "doctor", "explain", "collect"])
def test_every_command_finds_what_it_ships(installed: Path, tmp_path: Path, command: str) -> None:
    more = {"explain": ["encryption.password_hash"], "collect": ["--script"]}
    done = _hostpledge(installed, tmp_path, command, *more.get(command, []))
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr
