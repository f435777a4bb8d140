"""What a packet filter does with a new packet: one model for nftables and iptables.

A rule is a sequence of steps. Evaluation carries, for one packet, the set of sources that come as
far as a step (`Flow`). It is three-valued: a step that is not understood lets its flow go both
ways *in doubt*, and doubt that can decide makes the answer unknown, never "closed". Where a step
depends on how fast packets come (limit, connlimit), the first packet of a quiet sender is what
is asked about; what only a flood would meet is in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from collector.facts.base.allowance import Allowance
from collector.facts.base.intervals import Spans
from collector.facts.firewall.rules.packet import (
    OF_CONNECTIONS,
    Match,
    Numeric,
    OneOf,
    Packet,
    Source,
    Unknown,
    Word,
)
from collector.facts.firewall.rules.rules import Base, Divert, Go, Rate, Rewrite, Rule, Set, Step
from collector.i18n.message import msg

_DEEPEST = 32
# what takes some seconds, of steps of rules and of so many spans of addresses in each
_STEPS = 400_000
_SPANS = 16
_LETS = " policy accept"
# NF_IP_PRI_CONNTRACK
_TRACKING = -200
# what asks for tracking, in a rule of nftables or of iptables
_ASKS = re.compile(
    r"\bct\s|\b(?:masquerade|snat|dnat|redirect|flow|synproxy)\b|conn(?:track|mark|limit|bytes)"
    r"|CONN(?:SEC)?MARK|-m (?:state|helper|cluster|xt match)|-j (?:SNAT|DNAT|MASQUERADE|REDIRECT"
    r"|NETMAP|CT|SYNPROXY)\b|\bxt\b"
)


@dataclass(frozen=True, slots=True)
class Flow:
    """The sources from which the packet comes this far.

    `why` is the rule that decided last, `fog` what first put it in doubt, empty where nothing did.
    """

    packet: Packet
    sources: Spans
    why: str = ""
    fog: str = ""

    @property
    def doubt(self) -> bool:
        return bool(self.fog)

    def doubted(self, by: str) -> Flow:
        return self if self.fog else replace(self, fog=by)


@dataclass
class Ends:
    """Where flows end up in one chain; `going` are those that come to its next rule."""

    accepted: list[Flow] = field(default_factory=list)
    dropped: list[Flow] = field(default_factory=list)
    back: list[Flow] = field(default_factory=list)
    going: list[Flow] = field(default_factory=list)


@dataclass(frozen=True)
class Rules:
    """Everything loaded, by chain name (`FAMILY TABLE CHAIN`).

    `own` are the host's (interface, family, address), as listed: redirect takes the first.
    `more` are (family, addresses) beside them that it takes as its own.
    """

    chains: Mapping[str, tuple[Rule, ...]]
    bases: tuple[Base, ...]
    own: tuple[tuple[str, int, int], ...] = ()
    more: tuple[tuple[int, Spans], ...] = ()

    @cached_property
    def tracks(self) -> frozenset[int]:
        """The families whose connections are tracked: something that is loaded asks for that.

        Where nothing does, the kernel does not so much as call the chains of translation.
        """
        found: set[int] = set()
        for chain, rules in self.chains.items():
            family = chain.split()[0]
            told = any(_asks(rule, rule.text.removeprefix(f"{chain}: ")) for rule in rules)
            if told and family not in ("netdev", "bridge"):
                found |= {4, 6} if family == "inet" else {6 if "6" in family else 4}
        return frozenset(found)

    @cached_property
    def _room(self) -> Allowance:
        """Rules for each packet, chains from many rules: what is loaded multiplies."""
        iptables = any(chain.startswith("ip") and " " in chain for chain in self.chains)
        read = "firewall.iptables" if iptables else "firewall.nft"
        return Allowance(read, _STEPS, msg("rules_packets_go_through"))

    def local(self, packet: Packet, number: int) -> bool:
        if packet.family == 4 and number >> 24 == 127:
            return True
        if any(family == packet.family and number in held for family, held in self.more):
            return True
        return any(family == packet.family and own == number for _, family, own in self.own)

    def held(self, packet: Packet, number: int) -> bool:
        """Is it an address of the interface that the packet comes in by?"""
        return (packet.iif, packet.family, number) in self.own

    def at(self, hook: str, flow: Flow) -> list[Base]:
        """The base chains that see this packet at the hook, in the kernel's order."""
        packet = flow.packet
        found = [
            base
            for base in self.bases
            if base.hook == hook
            and base.family in (0, packet.family)
            and (not base.devices or base.named(packet.iif))
        ]
        # of equals the kernel calls the one that was made last first
        found.reverse()
        return sorted(found, key=lambda base: base.priority)

    def through(self, hook: str, flows: list[Flow], dropped: list[Flow]) -> list[Flow]:
        """The flows that pass all chains of the hook; what does not is put into `dropped`."""
        passed: list[Flow] = []
        for flow in flows:
            current = [flow]
            for base in self.at(hook, flow):
                if hook == "prerouting" and base.priority > _TRACKING:
                    current = [_tracked(each) for each in current]
                current = merged(self._base(base, current, dropped, flow.why))
            passed += current if hook == "ingress" else map(_tracked, current)
        return merged(passed)

    def _base(self, base: Base, flows: list[Flow], dropped: list[Flow], before: str) -> list[Flow]:
        """`before`: what decided at the hook before. What let in decides, no policy after it."""
        passed: list[Flow] = []
        for flow in flows:
            packet = flow.packet
            called = packet.tracked and not packet.natted and packet.family in self.tracks
            if base.kind == "nat" and not called:
                passed.append(flow)
                continue
            ends = Ends()
            self._run(base.chain, flow, ends, 0)
            passed += ends.accepted
            dropped += ends.dropped
            if base.accept:
                fresh = flow.why in ("", before) or flow.why.endswith(_LETS)
                why = base.chain + _LETS if fresh else flow.why
                passed += [replace(back, why=why) for back in ends.back]
            else:
                dropped += [replace(b, why=f"{base.chain} policy drop") for b in ends.back]
        return passed

    def _run(self, chain: str, flow: Flow, ends: Ends, depth: int) -> None:
        if depth > _DEEPEST or chain not in self.chains:
            self._both_ways(flow, ends, msg("not_known", chain=chain))
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
        doubtful = replace(flow, why=text).doubted(text)
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
        self._room.take(1 + len(sources.ranges) // _SPANS)
        if isinstance(step, Numeric | Word | Source | OneOf | Unknown):
            yes, maybe = step.split(packet, sources)
            rest = sources - yes - maybe
            held = [replace(flow, sources=yes)] if yes else []
            if rest:
                ends.going.append(replace(flow, sources=rest))
            if maybe:
                doubtful = replace(flow, sources=maybe).doubted(_foggy(step, text))
                held.append(doubtful)
                ends.going.append(doubtful)
            return held
        if isinstance(step, Rate):
            ends.going.append(flow.doubted(text) if step.quiet is True else flow)
            return [flow.doubted(text) if step.quiet is False else flow]
        if isinstance(step, Set) and step.copy == "ctmark" and not packet.tracked:
            ends.going.append(flow)
            return []
        if isinstance(step, Set):
            return [replace(flow, packet=step.on(packet))]
        if isinstance(step, Rewrite) and step.family not in (0, packet.family):
            ends.going.append(flow)
            return []
        if isinstance(step, Rewrite):
            new = self._rewritten(step, flow, text)
            (ends.dropped if new is None else ends.accepted).append(new or flow)
            return []
        if isinstance(step, Divert):
            step = Go("unknown")
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
            ends.going.append(flow.doubted(flow.why))
        else:
            inner = Ends()
            self._run(step.target, flow, inner, depth + 1)
            ends.accepted += inner.accepted
            ends.dropped += inner.dropped
            (ends.going if step.kind == "jump" else ends.back).extend(inner.back)

    def _rewritten(self, step: Rewrite, flow: Flow, text: str) -> Flow | None:
        """None: it is sent to this host, and its interface has no address to give."""
        packet = flow.packet
        daddr = packet.daddr if step.address is None else step.address
        if step.here:
            near = _near(packet.daddr, packet.family)
            own = [
                number
                for device, family, number in self.own
                if (device, family) == (packet.iif, packet.family)
                and (family == 4 or _near(number, family) == near)
            ]
            if not own:
                return None
            daddr = own[0]
        port = _port(step, packet.dport) if step.known else None
        new = replace(
            packet,
            natted=True,
            guess=port is None,
            daddr=daddr,
            dport=packet.dport if port is None else port,
            local=self.local(packet, daddr),
            held=self.held(packet, daddr),
        )
        moved = replace(flow, packet=new, why=text)
        return moved if port is not None else moved.doubted(text)


def _port(step: Rewrite, asked: int) -> int | None:
    """The new port as the kernel takes it (nf_nat_core.c); None where it may be one of several."""
    if step.spread is None:
        return asked if step.port is None else step.port
    low, high, base = step.spread
    if base >= 0:
        return low + (asked - base & 0xFFFF) % (high - low + 1)
    return asked if low <= asked <= high else None


def _asks(rule: Rule, text: str) -> bool:
    """Does the rule ask for tracking? What is not understood may."""
    return _ASKS.search(text) is not None or any(
        isinstance(step, Rewrite | Rate | Unknown | Divert)
        or step == Go("unknown")
        or (isinstance(step, Numeric | Word) and step.field in (*OF_CONNECTIONS, "state"))
        for step in rule.steps
    )


def _foggy(step: Match, text: str) -> str:
    """What is not understood, and the rule that it stands in."""
    return f"{step.text}: {text}" if isinstance(step, Unknown) else text


def _near(number: int, family: int) -> bool:
    """Is it an address, or a group, of a link (RFC 3927, RFC 4291)?"""
    if family == 4:
        return number >> 16 == 0xA9FE
    return number >> 118 == 0xFE80 >> 6 or number >> 112 & 0xFF0F == 0xFF02


def _tracked(flow: Flow) -> Flow:
    """From here on the packet belongs to a connection, a new one, unless that was forbidden."""
    if flow.packet.state != "invalid":
        return flow
    return replace(flow, packet=replace(flow.packet, state="new"))


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
