"""Days and times of pledge records. A day is a day in China: it ends at 23:59:59 UTC+8."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

from collector.i18n.message import msg

CHINA = timezone(timedelta(hours=8), "UTC+8")


def waiver_end(expires: str) -> datetime:
    """When a waiver ends (aware, UTC)."""
    return moment(expires) if "T" in expires.upper() else end_of_day(date.fromisoformat(expires))


def moment(text: str) -> datetime:
    """An RFC 3339 time (aware, UTC); raises ValueError for one that no clock of ours can hold."""
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except OverflowError:
        raise ValueError(msg("out_range")) from None


def today_in_china() -> date:
    """The day that records, papers and deadlines mean by today."""
    return datetime.now(CHINA).date()


def while_it_held(day: date) -> datetime:
    """The last second (aware, UTC) of a day in China at which what ends with it still holds."""
    return end_of_day(day) - timedelta(seconds=1)


def day_after(day: date) -> datetime:
    """The moment (aware, UTC) at which that day in China is over."""
    return end_of_day(day) + timedelta(seconds=1)


@lru_cache(maxsize=4096)  # thousands of records share their days
def end_of_day(day: date, *, plus: int = 0) -> datetime:
    """The last second (aware, UTC), in China, of the day `plus` days later; at most year 9999."""
    try:
        later = day + timedelta(days=plus)
        return datetime.combine(later, time(23, 59, 59), CHINA).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def to_the_end(ahead: timedelta, now: datetime) -> timedelta:
    """So many days ahead, to the end of that day in China: deadlines are days."""
    try:
        return end_of_day((now + ahead).astimezone(CHINA).date()) - now
    except OverflowError:
        return ahead


def minute(moment: datetime) -> str:
    """For people: the day and the minute in China, with its offset."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M +08:00")


def moment_or_last(text: str) -> datetime:
    """A time of ISO 8601 with its zone; the last that there is, where it is none."""
    with suppress(ValueError):
        if (found := datetime.fromisoformat(text)).tzinfo is not None:
            return found
    return datetime.max.replace(tzinfo=UTC)
