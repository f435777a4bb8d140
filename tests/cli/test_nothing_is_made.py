"""Looking makes no folder and no register, wherever one's own folder is or is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.forked import command

_LOOKS = (
    ("pledge", "list"), ("pledge", "status", "x"), ("pledge", "due"), ("pledge", "show", "x"),
    ("pledge", "findings", "x"), ("pledge", "export", "x", "-o", "out"), ("key", "show"),
    ("register", "log"), ("register", "verify"), ("register", "checkpoint"), ("doctor",),
    ("verify", "nowhere", "--trust", "nowhere"), ("report", "nowhere", "--html", "out"),
    ("replay", "nowhere"), ("assess", "nowhere"), ("controls",),
)  # fmt: skip
_HOMES = {
    "absent": {"HOME": "{}/none"},
    "relative": {"HOME": "none"},
    "empty": {"HOME": "", "XDG_DATA_HOME": "{}/none"},
    "named": {"HOSTPLEDGE_HOME": "{}/none"},
    "named relative": {"HOSTPLEDGE_HOME": "none"},
    "a file": {"HOSTPLEDGE_HOME": "{}/file"},
    "below a file": {"HOME": "{}/file"},
}


@pytest.mark.parametrize("home", _HOMES)
def test_looking_leaves_nothing_behind(home: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    given = {name: value.format(tmp_path) for name, value in _HOMES[home].items()}
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HOSTPLEDGE", "XDG_", "HOME"))}
    for words in _LOOKS:
        done = command(*words, cwd=tmp_path, env=kept | given)
        assert done.status in (0, 1, 2), words
        assert b"defect" not in done.err, words
        assert [p.name for p in tmp_path.rglob("*")] == ["file"], words


def test_a_relative_home_is_none(tmp_path: Path) -> None:
    """Such a HOME would be another folder wherever one stands."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HOSTPLEDGE", "XDG_"))}
    done = command("key", "show", cwd=tmp_path, env=kept | {"HOME": "none"})
    assert b"none/.local" not in done.err


_EMPTY = (
    ("verify", "", "--trust", "x"), ("verify", "x", "--trust", ""), ("replay", ""),
    ("report", "", "--html", "x"), ("report", "x", "--html", ""), ("assess", ""), ("diff", "", "x"),
    ("bundle", "", "-o", "x"), ("bundle", ".", "-o", ""), ("exposure", ""), ("retention", ""),
    ("pledge", "add", ""), ("pledge", "attach", "x", ""), ("pledge", "list", "--register", ""),
    ("repack", "", "-o", "x"), ("collect", "-i", "", "-o", "x"), ("run", "-i", ""),
    ("trust", "show", ""), ("trust", "update", "", "--from", "x"),
    ("trust", "update", "x", "--from", ""), ("inventory", "check", ""),
    ("bundle", "x", "--key", ""),
)  # fmt: skip


@pytest.mark.parametrize("words", _EMPTY, ids=" ".join)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_empty_name_is_no_folder(words: tuple[str, ...], lang: str, tmp_path: Path) -> None:
    env = os.environ | {"HOSTPLEDGE_HOME": str(tmp_path / "home")}
    done = command(*words, "--lang", lang, cwd=tmp_path, env=env)
    said = done.err.decode()
    assert (done.status, done.out) == (2, b"")
    assert said.count("\n") == 1, said
    assert ("empty" if lang == "en" else "为空") in said
    assert list(tmp_path.rglob("*")) == []
