"""docs/verifying: its commands run as they stand, and each row of its table names tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import bundles
from tests.attest.shell import Shell
from tests.bundle_cases import FOLDER

ROOT = Path(__file__).parents[1]
PAGES = {lang: (ROOT / "docs" / name).read_text("utf-8") for lang, name in
         {"en": "verifying.md", "zh": "verifying.zh.md"}.items()}  # fmt: skip
PROGRAMS = ("age", "age-keygen", "cosign", "jq", "openssl", "unshare")


def _blocks(text: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)\n```", text, re.DOTALL)


def _rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.skipif(
    any(shutil.which(program) is None for program in PROGRAMS), reason="a program is not installed"
)
def test_the_commands_run_as_they_stand_with_no_network(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell("key", "new")
    shell("key", "new", "--type", "sm2", "--name", "gm")
    shell("key", "trust", "-o", "trust.json")
    shell("pledge", "add", str(ROOT / "examples" / "pledge.yml"))
    bundles.write(tmp_path / "in", [bundles.unreachable("a")])
    shell("bundle", "in", "-o", "b", "--sm2-key", "gm", "--pledge", "demo-2026")
    shell("pledge", "attach", "demo-2026", "b")
    subprocess.run(["age-keygen", "-o", "auditor.key"], cwd=tmp_path, check=True)
    said = subprocess.run(
        ["age-keygen", "-y", "auditor.key"], cwd=tmp_path, check=True, capture_output=True
    )
    (tmp_path / "auditor.recipients").write_bytes(said.stdout)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/hostpledge"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m collector "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOSTPLEDGE_HOME": str(tmp_path / "home"),
        "LC_ALL": "C.UTF-8",
    }
    printed = []
    for block in _blocks(PAGES["en"]):
        done = subprocess.run(
            ["unshare", "-rn", "sh", "-eu", "-c", block],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        printed.append(done.stdout + done.stderr)
    assert "Verified OK" in printed[4]
    assert "Signature Verified Successfully" in printed[5]
    digests = re.findall(r"\b[0-9a-f]{64}\b", printed[5])
    assert len(digests) == 2
    assert digests[0] == digests[1]
    assert "Verified OK" in printed[6]


def test_both_languages_have_the_same_commands_and_rows() -> None:
    assert _blocks(PAGES["en"]) == _blocks(PAGES["zh"])
    tests = {lang: [row[-1] for row in _rows(text)] for lang, text in PAGES.items()}
    assert tests["en"] == tests["zh"]


def test_each_row_of_the_table_names_tests_that_are_there() -> None:
    rows = _rows(PAGES["en"])
    assert len(rows) >= 20
    for row in rows:
        named = re.findall(r"`(tests/[^`]+)`", row[-1])
        assert named, row
        for name in named:
            file, _, test = name.partition("::")
            if test:
                assert f"def {test}(" in (ROOT / file).read_text("utf-8"), name
            else:
                assert (FOLDER / file.removeprefix("tests/bundles/") / "case.yml").is_file(), name
