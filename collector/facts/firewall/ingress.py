"""Every way by which a packet may come to one port of the host, and what comes of all together.

A packet to an address of the host may come in by each of its interfaces. One that is sent to all
on a link (broadcast, multicast, an address of the link alone) comes from that link, for routers
do not send it on (RFC 1812 5.3.5, RFC 4291 2.5.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from collector.facts.base.intervals import NONE, Spans
from collector.facts.firewall.reachability import Firewall, Reach
from collector.facts.firewall.rules.packet import Packet

_ALL_SYSTEMS = 0xE0000001


@dataclass(frozen=True, slots=True)
class Place:
    """A destination: `device` bounds it to one interface; `cast` as in `Packet`.

    `elsewhere`: only what is sent on from there to another destination is heard.
    """

    address: int
    device: str = ""
    cast: str = "unicast"
    elsewhere: bool = False


@dataclass
class Outcome:
    """What came of all ways together: who gets in, by which rules, and to which destinations."""

    yes: Spans = NONE
    unknown: Spans = NONE
    weighed: list[tuple[bool, int, str]] = field(default_factory=list)
    keeps: list[str] = field(default_factory=list)
    targets: set[tuple[int, int]] = field(default_factory=set)
    natted: bool = False
    direct: bool = False

    def add(self, reach: Reach) -> None:
        self.yes |= reach.yes
        self.unknown = (self.unknown | reach.unknown) - self.yes
        self.targets |= set(reach.targets)
        self.natted = self.natted or reach.natted
        self.direct = self.direct or reach.direct
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
    """Every way by which a packet may come to one port of the host.

    `only`: the sources that are asked about, None for all.
    """

    firewall: Firewall
    family: int
    only: Spans | None = None
    listening: frozenset[tuple[int, int, int]] | None = None

    def reach(
        self,
        proto: int,
        port: int,
        places: Iterable[Place],
        *,
        device: str = "",
        natted: bool = False,
    ) -> Outcome:
        """Packets to each of the places, through each interface (or `device` only)."""
        outcome = Outcome()
        choices = self.firewall.chosen(self.family, proto)
        for place in places:
            for name, sources in self._arriving(place, device):
                wanted = sources if place.cast == "unicast" else sources - outcome.yes
                if not wanted:
                    continue
                first = Packet(self.family, proto, place.address, port, 0, name, cast=place.cast)
                for choice in choices:
                    packet = replace(first, **choice)
                    found = self.firewall.reach(
                        packet,
                        wanted,
                        natted=natted or place.elsewhere,
                        listening=self.listening,
                    )
                    outcome.add(found.beside(self.firewall.network.hooks.on(name), wanted))
        return outcome

    def everyone(self) -> Spans:
        """All sources that may come in by any interface."""
        found = NONE
        for _, sources in self.firewall.network.arriving(self.family):
            found |= sources
        return found if self.only is None else found & self.only

    def _arriving(self, place: Place, device: str) -> Iterator[tuple[str, Spans]]:
        network = self.firewall.network
        if place.device:
            near = network.on_link(place.device, self.family)
            found = [(place.device, near)]
        else:
            found = network.arriving(self.family)
        for name, sources in found:
            if device in ("", name):
                yield name, sources if self.only is None else sources & self.only

    def places(self, proto: str, *, both: bool = False) -> list[Place]:
        """One destination for each kind that the rules tell apart, for a socket that takes all.

        `both`: of a socket for both families. It hears no IPv4 group that it did not join itself
        (IP_MULTICAST_ALL is for sockets of IPv4 alone), so not that of all systems.
        """
        network = self.firewall.network
        mine = network.global_addresses(self.family)
        local = [(d, n) for d, of, n, _ in network.own if of == self.family and d != "lo"]
        found = [Place(n) for _, n in mine]
        devices = {n: d for d, n in mine}
        found += [Place(n, d) for d, n in local if (d, n) not in mine]
        for family, held in network.more:
            # one of them that is no address of an interface
            fresh = held - network.addresses(family)
            if family == self.family and fresh:
                found.append(Place(fresh.ranges[-1][0]))
                devices.setdefault(fresh.ranges[-1][0], "")
        if proto == "udp":
            found += [Place(n, d, "broadcast") for d, n in network.broadcasts(self.family)]
            found += [
                Place(n, d, "multicast", elsewhere=both and n == _ALL_SYSTEMS)
                for d, n in network.multicasts(self.family)
            ]
        tests = [
            numeric.values
            for numeric in self.firewall.numerics
            if numeric.field in ("daddr", "first_daddr")
        ]
        tests += [
            Spans.one(number)
            for family, number in self.firewall.new_addresses
            if family in (0, self.family)
        ]
        if self.firewall.redirects:
            first = dict(reversed(local))
            tests.append(Spans.one(*first.values()))
        kinds: dict[tuple[bool | str, ...], Place] = {}
        for place in found:
            kind = tuple(place.address in values for values in tests)
            where = place.device or (devices[place.address] if self.firewall.apart else "")
            shape = (place.cast, place.elsewhere, bool(place.device), where)
            kinds.setdefault((*shape, *kind), place)
        return list(kinds.values())

    def bound(self, address: int) -> list[Place]:
        """The destinations of a socket that is bound to one address."""
        network = self.firewall.network
        kinds = {
            "multicast": network.multicasts(self.family),
            "broadcast": network.broadcasts(self.family),
        }
        shared = [
            Place(address, device, cast)
            for cast, known in kinds.items()
            for device, number in known
            if number == address
        ]
        near = [Place(address, d) for d in network.local_to(address, self.family)]
        return shared or near or [Place(address)]
