"""What clauses come to since their newest evidence: what that rests on may have ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from collector.errors import CollectorError
from collector.pledges.database.rows import Evidence, current
from collector.pledges.record.times import CHINA
from collector.pledges.register.register import Register
from collector.pledges.standing.ended_documents import has_ended, lost
from collector.pledges.standing.ended_waivers import EndedWaivers
from collector.pledges.status.latest_bundle import Newest

Attached = Mapping[str, tuple[Evidence, ...]]


class Since:
    """Remembers what it read, for as long as record, evidence and day stay the same.

    A bundle is read only where a document of its record ended, or is another one than it was then.
    """

    def __init__(self) -> None:
        self._waivers = EndedWaivers()
        self._known: dict[tuple[str, ...], frozenset[str] | None] = {}

    def counted(self, register: Register, attached: Attached, now: datetime) -> Attached:
        """The same, where the newest evidence of a record says what its clauses come to now."""
        found = dict(self._waivers.counted(register, attached, now))
        read: dict[tuple[str, ...], frozenset[str] | None] = {}
        day = now.astimezone(CHINA).date().isoformat()
        since = {
            id: last.attached_at
            for id, rows in found.items()
            if (last := current(rows)) is not None and not (last.doubted or last.refused)
        }
        for id, course in register.document_courses(since).items():
            last = current(found[id])
            if last is None or not (course.is_changed or has_ended(course.now, now)):
                continue
            key = id, last.digest, str(course.version), day
            if key in self._known:
                read[key] = self._known[key]
            else:
                read[key] = _clauses(register, last, now)
            words = _words(last, read[key])
            found[id] = tuple(replace(r, now=words) if r is last else r for r in found[id])
        self._known = read
        return found


def _clauses(register: Register, last: Evidence, now: datetime) -> frozenset[str] | None:
    """Those that are not verified any more; None where nobody can tell."""
    try:
        return frozenset(one.clause for one in lost(register.get(last.pledge), Newest(last), now))
    except CollectorError:
        return None


def _words(last: Evidence, lost: frozenset[str] | None) -> Mapping[str, str]:
    words = dict(last.now)
    for clause in last.verdicts if lost is None else lost:
        if last.word(clause) not in (None, "fail"):
            words[clause] = "error"
    return words
