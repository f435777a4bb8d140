"""What clauses come to since their newest evidence: what that rests on may have ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from collector.errors import CollectorError
from collector.pledges.database.rows import Evidence, current
from collector.pledges.database.transactions import DatabaseAwayError
from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.register import Register
from collector.pledges.standing.ended_documents import lost
from collector.pledges.standing.ended_waivers import EndedWaivers
from collector.pledges.standing.first_ends import FirstEnds
from collector.pledges.standing.newest_looks import looks_of
from collector.pledges.status.latest_bundle import Newest

Attached = Mapping[str, tuple[Evidence, ...]]


class Since:
    """Remembers what it read, for as long as record, evidence and what has ended stay the same.

    Of each newest bundle it is read once when what it rests on ends; after that it is read only
    where something has, or where a document of its record is another one than it was then.
    """

    def __init__(self) -> None:
        self._waivers = EndedWaivers()
        self._known: dict[tuple[str, ...], frozenset[str] | None] = {}
        self._counts: dict[tuple[str, ...], int] = {}
        self._hosts: dict[str, frozenset[str]] = {}
        self._ends = FirstEnds()

    def counted(self, register: Register, attached: Attached, now: datetime) -> Attached:
        """The same, where the newest evidence of a record says what its clauses come to now."""
        found = dict(self._waivers.counted(register, self._seen(attached), now))
        read: dict[tuple[str, ...], frozenset[str] | None] = {}
        newest = {
            id: last
            for id, rows in found.items()
            if (last := current(rows)) is not None and not (last.doubted or last.refused)
        }
        self._ends.look(register.where, newest.values())
        changed = register.document_courses(newest)
        for id, last in newest.items():
            over = self._ends.over(last, now)
            if over == () and id not in changed:
                continue
            # each document that ends is looked at anew
            key = id, last.digest, changed.get(id, ""), repr(over)
            if key in self._known:
                read[key] = self._known[key]
            else:
                read[key] = _clauses(register, last, now)
            words = _words(last, read[key])
            found[id] = tuple(replace(r, now=words) if r is last else r for r in found[id])
        # what could not be read may be there again in a moment
        self._known = {key: lost for key, lost in read.items() if lost is not None}
        return self._given(register, found)

    def _seen(self, attached: Attached) -> Attached:
        """With the hosts of the newest evidence, where the register does not keep which they are.

        A backup does not hold that. Where nobody can tell, none of those that are declared is.
        """
        found = dict(attached)
        for id, rows in attached.items():
            last = current(rows)
            if last is None or last.hosts is not None or last.doubted:
                continue
            hosts = self._hosts.get(last.digest)
            if hosts is None and (hosts := _hosts(last)) is not None:
                self._hosts[last.digest] = hosts
            told = replace(last, hosts=hosts or frozenset())
            found[id] = tuple(told if r is last else r for r in rows)
        return found

    def _given(self, register: Register, attached: Attached) -> Attached:
        """With how much of what stands now was handed in, where the newest evidence is of a part.

        Bundles are read where that is so, and something of the record was handed in once.
        """
        partly = [
            (id, last)
            for id, rows in attached.items()
            if (last := current(rows)) is not None and not (last.doubted or last.whole)
        ]
        if not partly:
            return attached
        ever, found = register.handed_in_ever(), dict(attached)
        counts: dict[tuple[str, ...], int] = {}
        for id, last in partly:
            if id not in ever:
                continue
            try:
                record = register.get(id)
            except DatabaseAwayError:
                raise
            except CollectorError:
                # what the record is nobody knows, and lists say that
                count = -1
            else:
                key = id, last.digest, record.digest, *_trust(register, id)
                if (count := self._counts.get(key, -1)) < 0:
                    count = _given(register, record)
                counts[key] = count
            told = replace(last, handed_in_now=count)
            found[id] = tuple(told if r is last else r for r in found[id])
        self._counts = counts
        return found


def _trust(register: Register, id: str) -> Iterator[str]:
    """Of all evidence, what counts of it: which look stands for a host depends on that."""
    for one in register.every_evidence(id, hold=False):
        yield f"{one.digest} {one.refused}"


def _clauses(register: Register, last: Evidence, now: datetime) -> frozenset[str] | None:
    """Those that are not verified any more; None where nobody can tell."""
    try:
        return frozenset(one.clause for one in lost(register.get(last.pledge), Newest(last), now))
    except DatabaseAwayError:
        raise
    except CollectorError:
        return None


def _hosts(last: Evidence) -> frozenset[str] | None:
    try:
        return frozenset(Newest(last).evidence["hosts"])
    except CollectorError:
        return None


def _given(register: Register, record: PledgeRecord) -> int:
    try:
        return len(looks_of(record.hosts, register.evidence(record.id)).handed_in)
    except DatabaseAwayError:
        raise
    except CollectorError:
        return -1


def _words(last: Evidence, lost: frozenset[str] | None) -> Mapping[str, str]:
    words = dict(last.now)
    for clause in last.verdicts if lost is None else lost:
        if last.word(clause) not in (None, "fail"):
            words[clause] = "error"
    return words
