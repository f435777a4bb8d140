"""Values of nft's own language: numbers, addresses, prefixes, ranges, names."""

from __future__ import annotations

import ipaddress
import re
from typing import Any


class Strange(Exception):
    """Something that is not known here."""


def value(word: str) -> Any:
    """As libnftables-json(5) has it. Raises Strange, ValueError."""
    if word.startswith('"'):
        return word.strip('"')
    if re.fullmatch(r"\d+|0x[0-9a-fA-F]+", word):
        return int(word, 0)
    if word in ("exists", "missing"):
        return word == "exists"
    if "/" in word:
        address, _, length = word.partition("/")
        ipaddress.ip_address(address)
        return {"prefix": {"addr": address, "len": int(length)}}
    low, dash, high = word.partition("-")
    if dash and (low[:1].isdigit() or ":" in low) and (high[:1].isdigit() or ":" in high):
        return {"range": [value(low), value(high)]}
    if not word or word in "{}(),;":
        raise Strange(word)
    return word
