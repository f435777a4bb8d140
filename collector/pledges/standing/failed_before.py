"""Clauses that an earlier look found failing, and the newest evidence is silent about.

Its row says that they are not verified: it is of another host, or that host did not answer. What
failed is not mended by that; `status` says so of one record, and this of all in a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from collector.catalog import described
from collector.errors import CollectorError
from collector.pledges.database.transactions import DatabaseAwayError
from collector.pledges.due.lifecycle import OWED
from collector.pledges.register.register import Register
from collector.pledges.standing.finding_history import failing_before, last_lives
from collector.pledges.standing.listing import CLAUSES, Listed


def with_failures(register: Register, rows: Sequence[Listed], now: datetime) -> list[Listed]:
    """The same, where each says `fail` of such a clause.

    Bundles are read only of those whose row fell from `fail` to nothing proven: of most of them
    none. What cannot be read keeps what its row says.
    """
    with register.reading():
        return [_counted(register, one, now) if _is_silent(one) else one for one in rows]


def _is_silent(one: Listed) -> bool:
    last = one.last
    if one.state not in OWED or last is None or last.doubted:
        return False
    return bool(_open(one))


def _open(one: Listed) -> frozenset[str]:
    """The clauses that the newest evidence does not say everything of."""
    last = one.last
    return frozenset(
        n
        for n in CLAUSES
        if last is not None
        and one.verdict(n) != "fail"
        and (one.verdict(n) == "error" or not last.whole)
    )


def _counted(register: Register, one: Listed, now: datetime) -> Listed:
    last, id, known = one.last, one.record.id, described()
    if last is None:
        return one
    try:
        every = register.evidence(id)
        failed = {n for row in every if row is not last for n in _open(one)
                  if row.sequence != last.sequence and row.verdicts.get(n) == "fail"}  # fmt: skip
        if not failed:
            return one
        record = register.get(id)
        found = failing_before(record, last_lives(record, every, now), last.sequence)
    except DatabaseAwayError:
        raise
    except CollectorError:
        return one
    broken = {known[life.control].clause for life in found if life.breaks and life.control in known}
    words = {**last.now, **dict.fromkeys(sorted(broken & _open(one)), "fail")}
    evidence = tuple(replace(row, now=words) if row is last else row for row in one.evidence)
    return replace(one, evidence=evidence)
