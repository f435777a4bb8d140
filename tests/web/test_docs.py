"""What the guide types runs, and prints what the guide says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_readme import _commands, _pattern

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("name", "lang"), [("web.md", "en"), ("web.zh.md", "zh")])
def test_the_commands_of_the_guide(name: str, lang: str, tmp_path: Path) -> None:
    commands = _commands((ROOT / "docs" / name).read_text(encoding="utf-8"))
    assert len(commands) == 6
    env = {**os.environ, "HOSTPLEDGE_HOME": str(tmp_path), "HOSTPLEDGE_LANG": lang}
    for command, expected in commands:
        words = [sys.executable, "-m", "collector", *shlex.split(command)[1:]]
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(_pattern(expected), done.stdout), (command, done.stdout)


def test_both_languages_type_the_same() -> None:
    texts = [(ROOT / "docs" / name).read_text("utf-8") for name in ("web.md", "web.zh.md")]
    pattern = re.compile(r"^```(?:sh|yaml|sql)\n(.*?)^```", re.MULTILINE | re.DOTALL)
    blocks = [pattern.findall(text) for text in texts]
    plain = [[re.sub(r" *#.*", "", block) for block in some] for some in blocks]
    assert plain[0] == plain[1]


@pytest.mark.parametrize("words", [[], ["account", "list"]])
def test_without_the_extra_one_line_says_how_to_install_it(words: list[str]) -> None:
    code = "import sys; sys.modules['starlette'] = None; from collector.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "serve", *words],
        capture_output=True, text=True, check=False, env={**os.environ, "HOSTPLEDGE_LANG": "en"},
    )  # fmt: skip
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "starlette is not installed" in line
    assert "hostpledge[web]" in line
