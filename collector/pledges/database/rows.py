"""What the register gives: a version of a record, a bundle attached to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from collector.model import Result
from collector.pledges.record.form import PledgeRecord
from collector.scope import Part, Scope

_NOT_CHECKED = str(Result.NOTCHECKED)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a record: the first is 1. Earlier ones are kept as they were."""

    number: int
    record: PledgeRecord
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """A bundle attached to a pledge record.

    `sequence` counts from 1; `previous` is the digest of the bundle before it (None at 1);
    `collected_at` is the time of its oldest capture, `made_at` what the signed statement says;
    `verdicts` is the verdict of each clause ("2.2" → "pass" …), as far as it was judged; `path` is
    where the bundle is kept. `scope` is how much was judged (None: it was attached before that was
    kept), and `absent` how many hosts that were declared then were not looked at: they are not in
    it, did not answer, or not to the end. `handed_in` is how
    many of its captures no run vouches for (None: it was attached before that was kept). `past`:
    every host in it had been looked at later already (None: what its time says, see `current`).
    `doubted`: the register's rows of its pledge are not what its log says of them. `now`: of
    clauses that come to another verdict since (`standing.ended_waivers`), which. `hosts`: those
    that are in it (None: that was not asked for, or is not kept). `refused`: why its signature
    counts no more, as that of a key that was revoked since; it proves nothing then.
    `handed_in_now`: of how many hosts something that stands now rests on what nobody collected,
    where that is not `handed_in`, as after a look at a part (-1: nobody can tell). `version`: that
    of the record to which it was attached (None: before that was kept).
    """

    pledge: str
    sequence: int
    digest: str
    previous: str | None
    collected_at: datetime
    made_at: datetime
    attached_at: datetime
    verdicts: Mapping[str, str]
    path: Path
    scope: Scope | None = None
    absent: int = 0
    handed_in: int | None = None
    past: bool | None = None
    doubted: bool = False
    now: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    hosts: frozenset[str] | None = field(default=None, compare=False)
    refused: str = ""
    handed_in_now: int | None = field(default=None, compare=False)
    version: int | None = field(default=None, compare=False)

    @property
    def whole(self) -> bool:
        """Does it look at all that its pledge was about when it was attached?"""
        return self.scope is None or (self.scope.whole and not self.absent)

    def word(self, clause: str) -> str | None:
        """The verdict of a clause as it counts now; None where nothing tells of it.

        Where nothing of it was judged, nobody looked: that somebody has to attest is another word.
        """
        said = self.now.get(clause, self.verdicts.get(clause))
        part = self.scope.clauses.get(clause) if self.scope else None
        if part is not None and part.of and not part.judged and said in (None, _NOT_CHECKED):
            return str(Result.ERROR)
        # what an earlier look found, that counts, is not mended by one that does not
        fails = self.now.get(clause) == Result.FAIL
        return str(Result.ERROR) if self.refused and said is not None and not fails else said

    def scope_json(self) -> dict[str, Any] | None:
        """As `scope_json`, of what was attached."""
        if self.scope is None:
            return None
        shown = scope_json(self.scope, self.handed_in, self.past)
        return {**shown, "absent": self.absent, "whole": self.whole}


def past_ones(evidence: Sequence[Evidence]) -> frozenset[int]:
    """The sequence numbers of those that looked at nothing later than what was attached before.

    Where a row does not say so, one that was collected before an earlier one is.
    """
    found: set[int] = set()
    latest: datetime | None = None
    for one in evidence:
        if one.past or (one.past is None and latest is not None and one.collected_at < latest):
            found.add(one.sequence)
            continue
        latest = one.collected_at if latest is None else max(latest, one.collected_at)
    return frozenset(found)


def current(evidence: Sequence[Evidence]) -> Evidence | None:
    """The one that says how the hosts are now: the last of which not every look is a past one."""
    past = past_ones(evidence)
    return next((one for one in reversed(evidence) if one.sequence not in past), None)


def few_of(attached: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Of these, in sequence: the newest whole one, the one looked last, the current, the last.

    A whole one whose signature counts no more steps back behind an older one that counts.
    """
    wholes = (e for e in attached if e.whole)
    whole = max(wholes, key=lambda e: (not e.refused, *_looked(e)), default=None)
    wanted = {max(attached, key=_looked).sequence, attached[-1].sequence}
    wanted |= {one.sequence for one in (whole, current(attached)) if one is not None}
    return tuple(e for e in attached if e.sequence in wanted)


def _looked(evidence: Evidence) -> tuple[datetime, int]:
    return evidence.collected_at, evidence.sequence


def scope_json(
    scope: Scope, handed_in: int | None = None, past: bool | None = None
) -> dict[str, Any]:
    """As the row and the log have it: with how many hosts were absent, and no names."""
    return {
        **({} if handed_in is None else {"handed_in": handed_in}),
        **({} if past is None else {"past": past}),
        "grade": scope.grade,
        "judged": scope.judged,
        "of": scope.of,
        "clauses": {n: {"judged": p.judged, "of": p.of} for n, p in scope.clauses.items()},
        "absent": len(scope.absent),
        "known": scope.known,
        "whole": scope.whole,
    }


def scope_of_json(found: Mapping[str, Any]) -> Scope:
    """The inverse, without the hosts."""
    parts = {n: Part(p["judged"], p["of"]) for n, p in found["clauses"].items()}
    return Scope(found["grade"], parts, known=found["known"])


def evidence_of(row: Mapping[Any, Any], path: Path) -> Evidence:
    """A row of the table, and where its bundle is kept."""
    scope = json.loads(row["scope"]) if row["scope"] else None
    return Evidence(
        row["pledge"],
        row["sequence"],
        row["digest"],
        row["previous"],
        datetime.fromisoformat(row["collected_at"]),
        datetime.fromisoformat(row["made_at"]),
        datetime.fromisoformat(row["attached_at"]),
        json.loads(row["verdicts"]),
        path,
        scope_of_json(scope) if scope else None,
        scope["absent"] if scope else 0,
        scope.get("handed_in") if scope else None,
        scope.get("past") if scope else None,
        version=_version(row.get("record")),
    )


def _version(record: str | None) -> int | None:
    """Of the record that an entry of the log binds."""
    try:
        return int(json.loads(record)["version"]) if record else None
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
