"""Which listening sockets can be reached from where, under the rules as they are loaded.

Every socket is sent a new packet in thought: to each of its addresses that the rules tell
apart, in through each interface with the sources that come in there, from each kind of source
port. What can be reached on one of these ways can be reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from collector.errors import FactError
from collector.facts.firewall import READS as _FIREWALL_READS
from collector.facts.firewall import Firewall, Reach, firewall, numerics, published, words
from collector.facts.firewall_boot import READS as _BOOT_READS
from collector.facts.packets import PROTOCOLS, Packet
from collector.facts.sockets import READS as _SOCKET_READS
from collector.facts.sockets import Listener, sockets
from collector.facts.spans import NONE, Spans, everything, network, networks, show
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_FIREWALL_READS, *_BOOT_READS, *_SOCKET_READS)

_MOST_PORTS = 1024
_PRIVATE = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exposure:
    """One socket (or published port) of one family, and who can reach it.

    `yes` are the sources that can, `unknown` those for which that cannot be told; `targets` are
    the destinations that a published port leads to; `why` is what decides it.
    """

    listener: Listener
    yes: Spans
    unknown: Spans
    why: str
    targets: tuple[str, ...] = ()
    every: Spans = NONE
    own: Spans = NONE

    @property
    def reachable(self) -> Literal["yes", "no", "unknown"]:
        return "yes" if self.yes else "unknown" if self.unknown else "no"

    @property
    def sources(self) -> list[str]:
        """The sources that can reach it, as networks, or `anywhere`."""
        return self._shown(self.yes)

    @property
    def doubtful(self) -> list[str]:
        """The sources for which that cannot be told, as networks, or `anywhere`."""
        return self._shown(self.unknown)

    def _shown(self, sources: Spans) -> list[str]:
        if sources and self.every and not self.every - sources:
            return ["anywhere"]
        # the host's own addresses are no sources; the holes they leave are not worth showing
        holes = [n for n, _ in self.own.ranges if n - 1 in sources and n + 1 in sources]
        return networks(sources | Spans.one(*holes), self.listener.family)


def public(family: int) -> Spans:
    """Addresses that are routed on the Internet (IANA special-purpose registries)."""
    if family == 6:
        return network("2000::/3", 6)
    private = NONE
    for text in _PRIVATE:
        private |= network(text, 4)
    return everything(4) - private


def breadth(sources: Spans, family: int) -> int:
    """How many public addresses there are in it; for IPv6, how many networks of 48 bits."""
    count = (sources & public(family)).size
    return count if family == 4 else -(-count >> 80)


@dataclass
class Outcome:
    """What came of all ways together: who gets in, by which rules, and to which destinations."""

    yes: Spans = NONE
    unknown: Spans = NONE
    weighed: list[tuple[bool, int, str]] = field(default_factory=list)
    keeps: list[str] = field(default_factory=list)
    targets: set[tuple[int, int]] = field(default_factory=set)

    def add(self, reach: Reach) -> None:
        self.yes |= reach.yes
        self.unknown = (self.unknown | reach.unknown) - self.yes
        self.targets |= set(reach.targets)
        if reach.yes or reach.unknown:
            held = reach.yes or reach.unknown
            self.weighed.append((bool(reach.yes), held.size, reach.why))
        else:
            self.keeps.append(reach.why_not)

    @property
    def lets(self) -> list[str]:
        """The rules that let in: what does for certain, and what lets most in, comes first."""
        return [why for _, _, why in sorted(self.weighed, key=lambda w: w[:2], reverse=True)]


@dataclass(frozen=True)
class Ways:
    """Every way by which a packet may come to one port of the host."""

    firewall: Firewall
    family: int
    only: Spans | None = None
    listening: frozenset[tuple[int, int, int]] | None = None

    def reach(
        self,
        proto: int,
        port: int,
        places: Iterable[int],
        *,
        device: str = "",
        natted: bool = False,
    ) -> Outcome:
        """Packets to each of the places, through each interface (or `device` only)."""
        outcome = Outcome()
        arriving = [
            (name, sources if self.only is None else sources & self.only)
            for name, sources in self.firewall.network.arriving(self.family)
            if device in ("", name)
        ]
        for place in places:
            for name, sources in arriving:
                for sport in self.firewall.sports() if sources else ():
                    packet = Packet(self.family, proto, place, port, sport, name)
                    outcome.add(
                        self.firewall.reach(
                            packet, sources, natted=natted, listening=self.listening
                        )
                    )
        return outcome

    def places(self) -> list[int]:
        """One address of the host for each kind that the rules tell apart."""
        mine = self.firewall.network.global_addresses(self.family)
        if not mine:
            own = self.firewall.network.own
            mine = [(name, n) for name, of, n, _ in own if of == self.family and name != "lo"]
        apart = "daddr_type_in" in words(self.firewall.rules)
        tests = [
            numeric.values
            for numeric in numerics(self.firewall.rules)
            if numeric.field in ("daddr", "first_daddr")
        ]
        tests += [
            Spans.one(rewrite.address)
            for _, rewrite, _ in published(self.firewall.rules)
            if rewrite.address is not None and rewrite.family in (0, self.family)
        ]
        kinds: dict[tuple[bool | str, ...], int] = {}
        for device, number in mine:
            kind = tuple(number in values for values in tests)
            kinds.setdefault((device if apart else "", *kind), number)
        return list(kinds.values())


def exposures(capture: Capture, only: tuple[int, int] | None = None) -> tuple[Exposure, ...]:
    """Every listening socket and published port. `only`: (family, address) of the one who asks.

    Where the rules could not be seen or read, everything but loopback is unknown, and says why.
    Raises FactError when the sockets could not be seen.
    """
    listening = [s for s in sockets(capture) if only is None or s.family == only[0]]
    try:
        filtering = firewall(capture)
    except FactError as problem:
        return tuple(_unseen(listener, str(problem)) for listener in listening)
    return _exposures(listening, filtering, only)


def exposures_of(capture: Capture, filtering: Firewall) -> tuple[Exposure, ...]:
    """The same for the sockets of the capture and other rules than those that are loaded."""
    return _exposures(list(sockets(capture)), filtering, None)


def _exposures(
    listening: list[Listener], filtering: Firewall, only: tuple[int, int] | None
) -> tuple[Exposure, ...]:
    found: list[Exposure] = []
    for family in (4, 6):
        if only is not None and only[0] != family:
            continue
        source = None if only is None else Spans.one(only[1])
        mine = [s for s in listening if s.family == family]
        heard = frozenset((PROTOCOLS[s.proto], s.address, s.port) for s in mine)
        ways = Ways(filtering, family, source, heard)
        found += [_exposure(ways, listener) for listener in mine]
        open_ports = {(s.proto, s.port) for s in mine if not s.loopback}
        for listener in _published(filtering, family):
            if (listener.proto, listener.port) not in open_ports:
                found.append(_exposure(ways, listener, natted=True))
    return tuple(found)


def _unseen(listener: Listener, why: str) -> Exposure:
    if listener.loopback:
        return Exposure(listener, NONE, NONE, "bound to loopback")
    every = everything(listener.family)
    return Exposure(listener, NONE, every, why, every=every)


def _exposure(ways: Ways, listener: Listener, *, natted: bool = False) -> Exposure:
    if listener.loopback:
        return Exposure(listener, NONE, NONE, "bound to loopback")
    places = ways.places() if listener.any else [listener.address]
    if not places:
        return Exposure(listener, NONE, NONE, "the host has no address of this family")
    found = ways.reach(
        PROTOCOLS[listener.proto], listener.port, places, device=listener.device, natted=natted
    )
    if found.lets:
        why = next(filter(None, found.lets), "no rule stands in the way")
    else:
        why = next(filter(None, found.keeps), "nothing comes in for it")
    every = NONE
    for _, sources in ways.firewall.network.arriving(ways.family):
        every |= sources
    every = every if ways.only is None else NONE
    targets = sorted(found.targets)
    shown = tuple(f"{_bracket(place, ways.family)}:{port}" for place, port in targets)
    own = ways.firewall.network.addresses(ways.family)
    return Exposure(listener, found.yes, found.unknown, why, shown, every, own)


def _bracket(number: int, family: int) -> str:
    return show(number, 4) if family == 4 else f"[{show(number, 6)}]"


def _published(filtering: Firewall, family: int) -> list[Listener]:
    """The ports whose packets are sent on to another destination, as if something listened."""
    found: dict[tuple[str, int], Listener] = {}
    for rule, rewrite, before in published(filtering.rules):
        if rewrite.family not in (0, family):
            continue
        if any(n.field == "family" and (family in n.values) is n.negate for n in before):
            continue
        ports = NONE
        protos = Spans.one(*(PROTOCOLS[name] for name in ("tcp", "udp")))
        for numeric in before:
            if numeric.negate:
                continue
            if numeric.field == "proto":
                protos &= numeric.values
            elif numeric.field == "dport":
                ports |= numeric.values
        if ports.size > _MOST_PORTS:
            continue
        for low, high in ports.ranges:
            for port in range(low, high + 1):
                for name in ("tcp", "udp"):
                    if PROTOCOLS[name] in protos:
                        found[name, port] = Listener(name, family, 0, port, "", "", 0, rule.text)
    return [found[key] for key in sorted(found)]
