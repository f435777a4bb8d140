"""Sizes as the programs that read them write them: one reader each.

    >>> systemd_size("1G512M") == 1536 << 20, systemd_size("10 MB")
    (True, None)
    >>> rsyslog_size("50m"), rsyslog_size("50M"), rsyslog_size("")
    (52428800, 50000000, None)
    >>> binary_size("10 MB") == 10 << 20, binary_size("1Gi") == 1 << 30, binary_size("much")
    (True, True, None)

systemd: sizes to the base of 1024 with one capital letter each and in several parts, as systemd
252 and 257 took them when tried. rsyslog: small letters to the base of 1024, capital ones to that
of 1000 (its documentation, "size" of configuration parameters). `binary_size`: Docker's log
options, Logback, Log4j and MySQL, which all count in 1024.
"""

from __future__ import annotations

import re

_LETTERS = "BKMGTPE"
_RSYSLOG = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "K": 10**3, "M": 10**6, "G": 10**9}


def systemd_size(text: str) -> int | None:
    """Bytes; None where systemd would not understand it."""
    if not re.fullmatch(r"(?:\d{1,15}+(?:\.\d{1,15}+)?\s*+[BKMGTPE]?\s*+)++", text):
        return None
    parts = re.findall(r"(\d++(?:\.\d++)?)\s*+([BKMGTPE]?)", text)
    return sum(int(float(n) * (1 << 10 * _LETTERS.index(unit or "B"))) for n, unit in parts)


def rsyslog_size(text: str) -> int | None:
    """Bytes; None where it is no size."""
    match = re.fullmatch(r"(\d{1,15})([kKmMgG]?)", text)
    return int(match[1]) * _RSYSLOG[match[2]] if match else None


def binary_size(text: str) -> int | None:
    """Bytes of `10m`, `10 MB`, `1Gi`, `100`; None where it is no size."""
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,15})?)\s*([kKmMgGtT]?)i?[bB]?", text.strip())
    if not match:
        return None
    return int(float(match[1]) * (1 << 10 * " kmgt".index(match[2].lower() or " ")))
