"""One pledge as the register has it, or as it was proven at the end of a day in China.

Of a past day: the newest version and the evidence that there were by its end, and no later
ones; of what was declared void since, nothing follows on any day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from collector.errors import CollectorError
from collector.pledges.database.rows import Evidence, Version
from collector.pledges.due.lifecycle import continued
from collector.pledges.due.lifecycle import state as life_of
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.times import CHINA, day_after, while_it_held
from collector.pledges.record.voiding import voided
from collector.pledges.register.register import Register


class NotThenError(Exception):
    """Of that day there is nothing on record."""


class GoneError(NotThenError):
    """There was, and it was destroyed since: on `day`, as the record says, or it says nothing."""

    def __init__(self, day: str) -> None:
        super().__init__(day)
        self.day = day


@dataclass(frozen=True, slots=True)
class Then:
    """`at`: the day (of China) that was asked for; None for now. `moment`: when it stood so.

    `evidence` counts; `every` is all that was attached by then, void or not, and `void` what the
    record says now of the void ones, by number. `ran_out`: its period was over.
    """

    history: Sequence[Version]
    evidence: tuple[Evidence, ...]
    every: tuple[Evidence, ...]
    void: Mapping[int, Mapping[str, Any]]
    moment: datetime
    at: date | None
    ran_out: bool
    renewed_by: tuple[str, ...]

    @property
    def record(self) -> PledgeRecord:
        return self.history[-1].record

    @property
    def renewed(self) -> bool:
        return self.ran_out and bool(self.renewed_by)

    @property
    def void_of_then(self) -> list[Mapping[str, Any]]:
        """Of what was attached by then, the entries of what is void, whenever that was said."""
        return [self.void[one.sequence] for one in self.every if one.sequence in self.void]


def as_it_was(
    register: Register, id: str, now: datetime, at: date | None, renewing: Iterable[str]
) -> Then:
    """`renewing`: the records that say now that they continue it.

    Raises BadInput where there is no such pledge, Disagrees where nothing is proven of it,
    NotThenError where it was not on record at the end of that day, GoneError where that is
    destroyed.
    """
    # how it stood then is not how it stood once that day's waivers and terms had run out
    moment = now if at is None else min(now, while_it_held(at))
    over = None if at is None else day_after(at)
    history = history_before(register, id, over)
    evidence, every = register.evidence(id), register.every_evidence(id, hold=False)
    # what was declared void since counts for nothing on any day
    void = {int(entry["sequence"]): entry for entry in voided(register.get(id))}
    if over is not None:
        evidence = tuple(e for e in evidence if e.attached_at < over)
        every = tuple(e for e in every if e.attached_at < over)
    today = moment.astimezone(CHINA).date()
    ran_out = life_of(history[-1].record, today, renewed=False) == "lapsed"
    known = set(renewing)
    if over is not None and ran_out:
        # it may have been continued then by one that says so no more
        known |= set(register.ever_renewing(id))
    renewed_by = tuple(one for one in sorted(known) if _continues(register, one, id, over))
    return Then(history, evidence, every, void, moment, at, ran_out, renewed_by)


def history_before(register: Register, id: str, over: datetime | None) -> list[Version]:
    """The versions that there were before `over` (None: that there are)."""
    every = register.history(id)
    if over is None:
        return list(every)
    found = [version for version in every if version.added_at < over]
    last = register.number_before(id, over)
    if last == 0:
        raise NotThenError
    if not found or found[-1].number != last:
        raise GoneError(every[-1].record.document.get("disposed", {}).get("date", ""))
    return found


def _continues(register: Register, one: str, id: str, over: datetime | None) -> bool:
    """Did record `one` say then that it continues `id`? A draft binds nobody, so it does not."""
    # the lists know it: a register that was restored since does not, or it cannot be read any more
    history: tuple[Version, ...] = ()
    with suppress(CollectorError):
        history = register.history(one) if register.has(one) else ()
    then = [version for version in history if over is None or version.added_at < over]
    if then:
        return id in continued([then[-1].record])
    first = next(iter(history), None)
    if over is None or first is None or first.number == 1:
        return False
    # it was disposed of, and of what it was before only the days are left
    day, last = first.record.signed_on, over.astimezone(CHINA).date()
    return id in continued([first.record]) and day is not None and day < last
