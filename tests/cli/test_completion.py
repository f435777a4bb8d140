"""Completion, asked of the real shells: what they offer is what the command line has."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.cli.app import hostpledge
from tests.cli.running import hostpledge as said

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program on PATH and the scripts where each shell would look."""
    place = tmp_path_factory.mktemp("completion")
    program = place / "bin" / "hostpledge"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m collector "$@"\n')
    program.chmod(0o755)
    for shell, name in (
        ("bash", "hostpledge"),
        ("zsh", "_hostpledge"),
        ("fish", "hostpledge.fish"),
    ):
        done = said("completion", shell)
        assert (done.status, done.err) == (0, "")
        (place / shell).mkdir()
        (place / shell / name).write_text(done.out)
    (place / "notes.txt").write_text("")
    return place


def _environment(place: Path, lang: str = "en") -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "FPATH"))}
    return {
        **kept,
        "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOSTPLEDGE_LANG": lang,
        "HOSTPLEDGE_HOME": "/proc/none",
        "LC_ALL": "C.UTF-8",
        "HOME": str(place),
        "TERM": "dumb",
    }


def _needs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.fail(f"{shell} is not there: apt-get install {shell}")


_ASK = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$(($# - 2))
complete -p hostpledge >/dev/null || exit 1
_hostpledge_completion hostpledge 2>/dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""


def _bash(place: Path, *words: str) -> list[str]:
    _needs("bash")
    done = subprocess.run(
        ["bash", "--norc", "-c", _ASK, "bash", place / "bash/hostpledge", "hostpledge", *words],
        env=_environment(place), cwd=place, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_bash(place: Path) -> None:
    assert _bash(place, "ver") == ["verify"]
    assert set(_bash(place, "ex")) == {"explain", "exposure"}
    assert "--trust" in _bash(place, "verify", "--tr")
    assert _bash(place, "pledge", "wai") == ["waive"]
    assert "logging.retention_configured" in _bash(place, "explain", "logging.ret")
    assert _bash(place, "controls", "--family", "enc") == ["encryption"]
    assert set(_bash(place, "")) == set(hostpledge.list_commands(None))  # type: ignore[arg-type]


@pytest.mark.parametrize(("lang", "about"), [("en", "Verifies a bundle"), ("zh", "离线核验证据包")])
def test_fish_says_what_each_is_for(place: Path, lang: str, about: str) -> None:
    _needs("fish")
    line = f"source {place}/fish/hostpledge.fish; complete --do-complete 'hostpledge ver'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", line],
        env=_environment(place, lang), cwd=place, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (found,) = done.stdout.splitlines()
    name, _, told = found.partition("\t")
    assert name == "verify"
    assert told.startswith(about)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("hostpledge verif\t", "hostpledge verify "),
        ("hostpledge explain L0\t\t", "What the audit covers"),
    ],
)
def test_zsh(place: Path, typed: str, shown: str) -> None:
    _needs("zsh")
    env = _environment(place) | {"PS1": "> "}
    main, end = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-f", "-i"], stdin=end, stdout=end, stderr=end, env=env, cwd=place,
        start_new_session=True,
    )  # fmt: skip
    os.close(end)
    try:
        begin = f"fpath=({place}/zsh $fpath); autoload -U compinit; compinit -u -d {place}/dump"
        os.write(main, f"{begin}; echo rea''dy\n".encode())
        assert "ready" in _read(main, "ready")
        os.write(main, typed.encode())
        assert shown in _read(main, shown)
    finally:
        shell.kill()
        shell.wait()
        os.close(main)


def _read(main: int, until: str) -> str:
    text, end = "", time.monotonic() + 30
    while until not in text and time.monotonic() < end:
        if select.select([main], [], [], 0.2)[0]:
            text += os.read(main, 65536).decode("utf-8", "replace")
    return text
