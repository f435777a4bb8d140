"""How a control stands after hardening: shouted, left to a person, or satisfied."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from collector import catalog
from collector.assess import assess_host
from collector.catalog import reasons
from collector.model import Result, Text
from collector.plan import Act, Became, became, plan_host
from tests import bundles

JOBS, KEPT = "backup.jobs", "logging.persistent"
UNSEEN = min(reasons())


def finding(control: str, verdict: str, reason: str = "x", **more: Any) -> dict[str, Any]:
    return {"control": control, "verdict": verdict, "reason": reason, "waiver": None, **more}


def step(outcome: str | None = "changed", act: str = "apply") -> dict[str, Any]:
    return {"act": act, "outcome": outcome}


def _of(control: str, kind: str) -> str:
    harden = catalog.control(control).harden
    assert harden is not None
    return str(min(getattr(harden, kind)))


@pytest.mark.parametrize(
    ("after", "done", "stands"),
    [
        (finding(KEPT, "pass"), step(), Became.SATISFIED),
        (finding(KEPT, "notapplicable"), step("failed"), Became.SATISFIED),
        (finding(KEPT, "fail"), step("changed"), Became.BROKEN),
        (finding(KEPT, "fail"), step("unchanged"), Became.BROKEN),
        (finding(KEPT, "fail"), step("failed"), Became.BROKEN),
        (finding(KEPT, "fail"), step("not_done"), Became.UNDONE),
        (finding(KEPT, "partial"), step("changed"), Became.OPEN),
        (finding(KEPT, "error"), step("changed"), Became.OPEN),
        (finding(KEPT, "error", UNSEEN), step("changed"), Became.BLIND),
        (finding(KEPT, "notchecked"), step("changed"), Became.PERSON),
        (finding(KEPT, "fail"), step(None, "person"), Became.PERSON),
        (finding(KEPT, "fail"), step(None, "leave"), Became.OPEN),
        (finding(KEPT, "fail"), None, Became.OPEN),
        (finding(KEPT, "fail", waiver={"expired": False}), step(), Became.SATISFIED),
        (finding(KEPT, "fail", waiver={"expired": True}), step(), Became.BROKEN),
        (finding(JOBS, "fail", _of(JOBS, "person_when")), step("changed"), Became.PERSON),
        (
            finding(JOBS, "fail", _of(JOBS, "person_when_unchanged")),
            step("unchanged"),
            Became.PERSON,
        ),
        (
            finding(JOBS, "fail", _of(JOBS, "person_when_unchanged")),
            step("changed"),
            Became.BROKEN,
        ),
    ],
)
def test_from_a_failure(after: dict[str, Any], done: dict[str, Any] | None, stands: Became) -> None:
    found = became(finding(after["control"], "fail"), after, done)
    assert found is stands
    assert found.loud == (stands in (Became.BROKEN, Became.BLIND))


@pytest.mark.parametrize(
    ("before", "after", "stands"),
    [
        (finding(KEPT, "pass"), finding(KEPT, "fail"), Became.WORSE),
        (finding(KEPT, "partial"), finding(KEPT, "fail"), Became.WORSE),
        (finding(KEPT, "error", UNSEEN), finding(KEPT, "error", UNSEEN), Became.UNSEEN),
        (finding(KEPT, "pass"), finding(KEPT, "error", UNSEEN), Became.BLIND),
    ],
)
def test_what_nobody_meant_to_change(
    before: dict[str, Any], after: dict[str, Any], stands: Became
) -> None:
    assert became(before, after, None) is stands
    assert stands.loud == (stands in (Became.WORSE, Became.BLIND))


@pytest.mark.parametrize(
    ("control", "reason", "idle", "act"),
    [
        ("intrusion.detection", "stopped", False, Act.APPLY),
        ("intrusion.detection", "none", False, Act.PERSON),
        ("firewall.admin_sources", "open", False, Act.APPLY),
        ("firewall.admin_sources", "open", True, Act.PERSON),
    ],
)
def test_only_what_would_change_is_planned_as_a_change(
    control: str, reason: str, idle: bool, act: Act
) -> None:
    at = datetime(2026, 11, 25, 12, tzinfo=UTC)
    capture, known = bundles.capture("web-1"), catalog.control(control)
    (seen,) = assess_host(capture, [known], grade=2, at=at)
    found = replace(seen, result=Result.FAIL, reason=reason)
    why = {control: Text("没有给出网段", "no network is given")} if idle else {}
    plan = plan_host(capture, [found], {control: known}, grade=2, at=at, named=[control], idle=why)
    (one,) = plan.steps
    assert (one.act, plan.applied()) == (act, (control,) if act is Act.APPLY else ())
    assert (one.change is None) == (act is Act.PERSON)
    if idle:
        assert one.person is not None
        assert one.person.en.startswith("no network is given; ")
