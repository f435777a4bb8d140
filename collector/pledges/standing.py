"""How a pledge record stands, clause by clause, and what of it may be shown to anybody. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from collector.model import Result
from collector.pledges.documents import DocumentClause, clauses
from collector.pledges.record import PledgeRecord
from collector.pledges.register import Evidence
from collector.pledges.times import CHINA

State = Literal["held", "missing", "verdict"]
# worst first: the verdict over several clauses is the worst of theirs
_WORST = (
    Result.FAIL,
    Result.ERROR,
    Result.PARTIAL,
    Result.NOTCHECKED,
    Result.PASS,
    Result.NOTAPPLICABLE,
)
_CHECKED = {
    "responsibility.2.2": ("2.2",),
    "responsibility.2.3": ("2.3",),
    "responsibility.2.4": ("2.4",),
    "pledge.4": ("2.2", "2.3", "2.4"),
}
_MOBILE = re.compile(
    r"(?<![0-9A-Za-z])(\+?86[- ]?)?(1[3-9][0-9])([0-9]{4})([0-9]{4})(?![0-9A-Za-z])"
)
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])([1-9][0-9]{5})([0-9*]{8,10})([0-9Xx*]{2,4})(?![0-9A-Za-z*])"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """One clause: `held` in the record since `since`, `missing` fields, or the last `verdict`."""

    clause: DocumentClause
    state: State
    verdict: Result | None = None
    since: str = ""
    missing: tuple[str, ...] = ()


def standing(
    record: PledgeRecord, evidence: Sequence[Evidence], today: date
) -> tuple[Standing, ...]:
    """Every numbered clause of both documents, in their order."""
    last = evidence[-1] if evidence else None
    return tuple(_one(record.document, clause, last, today) for clause in clauses().values())


def _one(
    document: Mapping[str, Any], clause: DocumentClause, last: Evidence | None, today: date
) -> Standing:
    if "checked" in clause.places:
        given = [last.verdicts.get(n) for n in _CHECKED[clause.id]] if last else []
        verdicts = {Result(v) if v else Result.NOTCHECKED for v in given}
        worst = next((r for r in _WORST if r in verdicts), Result.NOTCHECKED)
        since = last.collected_at.astimezone(CHINA).date().isoformat() if last else ""
        return Standing(clause, "verdict", worst, since)
    if "acknowledged" in clause.places:
        days = [d["signed_on"] for d in document["documents"] if d["type"] == clause.document]
        days += [
            a["date"] for a in document.get("acknowledgements", ()) if clause.id in a["clauses"]
        ]
        return (
            Standing(clause, "held", since=min(days))
            if days
            else Standing(clause, "missing", missing=("documents",))
        )
    attested = [
        a["date"]
        for a in document.get("attestations", ())
        if a["clause"] == clause.id and a.get("expires", "9999-12-31") >= today.isoformat()
    ]
    if attested:
        return Standing(clause, "held", since=max(attested))
    missing = tuple(field for field in clause.fields if not document.get(field))
    return Standing(clause, "missing" if missing else "held", missing=missing)


def masked(value: Any, *, key: str = "") -> Any:
    """A copy with phone numbers and identity numbers masked, wherever they stand."""
    if isinstance(value, Mapping):
        return {name: masked(inner, key=name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner, key=key) for inner in value]
    if not isinstance(value, str):
        return value
    if key == "phone":
        return _middle(value)
    if key in ("credit_code", "sha256"):
        return value
    return _IDENTITY.sub(_hide, _MOBILE.sub(r"\1\2****\4", value))


def _hide(found: re.Match[str]) -> str:
    return found[1][:2] + "*" * (len(found[0]) - 4) + found[0][-2:]


def _middle(number: str) -> str:
    shown = 3 if len(number) >= 9 else 1
    return number[:shown] + "*" * (len(number) - 2 * shown) + number[-shown:]
