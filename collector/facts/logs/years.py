"""The year of times without one (RFC 3164), by what stands beside them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from collector.facts.logs.model.shapes import Day

# of a log that is written to each day, two records further apart do not follow each other
STRAY = timedelta(days=31)
_DAY = timedelta(days=1)
_WEEK = 7


def before(time: datetime, years: int) -> datetime:
    """That many years before; of a leap day the year is known better than by its neighbours."""
    try:
        return time.replace(year=time.year - years)
    except ValueError:
        return time


def unwrapped(part: list[tuple[Day, str]]) -> list[tuple[Day, str]]:
    """Days without a year, in the order of the file, where it spans more than one: a day that

    shows later than the one after it is of the year before, if it then comes right before that.
    A few days at the end of a file turn no year: their clock may have run ahead.
    """
    found: list[tuple[Day, str]] = []
    years, since, after = 0, 0, None
    for day, raw in reversed(part):
        moved = day
        if raw.startswith("--"):
            moved, older = years_before(day, years), years_before(day, years + 1)
            turns = after is not None and moved.first > after + _DAY
            if after and turns and since >= _WEEK and after - older.last <= STRAY:
                moved, years, since = older, years + 1, 0
            after, since = moved.first, since + 1
        found.append((moved, raw))
    return found[::-1]


def years_before(day: Day, years: int) -> Day:
    return replace(day, first=before(day.first, years), last=before(day.last, years))
