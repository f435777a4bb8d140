"""Durations as the programs that read them write them: one reader each.

    >>> systemd_span("1h 30min"), systemd_span("1M") == 30.4375 * 86400, systemd_span("infinity")
    (5400.0, True, inf)
    >>> openssh_time("1h30m"), openssh_time("90")
    (5400, 90)
    >>> go_duration("1h30m0.5s")
    5400.5

systemd: systemd.time(7) and `parse_time` of its source, tried against `systemd-analyze timespan`.
OpenSSH: sshd_config(5), TIME FORMATS. Go: `time.ParseDuration`.
"""

from __future__ import annotations

import math
import re

from collector.i18n.message import msg

_SECOND, _MINUTE, _HOUR, _DAY = 1.0, 60.0, 3600.0, 86400.0
_SYSTEMD = {
    **dict.fromkeys(("us", "usec", "µs", "μs"), 1e-6),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("s", "sec", "second", "seconds"), _SECOND),
    **dict.fromkeys(("m", "min", "minute", "minutes"), _MINUTE),
    **dict.fromkeys(("h", "hr", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "week", "weeks"), 7 * _DAY),
    **dict.fromkeys(("M", "month", "months"), 30.4375 * _DAY),
    **dict.fromkeys(("y", "year", "years"), 365.25 * _DAY),
}
_OPENSSH = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_GO = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": _SECOND, "m": _MINUTE,
    "h": _HOUR,
}  # fmt: skip
_GO_PARTS = re.compile(r"(?:(?:\d++(?:\.\d*+)?|\.\d++)(?:ns|us|µs|μs|ms|s|m|h))++")
# no program's duration is longer
_LONGEST = 200
# a number has at most 15 digits: more would be a duration beyond what any program holds
_PART = re.compile(r"\s*(\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})(?![\d.])\s*([A-Za-zµμ]*)")


def systemd_span(text: str, unit: str = "s") -> float:
    """Seconds of a span; `infinity` is math.inf, a number alone counts in `unit`.

    Raises ValueError for what systemd would not understand.
    """
    left = text.strip().removeprefix("+")
    if len(left) > _LONGEST:
        raise ValueError(msg("no_time_span_too"))
    if left == "infinity":
        return math.inf
    total, place = 0.0, 0
    while place < len(left):
        part = _PART.match(left, place)
        name = (part[2] or unit) if part else ""
        if part is None or name not in _SYSTEMD:
            raise ValueError(msg("no_time_span", text=text))
        total += float(part[1]) * _SYSTEMD[name]
        place = part.end()
    if not left:
        raise ValueError(msg("no_time_span_empty"))
    return total


def openssh_time(text: str) -> int:
    """Seconds of a TIME of sshd_config(5): `600`, `10m`, `1h30m`. Raises ValueError."""
    if len(text) > _LONGEST or not re.fullmatch(r"(?:\d++[sSmMhHdDwW]?)++", text):
        raise ValueError(msg("no_time", line=text))
    parts = re.findall(r"(\d+)([A-Za-z]?)", text)
    return sum(int(number) * _OPENSSH[unit.lower()] for number, unit in parts)


def go_duration(text: str) -> float:
    """Seconds of what Go's time.ParseDuration takes: `1h30m`, `-1.5s`, `0`. Raises ValueError."""
    sign, left = (-1.0, text[1:]) if text[:1] == "-" else (1.0, text.removeprefix("+"))
    if left == "0":
        return 0.0
    if len(text) > _LONGEST or not _GO_PARTS.fullmatch(left):
        raise ValueError(msg("no_duration", value=text))
    parts = re.findall(r"([\d.]+)(ns|us|µs|μs|ms|s|m|h)", left)
    return sign * sum(float(number) * _GO[unit] for number, unit in parts)
