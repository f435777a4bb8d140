"""What a manager wants to know first: is each clause kept, and what to do first. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
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
    "not verified" where something fails. `since`: why it is not what the evidence said of it.
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
    since: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Whole:
    """All clauses in one sentence: the word of the worst, and how many have each."""

    word: str
    counts: Mapping[str, int]


# no evidence of a clause is worse than one that is kept in part
_WORST_FIRST = (
    "answer_broken",
    "answer_unverified",
    "answer_none",
    "answer_partly",
    "answer_kept",
)


def whole(found: Sequence[Answer]) -> Whole:
    counts = Counter(answer.word for answer in found)
    ranked = {word: counts[word] for word in _WORST_FIRST if counts[word]}
    return Whole(next(iter(ranked), "answer_none"), ranked)


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
    deciding = _deciding(result, {shown.result for _, shown in found})
    wanting = [(h, s) for h, s in found if s.result is deciding] if deciding else []
    waived = {
        shown.control
        for host in hosts
        for shown in host.by_control.values()
        if shown.control in here and shown.waived
    }
    numbers = {
        "controls": len({shown.control for _, shown in wanting}),
        "of": len(here),
        "hosts": len({host.name for host, _ in wanting}),
        "all": len(hosts),
    }
    if result is Result.PARTIAL and not wanting:
        numbers["waived"] = len(waived)
    also = {other: len({s.control for _, s in found if s.result is other}) for other in _WANTING}
    kept = result in (Result.PASS, Result.NOTAPPLICABLE)
    ends = sorted(shown.until for _, shown in found if shown.until and shown.result is Result.PASS)
    return Answer(
        clause["number"],
        clause["title"],
        result,
        WORDS[result] if result else "answer_none",
        _said(
            result,
            deciding,
            bool(clause["judged"]),
            bool(wanting),
            since=bool(clause.get("since", ())),
        ),
        numbers,
        ends[0] if kept and ends else "",
        tuple(s["control"] for s in steps if s["control"]["clause"] == clause["id"])[:_STEPS],
        {
            other: count
            for other, count in also.items()
            if count and other not in (result, deciding)
        },
        clause.get("since", ()) if result else (),
    )


def _deciding(result: Result | None, found: Collection[Result]) -> Result | None:
    """What makes the clause what it is: some failures make it no more than kept in part."""
    if result is Result.PARTIAL and result not in found and Result.FAIL in found:
        return Result.FAIL
    return result


def _said(
    result: Result | None, deciding: Result | None, part: bool, wanting: bool, *, since: bool
) -> str:
    if result is None:
        return "answer_not_looked"
    if since:
        return "answer_said_since"
    if result in (Result.PASS, Result.NOTAPPLICABLE):
        return "answer_said_kept"
    if result is Result.ERROR and (part or not wanting):
        return "answer_said_part"
    if result is Result.PARTIAL and not wanting:
        return "answer_said_waived"
    return f"answer_said_{deciding}"
