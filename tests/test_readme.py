"""Every command of the READMEs and operators' guides runs, and prints what they say it prints.

In a `console` block a line that begins with `$ ` is a command, the others are its output, where `…`
stands for anything (a line of its own: for any lines).
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDES = ("operators-guide", "start", "customers-guide")
SHORT = ("docs/start", "docs/customers-guide")


def _commands(text: str) -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def _pattern(lines: list[str]) -> str:
    parts = [
        r"(?:.*\n)*" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + "\n"
        for line in lines
    ]
    return "".join(parts)


@pytest.mark.parametrize(
    ("name", "lang"),
    [
        ("README.md", "en"),
        ("README.zh-CN.md", "zh"),
        ("docs/operators-guide.md", "en"),
        ("docs/operators-guide.zh.md", "zh"),
        ("docs/start.md", "en"),
        ("docs/start.zh.md", "zh"),
        ("docs/customers-guide.md", "en"),
        ("docs/customers-guide.zh.md", "zh"),
    ],
)
def test_readme(name: str, lang: str, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "hostpledge"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m collector "$@"\n')
    program.chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOSTPLEDGE_HOME": str(tmp_path / "home"),
        "HOSTPLEDGE_LANG": lang,
        "LC_ALL": "C.UTF-8",
    }
    commands = _commands((ROOT / name).read_text(encoding="utf-8"))
    assert len(commands) >= (6 if name.startswith(SHORT) else 10)
    for command, expected in commands:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), f"{command}: {done.stderr}"
        assert "Traceback" not in done.stderr
        # a line that `…` alone stands for may be one of many
        pattern = _pattern(expected)
        if len(expected) == 1 and expected[0].startswith("…"):
            pattern = r"(?:.*\n)*?" + pattern + r"(?:.*\n)*"
        assert re.fullmatch(pattern, done.stdout), f"{command} printed:\n{done.stdout}"


@pytest.mark.parametrize(
    "names",
    [
        ("README.md", "README.zh-CN.md"),
        *((f"docs/{guide}.md", f"docs/{guide}.zh.md") for guide in GUIDES),
    ],
    ids=["readme", *GUIDES],
)
def test_both_languages_show_the_same_commands(names: tuple[str, str]) -> None:
    shown = [
        [re.sub("unchanged|未改动", "", command) for command, _ in _commands(text)]
        for text in ((ROOT / n).read_text(encoding="utf-8") for n in names)
    ]
    assert shown[0] == shown[1]
