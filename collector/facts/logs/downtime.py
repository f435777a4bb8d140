"""When a host was off, by its login records and its journal, and which holes that explains."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.facts.logs.journald.coverage import JournalDays
from collector.facts.logs.model.shapes import LogFiles

# a day, and an hour for a daily job's own delay and for the change to summer time
HOLE = timedelta(hours=25)
_NEAR = timedelta(minutes=15)

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Down:
    """The host was off from `start` to `end`, its next boot.

    Where no shutdown is `recorded` (a loss of power), `start` is the last time that anything at
    all was written before that boot.
    """

    start: datetime
    end: datetime
    recorded: bool


def downtimes(seen: LogFiles, journal: JournalDays) -> tuple[Down, ...]:
    """By wtmp and by the journal's boots, in order.

    A time in which anything was written was no downtime, whatever the login records say.
    """
    days = [d for f in seen.files.values() for d in f.days] + list(journal.days)
    times = {t for d in days for t in (d.first, d.last)}
    times |= {t for f in seen.files.values() for t in (f.first, f.last) if t}
    life = sorted(times)
    found: dict[Span, Down] = {}
    records = [r for path, r in seen.records.items() if "btmp" not in path]
    downs = sorted(t for r in records for t in r.downs)
    for boot in sorted(t for r in records for t in r.boots):
        before = bisect_left(life, boot - _NEAR)
        alive = life[before - 1] if before else None
        if any(d.first < boot - _NEAR < d.last for d in days):
            # something was written that very day, before and after: when exactly is not known
            continue
        down = next((t for t in reversed(downs) if t < boot), None)
        if down is not None and (alive is None or alive <= down + _NEAR):
            found[down, boot] = Down(down, boot, recorded=True)
        elif alive is not None:
            found[alive, boot] = Down(alive, boot, recorded=False)
    for turn in journal.boots:
        if turn.before is None or not turn.begun:
            continue
        inside = bisect_left(life, turn.after - _NEAR) - bisect_right(life, turn.before + _NEAR)
        if inside <= 0 and turn.after > turn.before:
            span = (turn.before, turn.after)
            found.setdefault(span, Down(*span, recorded=turn.stopped))
    return tuple(found[span] for span in sorted(found))


def explains(down: Iterable[Down], start: datetime, end: datetime) -> str:
    """`shutdown` or `boot` where no more than a day of the hole is left without the times off."""
    for only_recorded, word in ((True, "shutdown"), (False, "boot")):
        left, reached = end - start, start
        for off in down:
            low, high = max(off.start, reached), min(off.end, end)
            if high > low and (off.recorded or not only_recorded):
                left -= high - low
                reached = high
        if left <= HOLE:
            return word
    return ""


def holes(spans: Sequence[Span], start: datetime, end: datetime) -> list[Span]:
    """The holes of more than a day in all spans together, between the two times."""
    found, reached = list[Span](), start
    for low, high in sorted(spans):
        if high < start or low > end:
            continue
        if low - reached > HOLE:
            found.append((reached, low))
        reached = max(reached, high)
    if end - reached > HOLE:
        found.append((reached, end))
    return found
