from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.pledges.due.deadlines import Due
from collector.pledges.due.lifecycle import state
from collector.pledges.record.terms import terms
from collector.pledges.register.register import Evidence
from collector.pledges.standing.due import due
from tests.pledges.records import example, made

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
WITHIN = timedelta(days=30)
WAIVER = {"control": "encryption.password_hash", "host": "*", "reason": "x", "approver": "a"}
STATEMENT = {"clause": "responsibility.2.6", "statement": "x", "by": "a", "date": "2026-01-01"}
RULES = {"title": "x", "sha256": "0" * 64, "date": "2026-01-01"}
SUSPENDED = {"from": "2026-10-01", "reason": "x", "by": "a"}
# nothing of the example that runs a clock
QUIET: dict[str, Any] = {
    "period": None,
    "self_check": None,
    "filings": None,
    "data_inventory": None,
    "attestations": None,
}


def attached(days_ago: int) -> Evidence:
    moment = NOW - timedelta(days=days_ago)
    return Evidence("demo-2026", 1, "0" * 64, None, moment, NOW, NOW, {}, Path("x"))


def found(evidence: list[Evidence] | None = None, **changes: Any) -> list[Due]:
    record = made(**{**QUIET, **changes})
    return list(
        due(
            record,
            [attached(1)] if evidence is None else evidence,
            NOW,
            within=WITHIN,
            renewed=False,
            lives=None,
        )
    )


def test_nothing_is_due_of_a_record_without_clocks_and_with_fresh_evidence() -> None:
    assert found() == []


CASES: dict[str, tuple[dict[str, Any], list[tuple[str, str, bool]]]] = {
    "period_ends": (
        {"period": {"from": "2026-01-01", "until": "2026-12-01"}},
        [("period_end", "2026-12-01", False), ("public_security_filing", "2026-01-31", True)],
    ),
    "period_ended_today_lasts_until_tonight": (
        {"period": {"from": "2026-11-20", "until": "2026-11-25"}},
        [("period_end", "2026-11-25", False), ("public_security_filing", "2026-12-20", False)],
    ),
    "period_far_off": (
        {
            "period": {"from": "2026-01-01", "until": "9999-12-31"},
            "filings": {"public_security": [{"number": "浙公网安备0号"}]},
        },
        [],
    ),
    "self_check_overdue": (
        {"self_check": {"cycle_days": 30, "last": "2026-10-20"}},
        [("self_check", "2026-11-19", True)],
    ),
    "self_check_never_done": (
        {"self_check": {"cycle_days": 30}},
        [("self_check", "2026-02-07", True)],
    ),
    "self_check_not_yet": ({"self_check": {"cycle_days": 90, "last": "2026-10-20"}}, []),
    "filing_within_30_days": (
        {"filings": {"connected_on": "2026-11-20"}},
        [("public_security_filing", "2026-12-20", False)],
    ),
    "filing_late": (
        {"filings": {"connected_on": "2026-10-20"}},
        [("public_security_filing", "2026-11-19", True)],
    ),
    "filing_done": (
        {
            "filings": {
                "connected_on": "2026-10-20",
                "public_security": [{"number": "浙公网安备0号"}],
            }
        },
        [],
    ),
    "waiver_ends": (
        {"waivers": [WAIVER | {"expires": "2026-12-01"}]},
        [("waiver", "2026-12-01", False)],
    ),
    "waiver_ended": (
        {"waivers": [WAIVER | {"expires": "2026-11-24"}]},
        [("waiver", "2026-11-24", True)],
    ),
    "attestation_ends": (
        {
            "attestations": [
                {
                    "clause": "responsibility.4",
                    "statement": "x",
                    "by": "a",
                    "date": "2026-01-01",
                    "expires": "2026-12-05",
                }
            ]
        },
        [("attestation", "2026-12-05", False)],
    ),
    "incident_neither_reported_nor_told": (
        {
            "incidents": {
                "notices": [
                    {"id": "i-1", "summary": "x", "occurred_at": "2026-11-25T08:00:00+08:00"}
                ]
            }
        },
        [
            ("incident_authority", "2026-11-25", True),
            ("incident_provider", "2026-11-26", False),
        ],
    ),
    "incident_after_the_end": (
        {
            "ended": {"date": "2026-11-01", "reason": "x", "by": "a"},
            "self_check": {"cycle_days": 30, "last": "2026-01-01"},
            "incidents": {
                "notices": [
                    {"id": "i-1", "summary": "x", "occurred_at": "2026-10-20T08:00:00+08:00"}
                ]
            },
        },
        [("incident_authority", "2026-10-20", True), ("incident_provider", "2026-10-21", True)],
    ),
    "attestation_renewed": (
        {
            "attestations": [
                STATEMENT | {"expires": "2026-12-05"},
                STATEMENT | {"expires": "2027-12-05"},
            ]
        },
        [],
    ),
    "attestation_without_an_end_beside": (
        {"attestations": [STATEMENT | {"expires": "2026-12-05"}, STATEMENT]},
        [],
    ),
    "attestation_of_another_host": (
        {
            "attestations": [
                STATEMENT | {"expires": "2026-12-05", "hosts": ["a"]},
                STATEMENT | {"expires": "2027-12-05", "hosts": ["b"]},
            ]
        },
        [("attestation", "2026-12-05", False)],
    ),
    "method_ends": (
        {"real_name_method": {"statement": "x", "expires": "2026-12-05"}},
        [("attestation", "2026-12-05", False)],
    ),
    "rules_renewed_under_their_title": (
        {
            "management_rules": [
                RULES | {"expires": "2026-12-01"},
                RULES | {"date": "2026-06-01", "expires": "2027-06-01"},
                RULES | {"title": "another", "expires": "2026-12-02"},
            ]
        },
        [("attestation", "2026-12-02", False)],
    ),
    "self_check_on_record": (
        {
            "self_check": {
                "cycle_days": 30,
                "last": "2026-01-01",
                "records": [{"date": "2026-11-20", "by": "a"}],
            }
        },
        [("self_check", "2026-12-20", False)],
    ),
    "self_check_findings_open": (
        {
            "self_check": {
                "cycle_days": 366,
                "records": [
                    {"date": "2026-11-20", "by": "a", "found": 2},
                    {"date": "2026-11-10", "by": "a", "found": 1, "mended_on": "2026-11-11"},
                    {"date": "2026-11-01", "by": "a", "found": 0},
                ],
            }
        },
        [("self_check_findings", "2026-12-20", False)],
    ),
    "training_a_year_ago": (
        {"training": [{"title": "x", "date": "2025-11-20"}, {"title": "x", "date": "2025-01-20"}]},
        [("training", "2026-11-20", True)],
    ),
    "vulnerability_not_mended": (
        {
            "vulnerabilities": [
                {"id": "v-1", "found_on": "2026-10-20", "summary": "x"},
                {"id": "v-2", "found_on": "2026-10-20", "summary": "x", "mended_on": "2026-10-21"},
            ]
        },
        [("vulnerability", "2026-11-19", True)],
    ),
    "harmful_content_removed_and_not_reported": (
        {
            "harmful_content": [
                {"id": "h", "found_on": "2026-11-25", "summary": "x", "removed_on": "2026-11-25"}
            ]
        },
        [("harmful_content", "2026-11-26", False)],
    ),
    "inspection_to_be_mended": (
        {
            "inspections": [
                {"id": "1", "date": "2026-11-01", "authority": "x", "mend_by": "2026-12-01"},
                {
                    "id": "2",
                    "date": "2026-11-01",
                    "authority": "x",
                    "mend_by": "2026-12-01",
                    "mended_on": "2026-11-11",
                },
                {"id": "3", "date": "2026-11-01", "authority": "x"},
            ]
        },
        [("inspection", "2026-12-01", False)],
    ),
    "addresses_granted_for_a_time": (
        {"resources": {"period": {"from": "2026-01-01", "until": "2026-12-01"}}},
        [("resource_period", "2026-12-01", False)],
    ),
    "no_web_sites_no_filing": (
        {
            "filings": {
                "connected_on": "2026-01-20",
                "no_websites": {"statement": "x", "by": "a", "date": "2026-01-01"},
            }
        },
        [],
    ),
    "draft": (
        {"draft": True, "documents": [], "self_check": {"cycle_days": 1}},
        [],
    ),
    "kept_for_three_years": (
        {"ended": {"date": "2023-12-01", "reason": "x", "by": "a"}, "retention": None},
        [],
    ),
    "incident_reported": (
        {
            "incidents": {
                "notices": [
                    {
                        "id": "i-1",
                        "summary": "x",
                        "occurred_at": "2026-11-20T08:00:00+08:00",
                        "reported_at": "2026-11-20T09:00:00+08:00",
                        "provider_notified_at": "2026-11-20T09:00:00+08:00",
                    }
                ]
            }
        },
        [],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_falls_due(name: str) -> None:
    changes, expected = CASES[name]
    china = timedelta(hours=8)
    seen = [(d.kind, (d.at + china).date().isoformat(), d.overdue(NOW)) for d in found(**changes)]
    assert sorted(seen) == sorted(expected)


def test_the_record_and_its_evidence_are_kept_until_the_longest_term_is_over() -> None:
    ended = {"date": "2023-12-01", "reason": "x", "by": "a"}
    quiet = QUIET | {"ended": ended, "retention": None}
    old = [attached(1000)]

    def disposal(evidence: list[Evidence], **changes: Any) -> list[tuple[str, bool]]:
        seen = due(
            made(**quiet | changes),
            evidence,
            NOW,
            within=timedelta(days=4000),
            renewed=False,
            lives=None,
        )
        assert {d.kind for d in seen} <= {"disposal"}
        china = timedelta(hours=8)
        return [((d.at + china).date().isoformat(), d.overdue(NOW)) for d in seen]

    assert disposal([]) == [("2026-12-01", False)]
    # the newest bundle was made today: it is kept for three years of its own
    assert disposal(old) == [("2029-11-25", False)]
    assert disposal(old, retention={"evidence_years": 1}) == [("2027-11-25", False)]
    assert disposal([], retention={"pledge_years": 2}) == [("2025-12-01", True)]
    assert disposal([], disposed={"date": "2026-11-20", "method": "x", "by": "a"}) == []


def test_a_renewed_pledge_is_not_due_for_renewal() -> None:
    period = {"from": "2025-01-10", "until": "2026-11-20"}
    record = made(**QUIET | {"period": period})
    seen = due(record, [attached(1)], NOW, within=WITHIN, renewed=False, lives=None)
    assert {d.kind for d in seen} == {"period_end", "public_security_filing"}
    renewed = due(record, [attached(1)], NOW, within=timedelta(days=2000), renewed=True, lives=None)
    assert {d.kind for d in renewed} == {"disposal"}


STATES: dict[str, tuple[dict[str, Any], str]] = {
    "in_force": ({}, "active"),
    "no_period": ({"period": None}, "active"),
    "not_yet": ({"period": {"from": "2026-12-01", "until": "2027-01-01"}}, "signed"),
    "last_day": ({"period": {"from": "2026-01-01", "until": "2026-11-25"}}, "active"),
    "ran_out": ({"period": {"from": "2026-01-01", "until": "2026-11-24"}}, "lapsed"),
    "draft": ({"draft": True, "documents": []}, "draft"),
    "suspended": ({"suspensions": [SUSPENDED]}, "suspended"),
    "suspended_until_today": ({"suspensions": [SUSPENDED | {"until": "2026-11-25"}]}, "suspended"),
    "taken_up_again": ({"suspensions": [SUSPENDED | {"until": "2026-11-24"}]}, "active"),
    "ended": ({"ended": {"date": "2026-11-25", "reason": "x", "by": "a"}}, "ended"),
    "ends_tomorrow": ({"ended": {"date": "2026-11-26", "reason": "x", "by": "a"}}, "active"),
    "disposed": ({"disposed": {"date": "2026-11-25", "method": "x", "by": "a"}}, "disposed"),
}


@pytest.mark.parametrize("name", STATES)
def test_where_in_its_life_a_record_is(name: str) -> None:
    changes, expected = STATES[name]
    assert state(made(**changes), NOW.date(), renewed=False) == expected
    if expected == "lapsed":
        assert state(made(**changes), NOW.date(), renewed=True) == "ended"


def test_the_inventory_is_reviewed_by_calendar_months() -> None:
    inventory = example()["data_inventory"]
    for reviewed, expected in (
        ("2025-12-10", ("2026-12-10", False)),
        ("2025-11-10", ("2026-11-10", True)),
        ("2024-02-29", ("2025-02-28", True)),
        ("2026-06-30", None),
    ):
        seen = found(data_inventory=inventory | {"reviewed": reviewed})
        shown = [((d.at + timedelta(hours=8)).date().isoformat(), d.overdue(NOW)) for d in seen]
        assert shown == ([expected] if expected else [])


def test_evidence_is_as_old_as_its_captures() -> None:
    assert [d.kind for d in found([attached(91)])] == ["evidence"]
    assert found([attached(91)])[0].overdue(NOW)
    assert not found([attached(89)])[0].overdue(NOW)
    assert found([attached(91), attached(2)]) == []
    never = found([])
    assert [(d.kind, d.overdue(NOW)) for d in never] == [("evidence", True)]
    record = made(**QUIET)
    fresh = due(
        record, [attached(8)], NOW, within=timedelta(0), evidence_days=7, renewed=False, lives=None
    )
    assert [d.kind for d in fresh] == ["evidence"]


def test_every_term_says_what_it_rests_on() -> None:
    for term in terms().values():
        assert term.basis
        assert term.status in ("found", "secondary", "unverified", "ours")
        assert sum(bool(length) for length in (term.months, term.days, term.hours)) == 1
