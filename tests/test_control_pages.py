"""The pages of the controls say what the controls and their judges say now."""

from __future__ import annotations

import re

from collector import catalog
from tools.control_pages import PLACE, page, pages, plain


def test_the_pages_are_those_that_would_be_made() -> None:
    made = {str(name): text for name, text in pages()}
    there = {path.name: path.read_text(encoding="utf-8") for path in PLACE.glob("*.md")}
    old = sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))
    assert not old, f"python -m tools.control_pages, {len(old)} differ: {old[:3]}"


def test_each_shows_a_host_that_passes_and_one_that_does_not() -> None:
    for control in catalog.controls().values():
        shown = page(control, "en")
        assert "## A host that passes" in shown, control.id
        assert "## A host that does not" in shown, control.id
        assert len(re.findall("^> .", shown, re.MULTILINE)) == 2, control.id


def test_nothing_in_a_text_is_taken_for_markdown() -> None:
    assert plain("a*b* <c> `d*e*` [f](g)|") == r"a\*b\* \<c\> `d*e*` \[f\](g)\|"
    assert plain("one ` only") == r"one \` only"
