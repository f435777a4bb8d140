"""What a packet filter does with a new packet: one model for nftables and iptables.

A rule is a sequence of steps. Evaluation carries, for one packet, the set of sources that come as
far as a step (`Flow`). It is three-valued: a step that is not understood lets its flow go both
ways *in doubt*, and doubt that can decide makes the answer unknown, never "closed". Where a step
depends on how fast packets come (limit, connlimit), some pass and some do not: the flow goes both
ways without doubt, for what lets some packets pass can be reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from collector.facts.packets import Match, Numeric, OneOf, Packet, Source, Unknown, Word
from collector.facts.spans import Spans

_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Flow:
    """The sources from which the packet comes this far; `why` is the rule that decided last."""

    packet: Packet
    sources: Spans
    doubt: bool = False
    why: str = ""


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
