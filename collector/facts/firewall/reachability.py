"""What gets through a packet filter in the network that it stands in.

The order of hooks for a packet that comes in (netfilter): ingress, prerouting (raw, mangle,
destination NAT), then input, or forward where its destination is not this host.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from collector.errors import NotUnderstood
from collector.facts.base.intervals import NONE, Spans
from collector.facts.firewall.rules.evaluator import Flow, Rules, merged
from collector.facts.firewall.rules.packet import PROTOCOLS, Numeric, OneOf, Packet, Word
from collector.facts.firewall.rules.rules import Divert, Go, Rewrite, Rule, Step
from collector.facts.network.interfaces import Network
from collector.facts.network.kernel_hooks import Hook
from collector.i18n.message import msg

_MOST_CHOICES = 512
_COMING_IN = ("ingress", "prerouting", "input", "forward")


@dataclass(frozen=True)
class Firewall:
    """Everything loaded, and the network around it."""

    rules: Rules
    network: Network
    loaded: tuple[str, ...]

    @cached_property
    def numerics(self) -> tuple[Numeric, ...]:
        """Every numeric match of the rules, looked for once."""
        return tuple(numerics(self.rules))

    @cached_property
    def apart(self) -> bool:
        """Do the rules tell the host's addresses apart by the interface that has them?"""
        return self.redirects or "daddr_type_in" in words(self.rules)

    @cached_property
    def redirects(self) -> bool:
        """Do rules send packets to the first address of the interface, which moves only others?"""
        return any(rewrite.here for _, rewrite, _ in published(self.rules))

    @cached_property
    def new_addresses(self) -> tuple[tuple[int, int], ...]:
        """(family, address) that rules send packets on to."""
        found = [r for _, r, _ in published(self.rules) if r.address is not None]
        return tuple(dict.fromkeys((r.family, r.address or 0) for r in found))

    def chosen(self, family: int, proto: int) -> list[dict[str, Any]]:
        """What a sender may choose of a packet: one choice of each kind that the rules tell apart.

        Packets of up to 1500 bytes, in one piece. Raises NotUnderstood where there are too many.
        """
        least = (20 if family == 4 else 40) + (20 if proto == PROTOCOLS["tcp"] else 8)
        choices: list[dict[str, Any]] = [{}]
        for name, low, high, usual in (
            ("sport", 1, 65_535, 40_000),
            ("ttl", 1, 255, 64),
            ("dscp", 0, 63, 0),
            ("length", least, 1500, least + 20),
            ("tcp_option", 0, 254, 0),
            ("mss", -1, 65_535, 1460),
        ):
            if name == "mss" and proto != PROTOCOLS["tcp"]:
                continue
            told = [numeric for numeric in self.numerics if numeric.field == name]
            edges = {usual}.union(*(_edges(numeric, low, high) for numeric in told))
            if name == "sport" or told:
                kinds = sorted(edges)
                choices = [{**choice, name: value} for choice in choices for value in kinds]
        if len(choices) > _MOST_CHOICES:
            raise NotUnderstood("firewall.nft", msg("kinds_packets_told_apart", count=len(choices)))
        return choices

    def reach(
        self,
        packet: Packet,
        sources: Spans,
        *,
        natted: bool = False,
        listening: frozenset[tuple[int, int, int]] | None = None,
    ) -> Reach:
        """What becomes of a new packet from each of the sources.

        With `natted`, only packets count that arrive at another destination than their first.
        `listening`: (protocol, address or 0, port) of what listens here, None to leave that open.
        """
        dropped: list[Flow] = []
        start = replace(
            packet,
            state="invalid",
            held=self.rules.held(packet, packet.daddr),
            first_daddr=packet.daddr,
            first_dport=packet.dport,
        )
        flows = [Flow(start, sources)]
        flows = self.rules.through("ingress", flows, dropped)
        flows = self.rules.through("prerouting", flows, dropped)
        here: list[Flow] = []
        away: list[Flow] = []
        # where it goes is not known, so neither is what it meets there
        somewhere = [flow for flow in flows if flow.packet.guess]
        for flow in flows:
            if flow.packet.guess:
                continue
            routed = self._routed(flow)
            to = routed.packet
            if to.family == 4 and to.daddr >> 24 == 127 and not self.network.loopback_from(to.iif):
                dropped.append(replace(routed, why=msg("loopback_not_taken_outside")))
                continue
            (here if to.local else away).append(routed)
        arrived = self.rules.through("input", here, dropped)
        away = [flow for flow in away if self._forwarded(flow, dropped)]
        arrived += self.rules.through("forward", away, dropped)
        arrived += somewhere
        dropped += somewhere
        heard = [flow for flow in arrived if _heard(flow.packet, listening, natted=natted)]
        lost = [flow for flow in arrived if flow not in heard]
        dropped += [replace(flow, why=msg("nothing_listens")) for flow in lost]
        return Reach.of(merged(heard), dropped)

    def _routed(self, flow: Flow) -> Flow:
        packet = flow.packet
        family = packet.family
        if not packet.natted:
            return flow
        local = self.network.local(packet.daddr, family)
        oif = None if local else self.network.way(packet.daddr, family)
        return replace(flow, packet=replace(packet, local=local, oif=oif))

    def _forwarded(self, flow: Flow, dropped: list[Flow]) -> bool:
        if flow.packet.cast != "unicast":
            dropped.append(replace(flow, why=msg("sent_all_not_forwarded")))
            return False
        if self.network.forwards.get(flow.packet.family, False):
            return True
        dropped.append(replace(flow, why=msg("forwarding_off")))
        return False


def _edges(numeric: Numeric, low: int, high: int) -> set[int]:
    """Values on both sides of every limit."""
    edges: set[int] = set()
    for first, last in numeric.values.ranges:
        edges |= {first - 1, first, last, last + 1}
    return {value for value in edges if low <= value <= high}


def _heard(
    packet: Packet, listening: frozenset[tuple[int, int, int]] | None, *, natted: bool
) -> bool:
    if not packet.moved:
        return not natted
    if listening is None or packet.guess or not packet.local:
        return True
    return any((packet.proto, place, packet.dport) in listening for place in (0, packet.daddr))


@dataclass(frozen=True)
class Reach:
    """Sources whose packets certainly arrive, and those for which that cannot be told.

    `natted` says that some arrive at another destination, `direct` that some do at their first;
    `why` is the rule that lets most in,
    `why_not` the one that keeps most out.
    """

    yes: Spans
    unknown: Spans
    why: str
    why_not: str
    natted: bool
    targets: tuple[tuple[int, int], ...]
    direct: bool = False

    def beside(self, hooks: Iterable[Hook], sources: Spans) -> Reach:
        """The same where packets meet something beside the rules."""
        found = self
        for hook in hooks:
            doubtful = sources if hook.opens else found.yes | found.unknown
            if doubtful:
                found = replace(found, yes=NONE, unknown=doubtful, why=hook.what)
        return found

    @staticmethod
    def of(arrived: list[Flow], dropped: list[Flow]) -> Reach:
        sure, doubtful, lost = NONE, NONE, NONE
        for flow in arrived:
            if flow.doubt:
                doubtful |= flow.sources
            else:
                sure |= flow.sources
        for flow in dropped:
            lost |= flow.sources
        yes = sure | (doubtful - lost)
        moved = [f.packet for f in arrived if f.packet.moved]
        targets = {(p.daddr, p.dport) for p in moved if not p.guess}
        return Reach(
            yes,
            doubtful - yes,
            _widest([f for f in arrived if not f.doubt]) or _widest(arrived),
            _widest(dropped),
            bool(moved),
            tuple(sorted(targets)),
            len(moved) < len(arrived),
        )


def _widest(flows: list[Flow]) -> str:
    if not flows:
        return ""
    widest = max(flows, key=lambda flow: flow.sources.size)
    return widest.fog or widest.why


def numerics(rules: Rules) -> list[Numeric]:
    """Every numeric match of the rules, however deep it stands."""
    return [match for match in _matches(rules) if isinstance(match, Numeric)]


def _matches(rules: Rules) -> list[Numeric | Word]:
    found: list[Numeric | Word] = []
    pending: list[Step] = [
        step for chain in rules.chains.values() for rule in chain for step in rule.steps
    ]
    while pending:
        step = pending.pop()
        if isinstance(step, Numeric | Word):
            found.append(step)
        elif isinstance(step, OneOf):
            pending += [match for group in step.alternatives for match in group]
    return found


def words(rules: Rules) -> set[str]:
    """The names of all fields that hold a word and that the rules look at."""
    return {match.field for match in _matches(rules) if isinstance(match, Word)}


def diverted(rules: Rules) -> list[tuple[Rule, Divert]]:
    """Every rule for what comes in that hands packets to a listener of another port or address."""
    pending = [base.chain for base in rules.bases if base.hook in _COMING_IN]
    seen: set[str] = set()
    found = []
    while pending:
        chain = pending.pop()
        if chain in seen:
            continue
        seen.add(chain)
        for rule in rules.chains.get(chain, ()):
            pending += [step.target for step in rule.steps if isinstance(step, Go) and step.target]
            found += [(rule, step) for step in rule.steps if isinstance(step, Divert)]
    return found


def published(rules: Rules) -> list[tuple[Rule, Rewrite, list[Numeric]]]:
    """Every rule that rewrites a destination, with the numeric matches that stand before it."""
    found = []
    for chain in rules.chains.values():
        for rule in chain:
            for at, step in enumerate(rule.steps):
                if isinstance(step, Rewrite):
                    before = [s for s in rule.steps[:at] if isinstance(s, Numeric)]
                    found.append((rule, step, before))
    return found
