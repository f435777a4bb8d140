"""What became of a pledge since a day: its record, its evidence, its findings, its clauses.

Both ends are judged from the bundles, as findings and status are: what ran out since, a waiver or a
document, shows as well as what was attached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from collector.model import Result
from collector.pledges.database.rows import Evidence, Version
from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.register import Register
from collector.pledges.standing.found_now import is_renewed, lives_at
from collector.pledges.standing.standing import CHECKED
from collector.pledges.standing.status import status
from collector.pledges.status.findings import Life, rank

CLAUSES = ("2.2", "2.3", "2.4")
NONE = "none"

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Findings:
    """`opened` (also anew) and `closed` since; `waived` since and open before; those that are open

    as before, with a `worse` or a `better` verdict; and how many were open then, and are now.
    """

    opened: Sequence[Life] = ()
    worse: Sequence[Life] = ()
    better: Sequence[Life] = ()
    closed: Sequence[Life] = ()
    waived: Sequence[Life] = ()
    then: int = 0
    now: int = 0

    @property
    def any(self) -> bool:
        return any((self.opened, self.worse, self.better, self.closed, self.waived))


@dataclass(frozen=True, slots=True)
class Changed:
    """`versions` of the record and `evidence` are what was written since.

    `later`: of what was first looked at since, and again, what became of it from the first look on.

    `begun`: was the record there before? `clauses`: by number, its word then and now; of a pledge
    of which nothing else changed none is told.
    """

    record: PledgeRecord
    begun: bool
    versions: Sequence[Version]
    evidence: Sequence[Evidence]
    findings: Findings
    clauses: Mapping[str, tuple[str, str]]
    later: Findings | None = None

    @property
    def worse(self) -> bool:
        """Did anything open, or get graver?"""
        return bool(self.findings.opened or self.findings.worse)

    @property
    def compared(self) -> bool:
        """Was it looked at before, so that there is something to hold it against?"""
        return self.later is not None or any(was != NONE for was, _ in self.clauses.values())

    @property
    def worsened(self) -> bool:
        """Did anything open or get graver of what had been looked at before, or a clause?"""
        both = [words for words in self.clauses.values() if NONE not in words]
        # what grew old alone is no worse than it was seen to be
        clauses = bool(self.evidence or self.versions) and any(
            rank(word) < rank(was) for was, word in both
        )
        if self.later is not None:
            return bool(self.later.opened or self.later.worse)
        return self.compared and (self.worse or clauses)


def changed(register: Register, id: str, since: datetime, now: datetime) -> Changed | None:
    """None where nothing did; raises BadInput where its bundles cannot be read.

    What was declared void since counts for nothing on either day.
    """
    history, evidence = register.history(id), register.evidence(id)
    record = history[-1].record
    before = [one.record for one in history if one.added_at < since]
    written = [one for one in history if one.added_at >= since]
    attached = [one for one in evidence if one.attached_at >= since]
    if "disposed" in record.document or not evidence:
        # of what was destroyed nothing is told but that
        return Changed(record, bool(before), written, attached, Findings(), {}) if written else None
    # each says how old it is by what counts before it
    then = tuple(one for one in evidence if one.attached_at < since)
    old = before[-1] if before else None
    renewed = is_renewed(register, record, now)
    stood = lives_at(old, then, since, renewed=renewed) if old is not None and then else ()
    stands = lives_at(record, evidence, now, renewed=renewed)
    found = compared(stood, stands)
    if not (written or attached or found.any):
        return None
    was = dict.fromkeys(CLAUSES, NONE)
    if old is not None and then:
        was = _words(old, then, since, renewed=renewed)
    words = _words(record, evidence, now, renewed=renewed)
    clauses = {n: (was[n], words[n]) for n in CLAUSES}
    later = None
    if not then and len(evidence) > 1:
        first = evidence[:1]
        later = compared(lives_at(record, first, first[0].attached_at, renewed=renewed), stands)
        # mended since, though nobody knew of it at the beginning
        found = replace(found, closed=later.closed, waived=later.waived)
    return Changed(record, bool(before), written, attached, found, clauses, later)


def compared(then: Iterable[Life], now: Iterable[Life]) -> Findings:
    """What became of each finding in between."""
    old = {_key(life): life for life in then if life.state == "open"}
    every = {_key(life): life for life in now}
    still = {key: life for key, life in every.items() if life.state == "open"}
    both = [(old[key], life) for key, life in still.items() if key in old]
    gone = [every[key] for key in old if key in every and key not in still]
    return Findings(
        [life for key, life in still.items() if key not in old],
        [
            life
            for before, life in both
            if rank(life.verdict) < rank(before.verdict) and not _aged(before, life)
        ],
        [life for before, life in both if rank(life.verdict) > rank(before.verdict)],
        [life for life in gone if life.state == "closed"],
        [life for life in gone if life.state == "waived"],
        len(old),
        len(still),
    )


def _aged(before: Life, life: Life) -> bool:
    """Does the same look alone say less, for it is too old by now? Nothing became worse by that."""
    return life.verdict is Result.ERROR and life.seen == before.seen


def _key(life: Life) -> _Key:
    return life.control, life.host


def _words(
    record: PledgeRecord, evidence: Sequence[Evidence], at: datetime, *, renewed: bool
) -> dict[str, str]:
    """By number, what the status says of each clause that is checked on hosts."""
    stands = status(record, evidence, at, renewed=renewed, shown=lambda _newest: ())
    found = {
        of[0]: str(one.verdict or NONE)
        for one in stands.clauses
        if len(of := CHECKED.get(one.clause.id, ())) == 1
    }
    return {n: found.get(n, NONE) for n in CLAUSES}
