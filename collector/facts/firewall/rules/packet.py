"""One new packet, and the matches that a rule may hold it to.

A match splits a *set of sources* in three: those for which it holds, those for which that cannot
be told, and the rest. So one walk over the rules answers for every source at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from collector.facts.base.intervals import NONE, Spans

PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41, "gre": 47,
    "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "ospf": 89, "pim": 103, "comp": 108,
    "vrrp": 112, "l2tp": 115, "sctp": 132, "udplite": 136,
}  # fmt: skip
SYN = 2


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a new connection. `oif` is None while it is not routed.

    `state` is its state in connection tracking: `invalid` until that sees it (which happens in
    prerouting, after the chains of raw), and while it is `invalid` or `untracked` there is no
    connection to ask. `held`: its destination is an address of the interface it comes in by.
    `natted`: its destination was decided by a rule of NAT; `first_daddr`, `first_dport` are what
    it was sent to; `guess`: what they became is not known. `cast`: `unicast`, `broadcast` or
    `multicast`. `ttl` (hop limit), `dscp`, `length` (of the whole packet, bytes) and `tcp_option`
    (the number of one beyond the usual, 0 for none) are None where no rule asks, as is `mss`, the
    biggest segment that its sender says it takes (-1: it says none).
    """

    family: int
    proto: int
    daddr: int
    dport: int
    sport: int
    iif: str
    local: bool = True
    held: bool = True
    oif: str | None = None
    mark: int | None = 0
    ctmark: int | None = 0
    state: str = "new"
    natted: bool = False
    guess: bool = False
    first_daddr: int = 0
    first_dport: int = 0
    cast: str = "unicast"
    ttl: int | None = None
    dscp: int | None = None
    length: int | None = None
    tcp_option: int | None = None
    mss: int | None = None

    @property
    def tracked(self) -> bool:
        return self.state not in ("invalid", "untracked")

    @property
    def moved(self) -> bool:
        """Was its destination rewritten to another?"""
        here = self.daddr, self.dport
        return self.guess or (self.natted and here != (self.first_daddr, self.first_dport))

    def number(self, name: str) -> int | None:
        """The value of a numeric field, None when it is not known."""
        known: dict[str, int | None] = {
            "family": self.family,
            "proto": self.proto,
            "daddr": self.daddr,
            "dport": self.dport,
            "sport": self.sport,
            "mark": self.mark,
            "ctmark": self.ctmark,
            "flags": SYN if self.proto == PROTOCOLS["tcp"] else None,
            "first_daddr": self.first_daddr,
            "first_dport": self.first_dport,
            "ttl": self.ttl,
            "dscp": self.dscp,
            "length": self.length,
            "tcp_option": self.tcp_option,
            "mss": self.mss,
            # a later fragment opens no connection, and the packets asked about come in one piece
            "frag": 0,
        }
        return known[name]

    def word(self, name: str) -> str | None:
        """The value of a field that holds a word, None when it is not known."""
        # the frame stays what it was where the address becomes another
        alone = self.cast == "unicast" or self.daddr != self.first_daddr
        known: dict[str, str | None] = {
            "iif": self.iif,
            "oif": self.oif,
            "state": self.state,
            "status": "dnat" if self.moved else "",
            "pkttype": "host" if self.cast == "unicast" else self.cast,
            "daddr_type": ("local" if self.local else "unicast") if alone else self.cast,
            "daddr_type_in": ("local" if self.held else "unicast") if alone else self.cast,
            "saddr_type": "unicast",
            "direction": "original",
        }
        return known[name]


# what only a connection has: without one a match on it never holds, negated or not
OF_CONNECTIONS = frozenset({"ctmark", "first_daddr", "first_dport", "status", "direction"})


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number of the packet (masked by `mask`) lies in `values`."""

    field: str
    values: Spans
    negate: bool = False
    mask: int | None = None

    def split(self, packet: Packet, sources: Spans) -> tuple[Spans, Spans]:
        if self.field in OF_CONNECTIONS and not packet.tracked:
            return NONE, NONE
        value = packet.number(self.field)
        if value is None:
            return NONE, sources
        if self.mask is not None:
            value &= self.mask
        return (sources, NONE) if (value in self.values) is not self.negate else (NONE, NONE)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the packet is one of `words`; one that ends in `*` is a beginning."""

    field: str
    words: frozenset[str]
    negate: bool = False

    def split(self, packet: Packet, sources: Spans) -> tuple[Spans, Spans]:
        if self.field in OF_CONNECTIONS and not packet.tracked:
            return NONE, NONE
        value = packet.word(self.field)
        if value is None:
            return NONE, sources
        hit = any(
            value.startswith(word[:-1]) if word.endswith("*") else value == word
            for word in self.words
        )
        return (sources, NONE) if hit is not self.negate else (NONE, NONE)


@dataclass(frozen=True, slots=True)
class Source:
    """The source address lies in `addresses`, which are of `family`."""

    family: int
    addresses: Spans
    negate: bool = False

    def split(self, packet: Packet, sources: Spans) -> tuple[Spans, Spans]:
        if packet.family != self.family:
            return NONE, NONE
        return (sources - self.addresses if self.negate else sources & self.addresses), NONE


@dataclass(frozen=True, slots=True)
class OneOf:
    """At least one of the alternatives holds, each of which is several matches at once."""

    alternatives: tuple[tuple[Match, ...], ...]
    negate: bool = False

    def split(self, packet: Packet, sources: Spans) -> tuple[Spans, Spans]:
        yes, possible = NONE, NONE
        if self.negate and not packet.tracked and self.of_connections():
            return NONE, NONE
        for matches in self.alternatives:
            sure, maybe = both(matches, packet, sources)
            yes |= sure
            possible |= sure | maybe
        if self.negate:
            return sources - possible, possible - yes
        return yes, possible - yes

    def of_connections(self) -> bool:
        return any(
            match.of_connections()
            if isinstance(match, OneOf)
            else isinstance(match, Numeric | Word) and match.field in OF_CONNECTIONS
            for matches in self.alternatives
            for match in matches
        )


@dataclass(frozen=True, slots=True)
class Unknown:
    """A match that is not understood: it may hold or not."""

    text: str

    def split(self, _: Packet, sources: Spans) -> tuple[Spans, Spans]:
        return NONE, sources


Match = Numeric | Word | Source | OneOf | Unknown


def both(matches: Iterable[Match], packet: Packet, sources: Spans) -> tuple[Spans, Spans]:
    """Sources for which all matches hold for certain, and those for which they may."""
    yes, possible = sources, sources
    for match in matches:
        sure, maybe = match.split(packet, possible)
        yes &= sure
        possible = sure | maybe
        if not possible:
            break
    return yes & possible, possible - yes
