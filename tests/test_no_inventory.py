"""A host of which nobody says what data it holds: nothing that rests on that may pass.

The captures are those of real hosts (tests/captures) on which no inventory lay.
"""

from __future__ import annotations

import pytest

from collector import captures, catalog
from collector.assess import assess_host
from collector.model import Capture, Control, Finding, ReadResult, ReadStatus, Result
from tests.cases import HERE

START = "classification.inventory"
RESTING = [c for c in catalog.controls().values() if "data.inventory" in c.facts and c.id != START]
# what a host shows by itself, whatever data it is said to hold
BY_THEMSELVES = {
    "classification.exposed_files",
    "encryption.database_access",
    "encryption.password_hash",
    "encryption.residual",
    "encryption.transport",
}
_FAMILIES = ("classification", "backup", "encryption")


def _without(name: str) -> Capture | None:
    """The recorded capture, where it shows that there is no inventory."""
    capture = captures.load(HERE / "captures" / name)
    seen = capture.reads.get("inventory.document")
    if seen is None:
        # recorded of one family only: no inventory lay on any of these hosts
        seen = ReadResult("inventory.document", ReadStatus.ABSENT)
        capture = Capture(
            capture.host,
            capture.status,
            head=capture.head,
            collected_at=capture.collected_at,
            reads={**capture.reads, seen.id: seen},
        )
    return None if seen.files else capture


CAPTURES = {
    path.name: found
    for path in sorted((HERE / "captures").glob("*.capture.gz"))
    if (found := _without(path.name)) is not None
}


def _finding(capture: Capture, control: Control, grade: int) -> Finding:
    (found,) = assess_host(capture, [control], grade=grade)
    return found


def test_every_control_of_the_data_says_whether_it_rests_on_the_inventory() -> None:
    every = {c.id for c in catalog.controls().values() if c.id.startswith(_FAMILIES)}
    assert every - {c.id for c in RESTING} - {START} <= BY_THEMSELVES
    assert CAPTURES


@pytest.mark.parametrize("grade", [2, 3])
@pytest.mark.parametrize("name", CAPTURES)
def test_no_inventory_is_a_failure_that_says_how_to_start(name: str, grade: int) -> None:
    found = _finding(CAPTURES[name], catalog.control(START), grade)
    assert (found.result, found.reason) == (Result.FAIL, "none")
    for text in (found.message, found.remediation):
        for told in (text.zh, text.en):
            assert "hostpledge inventory init" in told


@pytest.mark.parametrize("grade", [2, 3])
@pytest.mark.parametrize("control", RESTING, ids=lambda c: c.id)
def test_what_rests_on_it_is_not_checked(control: Control, grade: int) -> None:
    for name, capture in CAPTURES.items():
        found = _finding(capture, control, grade)
        assert (found.result, found.reason) == (Result.NOTCHECKED, "no_inventory"), name
        assert "no data inventory" in found.message.en
        assert "没有数据分类分级清单" in found.message.zh


@pytest.mark.parametrize("control", RESTING, ids=lambda c: c.id)
def test_an_inventory_that_could_not_be_read_is_an_error(control: Control) -> None:
    name, capture = next(iter(CAPTURES.items()))
    refused = ReadResult("inventory.document", ReadStatus.REFUSED)
    shut = Capture(
        capture.host,
        capture.status,
        head=capture.head,
        collected_at=capture.collected_at,
        reads={**capture.reads, refused.id: refused},
    )
    found = _finding(shut, control, 2)
    assert (found.result, found.reason) == (Result.ERROR, "could_not_look"), name
