"""Findings → what hardening will do, host by host, and how each control stands after it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from collector import catalog
from collector.assess import fill, waived
from collector.catalog import reasons, words
from collector.model import (
    Capture,
    Control,
    Finding,
    Harden,
    HostStatus,
    Result,
    Severity,
    Text,
)

_NONE: Mapping[str, Text] = MappingProxyType({})


class Act(StrEnum):
    """What becomes of one control on one host.

    `apply`: a role brings it about; `person`: somebody has to, and no role would change anything;
    `look`: nobody could see, or understand, how it is, so it is not touched; `waived`: accepted for
    a while, so it is not touched; `leave`: it is satisfied; `undo`: its family is put back to what
    hardening found.
    """

    APPLY = "apply"
    PERSON = "person"
    LOOK = "look"
    WAIVED = "waived"
    LEAVE = "leave"
    UNDO = "undo"


class Became(StrEnum):
    """How one control on one host stands after hardening.

    `broken`: it was brought about, and fails still; `worse`: it was not touched, and is worse than
    before; `blind`: it was seen before, and can be looked at no more. These are `loud`. `undone`:
    the play did not come to it; `person`: somebody's part of it is missing; `open`: satisfied in
    part, or too little is seen yet to say more; `unseen`: nobody could look, neither time.
    """

    SATISFIED = "satisfied"
    BROKEN = "broken"
    WORSE = "worse"
    BLIND = "blind"
    UNDONE = "undone"
    PERSON = "person"
    OPEN = "open"
    UNSEEN = "unseen"

    @property
    def loud(self) -> bool:
        return self in (Became.BROKEN, Became.WORSE, Became.BLIND)


@dataclass(frozen=True, slots=True)
class Step:
    """One control on one host. `change`, `risk` and `reversible` belong to `apply` alone;

    `person` says what somebody has to do, beside a change too.
    """

    control: str
    number: str
    title: Text
    result: Result
    message: Text
    act: Act
    change: Text | None = None
    risk: Severity | None = None
    reversible: bool = False
    person: Text | None = None


@dataclass(frozen=True, slots=True)
class HostPlan:
    """What is meant for one host. `untouched` says why nothing at all is done there."""

    host: str
    steps: tuple[Step, ...]
    untouched: Text | None = None

    def applied(self) -> tuple[str, ...]:
        """The ids of the controls that are to be brought about."""
        return tuple(step.control for step in self.steps if step.act is Act.APPLY)


def plan_host(
    capture: Capture,
    findings: Iterable[Finding],
    controls: Mapping[str, Control],
    *,
    grade: int,
    at: datetime,
    named: Collection[str] = (),
    idle: Mapping[str, Text] = _NONE,
) -> HostPlan:
    """The plan for one host from its findings, made for the time `at`.

    `controls` are those that hardening is about; findings of others are left out. One that is
    `named` by the person who hardens is brought about even where it could not be looked at: they
    have looked. `idle`: of which of them a role would change nothing here, whatever it finds, and
    why.
    """
    untouched = _untouched(capture)
    steps = []
    for finding in findings:
        control = controls.get(finding.control)
        if control is not None:
            why, own = idle.get(control.id), control.id in named
            steps.append(_step(control, finding, grade, at=at, named=own, idle=why))
    if untouched is not None:
        return HostPlan(capture.host, (), untouched)
    return HostPlan(capture.host, tuple(steps))


def put_back(host: str, findings: Iterable[Finding], controls: Mapping[str, Control]) -> HostPlan:
    """What is meant for one host whose families are put back: every control of them."""
    return HostPlan(
        host,
        tuple(
            Step(
                control=finding.control,
                number=controls[finding.control].number,
                title=controls[finding.control].title,
                result=finding.result,
                message=finding.message,
                act=Act.UNDO,
            )
            for finding in findings
        ),
    )


def _untouched(capture: Capture) -> Text | None:
    """Why a host must not be touched: nobody saw how it is, or it would refuse half of it."""
    if capture.status is not HostStatus.COMPLETE:
        word = words()["host_status"][capture.status]
        why = f"{capture.detail}" if capture.detail else ""
        return Text(
            f"{word.zh}{'：' if why else ''}{why}；未见其现状，不作任何改动",
            f"{word.en}{': ' if why else ''}{why}; nobody saw how it is, so it is not touched",
        )
    if not capture.root:
        user = capture.head.get("user", "") or capture.head.get("uid", "")
        return Text(
            f"以 {user} 登录，不是 root，不作任何改动；请加 --become",
            f"logged in as {user}, not root, so it is not touched; add --become",
        )
    return None


def _step(
    control: Control,
    finding: Finding,
    grade: int,
    *,
    at: datetime,
    named: bool,
    idle: Text | None,
) -> Step:
    values = control.for_grade(grade).values
    harden = control.harden or Harden(None, None, reversible=False, person=None)
    change = fill(harden.change, values) if harden.change else None
    if change is not None and harden.warning is not None:
        change = Text(
            f"{change.zh}。注意：{harden.warning.zh}",
            f"{change.en}. Take care: {harden.warning.en}",
        )
    person = fill(harden.person, values) if harden.person else None
    act = _act(finding, can=change is not None, at=at, named=named)
    if act is Act.APPLY and (idle is not None or finding.reason in harden.idle_when):
        act = Act.PERSON
        if idle is not None and person is not None:
            person = Text(f"{idle.zh}；{person.zh}", f"{idle.en}; {person.en}")
    applied = act is Act.APPLY
    return Step(
        control=control.id,
        number=control.number,
        title=control.title,
        result=finding.result,
        message=finding.message,
        act=act,
        change=change if applied else None,
        risk=harden.risk if applied else None,
        reversible=applied and harden.reversible,
        person=person or (finding.remediation if act is Act.PERSON else None),
    )


def _act(finding: Finding, *, can: bool, at: datetime, named: bool) -> Act:
    if finding.result in (Result.PASS, Result.NOTAPPLICABLE):
        return Act.LEAVE
    if waived(finding, at) and not named:
        return Act.WAIVED
    unseen = _unseen(finding.result, finding.reason)
    if unseen and not (can and named):
        return Act.LOOK
    return Act.APPLY if can else Act.PERSON


def _unseen(result: Result, reason: str) -> bool:
    """Could nobody look? What a judge itself calls an error was seen: it is too little to tell."""
    return result is Result.ERROR and reason in reasons()


_GOOD = (Result.PASS, Result.NOTAPPLICABLE)


def became(
    before: Mapping[str, Any], after: Mapping[str, Any], step: Mapping[str, Any] | None
) -> Became:
    """How a control stands, from its findings (of evidence.json) before and after, and its step.

    `step` is that of hardening.json, None where hardening was not about this control.
    """
    was, now = Result(before["verdict"]), Result(after["verdict"])
    waiver = after["waiver"]
    if now in _GOOD or (waiver is not None and not waiver["expired"]):
        return Became.SATISFIED
    if _unseen(now, after["reason"]):
        return Became.UNSEEN if _unseen(was, before["reason"]) else Became.BLIND
    act = step["act"] if step is not None else Act.LEAVE
    if act != Act.APPLY or step is None:
        if was in _GOOD or (was is Result.PARTIAL and now is Result.FAIL):
            return Became.WORSE
        return Became.PERSON if act == Act.PERSON else Became.OPEN
    if step["outcome"] == "not_done":
        return Became.UNDONE
    if now is Result.NOTCHECKED or _waits(after["control"], after["reason"], step["outcome"]):
        return Became.PERSON
    return Became.BROKEN if now is Result.FAIL else Became.OPEN


def _waits(control: str, reason: str, outcome: str) -> bool:
    """Does the control wait for the person's part of it alone?"""
    known = catalog.controls().get(control)
    harden = known.harden if known is not None else None
    if harden is None:
        return False
    idle = outcome == "unchanged" and reason in harden.person_when_unchanged
    return idle or reason in harden.person_when


def in_order(steps: Iterable[Step]) -> list[Step]:
    """For a person to read: what can do most harm first, then by number."""
    weight = {Severity.HIGH: 0, Severity.MEDIUM: 1, Severity.LOW: 2, None: 3}
    return sorted(steps, key=lambda step: (weight[step.risk], step.number))
