from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.model import Result
from collector.pledges.record.masking import masked
from collector.pledges.register.register import Evidence
from collector.pledges.standing.standing import Standing, standing
from tests.pledges.records import example, made

NOW = datetime(2026, 11, 25, tzinfo=UTC)
ONE_DOCUMENT = [{"type": "pledge", "version": "1", "sha256": "0" * 64, "signed_on": "2026-01-08"}]


def seen(verdicts: dict[str, str] | None = None, **changes: object) -> dict[str, Standing]:
    attached = [Evidence("demo-2026", 1, "0" * 64, None, NOW, NOW, NOW, verdicts or {}, Path("x"))]
    record = made(**changes)
    evidence = attached if verdicts is not None else []
    return {s.clause.id: s for s in standing(record, evidence, NOW, renewed=False)}


def test_the_example_lacks_nothing_but_evidence() -> None:
    found = seen()
    assert len(found) == 46
    assert {s.clause.id for s in found.values() if s.state == "missing"} == set()
    assert {s.verdict for s in found.values() if s.state == "verdict"} == {Result.NOTCHECKED}


def test_a_clause_says_which_fields_are_missing() -> None:
    found = seen(security_officer=None, filings=None, resources=None)
    assert found["responsibility.2.1"].missing == ("security_officer",)
    assert found["responsibility.2.5"].missing == ("filings",)
    assert found["responsibility.5"].state == "missing"


def test_a_document_that_was_not_signed_acknowledges_nothing() -> None:
    found = seen(documents=ONE_DOCUMENT, acknowledgements=None)
    assert found["pledge.1"].since == "2026-01-08"
    assert found["responsibility.1"].missing == ("documents",)


def test_an_attestation_holds_a_clause_until_it_expires() -> None:
    statement = {"clause": "responsibility.2.6", "statement": "x", "by": "a", "date": "2026-01-01"}
    changes = {"real_name_method": None}
    assert seen(**changes)["responsibility.2.6"].state == "missing"
    held = seen(**changes, attestations=[statement | {"expires": "2026-11-25"}])
    assert held["responsibility.2.6"].state == "held"
    ended = seen(**changes, attestations=[statement | {"expires": "2026-11-24"}])
    assert ended["responsibility.2.6"].state == "expired"


@pytest.mark.parametrize(
    ("verdicts", "worst"),
    [
        ({"2.2": "pass", "2.3": "pass", "2.4": "pass"}, Result.PASS),
        ({"2.2": "pass", "2.3": "error", "2.4": "partial"}, Result.ERROR),
        ({"2.2": "fail", "2.3": "error", "2.4": "pass"}, Result.FAIL),
        ({"2.2": "pass", "2.3": "notapplicable", "2.4": "pass"}, Result.PASS),
        # a clause that the bundle says nothing of was not checked, whatever the others say
        ({"2.2": "pass", "2.3": "pass"}, Result.NOTCHECKED),
        ({}, Result.NOTCHECKED),
    ],
)
def test_measures_stand_as_the_worst_of_their_clauses(
    verdicts: dict[str, str], worst: Result
) -> None:
    found = seen(verdicts)
    assert found["pledge.4"].verdict is worst
    assert found["responsibility.2.2"].verdict is Result(verdicts.get("2.2", "notchecked"))


MASKED = {
    "mobile": ("13800000001", "138****0001"),
    "mobile_in_text": ("电话13912345678。", "电话139****5678。"),
    "with_country": ("+86 13912345678", "+86 139****5678"),
    "identity": ("110101199003071234", "11**************34"),
    "identity_x": ("11010119900307123X", "11**************3X"),
    "half_masked": ("110101********1234", "11**************34"),
    "in_groups": ("139 1234 5678", "139 **** 5678"),
    "landline": ("0571-88000000", "0571-*****000"),
    "landline_of_7_digits": ("0571 8800000", "0571 ****000"),
    "full_width": ("王安 １３９１２３４５６７８", "王安 139****5678"),
    "half_in_groups": ("139 12345678", "139 ****5678"),
    "area_in_brackets": ("（0571）8800 0000", "（0571）******000"),
    "long_dash": ("0571\u201488000000", "0571\u2014*****000"),
    "area_without_a_gap": ("057188000000", "0571*****000"),
    "identity_in_groups": ("110101 19900307 1234", "11****************34"),
    "full_width_year": ("２０２６年", "２０２６年"),
    "network": ("172.31.255.255", "172.31.255.255"),
    "a_day": ("2026-11-25", "2026-11-25"),
    "an_address": ("10.0.0.1:13800", "10.0.0.1:13800"),
    "a_digest": ("ab13912345678cd", "ab13912345678cd"),
    "longer_number": ("913912345678", "913912345678"),
    "words": ("云帆 2026-11-25", "云帆 2026-11-25"),
}


@pytest.mark.parametrize("name", MASKED)
def test_masked(name: str) -> None:
    given, expected = MASKED[name]
    assert masked(given) == expected
    assert masked({"a": [given]}) == {"a": [expected]}


def test_masking_leaves_the_record_itself_alone() -> None:
    document = example()
    hidden = masked(document)
    assert document == example()
    assert hidden["safety_contact"]["phone"] == "138*****001"
    assert hidden["customer"] == document["customer"]
    assert masked({"phone": "10086"}) == {"phone": "1***6"}
