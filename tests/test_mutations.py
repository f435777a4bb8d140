"""A host that is spoiled does not pass: mechanical spoilings of every passing case (ADR 46).

A line that fails says what `tests/mutations/list.yml` lacks: mend the judge, or write the reason
why this spoiling does not spoil. `python -m tests.mutations CONTROL` prints the same.
"""

from __future__ import annotations

import pytest

from collector import catalog
from tests.mutations.listed import listed
from tests.mutations.page import PATH, page
from tests.mutations.run import differences, judged
from tests.mutations.shapes import catalogue


@pytest.mark.parametrize("control", list(catalog.controls()))
def test_no_pass_of_a_spoiled_host(control: str) -> None:
    assert differences(control, judged(control)) == []


def test_the_list_is_whole() -> None:
    known, controls = listed(), set(catalog.controls())
    assert set(known) == set(catalogue()), "each spoiling has its entry, and no other one"
    for name, entry in known.items():
        assert entry.others and catalogue()[name].__doc__, name
        assert entry.withstands, f"{name}: spoils nothing that any control looks at"
        named = entry.withstands | set(entry.spared) | set(entry.cases)
        assert named <= controls, f"{name}: no such control: {named - controls}"
        assert not entry.withstands & set(entry.spared), name
        assert set(entry.cases) <= entry.withstands, f"{name}: name the control, not each case"


def test_every_control_withstands_some() -> None:
    none = set(catalog.controls()) - {c for e in listed().values() for c in e.withstands}
    assert none == set(), "nothing that was thought of spoils its hosts"


def test_the_page_is_of_the_list() -> None:
    assert PATH.read_text(encoding="utf-8") == page(), "python -m tests.mutations"
