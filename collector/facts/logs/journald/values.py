"""Values of journald.conf(5), read as journald reads them; what it does not understand it ignores.

Sources: systemd.time(7) for spans; sizes to the base of 1024 with one capital letter each and in
several parts (`1G512M`), as systemd 252 and 257 took them when tried.
"""

from __future__ import annotations

import math
import re

from collector.facts.base.durations import systemd_span
from collector.facts.base.sizes import systemd_size

MIB, GIB = 1 << 20, 1 << 30
# syslog(3), the gravest first; a number stands for each of them too
LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
STORAGE = ("volatile", "persistent", "auto", "none")


def span_seconds(text: str, default: float) -> float:
    """Seconds of a span, 0 for `infinity`; the default where journald would not understand it."""
    try:
        seconds = systemd_span(text)
    except ValueError:
        return default
    return 0.0 if seconds == math.inf else seconds


def level(text: str) -> int | None:
    """A level of syslog by its name or its number; None where journald would not understand it."""
    return LEVELS.index(text) if text in LEVELS else int(text) if text in set("01234567") else None


def understood(key: str, value: str) -> bool:
    """Would journald take this assignment? Of what is not looked at here, any."""
    if not value:
        return True
    if key == "Storage":
        return value in STORAGE
    if key.startswith("MaxLevel"):
        return level(value) is not None
    if key.endswith(("MaxUse", "KeepFree", "MaxFileSize")):
        return systemd_size(value) is not None
    if key.endswith(("MaxFiles", "RateLimitBurst")):
        return re.fullmatch(r"\d{1,10}", value) is not None
    if key in ("MaxRetentionSec", "MaxFileSec", "RateLimitIntervalSec", "RateLimitInterval"):
        return span_seconds(value, -1.0) >= 0
    return True
