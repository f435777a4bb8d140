from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.pledges.due import Due, due, terms
from collector.pledges.register import Evidence
from tests.pledges.records import example, made

NOW = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
WITHIN = timedelta(days=30)
WAIVER = {"control": "encryption.password_hash", "host": "*", "reason": "x", "approver": "a"}
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
    return list(due(record, [attached(1)] if evidence is None else evidence, NOW, within=WITHIN))


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
    fresh = due(record, [attached(8)], NOW, within=timedelta(0), evidence_days=7)
    assert [d.kind for d in fresh] == ["evidence"]


def test_every_term_says_what_it_rests_on() -> None:
    for term in terms().values():
        assert term.basis
        assert term.status in ("found", "secondary", "unverified", "ours")
        assert sum(bool(length) for length in (term.months, term.days, term.hours)) == 1
