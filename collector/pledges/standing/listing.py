"""Which of the records of a register are asked for, in which order, and what they come to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from collector.pledges.database.rows import Evidence, current
from collector.pledges.due.lifecycle import OWED, State, continued, state
from collector.pledges.record.people import plain_name
from collector.pledges.record.sought import holds
from collector.pledges.record.times import CHINA
from collector.pledges.standing.due import Due, due, too_old, unseen
from collector.pledges.status.brief import Brief
from collector.pledges.status.findings import Life

CLAUSES = ("2.2", "2.3", "2.4")
# what `--clause 2.3` leaves out; `none` stands for a record without evidence
_KEPT = frozenset({"pass", "notapplicable"})
VERDICTS = ("pass", "partial", "fail", "error", "notapplicable", "notchecked", "none")
ORDERS = ("id", "customer", "grade", "until", "collected")
_SATISFIED = frozenset({"pass", "partial", "notapplicable"})
_NOTHING_LEFT = frozenset({"pass", "notapplicable"})


@dataclass(frozen=True, slots=True)
class Listed:
    """One record: its newest evidence, where it is in its life, and what falls due.

    `stale`: its evidence is older than it may be.
    """

    record: Brief
    evidence: Sequence[Evidence]
    state: State
    dues: tuple[Due, ...]
    stale: bool = False

    @property
    def last(self) -> Evidence | None:
        return current(self.evidence)

    @property
    def until(self) -> str:
        """The last day of its period (ISO), empty where it has none."""
        return str(self.record.document.get("period", {}).get("until", ""))

    def verdict(self, clause: str) -> str:
        """Of VERDICTS: what the newest evidence proves of the clause, at the record's grade.

        A waiver that ended since softens nothing any more: see `ended_waivers`.
        """
        last = self.last
        if last is None:
            return "none"
        word = last.word(clause) or "none"
        scope = last.scope
        # a record that declares no hosts is proven by no machine
        short = (
            not self.record.hosts
            or scope is None
            or scope.grade < self.record.grade
            or not scope.clauses[clause].whole
            # declared then, and not looked at: the log says how many
            or (last.absent and not self.unseen)
        )
        if self.stale and word != "fail":
            # what was proven was so too long ago
            return "error"
        if self.unseen and word in _NOTHING_LEFT:
            # what holds for some of the hosts is no pass for all of them
            return "error"
        return "error" if short and word in _SATISFIED else word

    @property
    def handed_in(self) -> int | None:
        """Of how many hosts what stands now was handed in; None where nobody knows."""
        last = self.last
        found = None if last is None else last.handed_in
        if last is not None and last.handed_in_now is not None:
            found = last.handed_in_now
        return None if found == -1 else found

    @property
    def unseen(self) -> frozenset[str]:
        """The hosts that are declared, and not in its newest evidence; none where nobody knows."""
        return unseen(self.record, self.evidence)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for; each that is left out asks for nothing.

    `clauses` maps a clause to the verdicts that are wanted, None for all but those that are kept;
    they are asked of what is in force, where no `states` are asked for.
    `search` is looked for in what `record.sought` has; `owner` sees to a finding of the record;
    `older` is how long ago its newest evidence was collected, at least; `bare`: it is in force, and
    no evidence of it counts. Of those two either is enough. `given`: some of what stands now was
    handed in, or nobody can tell.
    """

    states: frozenset[str] = frozenset()
    grades: frozenset[int] = frozenset()
    clauses: Mapping[str, frozenset[str] | None] | None = None
    expiring: timedelta | None = None
    due_within: timedelta | None = None
    search: str = ""
    owner: str = ""
    older: timedelta | None = None
    bare: bool = False
    given: bool = False

    def holds(self, one: Listed, today: date) -> bool:
        record = one.record
        return (
            (not self.states or one.state in self.states)
            and (not self.grades or record.grade in self.grades)
            and (not self.clauses or bool(self.states) or one.state in OWED)
            and all(_asked(one.verdict(n), w) for n, w in (self.clauses or {}).items())
            and (self.expiring is None or self._expires(one, today))
            and (self.due_within is None or bool(one.dues))
            and (not self.search or holds(record.sought, self.search))
            and (not self.owner or plain_name(self.owner) in owners(record))
            and self._is_aged(one, today)
            and (not self.given or (one.last is not None and one.handed_in != 0))
        )

    def leaves_out(self, one: Listed, today: date) -> bool:
        """Is it as wanted, and left out alone for not being in force?"""
        if not self.clauses or self.states or one.state in OWED:
            return False
        return replace(self, states=frozenset((one.state,))).holds(one, today)

    def _is_aged(self, one: Listed, today: date) -> bool:
        if self.older is None and not self.bare:
            return True
        last = one.last
        if last is None:
            return self.bare and one.state in OWED
        if self.older is None:
            return False
        return last.collected_at.astimezone(CHINA).date() < today - self.older

    def _expires(self, one: Listed, today: date) -> bool:
        """It is in force, and ends within that time (or ran out and nobody renewed it).

        What has no period never ends by itself.
        """
        last = today + (self.expiring or timedelta())
        return one.state in OWED and "" < one.until <= last.isoformat()


def listed(
    records: Sequence[Brief],
    attached: Mapping[str, Sequence[Evidence]],
    now: datetime,
    within: timedelta,
    lives: Mapping[str, Sequence[Life]],
) -> list[Listed]:
    """All of them as they stand at `now` (aware), with what falls due `within` that time.

    `lives`: by id what became of findings, of each that one falls due of (`lives_of_all`).
    Raises ValueError for briefs that were asked for with the deadlines of a shorter time.
    """
    renewed = continued(records)
    today = now.astimezone(CHINA).date()
    found = []
    for record in records:
        evidence, again = attached.get(record.id, ()), record.id in renewed
        found_of = lives.get(record.id)
        dues = due(record, evidence, now, within=within, renewed=again, lives=found_of)
        stands = state(record, today, renewed=again)
        old = too_old(record, evidence, now, renewed=again)
        found.append(Listed(record, evidence, stands, dues, stale=old is not None))
    return found


def ordered(rows: Iterable[Listed], by: str) -> list[Listed]:
    """By one of ORDERS, then by id; without a day: last by `until`, first by `collected`."""

    def key(one: Listed) -> tuple[Any, ...]:
        last = one.last
        first: Mapping[str, Any] = {
            "id": "",
            "customer": one.record.customer,
            "grade": -one.record.grade,
            "until": one.until or "9999",
            "collected": last.collected_at.isoformat() if last else "",
        }
        return first[by], one.record.id

    return sorted(rows, key=key)


def summary(rows: Sequence[Listed], now: datetime) -> dict[str, Any]:
    """How many there are in all, by state; of those that owe it, by verdict of each clause …

    Where none of the rows owes anything, drafts say, all of them are counted.
    """
    owed = [one for one in rows if one.state in OWED]
    held = owed or rows
    return {
        "pledges": len(rows),
        "hosts": len({host for one in rows for host in one.record.hosts}),
        "states": dict(Counter(str(one.state) for one in rows)),
        "owed": len(owed),
        "clauses": _clauses(held),
        "grades": {
            str(grade): {
                "pledges": len(some),
                "clauses": _clauses(some),
            }
            for grade in sorted({one.record.grade for one in held}, reverse=True)
            if (some := [one for one in held if one.record.grade == grade])
        },
        "without_evidence": sum(one.last is None for one in held),
        "overdue": sum(any(d.overdue(now) for d in one.dues) for one in rows),
        "falls_due": sum(bool(one.dues) for one in rows),
        # of the one before, what is overdue is a part
        "comes_due": sum(any(d.at > now for d in one.dues) for one in rows),
    }


def _clauses(rows: Sequence[Listed]) -> dict[str, dict[str, int]]:
    """How many there are of each verdict, by clause."""
    return {n: dict(Counter(one.verdict(n) for one in rows)) for n in CLAUSES}


def owners(record: Brief) -> frozenset[str]:
    """Who was named to see to its findings."""
    said = record.document.get("follow_ups", ())
    return frozenset(plain_name(str(entry["owner"])) for entry in said if entry.get("owner"))


def _asked(word: str, wanted: frozenset[str] | None) -> bool:
    return word not in _KEPT if wanted is None else word in wanted
