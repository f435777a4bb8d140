"""What rules are made of: matches, verdicts, and what they change; one model for all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from collector.facts.firewall.rules.packet import Match, Packet


@dataclass(frozen=True, slots=True)
class Rate:
    """Depends on how many packets come: `quiet` is whether it holds where few do.

    None: it holds for some packets and not for others by chance, so both ways are open to all.
    """

    text: str
    quiet: bool | None = True


@dataclass(frozen=True, slots=True)
class Set:
    """Writes a field: a mark becomes (old & keep) ^ value; None when not known.

    `copy` names a field to take the old value from; `state` becomes `untracked` by notrack,
    unless the packet is tracked already.
    """

    field: Literal["mark", "ctmark", "state", "ttl", "dscp"]
    value: int | None = 0
    keep: int = 0
    copy: Literal["mark", "ctmark"] | None = None

    def on(self, packet: Packet) -> Packet:
        if self.field == "state":
            return packet if packet.tracked else replace(packet, state="untracked")
        if self.field == "ctmark" and not packet.tracked:
            return packet
        old = packet.number(self.copy or self.field)
        new = None if old is None or self.value is None else (old & self.keep) ^ self.value
        if self.keep == 0 and self.value is not None:
            new = self.value
        changed: dict[str, Any] = {self.field: new}
        return replace(packet, **changed)


@dataclass(frozen=True, slots=True)
class Go:
    """A verdict. `jump` and `goto` have a `target`; `unknown` may be any."""

    kind: Literal["accept", "drop", "return", "jump", "goto", "unknown"]
    target: str = ""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A new destination: `address` None keeps it, `port` None keeps it; `here`: this host.

    `spread` (low, high, base) is a range of ports: the new one is as far from `low` as the old one
    from `base`; without base (-1) a port of the range stays, and any other becomes one of them.
    """

    family: int = 0
    address: int | None = None
    port: int | None = None
    here: bool = False
    known: bool = True
    spread: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Divert:
    """A listener takes the packet whatever its destination: TPROXY, an address written over.

    `port` is that of the listener: 0 where it stays, None where it may be any. `family` 0 for
    both. Whether the packet goes on to be let in is not known.
    """

    family: int
    port: int | None


Step = Match | Rate | Set | Go | Rewrite | Divert


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

    def named(self, device: str) -> bool:
        """Is it one of `devices`, of which one that ends in `*` is a beginning?"""
        return device in self.devices or any(
            name.endswith("*") and device.startswith(name[:-1]) for name in self.devices
        )
