"""docs/keys: its commands run as they stand, in both languages the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import bundles

ROOT = Path(__file__).parents[1]
PAGES = {lang: (ROOT / "docs" / name).read_text("utf-8") for lang, name in
         {"en": "keys.md", "zh": "keys.zh.md"}.items()}  # fmt: skip


def _blocks(text: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)\n```", text, re.DOTALL)


@pytest.mark.skipif(shutil.which("softhsm2-util") is None, reason="no softhsm2-util")
def test_the_commands_run_as_they_stand_with_no_network(tmp_path: Path) -> None:
    bundles.write(tmp_path / "captures", [bundles.unreachable("a")])
    (tmp_path / "tokens").mkdir()
    (tmp_path / "conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/hostpledge"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m collector "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOSTPLEDGE_HOME": str(tmp_path / "home"),
        "SOFTHSM2_CONF": str(tmp_path / "conf"),
        "LC_ALL": "C.UTF-8",
    }
    printed = []
    for block in _blocks(PAGES["en"]):
        done = subprocess.run(
            ["unshare", "-rn", "sh", "-eu", "-c", block],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        printed.append(done.stdout)
    assert "Verified: b" in printed[2]
    assert "trust file 1, which 2 of 3 holders signed" in printed[4]
    assert printed[5].count("Verified: b") == 2
    assert "the trust file expired then" in printed[5]


def test_both_languages_have_the_same_commands_and_tests() -> None:
    assert _blocks(PAGES["en"]) == _blocks(PAGES["zh"])
    named = {lang: re.findall(r"`(tests/[^`]+)`", text) for lang, text in PAGES.items()}
    assert named["en"] == named["zh"]
    for name in named["en"]:
        file, _, test = name.partition("::")
        assert f"def {test}(" in (ROOT / file).read_text("utf-8"), name
