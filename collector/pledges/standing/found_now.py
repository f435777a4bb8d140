"""What single findings come to since they were made, as the clause that they are of comes to it.

The signature of their evidence counts no more, a document that they rest on has ended, or nobody
looked for longer than may be: then what was proven is not verified, and what failed has failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from collector.model import Result, Text
from collector.pledges.database.rows import Evidence, current
from collector.pledges.due import lifecycle
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing.due import Due, too_old
from collector.pledges.standing.ended_documents import Lost, lost
from collector.pledges.standing.finding_history import all_lives
from collector.pledges.standing.newest_looks import Looks
from collector.pledges.standing.standing import SATISFIED, refused
from collector.pledges.status.findings import Life
from collector.pledges.status.latest_bundle import Newest


class FoundNow:
    """Of one record and its evidence, at one time.

    `gone`: what the newest rests on that has ended; `overdue`: what is overdue then, of which
    evidence that is too old counts; `lives`: its findings, as far as they are told.
    """

    def __init__(
        self,
        evidence: Sequence[Evidence],
        gone: Iterable[Lost],
        overdue: Iterable[Due],
        lives: Iterable[Life] = (),
    ) -> None:
        last = current(evidence)
        self._last = last.sequence if last else 0
        self._refused = {one.sequence: refused(one) for one in evidence if one.refused}
        self._lost = {(one.control, host): one.reason for one in gone for host in one.hosts}
        # of looks before the newest bundle, what they found and is open all the same
        self._open = {
            (one.control, one.host, one.seen): one.said
            for one in lives
            if one.state == "open" and one.verdict is Result.ERROR
        }
        self._stale = tuple(one.text for one in overdue if one.kind == "evidence")

    def told(
        self, control: str, host: str, sequence: int, result: Result
    ) -> tuple[Result, tuple[Text, ...]]:
        """Of a finding of that evidence, its verdict now, and why that is another one."""
        if (why := self._refused.get(sequence)) is not None:
            return Result.ERROR, (why,)
        ended = self._lost.get((control, host)) if sequence == self._last else None
        if ended is None and result in SATISFIED:
            ended = self._open.get((control, host, sequence))
        whys = (*([ended] if ended else []), *self._stale)
        if not whys or result is Result.FAIL:
            return result, ()
        return Result.ERROR, whys

    def lives(self, found: Iterable[Life]) -> tuple[Life, ...]:
        return tuple(map(self._life, found))

    def _life(self, one: Life) -> Life:
        result, whys = self.told(one.control, one.host, one.seen, one.verdict)
        if result is one.verdict:
            return one
        zh, en = "；".join(why.zh for why in whys), "; ".join(why.en for why in whys)
        return replace(one, verdict=result, said=Text(zh, en), waits="", found=one.verdict)

    def looks(self, found: Looks) -> Looks:
        if not (self._refused or self._lost or self._stale or self._open):
            return found
        hosts = {}
        for host, entry in found.hosts.items():
            findings = []
            for one in entry["findings"]:
                control, was = one["control"], Result(one["verdict"])
                result, _ = self.told(control, host, found.seen[host, control], was)
                findings.append({**one, "verdict": str(result)})
            hosts[host] = {**entry, "findings": findings}
        return replace(found, hosts=hosts)


def lives_now(register: Register, record: PledgeRecord, now: datetime) -> tuple[Life, ...]:
    """As `lives_at` now, by all that the register has; raises BadInput as `all_lives`."""
    renewed = is_renewed(register, record, now)
    return lives_at(record, register.evidence(record.id), now, renewed=renewed)


def lives_told(
    register: Register, record: PledgeRecord, now: datetime
) -> tuple[tuple[Life, ...], Due | None]:
    """As a customer is told of them, and since when a look is owed, where the last is too old.

    Each has the verdict that it has everywhere, and says what was seen: that nobody looked again is
    not the customer's to mend. Raises BadInput as `all_lives`.
    """
    evidence = register.evidence(record.id)
    old = too_old(record, evidence, now, renewed=is_renewed(register, record, now))
    found, gone = _found(record, evidence, now)
    aged = FoundNow(evidence, gone, [old] if old else [], found).lives(found)
    seen = FoundNow(evidence, gone, (), found).lives(found)
    both = zip(aged, seen, strict=True)
    told = tuple(x if x.closed else _as_seen(x, before) for x, before in both)
    last = current(evidence)
    # where some of the hosts were looked at since, nobody says that none was
    owed = old if old and last and last.collected_at < old.at else None
    return told, owed


def _as_seen(life: Life, before: Life) -> Life:
    if life.verdict is before.verdict:
        return life
    return replace(life, said=before.said, waits=before.waits, found=before.verdict)


def is_renewed(register: Register, record: PledgeRecord, now: datetime) -> bool:
    """Did it run out, and another record says that it continues it?"""
    today = now.astimezone(CHINA).date()
    # of the others nothing depends on it, and all records are read for it
    ran_out = lifecycle.state(record, today, renewed=False) == "lapsed"
    return ran_out and record.id in register.renewed()


def lives_at(
    record: PledgeRecord, evidence: Sequence[Evidence], now: datetime, *, renewed: bool
) -> tuple[Life, ...]:
    """Every finding there ever was, as it counts `now`; raises BadInput as `all_lives`.

    `renewed`: another record says that it continues this one.
    """
    found, gone = _found(record, evidence, now)
    return found_at(record, evidence, now, gone, found, renewed=renewed).lives(found)


def found_at(
    record: PledgeRecord,
    evidence: Sequence[Evidence],
    now: datetime,
    gone: Iterable[Lost],
    lives: Iterable[Life],
    *,
    renewed: bool,
) -> FoundNow:
    """As `FoundNow`, where nothing but its age is overdue."""
    old = too_old(record, evidence, now, renewed=renewed)
    return FoundNow(evidence, gone, [old] if old else [], lives)


def _found(
    record: PledgeRecord, evidence: Sequence[Evidence], now: datetime
) -> tuple[tuple[Life, ...], Sequence[Lost]]:
    """Its findings as their evidence has them, and what the newest rests on that has ended."""
    found, last = all_lives(record, evidence, now), current(evidence)
    return found, lost(record, Newest(last), now) if last is not None else ()
