"""What ipset(8) holds, as `ipset save` writes it → matches of `packets`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from collector.errors import NotUnderstood
from collector.facts.base.intervals import NONE, Spans, address, network
from collector.facts.firewall.rules.packet import (
    PROTOCOLS,
    Match,
    Numeric,
    OneOf,
    Source,
    Unknown,
    Word,
)
from collector.i18n.message import msg, told

_BOTH = Spans.one(PROTOCOLS["tcp"], PROTOCOLS["udp"])


@dataclass(frozen=True)
class IpSet:
    """One set: the kinds of its dimensions (`ip`, `net`, `port`, …, `set`), and its entries.

    `doubt`: it holds exceptions (`nomatch`) that only the kernel's own search resolves;
    `grows`: a rule adds to it as packets come.
    """

    name: str
    family: int
    kinds: tuple[str, ...]
    entries: tuple[tuple[str, ...], ...]
    bitmap: bool
    addresses: Spans
    doubt: bool
    grows: bool = False

    def matches(self, sides: tuple[str, ...], family: int, sets: Mapping[str, IpSet]) -> Match:
        """What `--match-set NAME SIDES` asks of a packet. Raises ValueError when not known."""
        if self.grows:
            still = replace(self, grows=False).matches(sides, family, sets)
            return OneOf(((still,), (Unknown(msg("ipset_holds_now", name=self.name)),)))
        if self.kinds == ("set",):
            members = [sets[entry[0]] for entry in self.entries if entry[0] in sets]
            fitting = [m for m in members if len(m.kinds) <= len(sides) or m.kinds == ("set",)]
            return OneOf(tuple((m.matches(sides, family, sets),) for m in fitting))
        if self.doubt or len(sides) < len(self.kinds):
            return Unknown(f"ipset {self.name}")
        if self.family != family and not self.bitmap:
            return OneOf(())
        if self.kinds in (("ip",), ("net",)):
            return self._address(sides[0], self.addresses)
        return OneOf(tuple(self._entry(entry, sides) for entry in self.entries))

    def _entry(self, entry: tuple[str, ...], sides: tuple[str, ...]) -> tuple[Match, ...]:
        found: list[Match] = []
        for kind, value, side in zip(self.kinds, entry, sides, strict=False):
            if kind in ("ip", "net"):
                found.append(self._address(side, _span(value, self.family)))
            elif kind == "port":
                found += _port(value, side)
            elif kind == "iface" and not value.startswith("physdev:"):
                found.append(Word("iif" if side == "src" else "oif", frozenset({value})))
            elif kind == "mark":
                found.append(Numeric("mark", Spans.one(int(value, 0))))
            else:
                found.append(Unknown(f"ipset {self.name} ({kind})"))
        return tuple(found)

    def _address(self, side: str, held: Spans) -> Match:
        if side == "src":
            return Source(self.family, held)
        return Numeric("daddr", held)


def _port(value: str, side: str) -> list[Match]:
    name, colon, ports = value.rpartition(":")
    protocol = _BOTH
    if colon:
        number = PROTOCOLS.get(name, -1) if not name.isdecimal() else int(name)
        protocol = Spans.one(number) if number >= 0 else NONE
    if not ports.replace("-", "").isdecimal():
        # an entry for a type of ICMP
        return [Numeric("proto", NONE)]
    low, _, high = ports.partition("-")
    held = Spans.of([(int(low), int(high or low))])
    return [
        Numeric("proto", protocol & _BOTH),
        Numeric("sport" if side == "src" else "dport", held),
    ]


def _span(value: str, family: int) -> Spans:
    low, dash, high = value.partition("-")
    if dash:
        return Spans.of([(address(low)[1], address(high)[1])])
    return network(value, family)


def ipsets(text: str, read: str) -> dict[str, IpSet]:
    """Every set that was saved, by name. Raises NotUnderstood."""
    heads: dict[str, tuple[str, list[str]]] = {}
    entries: dict[str, list[tuple[tuple[str, ...], bool]]] = {}
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["create"] and len(words) > 2:
            heads[words[1]] = words[2], words[3:]
            entries[words[1]] = []
        elif words[:1] == ["add"] and len(words) > 2 and words[1] in heads:
            entries[words[1]].append((tuple(words[2].split(",")), "nomatch" in words[3:]))
        elif words:
            raise NotUnderstood(read, msg("not_line_ipset_save", line=line[:120]))
    try:
        return {name: _set(name, *heads[name], entries[name]) for name in heads}
    except ValueError as bad:
        raise NotUnderstood(read, told(bad)) from None


def _set(
    name: str, kind: str, options: list[str], held: list[tuple[tuple[str, ...], bool]]
) -> IpSet:
    method, _, dimensions = kind.partition(":")
    kinds = tuple(dimensions.split(","))
    family = 6 if "inet6" in options else 4
    single = kinds in (("ip",), ("net",))
    addresses = NONE
    if single:
        parts = sorted(
            ((_span(entry[0], family), nomatch) for entry, nomatch in held),
            key=lambda part: part[0].size,
            reverse=True,
        )
        if any(nomatch for _, nomatch in parts):
            # the longest prefix decides
            for span, nomatch in parts:
                addresses = addresses - span if nomatch else addresses | span
        else:
            addresses = Spans.of(r for span, _ in parts for r in span.ranges)
    doubt = not single and any(nomatch for _, nomatch in held)
    entries = tuple(entry for entry, nomatch in held if not nomatch)
    bitmap = kinds in (("port",), ("set",))
    return IpSet(name, family, kinds, entries, bitmap and method != "hash", addresses, doubt)
