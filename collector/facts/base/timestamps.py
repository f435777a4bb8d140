"""The time a log record carries in itself, in the forms that Linux software writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905 - twelve words
_MONTH = "|".join(_MONTHS)
EARLIEST = 2005
_CLOCK = r"(\d\d):(\d\d):(\d\d)"
_ZONE = r"(?:[.,]\d+)?\s?(Z\b|UTC\b|GMT\b|[+-]\d\d:?\d\d)?"

# A sed program that lets through only what the read of log files makes of them: names, sizes,
# times and counts, so that no message leaves the host.
ONLY_TIMES = r"""
/^@d [0-9]* [-01] [-@0-9T:Z+]* [-@0-9T:Z+]*$/b
/^@F [0-9]* -\{0,1\}[0-9]* [-SPEZzUDN] \//b
/^@P \//b
/^@e [.!~?]\{0,1\} [0-9]*$/b
/^@u [<.?!12]\{0,1\}[ 0-9]*$/b
/^@a [ 0-9]*$/b
/^@D [-0-9?]* \//b
/^@O [a-z]*$/b
/^@[brZ]$/b
/^@W [-0-9T:+]*$/b
/^@w [.bl] [-0-9T:+ ]*$/b
d
"""


def zone_of(offset: str) -> tzinfo:
    """The zone of `date +%z`, UTC where there is none."""
    match = re.fullmatch(r"([+-])(\d\d)(\d\d)", offset)
    if not match:
        return UTC
    shift = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-shift if match[1] == "-" else shift)


def record_time(line: str, at: datetime, zone: tzinfo) -> datetime | None:
    """When the record says it was written, aware; None when it does not say it.

    A time without a year (RFC 3164) is the latest such time not after `at`, the time of
    collection: a record is never taken for older than it shows. One without a zone is in `zone`,
    the host's own.
    """
    for form, make in _FORMS:
        match = form.search(line)
        if match:
            try:
                found = make(match, at, zone)
            except (ValueError, OverflowError):
                continue
            # a clock that was not set yet (1970, 2000) says nothing of when it was
            if found is not None and found.year >= EARLIEST:
                return found
    return None


def _iso(match: re.Match[str], _: datetime, zone: tzinfo) -> datetime:
    year, month, day, hour, minute, second, said = match.groups()
    if said:
        zone = UTC if said in ("Z", "UTC", "GMT") else zone_of(said.replace(":", ""))
    numbers = (int(n) for n in (year, month, day, hour, minute, second))
    return _aware(*numbers, zone=zone)


def _clf(match: re.Match[str], _: datetime, __: tzinfo) -> datetime:
    day, month, year, hour, minute, second, said = match.groups()
    return _aware(
        int(year), _month(month), int(day), int(hour), int(minute), int(second), zone=zone_of(said)
    )


def _named(match: re.Match[str], _: datetime, zone: tzinfo) -> datetime:
    """`Nov 25 01:02:03 2026`, in the order of the named groups."""
    numbers = (int(match[n]) for n in ("day", "hour", "minute", "second"))
    return _aware(int(match["year"]), _month(match["month"]), *numbers, zone=zone)


def _audit(match: re.Match[str], _: datetime, __: tzinfo) -> datetime:
    return datetime.fromtimestamp(int(match[1]), UTC)


def _bsd(match: re.Match[str], at: datetime, zone: tzinfo) -> datetime | None:
    month, *numbers = match.groups()
    return _latest(_month(month), [int(n) for n in numbers], at, zone)


def _latest(month: int, numbers: Sequence[int], at: datetime, zone: tzinfo) -> datetime | None:
    day, hour, minute, second = numbers
    # a record may carry a clock that runs a little ahead of the collecting side's
    latest = at.astimezone(zone) + timedelta(days=1)
    for year in range(latest.year, latest.year - 9, -1):
        try:
            found = _aware(year, month, day, hour, minute, second, zone=zone)
        except ValueError:
            continue
        if found <= latest:
            return found
    return None


def _yearless(match: re.Match[str], at: datetime, zone: tzinfo) -> datetime | None:
    """`--11-25T04:05:06` (ISO 8601:2000, 5.2.1.3 d): what the reads make of RFC 3164."""
    month, day, hour, minute, second = (int(n) for n in match.groups())
    return _latest(month, (day, hour, minute, second), at, zone)


def _month(name: str) -> int:
    return _MONTHS.index(name) + 1


def _aware(
    year: int, month: int, day: int, hour: int, minute: int, second: int, *, zone: tzinfo
) -> datetime:
    # a leap second is the last second of its minute as far as months are concerned
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone).astimezone(UTC)


_Make = Callable[[re.Match[str], datetime, tzinfo], "datetime | None"]
_NAMED_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_FORMS: tuple[tuple[re.Pattern[str], _Make], ...] = (
    (re.compile(r"msg=audit\((\d{9,11})\.\d+:\d+\)"), _audit),
    (
        re.compile(rf"\[(\d\d)/({_MONTH})/(\d{{4}}):{_CLOCK} ([-+]\d{{4}})\]"),
        _clf,
    ),
    (re.compile(rf"^--(\d\d)-(\d\d)T{_CLOCK}$"), _yearless),
    (re.compile(r"^@(\d{9,11})$"), _audit),
    (re.compile(rf"^\D{{0,24}}(?:\d+>1 )?(\d{{4}})-(\d\d)-(\d\d)[T ]\s?{_CLOCK}{_ZONE}"), _iso),
    (re.compile(rf"^\D{{0,24}}(\d{{4}})/(\d\d)/(\d\d) {_CLOCK}{_ZONE}"), _iso),
    (
        re.compile(
            rf"^\[?\w{{3}} (?P<month>{_MONTH}) [ ]?(?P<day>\d{{1,2}}) {_NAMED_CLOCK}"
            r"(?:\.\d+)? (?P<year>\d{4})"
        ),
        _named,
    ),
    (
        re.compile(
            rf"^(?:\d+:[A-Z] )?(?P<day>\d{{1,2}}) (?P<month>{_MONTH}) (?P<year>\d{{4}}) "
            rf"{_NAMED_CLOCK}"
        ),
        _named,
    ),
    (re.compile(rf"^({_MONTH}) [ ]?(\d{{1,2}}) {_CLOCK}"), _bsd),
)
