"""Addresses and networks of records as ranges that a database can compare. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

_MAPPED = 0xFFFF << 32


def span(text: str) -> tuple[str, str] | None:
    """The first and the last address of one, or of a network; None for what is neither.

    >>> span("203.0.113.0/24") == (span("203.0.113.0")[0], span("203.0.113.255")[1])
    True
    >>> span("203.0.113.7") == span("::ffff:203.0.113.7")
    True
    >>> span("web-01")
    """
    try:
        found = ipaddress.ip_network(text.strip().strip("[]"), strict=False)
    except ValueError:
        return None
    low, high = int(found.network_address), int(found.broadcast_address)
    if found.version == 4:
        low, high = low | _MAPPED, high | _MAPPED
    return f"{low:032x}", f"{high:032x}"


def spans(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    yield from (found for text in texts if (found := span(text)) is not None)
