"""The year of times without one (RFC 3164), by what stands beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from collector.facts.log_shapes import Day

# of a log that is written to each day, two records further apart do not follow each other
STRAY = timedelta(days=31)
_DAY = timedelta(days=1)


def before(time: datetime, years: int) -> datetime:
    """That many years before; of a leap day the year is known better than by its neighbours."""
    try:
        return time.replace(year=time.year - years)
    except ValueError:
        return time


def unwrapped(part: list[tuple[Day, str]]) -> list[tuple[Day, str]]:
    """Days without a year, in the order of the file, where it spans more than one: a day that

    shows later than the one after it is of the year before, if it then comes right before that.
    """
    found: list[tuple[Day, str]] = []
    years, after = 0, None
    for day, raw in reversed(part):
        moved = day
        if raw.startswith("--"):
            moved = years_before(day, years)
            older = years_before(day, years + 1)
            if after and moved.first > after + _DAY and after - older.last <= STRAY:
                moved, years = older, years + 1
            after = moved.first
        found.append((moved, raw))
    return found[::-1]


def years_before(day: Day, years: int) -> Day:
    return replace(day, first=before(day.first, years), last=before(day.last, years))
