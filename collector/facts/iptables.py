"""What iptables-save(8) and ip6tables-save(8) print → the model of `packets`.

The form is the same for both back ends (legacy and nf_tables) and every version since 1.4.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.nft_expressions import PORTS
from collector.facts.packets import (
    PROTOCOLS,
    Base,
    Go,
    Match,
    Numeric,
    OneOf,
    Rate,
    Rewrite,
    Rule,
    Set,
    Source,
    Step,
    Unknown,
    Word,
)
from collector.facts.spans import NONE, Spans, address, network

_PRIORITY = {"raw": -300, "mangle": -150, "nat": -100, "filter": 0, "security": 50}
_HOOKS = {"PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward"}
_PASSIVE = {
    "LOG", "NFLOG", "ULOG", "TCPMSS", "CHECKSUM", "CLASSIFY", "TRACE", "SET", "TEE", "TTL",
    "HL", "DSCP", "TOS", "AUDIT", "SECMARK", "CONNSECMARK", "TCPOPTSTRIP", "MASQUERADE", "SNAT",
    "HMARK", "ECN", "RATEEST", "LED", "IDLETIMER", "SYSRQ",
}  # fmt: skip
_FLAGS = {"FIN": 1, "SYN": 2, "RST": 4, "PSH": 8, "ACK": 16, "URG": 32, "ALL": 63, "NONE": 0}
_IGNORED = {"comment"}
_RATES = {"limit", "hashlimit", "connlimit", "statistic", "quota", "connbytes", "rateest"}


@dataclass(frozen=True)
class Saved:
    """One table as saved: its chains and base chains, named `FAMILY TABLE CHAIN`."""

    family: int
    name: str
    chains: Mapping[str, tuple[Rule, ...]]
    bases: tuple[Base, ...]


def saved(
    text: str, family: int, read: str, sets: Mapping[str, tuple[int, Spans] | None], tag: str = ""
) -> tuple[list[Saved], list[str]]:
    """The tables that were printed, and the names of those that it says it could not print.

    `sets` are the address sets of ipset by name (family, addresses), None for one that holds
    more than addresses. `tag` sets chains of one back end apart. Raises NotUnderstood.
    """
    tables: list[Saved] = []
    refused: list[str] = []
    parser: _Table | None = None
    for line in text.splitlines():
        bare = line.strip()
        if match := re.match(
            r"#\s*Table [`']?([\w-]+)'? (?:is incompatible|contains incompat)", bare
        ):
            refused.append(match[1])
        elif not bare or bare.startswith("#"):
            continue
        elif bare.startswith("*"):
            parser = _Table(family, bare[1:], tag, sets)
        elif parser is None:
            raise NotUnderstood(read, f"outside of a table: {bare[:120]!r}")
        elif bare == "COMMIT":
            tables.append(parser.finish())
            parser = None
        elif bare.startswith(":"):
            parser.chain(bare)
        elif re.match(r"(?:\[\d+:\d+\] )?-A ", bare):
            parser.rule(re.sub(r"^\[\d+:\d+\] ", "", bare), read)
        else:
            raise NotUnderstood(read, f"not a line of iptables-save: {bare[:120]!r}")
    if parser is not None:
        raise NotUnderstood(read, f"the table {parser.name} has no COMMIT")
    return tables, refused


class _Table:
    def __init__(
        self,
        family: int,
        name: str,
        tag: str,
        sets: Mapping[str, tuple[int, Spans] | None],
    ) -> None:
        self.family = family
        self.name = name
        self.prefix = f"{'iptables' if family == 4 else 'ip6tables'}{tag} {name}"
        self.sets = sets
        self.rules: dict[str, list[Rule]] = {}
        self.bases: list[Base] = []

    def chain(self, line: str) -> None:
        name, policy = line[1:].split()[:2]
        self.rules[name] = []
        hook = _HOOKS.get(name)
        if hook is None or policy == "-":
            return
        # nat INPUT comes after the filter (priority of srcnat), nat PREROUTING at dstnat
        priority = 100 if (self.name, name) == ("nat", "INPUT") else _PRIORITY.get(self.name, 0)
        kind = "nat" if self.name == "nat" else "filter"
        self.bases.append(
            Base(f"{self.prefix} {name}", self.family, kind, hook, priority, policy == "ACCEPT")
        )

    def rule(self, line: str, read: str) -> None:
        try:
            words = shlex.split(line)
        except ValueError:
            raise NotUnderstood(read, f"quotes that do not end: {line[:120]!r}") from None
        chain = words[1]
        steps = _Words(words[2:], self).steps()
        text = f"{self.prefix} {line}"
        self.rules.setdefault(chain, []).append(Rule(tuple(steps), text[:300]))

    def finish(self) -> Saved:
        chains = {f"{self.prefix} {name}": tuple(rules) for name, rules in self.rules.items()}
        return Saved(self.family, self.name, chains, tuple(self.bases))


class _Words:
    """The words of one rule, taken from left to right."""

    def __init__(self, words: list[str], table: _Table) -> None:
        self.words = words
        self.table = table
        self.family = table.family
        self.module = ""
        self.at = 0

    def steps(self) -> list[Step]:
        matches: list[Step] = []
        verdict: list[Step] = []
        seen: set[str] = set()
        while self.at < len(self.words):
            negate = self._take("!")
            word = self.words[self.at]
            self.at += 1
            if word in ("-m", "--match"):
                self.module = self._next()
                if self.module in _RATES:
                    matches.append(Rate(self.module))
                continue
            if word in ("-j", "--jump", "-g", "--goto"):
                verdict = self._target(self._next(), goto=word in ("-g", "--goto"))
                break
            negate = self._take("!") or negate
            found = self._match(word, negate)
            if isinstance(found, Unknown):
                # an option of a module that is known only by name: once is enough
                if self.module in _RATES | _IGNORED or found.text in seen:
                    continue
                seen.add(found.text)
            if found is not None:
                matches.append(found)
        return [*matches, *verdict]

    def _take(self, word: str) -> bool:
        if self.at < len(self.words) and self.words[self.at] == word:
            self.at += 1
            return True
        return False

    def _next(self) -> str:
        if self.at < len(self.words):
            self.at += 1
            return self.words[self.at - 1]
        return ""

    def _values(self) -> list[str]:
        """All words up to the next option."""
        found = []
        while self.at < len(self.words) and not self.words[self.at].startswith(("-", "!")):
            found.append(self._next())
        return found

    def _match(self, word: str, negate: bool) -> Match | None:
        make = _OPTIONS.get(word)
        if make is None or (word in _ONLY and self.module not in _ONLY[word]):
            values = self._values()
            if self.module in _IGNORED:
                return None
            return Unknown(f"-m {self.module} {word} {' '.join(values)}".replace("-m  ", ""))
        try:
            return make(self, negate)
        except ValueError:
            return Unknown(f"{word} in {' '.join(self.words)[:120]}")

    # --- one option each ---------------------------------------------------------------------

    def source(self, negate: bool) -> Match:
        return Source(self.family, self._networks(self._next()), negate)

    def destination(self, negate: bool) -> Match:
        return Numeric("daddr", self._networks(self._next()), negate)

    def source_range(self, negate: bool) -> Match:
        return Source(self.family, self._range(self._next()), negate)

    def destination_range(self, negate: bool) -> Match:
        return Numeric("daddr", self._range(self._next()), negate)

    def protocol(self, negate: bool) -> Match:
        name = self._next()
        if name in ("all", "0"):
            return Numeric("family", Spans.one(self.family), negate)
        number = int(name) if name.isdecimal() else PROTOCOLS.get(name)
        if number is None:
            raise ValueError(name)
        return Numeric("proto", Spans.one(number), negate)

    def interface_in(self, negate: bool) -> Match:
        return Word("iif", frozenset({_device(self._next())}), negate)

    def interface_out(self, negate: bool) -> Match:
        return Word("oif", frozenset({_device(self._next())}), negate)

    def destination_port(self, negate: bool) -> Match:
        return Numeric("dport", _ports(self._next()), negate)

    def source_port(self, negate: bool) -> Match:
        return Numeric("sport", _ports(self._next()), negate)

    def either_port(self, negate: bool) -> Match:
        ports = _ports(self._next())
        return OneOf(((Numeric("dport", ports),), (Numeric("sport", ports),)), negate)

    def flags(self, negate: bool) -> Match:
        mask, wanted = _bits(self._next()), _bits(self._next())
        return Numeric("flags", Spans.one(wanted), negate, mask)

    def syn(self, negate: bool) -> Match:
        return Numeric("flags", Spans.one(2), negate, 23)

    def state(self, negate: bool) -> Match:
        words = self._next().lower().split(",")
        status = {"dnat", "snat"} & set(words)
        found: Match = Word("state", frozenset(words))
        if "dnat" in status:
            found = OneOf(((found,), (Word("status", frozenset({"dnat"})),)))
        if not negate:
            return found
        return OneOf(((found,),), negate=True)

    def status(self, negate: bool) -> Match:
        words = frozenset(word.lower() for word in self._next().split(","))
        return Word("status", words & {"dnat"}, negate)

    def first_destination(self, negate: bool) -> Match:
        return Numeric("first_daddr", self._networks(self._next()), negate)

    def first_port(self, negate: bool) -> Match:
        return Numeric("first_dport", _ports(self._next()), negate)

    def direction(self, negate: bool) -> Match:
        return Word("direction", frozenset({self._next().lower()}), negate)

    def destination_type(self, negate: bool) -> Match:
        words = frozenset(word.lower() for word in self._next().split(","))
        return Word("daddr_type", words, negate)

    def source_type(self, negate: bool) -> Match:
        words = frozenset(word.lower() for word in self._next().split(","))
        return Word("saddr_type", words, negate)

    def limited_in(self, negate: bool) -> Match:
        # --limit-iface-in narrows the type to the interface; with an own address it is the same
        return Numeric("family", Spans.one(self.family), negate)

    def mark(self, negate: bool) -> Match:
        value, _, mask = self._next().partition("/")
        field = "ctmark" if self.module == "connmark" else "mark"
        return Numeric(
            field, Spans.one(int(value, 0)), negate, int(mask, 0) if mask else 0xFFFFFFFF
        )

    def packet_type(self, negate: bool) -> Match:
        name = self._next().lower()
        return Word("pkttype", frozenset({"host" if name == "unicast" else name}), negate)

    def reverse_path(self, negate: bool) -> Match:
        # a packet comes in where its answer goes out; --invert asks for the others
        del negate
        inverted = "--invert" in self.words
        return Numeric("family", Spans.one(self.family), negate=inverted)

    def icmp(self, negate: bool) -> Match:
        del negate
        self._values()
        return Numeric("proto", NONE)

    def nothing(self, negate: bool) -> Match:
        del negate
        return Numeric("family", Spans.one(self.family))

    def match_set(self, negate: bool) -> Match:
        name, sides = self._next(), self._next()
        known = self.table.sets.get(name)
        if known is None:
            return Unknown(f"ipset {name}")
        family, held = known
        if family != self.family:
            held = NONE
        if sides == "src":
            return Source(self.family, held, negate)
        if sides == "dst":
            return Numeric("daddr", held, negate)
        return Unknown(f"ipset {name} {sides}")

    def _networks(self, text: str) -> Spans:
        total = NONE
        for part in text.split(","):
            total |= network(part, self.family)
        return total

    def _range(self, text: str) -> Spans:
        low, _, high = text.partition("-")
        return Spans.of([(address(low)[1], address(high or low)[1])])

    # --- targets -----------------------------------------------------------------------------

    def _target(self, name: str, *, goto: bool) -> list[Step]:
        rest = self.words[self.at :]
        simple = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return"}
        if name in simple:
            verdicts: dict[str, Go] = {
                "accept": Go("accept"),
                "drop": Go("drop"),
                "return": Go("return"),
            }
            return [verdicts[simple[name]]]
        if name in _PASSIVE:
            return []
        if name in ("MARK", "CONNMARK"):
            return _marking(name, rest)
        if name == "NOTRACK" or (name == "CT" and "--notrack" in rest):
            return [Set("state")]
        if name == "CT":
            return []
        if name in ("DNAT", "REDIRECT"):
            return [self._rewrite(name, rest)]
        chain = f"{self.table.prefix} {name}"
        if name in self.table.rules:
            return [Go("goto" if goto else "jump", chain)]
        return [Go("unknown")]

    def _rewrite(self, name: str, rest: list[str]) -> Rewrite:
        option = "--to-ports" if name == "REDIRECT" else "--to-destination"
        given = rest[rest.index(option) + 1] if option in rest[:-1] else ""
        if name == "REDIRECT":
            exact = given.isdecimal()
            return Rewrite(
                self.family, None, int(given) if exact else None, True, exact or not given
            )
        match = re.fullmatch(r"\[?([0-9a-fA-F.:]+?)\]?(?::(\d+))?", given)
        if self.family == 6 and "[" not in given:
            match = re.fullmatch(r"([0-9a-fA-F.:]+)()", given)
        if match is None:
            return Rewrite(self.family, known=False)
        port = int(match[2]) if match[2] else None
        try:
            return Rewrite(self.family, address(match[1])[1], port)
        except ValueError:
            return Rewrite(self.family, known=False)


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


def _marking(name: str, rest: list[str]) -> list[Step]:
    """MARK and CONNMARK: --set-xmark VALUE/MASK is (old & ~mask) ^ value (iptables-extensions)."""
    option, given = (rest[0] if rest else ""), (rest[1] if len(rest) > 1 else "")
    if name == "CONNMARK" and option in ("--save-mark", "--restore-mark"):
        whole = all(int(mask, 0) == 0xFFFFFFFF for mask in rest if mask[:2] == "0x")
        if option == "--save-mark":
            return [Set("ctmark", 0 if whole else None, 0xFFFFFFFF, "mark")]
        return [Set("mark", 0 if whole else None, 0xFFFFFFFF, "ctmark")]
    value, _, mask = given.partition("/")
    try:
        number, bits = int(value, 0), int(mask, 0) if mask else 0xFFFFFFFF
    except ValueError:
        return [Set("mark" if name == "MARK" else "ctmark", None)]
    if option not in ("--set-xmark", "--set-mark"):
        return [Set("mark" if name == "MARK" else "ctmark", None)]
    return [Set("mark" if name == "MARK" else "ctmark", number, ~bits & 0xFFFFFFFF)]


_OPTIONS: dict[str, Callable[[_Words, bool], Match]] = {
    "-s": _Words.source, "--source": _Words.source, "-d": _Words.destination,
    "--src-range": _Words.source_range, "--dst-range": _Words.destination_range,
    "-p": _Words.protocol, "-i": _Words.interface_in, "-o": _Words.interface_out,
    "--dport": _Words.destination_port, "--dports": _Words.destination_port,
    "--sport": _Words.source_port, "--sports": _Words.source_port, "--ports": _Words.either_port,
    "--tcp-flags": _Words.flags, "--syn": _Words.syn, "--ctstate": _Words.state,
    "--state": _Words.state, "--ctstatus": _Words.status,
    "--ctorigdst": _Words.first_destination, "--ctorigdstport": _Words.first_port,
    "--ctdir": _Words.direction, "--dst-type": _Words.destination_type,
    "--src-type": _Words.source_type, "--limit-iface-in": _Words.limited_in,
    "--mark": _Words.mark, "--pkt-type": _Words.packet_type, "--match-set": _Words.match_set,
    "--icmp-type": _Words.icmp, "--icmpv6-type": _Words.icmp, "--loose": _Words.reverse_path,
    "--validmark": _Words.reverse_path, "--accept-local": _Words.reverse_path,
    "--invert": _Words.reverse_path,
}  # fmt: skip
# options that mean something else with another module
_ONLY = {
    "--loose": {"rpfilter"}, "--validmark": {"rpfilter"}, "--accept-local": {"rpfilter"},
    "--invert": {"rpfilter"}, "--mark": {"mark", "connmark"}, "--state": {"state"},
    "--dport": {"tcp", "udp", "multiport", "sctp", "dccp", "udplite", ""},
}  # fmt: skip
