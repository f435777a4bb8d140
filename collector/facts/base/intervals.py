"""Sets of whole numbers as sorted ranges: addresses, ports, marks. Exact, and small when big."""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from collector.i18n.message import msg

FAMILY_BITS = {4: 32, 6: 128}


@dataclass(frozen=True, slots=True)
class Spans:
    """Disjoint inclusive ranges in rising order, none touching the next."""

    ranges: tuple[tuple[int, int], ...] = ()

    @staticmethod
    def of(ranges: Iterable[tuple[int, int]]) -> Spans:
        """Any ranges, in any order, overlapping or not."""
        joined: list[tuple[int, int]] = []
        for low, high in sorted(ranges):
            if low > high:
                raise ValueError(msg("a_range_from_to", low=low, high=high))
            if joined and low <= joined[-1][1] + 1:
                joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
            else:
                joined.append((low, high))
        return Spans(tuple(joined))

    @staticmethod
    def one(*values: int) -> Spans:
        return Spans.of((value, value) for value in values)

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __contains__(self, value: int) -> bool:
        place = bisect_right(self.ranges, (value, 1 << 200)) - 1
        return place >= 0 and self.ranges[place][0] <= value <= self.ranges[place][1]

    def __or__(self, other: Spans) -> Spans:
        if not self or not other:
            return self or other
        return self if self == other else Spans.of(self.ranges + other.ranges)

    def __and__(self, other: Spans) -> Spans:
        found: list[tuple[int, int]] = []
        mine, its = 0, 0
        while mine < len(self.ranges) and its < len(other.ranges):
            low = max(self.ranges[mine][0], other.ranges[its][0])
            high = min(self.ranges[mine][1], other.ranges[its][1])
            if low <= high:
                found.append((low, high))
            if self.ranges[mine][1] < other.ranges[its][1]:
                mine += 1
            else:
                its += 1
        return Spans(tuple(found))

    def __sub__(self, other: Spans) -> Spans:
        found: list[tuple[int, int]] = []
        its = 0
        for low, high in self.ranges:
            while its < len(other.ranges) and other.ranges[its][1] < low:
                its += 1
            at = its
            while at < len(other.ranges) and other.ranges[at][0] <= high:
                if other.ranges[at][0] > low:
                    found.append((low, other.ranges[at][0] - 1))
                low = other.ranges[at][1] + 1
                at += 1
            if low <= high:
                found.append((low, high))
        return Spans(tuple(found))

    @property
    def size(self) -> int:
        return sum(high - low + 1 for low, high in self.ranges)

    @property
    def first(self) -> int:
        return self.ranges[0][0]


NONE = Spans()


def everything(family: int) -> Spans:
    """Every address of the family (4 or 6)."""
    return Spans(((0, (1 << FAMILY_BITS[family]) - 1),))


def network(text: str, family: int) -> Spans:
    """An address, `ADDRESS/LENGTH` or `ADDRESS/MASK`; raises ValueError when it is neither."""
    parsed = ipaddress.ip_network(text, strict=False)
    if parsed.version != family:
        return NONE
    return Spans(((int(parsed.network_address), int(parsed.broadcast_address)),))


def networks(spans: Spans, family: int, most: int = 64) -> list[str]:
    """The fewest networks that make up the set, for people; more than `most` end in `…`."""
    make = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    found: list[str] = []
    for low, high in spans.ranges:
        for part in ipaddress.summarize_address_range(make(low), make(high)):
            if len(found) == most:
                return [*found, "…"]
            single = part.prefixlen == part.max_prefixlen
            found.append(str(part.network_address) if single else str(part))
    return found


def address(text: str) -> tuple[int, int]:
    """(family, number) of an address; raises ValueError when it is none."""
    parsed = ipaddress.ip_address(text)
    return parsed.version, int(parsed)


def show(number: int, family: int) -> str:
    make = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    return str(make(number))
