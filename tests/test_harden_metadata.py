"""What hardening says of each control: whole, and never more than its role can do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector import catalog
from collector.model import Control
from collector.resources import shared
from tools.new_control import files_of

CONTROLS = list(catalog.controls().values())
_NAME = re.compile(r"\{(\w+)\}")
_CHINESE_BLANK = re.compile(r"[^\x00-\x7f] [^\x00-\x7f]|[\u4e00-\u9fff][,;:?!()]")


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: c.id)
def test_texts_are_whole(control: Control) -> None:
    assert control.harden is not None, "what hardening does about it, or a person has to, is untold"
    for text in (control.harden.change, control.harden.person):
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


@pytest.mark.parametrize("control", CONTROLS, ids=lambda c: c.id)
def test_a_person_is_named_for_reasons_that_the_judge_has(control: Control) -> None:
    assert control.harden is not None
    always, idle = control.harden.person_when, control.harden.person_when_unchanged
    assert always | idle <= set(control.messages)
    assert not always & idle, "always says it already"


def test_a_new_control_begins_with_what_a_person_has_to_do() -> None:
    made = files_of("intrusion", "example", "access")
    assert "\nharden:\n  person:" in made[Path("collector/controls/intrusion/example.yml")]
