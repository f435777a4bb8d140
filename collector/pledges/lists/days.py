"""Days and times as people and spreadsheets write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta

from collector.faults import formats
from collector.pledges.lists.forms import Wrong, quoted

_DAY = re.compile(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_DIGITS = re.compile(r"((?:19|20)[0-9]{2})([0-9]{2})([0-9]{2})")
_CLOCK = re.compile(r"([0-9]{1,2})[:时点]([0-9]{1,2})分?(?::?([0-9]{1,2})秒?)?")
_MIDNIGHT = re.compile(r" 00:00(?::00)?$")
_RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9:.]{8,20}(?:z|[+-][0-9]{2}:[0-9]{2})")
# how many days after its first one a day may be, as spreadsheets count: 1954 to 2119
_SERIAL = re.compile(r"([2-7][0-9]{4})(?:\.([0-9]{1,15}))?")
_FIRST_DAY = datetime(1899, 12, 30)  # noqa: DTZ001 - of no zone, as in a sheet


def day(_: object, text: str) -> str:
    bare = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip().replace("T", " ")
    bare = _MIDNIGHT.sub("", bare)
    found = _DAY.fullmatch(bare.replace(" ", "")) or _DIGITS.fullmatch(bare)
    serial = _SERIAL.fullmatch(bare)
    if found is None and serial is not None and not (serial[2] or "").strip("0"):
        return (_FIRST_DAY + timedelta(days=int(serial[1]))).date().isoformat()
    zh, en = quoted(text)
    if found is None:
        raise Wrong(f"{zh}不是日期，请写成 2026-01-08", f"{en} is no day; write 2026-01-08")
    try:
        return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        raise Wrong(f"{zh}：没有这一天", f"{en}: there is no such day") from None


def written_day(text: str) -> date | None:
    """A day with its signs, as a person writes it on a command line; None for anything else.

    >>> written_day("2026年11月27日"), written_day("2026/1/8"), written_day("46000")
    (datetime.date(2026, 11, 27), datetime.date(2026, 1, 8), None)
    """
    bare = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
    found = _DAY.fullmatch(bare)
    try:
        return date(int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return None


def time(_: object, text: str) -> str:
    """With its zone; what says none is the time in China."""
    bare = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()
    if _RFC_3339.fullmatch(bare.lower()) and formats()["date-time"](bare):
        return bare
    zh, en = quoted(text)
    serial = _SERIAL.fullmatch(bare)
    if serial is not None and serial[2]:
        at = _FIRST_DAY + timedelta(days=float(bare))
        return f"{at + timedelta(microseconds=500_000):%Y-%m-%dT%H:%M:%S}+08:00"
    apart = re.match(r"(.*?[0-9日])[ T]?(?<=[ T日])([0-9]{1,2}[:时点].*)", bare)
    clock = _CLOCK.fullmatch(apart[2].replace(" ", "")) if apart else None
    if apart is None or clock is None:
        raise Wrong(
            f"{zh}不是时间，请写成 2026-01-08 09:30（北京时间）",
            f"{en} is no time; write 2026-01-08 09:30 (of China)",
        )
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if hour > 23 or minute > 59 or second > 59:
        raise Wrong(f"{zh}：没有这个时刻", f"{en}: there is no such time")
    return f"{day(None, apart[1])}T{hour:02}:{minute:02}:{second:02}+08:00"


def day_or_time(_: object, text: str) -> str:
    try:
        return day(None, text)
    except Wrong as problem:
        try:
            return time(None, text)
        except Wrong:
            raise problem from None
