"""Expressions of nftables' JSON → matches of `packets`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.facts.base.intervals import NONE, Spans, everything, network
from collector.facts.base.service_names import DSCP, PORTS
from collector.facts.firewall.nftables.fields import FIELDS, WORDS
from collector.facts.firewall.rules.packet import (
    PROTOCOLS,
    SYN,
    Match,
    Numeric,
    OneOf,
    Source,
    Unknown,
    Word,
)
from collector.i18n.message import msg

_FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}
_NFPROTO = {"ipv4": 2, "ipv6": 10}
_HEADERS = {"frag", "rt", "rt0", "rt2", "rt4", "mh", "hbh", "dst"}
# of the field frag-off: more fragments follow, and which part of the packet this is
_PIECE = 0x3FFF
_ETHER = {"ip": 4, "ip6": 6, 0x0800: 4, 0x86DD: 6}


class Foggy(Exception):
    """An expression that is not known."""


@dataclass(frozen=True)
class Reader:
    """What expressions of one table refer to: its family (0 for both), its sets and maps.

    `growing`: the sets that rules add to as packets come, so that what they hold is not known.
    """

    family: int
    elements: Mapping[str, Any]
    growing: frozenset[str] = frozenset()

    def values(self, right: Any) -> list[Any]:
        """The single values of a right side: of a set, a named set, a list, or itself."""
        if isinstance(right, str) and right.startswith("@"):
            if right[1:] not in self.elements:
                raise Foggy(msg("no_set", right=right))
            right = {"set": self.elements[right[1:]]}
        if isinstance(right, dict) and len(right) == 1:
            ((kind, inner),) = right.items()
            if kind in ("set", "|"):
                held = inner if isinstance(inner, list) else [inner]
                return [_bare(value) for value in held]
        if isinstance(right, list):
            return [_bare(value) for value in right]
        return [_bare(right)]

    def pairs(self, data: Any) -> list[tuple[Any, Any]]:
        """(key, value) of a map."""
        found = []
        for pair in self.values(data):
            if not isinstance(pair, list) or len(pair) != 2:
                raise Foggy(msg("not_pair_map"))
            found.append((_bare(pair[0]), pair[1]))
        return found


def _bare(value: Any) -> Any:
    """The value of an element that carries more (a timeout, a counter, a comment)."""
    if isinstance(value, dict) and "elem" in value:
        inner = value["elem"]
        if any(key in inner for key in ("limit", "quota", "ct count")):
            raise Foggy(msg("element_limit_own"))
        return inner["val"]
    return value


def conditions(op: str, left: Any, right: Any, reader: Reader) -> tuple[Match, ...]:
    """The matches that all have to hold for `left op right`. Raises Foggy when not known."""
    if op not in ("==", "!=", "in", "!", "<", ">", "<=", ">="):
        raise Foggy(f"operator {op}")
    negate = op in ("!=", "!")
    if isinstance(right, str) and right[:1] == "@" and right[1:] in reader.growing:
        still = Reader(reader.family, reader.elements)
        known = conditions("==", left, right, still)
        return (
            *_implied(left),
            OneOf((known, (Unknown(msg("set_holds_now", right=right)),)), negate),
        )
    if isinstance(left, dict) and "concat" in left:
        fields = left["concat"]
        held = reader.values(right)
        alternatives = tuple(_together(fields, value) for value in held)
        implied = tuple(m for part in fields for m in _implied(part))
        return (*implied, OneOf(alternatives, negate))
    if isinstance(left, dict) and "exthdr" in left:
        return (_header(negate, left["exthdr"], reader.values(right)),)
    mask = None
    if isinstance(left, dict) and "&" in left:
        left, given = left["&"]
        mask = _flags([given]) if _field(left) == "flags" else _number(given)
    if op in ("<", ">", "<=", ">="):
        right = _compared(op, right)
    if _field(left) == "owner":
        # a new packet to one host has no socket yet, and so matches neither this nor its contrary
        return (Word("pkttype", frozenset({"host"}), negate=True), Unknown(msg("whose_socket")))
    values = reader.values(right)
    if values == ["*"]:
        return _implied(left)
    if mask is not None and _field(left) not in ("flags", "mark", "ctmark", "frag"):
        raise Foggy(msg("masked_field"))
    if _field(left) == "frag" and (mask is None or mask & ~_PIECE):
        raise Foggy("ip.frag-off")  # whether routers may cut it, its sender says
    if _field(left) == "flags":
        return (*_implied(left), _flag_match(op, right, mask, reader))
    if _field(left) == "status" and op == "!=" and isinstance(right, str):
        # the whole field is compared, in which other bits are set too once this one is
        return (Word("status", frozenset({"*"})),)
    told = _single(left, values, negate, mask)
    if op == "!=" and isinstance(right, dict) and "range" in right:
        return (*_implied(left), told, *_below_and_above(right["range"]))
    return (*_implied(left), told)


def _header(negate: bool, inner: Any, values: list[Any]) -> Match:
    """A header of IPv6 that the packets asked about do not have, as `_ABSENT` of iptables."""
    if inner.get("name") not in _HEADERS:
        raise Foggy(f"exthdr.{inner.get('name')}")
    if "field" in inner:
        return Numeric("proto", NONE)
    missing = all(value in (False, "missing") for value in values)
    if not missing and not all(value in (True, "exists") for value in values):
        raise Foggy(f"exthdr.{inner['name']}")
    return Numeric("family", Spans.one(4, 6), negate is missing)


def _below_and_above(bounds: Any) -> tuple[Match, ...]:
    """A listing has `< a` with `> b` behind it, which never hold together, as `!= a-b`, too.

    `!= a` is never listed as a range, so that with one number it is the former.
    """
    low, high = bounds
    if low == high:
        return (Numeric("proto", NONE),)
    return (Unknown(msg("listed_as_two_rules", range=f"{low}-{high}")),)


def _together(fields: list[Any], value: Any) -> tuple[Match, ...]:
    if not isinstance(value, dict) or "concat" not in value:
        raise Foggy(msg("not_concatenation"))
    parts = value["concat"]
    if len(parts) != len(fields):
        raise Foggy(msg("concatenation_another_length"))
    return tuple(
        _single(field, [_bare(part)])
        for field, part in zip(fields, parts, strict=True)
        if part != "*"
    )


def _compared(op: str, right: Any) -> Any:
    number = _number(right)
    top = (1 << 32) - 1
    return {
        "<": {"range": [0, number - 1]},
        "<=": {"range": [0, number]},
        ">": {"range": [number + 1, top]},
        ">=": {"range": [number, top]},
    }[op]


def _field(left: Any) -> str:
    """The name, in the model, of what the left side looks at."""
    if not isinstance(left, dict) or len(left) != 1:
        raise Foggy(msg("left_side"))
    ((kind, inner),) = left.items()
    if kind == "payload":
        name = f"{inner.get('protocol')}.{inner.get('field')}"
    elif kind == "ct" and inner.get("dir") in (None, "original"):
        name = f"ct.{inner.get('key')}"
    elif kind == "fib":
        flags = inner.get("flags", [])
        name = f"fib.{inner.get('result')}." + ".".join(
            [flags] if isinstance(flags, str) else flags
        )
    elif kind == "tcp option":
        name = f"{kind}.{inner.get('name')}.{inner.get('field')}"
    else:
        name = f"{kind}.{inner.get('key')}"
    if name not in FIELDS:
        raise Foggy(name)
    return FIELDS[name]


def _implied(left: Any) -> tuple[Match, ...]:
    """What nft leaves out because the left side says it: the protocol a field belongs to."""
    if isinstance(left, dict) and "&" in left:
        left = left["&"][0]
    if not isinstance(left, dict):
        return ()
    if "payload" in left:
        protocol = left["payload"].get("protocol")
        if protocol in ("ip", "ip6"):
            return (Numeric("family", Spans.one(4 if protocol == "ip" else 6)),)
        if protocol in PROTOCOLS or protocol in ("udplite", "dccp", "igmp", "comp", "icmp6"):
            number = PROTOCOLS.get(protocol)
            return (Numeric("proto", NONE if number is None else Spans.one(number)),)
    if "tcp option" in left:
        # where the option is missing, neither a match on it nor its contrary holds
        there = Numeric("mss", Spans(((0, 65_535),)))
        return (Numeric("proto", Spans.one(PROTOCOLS["tcp"])), there)
    if "ct" in left and " " in str(left["ct"].get("key", "")):
        return (Numeric("family", Spans.one(6 if "ip6" in left["ct"]["key"] else 4)),)
    return ()


def _flag_match(op: str, right: Any, mask: int | None, reader: Reader) -> Match:
    """TCP flags: `==` compares the whole (masked) field, `in` asks for any of the bits."""
    held = reader.values(right)
    is_set = isinstance(right, str) and right.startswith("@")
    if is_set or (isinstance(right, dict) and "set" in right):
        wanted = Spans.one(*(_flags(value) for value in held))
        return Numeric("flags", wanted, op == "!=", mask)
    bits = _flags(held)
    if mask is None and op == "in":
        return Numeric("flags", Spans.one(SYN if bits & SYN else 0))
    return Numeric("flags", Spans.one(bits), op == "!=", mask)


def _single(left: Any, values: list[Any], negate: bool = False, mask: int | None = None) -> Match:
    field = _field(left)
    if field == "none":
        return Numeric("proto", NONE)
    if field in ("saddr4", "saddr6"):
        family = int(field[-1])
        return Source(family, _addresses(values, family), negate)
    if field in ("daddr4", "daddr6"):
        return Numeric("daddr", _addresses(values, int(field[-1])), negate)
    if field == "first_daddr":
        found = _addresses(values, 4) | _addresses(values, 6)
        return Numeric("first_daddr", found, negate)
    if field == "way_back":
        # the packet comes in where the answer goes out: its way back exists
        there = all(value in (True, "exists") for value in values)
        missing = all(value in (False, "missing", 0, "0") for value in values)
        if not there and not missing:
            raise Foggy("fib")
        return Numeric("family", Spans.one(4, 6), negate is not missing)
    if field in WORDS:
        words = frozenset(_word(value) for value in values)
        if field == "pkttype":
            words = frozenset("host" if word == "unicast" else word for word in words)
        return Word(field, words, negate)
    if field in ("family", "ether"):
        return Numeric("family", Spans.one(*(_family(value) for value in values)), negate)
    names = PORTS if field in ("dport", "sport", "first_dport") else PROTOCOLS
    names = DSCP if field == "dscp" else names
    return Numeric(field, _numbers(values, names), negate, mask)


def _word(value: Any) -> str:
    if not isinstance(value, str):
        raise Foggy(msg("where_word_expected", value=value))
    return value


def _family(value: Any) -> int:
    known = {"ipv4": 4, "ipv6": 6, 2: 4, 10: 6} | _ETHER
    # other ether types (arp, vlan) are none of the packets that are asked about
    return known.get(value, 0)


def _flags(given: Any) -> int:
    """The bits of flags, however they are nested."""
    if isinstance(given, list):
        total = 0
        for value in given:
            total |= _flags(value)
        return total
    if isinstance(given, dict) and "|" in given:
        return _flags(given["|"])
    if isinstance(given, str) and given in _FLAGS:
        return _FLAGS[given]
    return _number(given)


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Foggy(msg("where_number_expected", value=value))
    return value


def _numbers(values: list[Any], names: Mapping[str, int]) -> Spans:
    ranges = []
    for value in values:
        if isinstance(value, dict) and "range" in value:
            low, high = (_named(part, names) for part in value["range"])
            ranges.append((low, high))
        elif value == "*":
            ranges.append((0, (1 << 32) - 1))
        else:
            number = _named(value, names)
            ranges.append((number, number))
    return Spans.of(ranges)


def _named(value: Any, names: Mapping[str, int]) -> int:
    if isinstance(value, str):
        if value in names:
            return names[value]
        if value.isdecimal():
            return int(value)
    return _number(value)


def _addresses(values: list[Any], family: int) -> Spans:
    ranges: list[tuple[int, int]] = []
    for value in values:
        if isinstance(value, dict) and "prefix" in value:
            inner = value["prefix"]
            ranges += network(f"{inner['addr']}/{inner['len']}", family).ranges
        elif isinstance(value, dict) and "range" in value:
            low, high = (network(part, family) for part in value["range"])
            if low and high:
                ranges.append((low.first, high.first))
        elif value == "*":
            ranges += everything(family).ranges
        elif isinstance(value, str):
            ranges += network(value, family).ranges
        else:
            raise Foggy(msg("where_address_expected", value=value))
    return Spans.of(ranges)
