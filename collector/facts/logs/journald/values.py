"""Values of journald.conf(5), read as journald reads them; what it does not understand it ignores.

Sources: systemd.time(7) for spans; sizes to the base of 1024 with one capital letter each and in
several parts (`1G512M`), as systemd 252 and 257 took them when tried.
"""

from __future__ import annotations

import re

MIB, GIB = 1 << 20, 1 << 30
_UNITS = "BKMGTPE"
_SPANS = {
    **dict.fromkeys(("us", "usec", "µs", "μs"), 1e-6),
    **dict.fromkeys(("ms", "msec"), 1e-3),
    **dict.fromkeys(("", "s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604800.0),
    **dict.fromkeys(("M", "month", "months"), 2629800.0),
    **dict.fromkeys(("y", "year", "years"), 31557600.0),
}
STORAGE = ("volatile", "persistent", "auto", "none")


def span_seconds(text: str, default: float) -> float:
    """Seconds of a systemd.time(7) span; the default where journald would not understand it."""
    if not text or text == "infinity":
        return 0.0 if text else default
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*([A-Za-zµμ]*)", text)
    if not parts or re.sub(r"[\d.\sA-Za-zµμ]", "", text) or any(u not in _SPANS for _, u in parts):
        return default
    return sum(float(number) * _SPANS[unit] for number, unit in parts)


def size_bytes(text: str) -> int | None:
    """Bytes of a size; None where journald would not understand it."""
    if not re.fullmatch(r"(?:\d{1,15}+(?:\.\d{1,15}+)?\s*+[BKMGTPE]?\s*+)++", text):
        return None
    parts = re.findall(r"(\d++(?:\.\d++)?)\s*+([BKMGTPE]?)", text)
    return sum(int(float(number) * (1 << 10 * _UNITS.index(unit or "B"))) for number, unit in parts)


def understood(key: str, value: str) -> bool:
    """Would journald take this assignment? Of what is not looked at here, any."""
    if not value:
        return True
    if key == "Storage":
        return value in STORAGE
    if key.endswith(("MaxUse", "KeepFree", "MaxFileSize")):
        return size_bytes(value) is not None
    if key.endswith(("MaxFiles", "RateLimitBurst")):
        return re.fullmatch(r"\d{1,10}", value) is not None
    if key in ("MaxRetentionSec", "MaxFileSec", "RateLimitIntervalSec", "RateLimitInterval"):
        return span_seconds(value, -1.0) >= 0
    return True
