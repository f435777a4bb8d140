"""What is taken out of a bundle without a trust file says so, in every form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from collector.export import FORMATS
from collector.schema import check
from tests import bundles
from tests.cli.test_evidence import Shell

_SAID = "the signature of the bundle was not checked"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    made = Shell(tmp_path)
    made("key", "new")
    made("key", "trust", "-o", "trust.json")
    bundles.write(tmp_path / "in", [bundles.capture("web-1")])
    made("bundle", "in", "-o", "b")
    return made


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_says_that_no_signature_was_checked(shell: Shell, form: str) -> None:
    shell("report", "b", "--export", f"{form}=unchecked")
    assert _SAID in (shell.folder / "unchecked").read_text()
    shell("report", "b", "--export", f"{form}=checked", "--trust", "trust.json")
    assert _SAID not in (shell.folder / "checked").read_text()
    shell("report", "b", "--export", f"{form}=zh", "--lang", "zh")
    assert "签名未经核验" in (shell.folder / "zh").read_text()
    if form == "json":
        for name in ("checked", "unchecked"):
            check(json.loads((shell.folder / name).read_text()), "assessment", where=name)
