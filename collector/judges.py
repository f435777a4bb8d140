"""Predicates that several controls share."""

from __future__ import annotations

import calendar
from datetime import datetime


def months_after(start: datetime, months: int) -> datetime:
    """The same day `months` calendar months later, or the last of that month when it is shorter."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return start.replace(year=year, month=month, day=day)
