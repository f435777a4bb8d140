"""`hostpledge shell` on scripts as administrators write them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.running import answer, hostpledge

SCRIPT = """#!/bin/bash
set -euo pipefail
DATE=$(date +%Y%m%d)
mysqldump shop > /backup/shop_$DATE.sql
[ "$1" = no ] || scp /backup/shop_$DATE.sql "$HOST:/backup/"
exit 0
rm -f x
"""


def _script(tmp_path: Path, text: str = SCRIPT) -> Path:
    path = tmp_path / "backup.sh"
    path.write_text(text)
    return path


def test_json_has_the_contract_s_keys(tmp_path: Path) -> None:
    ended = hostpledge(
        "shell", _script(tmp_path), "--arg", "go", "--env", "HOST=b1", "--format", "json"
    )
    assert ended.status == 0
    assert answer(ended.out) == {
        "commands": [
            {"argv": ["date", "+%Y%m%d"], "reached": "always", "decides": True, "reads": [],
             "writes": []},
            {"argv": ["mysqldump", "shop"], "reached": "perhaps", "decides": True, "reads": [],
             "writes": ["/backup/shop_*.sql"]},
            {"argv": ["scp", None, "b1:/backup/"], "reached": "perhaps", "decides": True,
             "reads": ["/backup/shop_*.sql"], "writes": ["b1:/backup/"]},
            {"argv": ["rm", "-f", "x"], "reached": "never", "decides": False, "reads": [],
             "writes": []},
        ]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["surely", "perhaps", "never", "when it fails, the script fails", "writes: "]),
        ("zh", ["必定执行", "可能执行", "从不执行", "失败则脚本失败", "写入："]),
    ],
)
def test_the_table(tmp_path: Path, lang: str, words: list[str]) -> None:
    ended = hostpledge("shell", _script(tmp_path), "--lang", lang)
    assert ended.status == 0
    assert all(word in ended.out for word in words)


def test_what_is_not_told_ends_with_1(tmp_path: Path) -> None:
    ended = hostpledge("shell", _script(tmp_path, 'eval "$X"\nrm x\n'), "--lang", "en")
    assert ended.status == 1
    assert "cannot be told" in ended.out


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("#!/usr/bin/python3\nprint()\n", ()),
        ("a\0b", ()),
        ("a\n", ("--env", "X")),
        ("a\n", ("--env", "1=2")),
        ("a\n", ("--format", "yaml")),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, text: str, more: tuple[str, ...]) -> None:
    ended = hostpledge("shell", _script(tmp_path, text), *more)
    assert ended.status == 2
    assert not ended.out
    assert len(ended.err.splitlines()) == 1


def test_no_file_is_one_line(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe", "/dev/zero"):
        ended = hostpledge("shell", path)
        assert (ended.status, len(ended.err.splitlines())) == (2, 1)


def test_a_text_full_of_pipes_is_told_as_such_at_once(tmp_path: Path) -> None:
    """The grammar's time grows with their square: a user's crontab decides how many there are."""
    for text in ("a|" * 60_000 + "b\n", "|" * 100_000, "a |\n" * 30_000 + "b\n", "<" * 100_000):
        ended = hostpledge("shell", _script(tmp_path, text), "--format", "json")
        assert ended.status == 1, ended.err
        assert all(one["reached"] == "untold" for one in json.loads(ended.out)["commands"])
    ended = hostpledge("shell", _script(tmp_path, "a|" * 1000 + "b\n"), "--format", "json")
    assert len(json.loads(ended.out)["commands"]) == 1001
