"""What clauses come to once a waiver of the newest evidence ended, or was withdrawn since.

The row of that evidence says what was proven with the waiver. A bundle is read for it only where
its record had a waiver then that does not hold now: of most records none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from collector.catalog import described
from collector.errors import CollectorError
from collector.pledges.database.rows import Evidence, current
from collector.pledges.database.transactions import DatabaseAwayError
from collector.pledges.database.waived import Course, Waivers
from collector.pledges.record.times import waiver_end
from collector.pledges.register.register import Register
from collector.pledges.status.findings import lives
from collector.pledges.status.latest_bundle import Newest

Attached = Mapping[str, tuple[Evidence, ...]]


class EndedWaivers:
    """Remembers what it read, for as long as record, evidence and day stay the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], Mapping[str, str]] = {}

    def counted(self, register: Register, attached: Attached, now: datetime) -> Attached:
        """The same, where the newest evidence of a record says what its clauses come to now."""
        found = dict(attached)
        read: dict[tuple[str, str, str], Mapping[str, str]] = {}
        for id, course in register.waiver_courses().items():
            rows = attached.get(id, ())
            last = current(rows)
            if last is None or not _softened(last, course, now):
                continue
            # a waiver may end within a day
            ended = sorted(str(w) for w in course.now if waiver_end(w["expires"]) <= now)
            key = id, last.digest, f"{course.now} {ended}"
            words = self._known.get(key) or _words(register, last, now)
            if words is None:
                # that may be over in a moment
                words = {n: "error" for n, word in last.verdicts.items() if word != "fail"}
            else:
                read[key] = words
            found[id] = tuple(replace(r, now=words) if r is last else r for r in rows)
        self._known = read
        return found


def _softened(last: Evidence, course: Course, now: datetime) -> bool:
    """May it rest on a waiver that was in force when it was made, and is not now?"""
    if last.doubted or last.refused or all(word == "fail" for word in last.verdicts.values()):
        return False
    before = course.at(last.attached_at, last.version)
    then = [w for w in before if waiver_end(w["expires"]) > last.collected_at]
    holding = [w for w in course.now if waiver_end(w["expires"]) > now]
    return any(not _covered(one["control"], one["host"], holding) for one in then)


def _covered(control: str, host: str, waivers: Waivers) -> bool:
    return any(w["control"] == control and w["host"] in (host, "*") for w in waivers)


def _words(register: Register, last: Evidence, now: datetime) -> Mapping[str, str] | None:
    """By clause, where that is another word than its row has.

    None where the bundle cannot be read: then nobody knows what it rests on.
    """
    known = described()
    try:
        found = lives(register.get(last.pledge), [(last, Newest(last).evidence)], now)
    except DatabaseAwayError:
        raise
    except CollectorError:
        return None
    broken = {known[one.control].clause for one in found if one.breaks and one.control in known}
    return dict.fromkeys(sorted(broken), "fail")
