"""The matches of iptables (iptables(8), iptables-extensions(8)), as iptables-save writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collector.facts.base.intervals import NONE, Spans, address, network
from collector.facts.base.service_names import PORTS
from collector.facts.firewall.iptables.ipset import IpSet
from collector.facts.firewall.rules.packet import (
    PROTOCOLS,
    Match,
    Numeric,
    OneOf,
    Source,
    Unknown,
    Word,
)

Sets = Mapping[str, IpSet]

# MSS, window scale, SACK permitted, timestamps: nobody's choice to carry or not (RFC 9293, 7323)
_USUAL_OPTIONS = frozenset({2, 3, 4, 8})
_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}


class Words:
    """The words of one rule, taken from left to right; `module` is the last one named by -m.

    `sets` are the sets of ipset by name.
    """

    def __init__(self, words: list[str], family: int, sets: Sets) -> None:
        self.words = words
        self.family = family
        self.sets = sets
        self.module = ""
        self.at = 0

    def take(self, word: str) -> bool:
        if self.at < len(self.words) and self.words[self.at] == word:
            self.at += 1
            return True
        return False

    def next(self) -> str:
        if self.at < len(self.words):
            self.at += 1
            return self.words[self.at - 1]
        return ""

    def values(self) -> list[str]:
        """All words up to the next option."""
        found = []
        while self.at < len(self.words) and not self.words[self.at].startswith(("-", "!")):
            found.append(self.next())
        return found

    def until_next(self) -> list[str]:
        """All words up to the next module or the target."""
        found = []
        while self.at < len(self.words) and self.words[self.at] not in ("-m", "-j", "-g"):
            found.append(self.next())
        return found

    def match(self, word: str, negate: bool) -> Match:
        make = _OPTIONS.get(word)
        if make is None or (word in _ONLY and self.module not in _ONLY[word]):
            values = self.values()
            return Unknown(f"-m {self.module} {word} {' '.join(values)}".replace("-m  ", ""))
        try:
            return make(self, negate)
        except ValueError:
            return Unknown(f"{word} in {' '.join(self.words)[:120]}")

    # --- one option each ---------------------------------------------------------------------

    def source(self, negate: bool) -> Match:
        return Source(self.family, self._networks(self.next()), negate)

    def destination(self, negate: bool) -> Match:
        return Numeric("daddr", self._networks(self.next()), negate)

    def source_range(self, negate: bool) -> Match:
        return Source(self.family, self._range(self.next()), negate)

    def destination_range(self, negate: bool) -> Match:
        return Numeric("daddr", self._range(self.next()), negate)

    def protocol(self, negate: bool) -> Match:
        name = self.next()
        if name in ("all", "0"):
            return Numeric("family", Spans.one(self.family), negate)
        number = int(name) if name.isdecimal() else PROTOCOLS.get(name)
        if number is None:
            raise ValueError(name)
        return Numeric("proto", Spans.one(number), negate)

    def interface_in(self, negate: bool) -> Match:
        return Word("iif", frozenset({_device(self.next())}), negate)

    def interface_out(self, negate: bool) -> Match:
        return Word("oif", frozenset({_device(self.next())}), negate)

    def destination_port(self, negate: bool) -> Match:
        return Numeric("dport", _ports(self.next()), negate)

    def source_port(self, negate: bool) -> Match:
        return Numeric("sport", _ports(self.next()), negate)

    def either_port(self, negate: bool) -> Match:
        ports = _ports(self.next())
        return OneOf(((Numeric("dport", ports),), (Numeric("sport", ports),)), negate)

    def flags(self, negate: bool) -> Match:
        mask, wanted = _bits(self.next()), _bits(self.next())
        return Numeric("flags", Spans.one(wanted), negate, mask)

    def tcp_option(self, negate: bool) -> Match:
        """One that packets do not carry by themselves; a rule that asks for two stays unknown."""
        number = int(self.next(), 0)
        if number in _USUAL_OPTIONS or self.words.count("--tcp-option") > 1:
            return Unknown(f"--tcp-option {number}")
        return Numeric("tcp_option", Spans.one(number), negate)

    def segment(self, negate: bool) -> Match:
        low, _, high = self.next().partition(":")
        return Numeric("mss", Spans(((int(low), int(high or low)),)), negate)

    def syn(self, negate: bool) -> Match:
        return Numeric("flags", Spans.one(2), negate, 23)

    def state(self, negate: bool) -> Match:
        words = self.next().lower().split(",")
        status = {"dnat", "snat"} & set(words)
        found: Match = Word("state", frozenset(words))
        if "dnat" in status:
            found = OneOf(((found,), (Word("status", frozenset({"dnat"})),)))
        if not negate:
            return found
        if "dnat" not in status:
            return OneOf(((found,),), negate=True)
        # what is not tracked was not translated either, and that is what is asked here
        bare = Word("state", frozenset({"untracked", "invalid"}))
        kept = OneOf(((bare,), (Word("status", frozenset({"dnat"}), negate=True),)))
        return OneOf(((Word("state", frozenset(words), negate=True), kept),))

    def status(self, negate: bool) -> Match:
        words = frozenset(word.lower() for word in self.next().split(","))
        return Word("status", words & {"dnat"}, negate)

    def first_destination(self, negate: bool) -> Match:
        return Numeric("first_daddr", self._networks(self.next()), negate)

    def first_port(self, negate: bool) -> Match:
        return Numeric("first_dport", _ports(self.next()), negate)

    def direction(self, negate: bool) -> Match:
        return Word("direction", frozenset({self.next().lower()}), negate)

    def destination_type(self, negate: bool) -> Match:
        words = frozenset(word.lower() for word in self.next().split(","))
        field = "daddr_type_in" if "--limit-iface-in" in self.words else "daddr_type"
        if self.family == 6:
            return _all_types(field, words, negate)
        return Word(field, words, negate)

    def source_type(self, negate: bool) -> Match:
        words = frozenset(word.lower() for word in self.next().split(","))
        return Word("saddr_type", words, negate)

    def limited_in(self, negate: bool) -> Match:
        # the type that it narrows to the interface has seen it
        return Numeric("family", Spans.one(self.family), negate)

    def mark(self, negate: bool) -> Match:
        value, _, mask = self.next().partition("/")
        field = "ctmark" if self.module == "connmark" else "mark"
        return Numeric(
            field, Spans.one(int(value, 0)), negate, int(mask, 0) if mask else 0xFFFFFFFF
        )

    def hops(self, negate: bool, low: int = 0, high: int = 0) -> Match:
        number = int(self.next())
        return Numeric("ttl", Spans.of([(number + low, number + high)]), negate)

    def fewer_hops(self, negate: bool) -> Match:
        number = int(self.next())
        return Numeric("ttl", Spans.of([(0, number - 1)]) if number else NONE, negate)

    def more_hops(self, negate: bool) -> Match:
        return self.hops(negate, 1, 255)

    def length(self, negate: bool) -> Match:
        low, colon, high = self.next().partition(":")
        last = int(high or 65_535) if colon else int(low)
        return Numeric("length", Spans.of([(int(low or 0), last)]), negate)

    def code_point(self, negate: bool) -> Match:
        return Numeric("dscp", Spans.one(int(self.next(), 0)), negate)

    def packet_type(self, negate: bool) -> Match:
        name = self.next().lower()
        return Word("pkttype", frozenset({"host" if name == "unicast" else name}), negate)

    def reverse_path(self, negate: bool) -> Match:
        # a packet comes in where its answer goes out; --invert asks for the others
        del negate
        inverted = "--invert" in self.words
        return Numeric("family", Spans.one(self.family), negate=inverted)

    def icmp(self, negate: bool) -> Match:
        del negate
        self.values()
        return Numeric("proto", NONE)

    def nothing(self, negate: bool) -> Match:
        del negate
        return Numeric("family", Spans.one(self.family))

    def match_set(self, negate: bool) -> Match:
        name, sides = self.next(), tuple(self.next().split(","))
        known = self.sets.get(name)
        if known is None:
            return Unknown(f"ipset {name}")
        return OneOf(((known.matches(sides, self.family, self.sets),),), negate)

    def _networks(self, text: str) -> Spans:
        total = NONE
        for part in text.split(","):
            total |= network(part, self.family)
        return total

    def _range(self, text: str) -> Spans:
        low, _, high = text.partition("-")
        return Spans.of([(address(low)[1], address(high or low)[1])])


def _all_types(field: str, words: frozenset[str], negate: bool) -> Match:
    """For IPv6 the kernel asks for all types at once, and an own address is unicast too."""
    routed = words - {"unicast", "multicast", "unspec"}
    asked: list[Match] = [Word(field, routed)] if routed else []
    for word in ("unicast", "multicast"):
        if word in words:
            asked.append(Word(field, frozenset({"multicast"}), negate=word == "unicast"))
    if "unspec" in words:
        asked.append(Numeric("family", NONE))
    return OneOf((tuple(asked),), negate)


def _device(name: str) -> str:
    return f"{name[:-1]}*" if name.endswith("+") else name


def _ports(text: str) -> Spans:
    ranges = []
    for part in text.split(","):
        low, colon, high = part.partition(":")
        first = _port(low) if low else 0
        last = (_port(high) if high else 65535) if colon else first
        ranges.append((first, last))
    return Spans.of(ranges)


def _port(text: str) -> int:
    return int(text) if text.isdecimal() else PORTS.get(text, -1) if text in PORTS else int(text)


def _bits(text: str) -> int:
    total = 0
    for word in text.split(","):
        if word not in _FLAGS:
            raise ValueError(word)
        total |= _FLAGS[word]
    return total


_OPTIONS: dict[str, Callable[[Words, bool], Match]] = {
    "-s": Words.source, "--source": Words.source, "-d": Words.destination,
    "--src-range": Words.source_range, "--dst-range": Words.destination_range,
    "--destination": Words.destination, "--protocol": Words.protocol,
    "--in-interface": Words.interface_in, "--out-interface": Words.interface_out,
    "--source-port": Words.source_port, "--destination-port": Words.destination_port,
    "-p": Words.protocol, "-i": Words.interface_in, "-o": Words.interface_out,
    "--dport": Words.destination_port, "--dports": Words.destination_port,
    "--sport": Words.source_port, "--sports": Words.source_port, "--ports": Words.either_port,
    "--tcp-flags": Words.flags, "--tcp-option": Words.tcp_option, "--mss": Words.segment,
    "--syn": Words.syn,
    "--ctstate": Words.state,
    "--state": Words.state, "--ctstatus": Words.status,
    "--ctorigdst": Words.first_destination, "--ctorigdstport": Words.first_port,
    "--ctdir": Words.direction, "--dst-type": Words.destination_type,
    "--src-type": Words.source_type, "--limit-iface-in": Words.limited_in,
    "--mark": Words.mark, "--pkt-type": Words.packet_type, "--match-set": Words.match_set,
    "--icmp-type": Words.icmp, "--icmpv6-type": Words.icmp, "--loose": Words.reverse_path,
    "--validmark": Words.reverse_path, "--accept-local": Words.reverse_path,
    "--invert": Words.reverse_path,
    "--ttl-eq": Words.hops, "--ttl-lt": Words.fewer_hops, "--ttl-gt": Words.more_hops,
    "--hl-eq": Words.hops, "--hl-lt": Words.fewer_hops, "--hl-gt": Words.more_hops,
    "--length": Words.length, "--dscp": Words.code_point,
}  # fmt: skip
# options that mean something else with another module
_ONLY = {
    "--loose": {"rpfilter"}, "--validmark": {"rpfilter"}, "--accept-local": {"rpfilter"},
    "--invert": {"rpfilter"}, "--mark": {"mark", "connmark"}, "--state": {"state"},
    "--dport": {"tcp", "udp", "multiport", "sctp", "dccp", "udplite", ""},
    "--destination-port": {"tcp", "udp", "multiport", "sctp", "dccp", "udplite", ""},
}  # fmt: skip
