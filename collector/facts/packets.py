"""What a packet filter does with a new packet: one model for nftables and iptables.

A rule is a sequence of steps. Evaluation carries, for one packet, the *set of sources* that come
as far as a step, so one walk answers for every source at once (`Flow`). It is three-valued: a
step that is not understood lets its flow go both ways *in doubt*, and doubt that can decide
makes the answer unknown, never "closed". Where a step depends on how fast packets come (limit,
connlimit), some pass and some do not: the flow goes both ways without doubt, for what lets some
packets pass can be reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from collector.facts.spans import NONE, Spans

PROTOCOLS = {
    "icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "udp": 17, "dccp": 33, "ipv6": 41, "gre": 47,
    "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "ospf": 89, "pim": 103, "comp": 108,
    "vrrp": 112, "l2tp": 115, "sctp": 132, "udplite": 136,
}  # fmt: skip
SYN = 2
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a new connection. `oif` is None while it is not routed.

    `state` is its state in connection tracking; `natted`: its destination was rewritten;
    `first_daddr`, `first_dport` are what it was sent to.
    """

    family: int
    proto: int
    daddr: int
    dport: int
    sport: int
    iif: str
    local: bool = True
    oif: str | None = None
    mark: int | None = 0
    ctmark: int | None = 0
    state: str = "new"
    natted: bool = False
    first_daddr: int = 0
    first_dport: int = 0

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
        }
        return known[name]

    def word(self, name: str) -> str | None:
        """The value of a field that holds a word, None when it is not known."""
        known: dict[str, str | None] = {
            "iif": self.iif,
            "oif": self.oif,
            "state": self.state,
            "status": "dnat" if self.natted else "",
            "pkttype": "host",
            "daddr_type": "local" if self.local else "unicast",
            "saddr_type": "unicast",
            "direction": "original",
        }
        return known[name]


@dataclass(frozen=True, slots=True)
class Flow:
    """The sources from which the packet comes this far; `why` is the rule that decided last."""

    packet: Packet
    sources: Spans
    doubt: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number of the packet (masked by `mask`) lies in `values`."""

    field: str
    values: Spans
    negate: bool = False
    mask: int | None = None

    def split(self, packet: Packet, sources: Spans) -> tuple[Spans, Spans]:
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
        for matches in self.alternatives:
            sure, maybe = both(matches, packet, sources)
            yes |= sure
            possible |= sure | maybe
        if self.negate:
            return sources - possible, possible - yes
        return yes, possible - yes


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


@dataclass(frozen=True, slots=True)
class Rate:
    """Holds for some packets and not for others, depending on how many come."""

    text: str


@dataclass(frozen=True, slots=True)
class Set:
    """Writes a field: `mark` or `ctmark` becomes (old & keep) ^ value; None when not known.

    `copy` names a field to take the old value from; `state` becomes `untracked` by notrack.
    """

    field: Literal["mark", "ctmark", "state"]
    value: int | None = 0
    keep: int = 0
    copy: Literal["mark", "ctmark"] | None = None

    def on(self, packet: Packet) -> Packet:
        if self.field == "state":
            return replace(packet, state="untracked")
        old = packet.number(self.copy or self.field)
        new = None if old is None or self.value is None else (old & self.keep) ^ self.value
        if self.keep == 0 and self.value is not None:
            new = self.value
        return replace(packet, mark=new) if self.field == "mark" else replace(packet, ctmark=new)


@dataclass(frozen=True, slots=True)
class Go:
    """A verdict. `jump` and `goto` have a `target`; `unknown` may be any."""

    kind: Literal["accept", "drop", "return", "jump", "goto", "unknown"]
    target: str = ""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A new destination: `address` None keeps it, `port` None keeps it; `here`: this host."""

    family: int = 0
    address: int | None = None
    port: int | None = None
    here: bool = False
    known: bool = True


Step = Match | Rate | Set | Go | Rewrite


@dataclass(frozen=True, slots=True)
class Rule:
    """The steps, taken in order until one does not hold; `text` is the rule as evidence."""

    steps: tuple[Step, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Base:
    """A chain that the kernel calls: at `hook`, in order of `priority`.

    `family` is 4, 6, or 0 for both; `devices` bounds an ingress chain to these.
    """

    chain: str
    family: int
    kind: str
    hook: str
    priority: int
    accept: bool
    devices: frozenset[str] = frozenset()


@dataclass
class Ends:
    """Where flows end up in one chain; `going` are those that come to its next rule."""

    accepted: list[Flow] = field(default_factory=list)
    dropped: list[Flow] = field(default_factory=list)
    back: list[Flow] = field(default_factory=list)
    going: list[Flow] = field(default_factory=list)


@dataclass(frozen=True)
class Rules:
    """Everything loaded, by chain name (`FAMILY TABLE CHAIN`)."""

    chains: Mapping[str, tuple[Rule, ...]]
    bases: tuple[Base, ...]

    def at(self, hook: str, flow: Flow) -> list[Base]:
        """The base chains that see this packet at the hook, in the kernel's order."""
        packet = flow.packet
        found = [
            base
            for base in self.bases
            if base.hook == hook
            and base.family in (0, packet.family)
            and (not base.devices or packet.iif in base.devices)
        ]
        return sorted(found, key=lambda base: base.priority)

    def through(self, hook: str, flows: list[Flow], dropped: list[Flow]) -> list[Flow]:
        """The flows that pass all chains of the hook; what does not is put into `dropped`."""
        passed: list[Flow] = []
        for flow in flows:
            current = [flow]
            for base in self.at(hook, flow):
                current = merged(self._base(base, current, dropped))
            passed += current
        return merged(passed)

    def _base(self, base: Base, flows: list[Flow], dropped: list[Flow]) -> list[Flow]:
        passed: list[Flow] = []
        for flow in flows:
            if base.kind == "nat" and (flow.packet.natted or flow.packet.state == "untracked"):
                passed.append(flow)
                continue
            ends = Ends()
            self._run(base.chain, flow, ends, 0)
            passed += ends.accepted
            dropped += ends.dropped
            policy = f"{base.chain} policy {'accept' if base.accept else 'drop'}"
            ended = [replace(back, why=policy) for back in ends.back]
            (passed if base.accept else dropped).extend(ended)
        return passed

    def _run(self, chain: str, flow: Flow, ends: Ends, depth: int) -> None:
        if depth > _DEEPEST or chain not in self.chains:
            self._both_ways(flow, ends, f"{chain} is not known")
            return
        flows = [flow]
        for rule in self.chains[chain]:
            ends.going = []
            for current in flows:
                self._rule(rule, current, ends, depth)
            flows = merged(ends.going)
            if not flows:
                return
        ends.back += flows

    def _both_ways(self, flow: Flow, ends: Ends, text: str) -> None:
        doubtful = replace(flow, doubt=True, why=text)
        ends.accepted.append(doubtful)
        ends.dropped.append(doubtful)

    def _rule(self, rule: Rule, start: Flow, ends: Ends, depth: int) -> None:
        held = [start]
        for step in rule.steps:
            after: list[Flow] = []
            for flow in held:
                after += self._step(step, flow, rule.text, ends, depth)
            held = after
            if not held:
                return
        ends.going += held

    def _step(self, step: Step, flow: Flow, text: str, ends: Ends, depth: int) -> list[Flow]:
        """The flows for which the step holds; the others go to the next rule, or end."""
        packet, sources = flow.packet, flow.sources
        if isinstance(step, Numeric | Word | Source | OneOf | Unknown):
            yes, maybe = step.split(packet, sources)
            rest = sources - yes - maybe
            held = [replace(flow, sources=yes)] if yes else []
            if rest:
                ends.going.append(replace(flow, sources=rest))
            if maybe:
                doubtful = replace(flow, sources=maybe, doubt=True)
                held.append(doubtful)
                ends.going.append(doubtful)
            return held
        if isinstance(step, Rate):
            ends.going.append(flow)
            return [flow]
        if isinstance(step, Set):
            return [replace(flow, packet=step.on(packet))]
        if isinstance(step, Rewrite) and step.family not in (0, packet.family):
            ends.going.append(flow)
            return []
        if isinstance(step, Rewrite):
            ends.accepted.append(_rewritten(step, flow, text))
            return []
        self._go(step, replace(flow, why=text), ends, depth)
        return []

    def _go(self, step: Go, flow: Flow, ends: Ends, depth: int) -> None:
        if step.kind == "accept":
            ends.accepted.append(flow)
        elif step.kind == "drop":
            ends.dropped.append(flow)
        elif step.kind == "return":
            ends.back.append(flow)
        elif step.kind == "unknown":
            self._both_ways(flow, ends, flow.why)
            ends.going.append(replace(flow, doubt=True))
        else:
            inner = Ends()
            self._run(step.target, flow, inner, depth + 1)
            ends.accepted += inner.accepted
            ends.dropped += inner.dropped
            (ends.going if step.kind == "jump" else ends.back).extend(inner.back)


def _rewritten(step: Rewrite, flow: Flow, text: str) -> Flow:
    packet = flow.packet
    new = replace(
        packet,
        natted=True,
        daddr=packet.daddr if step.address is None else step.address,
        dport=packet.dport if step.port is None else step.port,
        local=True if step.here else packet.local,
    )
    return Flow(new, flow.sources, flow.doubt or not step.known, text)


def merged(flows: Iterable[Flow]) -> list[Flow]:
    """One flow for each packet and each degree of doubt; what is sure is no longer in doubt."""
    joined: dict[tuple[Packet, bool], Flow] = {}
    for flow in flows:
        key = (flow.packet, flow.doubt)
        before = joined.get(key)
        if before is None:
            joined[key] = flow
        else:
            joined[key] = replace(before, sources=before.sources | flow.sources)
    return [flow for flow in joined.values() if flow.sources]
