"""What is said of a script's exit status, held to what real shells do.

`chk` is the command that is wanted; `maybe` ends either way.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path

import pytest

from collector.facts.shell.exit_status import hides, tells

# (script, is it said to tell)
SCRIPTS = [
    ("chk", True),
    ("#!/bin/sh\nset -e\nchk\necho done", True),
    ("#!/bin/sh -e\nchk\ntrue", True),
    ("set -eu\nchk\ntrue", True),
    ("set -o errexit\nchk\ntrue", True),
    ("set -e\nset +e\nchk\ntrue", False),
    ("chk\necho done", False),
    ("chk || true", False),
    ("chk || :", False),
    ("set -e\nchk || echo broken", False),
    ("chk || exit 1\ntrue", True),
    ("chk || exit 0\ntrue", False),
    ("chk || exit", True),
    ("chk || exit $?\ntrue", True),
    ("chk ||\n  exit 3\ntrue", True),
    ("chk || { echo broken; exit 2; }\ntrue", True),
    ("chk || {\n  echo broken\n  exit 2\n}\ntrue", True),
    ("chk || (echo broken; exit 2)\ntrue", False),
    ("chk | cat", False),
    ("set -e\nchk | cat\ntrue", False),
    ("set -e\nchk > /dev/null 2>&1\ntrue", True),
    ("chk 2>&1 | cat || exit 1\ntrue", False),
    ("set -e\nchk && echo good\ntrue", False),
    ("chk && echo good", True),
    ("true && chk", True),
    ("if chk; then echo good; fi", False),
    ("if ! chk; then echo broken; exit 1; fi\ntrue", True),
    ("if ! chk\nthen\n  echo broken\n  exit 4\nfi\ntrue", True),
    ("if ! chk; then echo broken; fi\ntrue", False),
    ("if ! chk; then echo a; elif true; then exit 1; fi\ntrue", False),
    ("for f in a b; do chk $f || exit 1; done\ntrue", True),
    ("set -e\nfor f in a b; do chk $f; done\ntrue", True),
    ("for f in a b; do chk $f; done\ntrue", False),
    ("printf 'a\\n' | while read -r f; do chk || exit 1; done\ntrue", False),
    ("chk &\ntrue", False),
    ("set -e\nchk &", False),
    ("! chk", False),
    ("(chk || exit 1)\ntrue", False),
    ("( chk )\ntrue", False),
    ("f() { chk; }\nset -e\nf || true", False),
    ("f() {\n  chk || exit 1\n}\nf | cat", False),
    ("trap 'exit 0' EXIT\nset -e\nchk", False),
    ("trap 'rm -f x; exit 0' 0\nchk || exit 1", False),
    ("chk\nrc=$?\necho done\nexit $rc", True),
    ("chk\nrc=$?\nrc=0\nexit $rc", False),
    ("chk; rc=$?; echo done; exit ${rc}", True),
    ("chk\nexit $?", True),
    ("chk\nexit", True),
    ("chk\nexit 0", False),
    ("set -e\ncase x in x) chk ;; esac\ntrue", True),
    ("chk || exit 1\nchk || true", False),
    ("set -e\n{ chk; true; } || true", False),
    ("set -e\ntrue && chk\ntrue", True),
    ("set -e\nmaybe || exit 0\nchk", False),
    ("set -e\nif maybe; then chk; fi", False),
    ("set -e\nmaybe && chk\ntrue", False),
    ("maybe && exit\nchk || exit 1", False),
    ("maybe && {\n  chk || exit 1\n}\ntrue", False),
    ("maybe || exit 1\nchk || exit 1\ntrue", True),
    ("exec true\nchk", False),
    ("exec 2>&1\nset -e\nchk\ntrue", True),
]
_SHELLS = [s for s in ("dash", "bash", "busybox", "ksh") if shutil.which(s)]


def _wanted(command: str) -> bool:
    return "chk" in command.split()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("bin")
    (place / "chk").write_text('#!/bin/sh\n: >"${0%/*}/ran"\nexit "$CHK"\n')
    (place / "maybe").write_text('#!/bin/sh\nexit "$MAYBE"\n')
    for name in ("chk", "maybe"):
        (place / name).chmod(0o755)
    return place


def _lies(text: str, shell: str, folder: Path) -> str:
    """Where it ends well although `chk` failed or was not run; empty: nowhere."""
    for chk, maybe in itertools.product((0, 7), (0, 1) if "maybe" in text else (0,)):
        (folder / "ran").unlink(missing_ok=True)
        if _status(text, shell, folder, chk, maybe) == 0:
            if chk:
                return f"{shell}: good though chk failed (maybe: {maybe})"
            if not (folder / "ran").exists():
                return f"{shell}: good though chk was not run (maybe: {maybe})"
    return ""


def _status(text: str, shell: str, folder: Path, chk: int, maybe: int) -> int:
    script = folder / "script"
    script.write_text(text + "\n")
    argv = [shell, "sh"] if shell == "busybox" else [shell]
    flags = ["-e"] if text.startswith("#!/bin/sh -e") else []
    return subprocess.run(
        [*argv, *flags, str(script)],
        env={"PATH": f"{folder}:/usr/bin:/bin", "CHK": str(chk), "MAYBE": str(maybe)},
        capture_output=True,
        check=False,
        timeout=60,
    ).returncode


@pytest.mark.parametrize(("text", "said"), SCRIPTS)
def test_it_tells_only_where_the_script_really_fails(text: str, said: bool, folder: Path) -> None:
    assert tells(text, _wanted) is said
    if said:
        assert "".join(_lies(text, shell, folder) for shell in _SHELLS) == ""


def test_no_mixture_is_said_to_tell_that_does_not(folder: Path) -> None:
    """Ways to write it, put together by twos and threes, against dash."""
    parts = ["set -e", "set +e", "chk", "chk || true", "chk || exit 1", "true && chk", "chk | cat",
             "if maybe; then", "fi", "maybe || exit 0", "for f in a; do", "done", "{", "}", "rc=$?"]  # fmt: skip
    for parts_ in itertools.chain(
        itertools.product(parts, repeat=2), itertools.product(parts[:12], repeat=3)
    ):
        text = "\n".join((*parts_, "true"))
        if tells(text, _wanted):
            syntax = subprocess.run(
                ["dash", "-n"], check=False, input=text, text=True, capture_output=True
            )
            assert syntax.returncode != 0 or _lies(text, "dash", folder) == "", text


def test_pipefail(folder: Path) -> None:
    text = "set -euo pipefail\nchk | cat\ntrue"
    assert tells(text, _wanted)
    assert _lies(text, "bash", folder) == ""
    assert not tells("set -eu\nset +o pipefail\nchk | cat\ntrue", _wanted)


def test_what_hides_a_failure() -> None:
    assert hides("set -e\nchk || true", _wanted)
    assert hides("chk --all 2>&1 || :", _wanted)
    assert not hides("chk || exit 1\nother || true", _wanted)
