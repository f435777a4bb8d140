"""Does a pledge fail by the newest look at some host that its newest evidence is silent about?

The row of that evidence does not say so. Bundles are read for it where it is short of something,
and a row of before it failed: of most pledges none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from collector.catalog import described
from collector.errors import CollectorError
from collector.pledges.database.rows import Evidence
from collector.pledges.database.transactions import DatabaseAwayError
from collector.pledges.database.waived import Course
from collector.pledges.record.times import CHINA, waiver_end
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.standing import listing
from collector.pledges.standing.finding_history import failing_before, last_lives
from collector.pledges.standing.listing import Listed


class Broken:
    """Remembers what it read, for as long as record and evidence stay the same."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[str, ...], bool]] = {}

    def is_broken(
        self,
        register: ReadOnlyRegister,
        one: Listed,
        record: str,
        rows: Sequence[Evidence],
        now: datetime,
        course: Course | None = None,
    ) -> bool:
        """`record`: the digest of its version; `rows`: all evidence of it, void ones as well.

        `course`: its waivers, if it ever had one. A row of before may say `partial` by one that
        ended.

        What cannot be read is not called so: then the row says that nothing is proven.
        """
        last = one.last
        if (
            last is None
            or last.doubted
            or last.refused
            or not may_be(one, rows, waived=course is not None)
        ):
            return False
        id = one.record.id
        # waivers end at a moment, what is attested at the end of a day, a key once it is revoked
        over = sum(waiver_end(w["expires"]) <= now for w in course.now) if course else 0
        day = f"{now.astimezone(CHINA):%Y-%m-%d} {now.astimezone(UTC):%Y-%m-%d}"
        told = (f"{row.digest} {row.refused}" for row in rows)
        key = (last.digest, record, f"{day} {over}", *told)
        known = self._known.get(id)
        if known is None or known[0] != key:
            read = _read(register, id, last.sequence, now)
            if read is None:
                return False
            known = self._known[id] = (key, read)
        return known[1]


def may_be(one: Listed, rows: Sequence[Evidence], *, waived: bool) -> bool:
    """Could a clause that failed before be well because nobody looked, or nobody answered?"""
    last = one.last
    if last is None:
        return False
    # what was attached later may have looked before it
    before = [row for row in rows if row.sequence != last.sequence]
    failed = ("fail", "error", "partial") if waived else ("fail",)
    for clause in listing.CLAUSES:
        word = last.verdicts.get(clause)
        # as it counts now: hosts may be declared since, of which that look says nothing
        silent = "error" in (word, one.verdict(clause)) or (word != "fail" and not last.whole)
        if silent and any(row.verdicts.get(clause) in failed for row in before):
            return True
    return False


def _read(register: ReadOnlyRegister, id: str, sequence: int, now: datetime) -> bool | None:
    """None where it cannot be read: that may be over in a moment."""
    known = described()
    try:
        record = register.get(id)
        found = failing_before(record, last_lives(record, register.evidence(id), now), sequence)
    except DatabaseAwayError:
        raise
    except CollectorError:
        return None
    clauses = {known[one.control].clause for one in found if one.breaks and one.control in known}
    return bool(clauses & set(listing.CLAUSES))
