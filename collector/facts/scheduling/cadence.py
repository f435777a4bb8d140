"""How far apart two starts of a job may lie: systemd.time(7) and crontab(5), the plain forms.

A schedule of another form is not told, and nothing is said against it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from collector.facts.scheduling.models import Job

_NAMED = {"@hourly": 1.0, "@daily": 24.0, "@midnight": 24.0, "@weekly": 168.0,
          "@monthly": 744.0, "@yearly": 8784.0, "@annually": 8784.0}  # fmt: skip
_CALENDAR = re.compile(
    r"(?:([A-Za-z.,]+) )?\*-([\d*,./]+)-([\d*,./]+) ([\d*,./]+):([\d*,./]+):[\d*,./]+(?: [A-Z]\S*)?"
)
_AFTER = {"s": 1 / 3600, "min": 1 / 60, "h": 1.0, "d": 24.0, "w": 168.0, "month": 730.5,
          "y": 8766.0}  # fmt: skip
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# with a leap year, and years that begin on each kind of day
_FIRST, _LAST = date(2026, 1, 1), date(2030, 12, 31)


def hours_apart(job: Job) -> float | None:
    """The longest time between two starts, in hours; None where the schedule does not tell.

    Of several schedules the one that starts it most often counts.
    """
    told = [_one(part.strip()) for part in job.when.split("; ")]
    known = [t for t in told if t is not None]
    return min(known) if known and len(known) == len(told) else None


@lru_cache(maxsize=512)
def _one(when: str) -> float | None:
    if when in _NAMED:
        return _NAMED[when]
    name, _, value = when.partition("=")
    if name == "OnCalendar":
        found = _CALENDAR.fullmatch(value)
        if found is None:
            return None
        days = _names(found[1], _DAYS, 0) if found[1] else _all(0, 6)
        return _gap(
            _field(found[2], 1, 12), _field(found[3], 1, 31), days, _field(found[4], 0, 23),
            _field(found[5], 0, 59),
        )  # fmt: skip
    if name in ("OnUnitActiveUSec", "OnUnitInactiveUSec"):
        parts = re.findall(r"(\d+)(\w+)", value)
        if not parts or any(unit not in _AFTER for _, unit in parts):
            return None
        return sum(int(number) * _AFTER[unit] for number, unit in parts)
    if name in ("OnBootUSec", "OnStartupUSec"):
        # once for each boot
        return float("inf")
    fields = when.split()
    return _cron(fields) if len(fields) == 5 else None


def _cron(fields: list[str]) -> float | None:
    minute, hour = _field(fields[0], 0, 59), _field(fields[1], 0, 23)
    month = _names(fields[3], _MONTHS, 1)
    # Sunday is 0 and 7, and the first of the names here is Monday
    told = _names(fields[4], ("sun", *_DAYS[:6]), 0)
    days = told and frozenset((d - 1) % 7 for d in told)
    if "*" not in (fields[2][:1], fields[4][:1]):
        # either of both is enough: the one that is rarer bounds nothing
        return None
    return _gap(month, _field(fields[2], 1, 31), days, hour, minute)


def _gap(
    months: frozenset[int] | None,
    days: frozenset[int] | None,
    weekdays: frozenset[int] | None,
    hours: frozenset[int] | None,
    minutes: frozenset[int] | None,
) -> float | None:
    if months is None or days is None or weekdays is None or hours is None or minutes is None:
        return None
    every = (_FIRST + timedelta(n) for n in range((_LAST - _FIRST).days + 1))
    hits = [x for x in every if x.month in months and x.day in days and x.weekday() in weekdays]
    if len(hits) < 2:
        return None
    between = max((b - a).days for a, b in pairwise(hits))
    within_day = max((b - a for a, b in pairwise(sorted(hours))), default=0)
    # from the last start of one day to the first of the next one
    over = (between - 1) * 24 + 24 - max(hours) + min(hours)
    return float(max(over, within_day))


def _field(text: str, first: int, last: int) -> frozenset[int] | None:
    """`*`, `2`, `1,15`, `1..5`, `1-5`, `*/2`, `0/6`; None for anything else."""
    found: set[int] = set()
    for part in text.split(","):
        told = re.fullmatch(r"(?:\*|(\d{1,2})(?:(?:\.\.|-)(\d{1,2}))?)(?:/(\d{1,2}))?", part)
        if told is None or told[3] == "0":
            return None
        begin = int(told[1]) if told[1] else first
        end = int(told[2]) if told[2] else begin if told[1] and not told[3] else last
        found |= set(range(begin, end + 1, int(told[3] or 1)))
    return frozenset(found) if found and min(found) >= first and max(found) <= last else None


def _names(text: str, names: Sequence[str], first: int) -> frozenset[int] | None:
    """The same with names of days or months."""
    made = re.sub(
        r"[A-Za-z]{3,9}",
        lambda m: str(names.index(m[0][:3].lower()) + first) if m[0][:3].lower() in names else "?",
        text,
    )
    last = first + len(names) - 1
    return _field(made, first, last if first or "7" not in made else 7)


def _all(first: int, last: int) -> frozenset[int]:
    return frozenset(range(first, last + 1))
