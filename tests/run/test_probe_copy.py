"""The copy that a probe looks into is opened once: what comes in its place is not read."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from collector.run.probing import texts
from tests.run.test_probing import SHELLS

_COPY = Path(texts.__file__).with_name("copy.sh").read_text(encoding="utf-8")
_HEAD = 'undone() { echo "undone $*"; exit 0; }\n'


def _ran(shell: list[str], body: str, *words: Path) -> str:
    done = subprocess.run(
        [*shell, "-s", *map(str, words)], input=_HEAD + _COPY + body, check=False, timeout=30,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    (tmp_path / "copy").write_text("the copy\n")
    (tmp_path / "secret").write_text("a secret\n")
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS, ids=[" ".join(s[1:]) or s[0] for s in SHELLS])
def test_what_comes_in_its_place_afterwards(copies: Path, shell: list[str]) -> None:
    swap = (
        'hp_own_copy "$1"; rm "$1"; ln -s "$2" "$1"; cat <"$hp_in"; echo "$(cat <"$hp_in")" | cat\n'
    )
    said = _ran(shell, swap, copies / "copy", copies / "secret")
    assert said == "the copy\nthe copy\n"


@pytest.mark.parametrize("shell", SHELLS, ids=[" ".join(s[1:]) or s[0] for s in SHELLS])
def test_what_comes_in_its_place_between(copies: Path, shell: list[str]) -> None:
    """Between the look and the opening: as if somebody were exactly there."""
    there = 'hp_own_copy "$1"; cat <"$hp_in"\n'
    swapped = _COPY.replace("  { command exec", '  rm "$1"; ln -s "$2" "$1"\n  { command exec')
    said = _ran(shell, swapped.replace("hp_own_copy()", "hp_other()") + "hp_own_copy() { hp_other "
                f'"$1" {copies / "secret"}; }}\n' + there, copies / "copy")  # fmt: skip
    assert "secret\n" not in said and "another one came in its place" in said


@pytest.mark.parametrize("shell", SHELLS, ids=[" ".join(s[1:]) or s[0] for s in SHELLS])
def test_what_cannot_be_opened_is_said(copies: Path, shell: list[str]) -> None:
    gone = _COPY.replace("  { command exec", '  rm "$1"\n  { command exec')
    said = _ran(shell, gone + 'hp_own_copy "$1"; echo further\n', copies / "copy")
    assert said.startswith("undone no_settings") and "further" not in said
