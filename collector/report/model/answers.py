"""What a manager wants to know first: is each clause kept, and what to do first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.model import Result
from collector.report.model.view import Host

_STEPS = 2
# what is not satisfied, the gravest first
_WANTING = (Result.FAIL, Result.ERROR, Result.PARTIAL, Result.NOTCHECKED)
# how a verdict over a clause is said where there is one sentence for it
WORDS = {
    Result.PASS: "answer_kept",
    Result.NOTAPPLICABLE: "answer_kept",
    Result.PARTIAL: "answer_partly",
    Result.FAIL: "answer_broken",
    Result.ERROR: "answer_unverified",
    Result.NOTCHECKED: "answer_unverified",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One clause: `word` and `said` are words of the report, `said` filled with `numbers`.

    `until` is the first day (as the report writes it) on which something in it no longer holds,
    empty where it does not hold now; `first` are the controls to mend first. `also` is how many
    controls are not satisfied in other ways than the one that the verdict names: nobody is to read
    "not verified" where something fails.
    """

    number: str
    title: str
    result: Result | None
    word: str
    said: str
    numbers: Mapping[str, int]
    until: str
    first: tuple[Mapping[str, Any], ...]
    also: Mapping[Result, int]


def answers(
    listed: Sequence[Mapping[str, Any]],
    controls: Sequence[Mapping[str, Any]],
    hosts: Sequence[Host],
    steps: Sequence[Mapping[str, Any]],
) -> list[Answer]:
    """`listed` are the clauses with their verdicts, `steps` what to mend first, in its order."""
    return [_answer(clause, controls, hosts, steps) for clause in listed]


def _answer(
    clause: Mapping[str, Any],
    controls: Sequence[Mapping[str, Any]],
    hosts: Sequence[Host],
    steps: Sequence[Mapping[str, Any]],
) -> Answer:
    here = {control["id"] for control in controls if control["clause"] == clause["id"]}
    result = clause["result"]
    found = [
        (host, shown)
        for host in hosts
        for shown in host.by_control.values()
        if shown.control in here and not shown.waived
    ]
    # what decides the verdict; where its scope does, as many as could not be seen
    wanting = [(h, s) for h, s in found if s.result is result] if result else []
    numbers = {
        "controls": len({shown.control for _, shown in wanting}),
        "of": len(here),
        "hosts": len({host.name for host, _ in wanting}),
        "all": len(hosts),
    }
    also = {other: len({s.control for _, s in found if s.result is other}) for other in _WANTING}
    kept = result in (Result.PASS, Result.NOTAPPLICABLE)
    ends = sorted(shown.until for _, shown in found if shown.until and shown.result is Result.PASS)
    return Answer(
        clause["number"],
        clause["title"],
        result,
        WORDS[result] if result else "answer_none",
        _said(result, bool(clause["judged"]), bool(wanting)),
        numbers,
        ends[0] if kept and ends else "",
        tuple(s["control"] for s in steps if s["control"]["clause"] == clause["id"])[:_STEPS],
        {other: count for other, count in also.items() if count and other is not result},
    )


def _said(result: Result | None, part: bool, wanting: bool) -> str:
    if result is None:
        return "answer_not_looked"
    if result in (Result.PASS, Result.NOTAPPLICABLE):
        return "answer_said_kept"
    if result is Result.ERROR and (part or not wanting):
        return "answer_said_part"
    return f"answer_said_{result}"
