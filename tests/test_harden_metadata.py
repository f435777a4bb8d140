"""What hardening says of each control: whole, and never more than its role can do."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from collector import catalog
from collector.model import Control
from collector.resources import shared
from collector.schema import check
from tools.new_control import files_of

CONTROLS = list(catalog.controls().values())
_NAME = re.compile(r"\{(\w+)\}")
_CHINESE_BLANK = re.compile(r"[^\x00-\x7f] [^\x00-\x7f]|[\u4e00-\u9fff][,;:?!()]")


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: c.id)
def test_texts_are_whole(control: Control) -> None:
    assert control.harden is not None, "what hardening does about it, or a person has to, is untold"
    for text in (control.harden.change, control.harden.person, control.harden.warning):
        if text is None:
            continue
        names = set(_NAME.findall(text.zh + text.en))
        assert names <= set(control.parameters), "a number that the control does not have"
        assert set(_NAME.findall(text.zh)) == set(_NAME.findall(text.en))
        assert not _CHINESE_BLANK.search(text.zh), "full-width marks, no blanks in Chinese"


def test_a_change_is_told_exactly_where_a_role_brings_it_about() -> None:
    told = {c.id for c in CONTROLS if c.harden is not None and c.harden.change is not None}
    done = {
        f"{family}.{path.stem}"
        for family in catalog.FAMILIES
        for path in shared("roles", family, "tasks").glob("*.yml")
        if f"{family}.{path.stem}" in catalog.controls()
    }
    assert told == done


def _reached(path: Path) -> str:
    """The tasks of a file and of those that it includes of the same role."""
    text = path.read_text()
    included = re.findall(r"(?:include|import)_tasks: (\w+\.yml)", text)
    return text + "".join(_reached(path.parent / name) for name in included)


def test_a_role_that_brings_a_remover_of_logs_says_so_first() -> None:
    """Of what roles install only ClamAV brings logrotate along (apt-get -s, Debian 12 and 13)."""
    brings = re.compile(r"safeguard_packages: (?:.*antivirus_packages|.*logrotate)")
    warned = {c.id for c in CONTROLS if c.harden is not None and c.harden.warning is not None}
    bringing = {
        f"{family}.{path.stem}"
        for family in catalog.FAMILIES
        for path in shared("roles", family, "tasks").glob("*.yml")
        if f"{family}.{path.stem}" in catalog.controls() and brings.search(_reached(path))
    }
    # that one is what the warning tells to do
    assert warned == bringing - {"logging.retention_configured"}
    for control in CONTROLS:
        if control.id in warned and control.harden and control.harden.warning:
            assert "logging.retention_configured (L05)" in control.harden.warning.en
            assert "logging.retention_configured（L05）" in control.harden.warning.zh


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: c.id)
def test_a_person_is_named_for_reasons_that_the_judge_has(control: Control) -> None:
    assert control.harden is not None
    always, idle = control.harden.person_when, control.harden.person_when_unchanged
    assert always | idle | control.harden.idle_when <= set(control.messages)
    assert not always & idle, "always says it already"


@pytest.mark.parametrize("shell", [False, True], ids=["file", "shell"])
def test_a_new_control_is_made_of_what_fits(
    shell: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = files_of("intrusion", "example_of", "access", shell=shell)
    control = Path("collector/controls/intrusion/example_of")
    facts = Path("collector/facts/access/example_of.py")
    assert "\nharden:\n  person:" in made[control.with_suffix(".yml")]
    check(yaml.safe_load(made[control.with_suffix(".yml")]), "control", where="its metadata")
    remedy = Path("collector/remedies/intrusion/example_of.yml")
    check(yaml.safe_load(made[remedy]), "remedy", where="its remedy")
    number = yaml.safe_load(made[control.with_suffix(".yml")])["number"]
    assert number not in {one.number for one in CONTROLS}
    (tmp_path / "example_of.py").write_text(made[facts])
    spec = importlib.util.spec_from_file_location("example_of", tmp_path / "example_of.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "example_of", module)
    spec.loader.exec_module(module)
    (read,) = module.READS
    judge = compile(made[control.with_suffix(".py")], "judge", "exec")
    assert "example_of" in judge.co_names
    for path, text in made.items():
        if path.parts[0] == "tests":
            case = yaml.safe_load(text)
            assert list(case["reads"]) == [read.id], "a case is of the read that was made"
            assert ("stdout" in case["reads"][read.id]) is shell
        elif path != facts:
            (tmp_path / f"other_{path.name}").write_text(text)
    settings = Path(__file__).parents[1] / "pyproject.toml"
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--config", settings, "--ignore", "I001,ARG001",
         *sorted(tmp_path.glob("*.py"))], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
