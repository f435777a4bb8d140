"""What of several pledges is one machine: as evidence shows it, and as records declare it. Pure.

Evidence shows it by what a machine is known again by. Records may declare the same name of a
host, or addresses of which one lies in the other; of internal ones every network has the same, so
that these are told apart.
"""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from collector.pledges.database.sightings import Shared
from collector.pledges.due import lifecycle
from collector.pledges.record.form import PledgeRecord

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# what declares nothing any more: an address of theirs may be another's since
_OVER = ("ended", "disposed")
# the surest first
_ORDER = (
    "capture", "output", "nonce", "machine", "hostkey", "boot", "address", "host", "internal",
)  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """`name` is that of the host, or the address as declared; `evidence` 0 where it is declared."""

    pledge: str
    name: str
    evidence: int = 0


@dataclass(frozen=True, slots=True)
class Same:
    """`kinds` says what is the same; `value` which address or name, empty for what was seen."""

    kinds: tuple[str, ...]
    value: str
    places: tuple[Place, ...]


def same_machines(
    records: Sequence[PledgeRecord], seen: Iterable[Shared], today: date, only: str = ""
) -> tuple[Same, ...]:
    """What records that do not continue one another have in common; `records` are all there are.

    `only`: what that pledge has part in, and its own hosts that are one machine.
    """
    kin = _kin(records)
    found = [*_seen(seen, kin, only), *_declared(records, kin, today)]
    if only:
        found = [one for one in found if any(place.pledge == only for place in one.places)]
    return tuple(sorted(found, key=_rank))


def _rank(one: Same) -> tuple[object, ...]:
    return min(map(_ORDER.index, one.kinds)), one.places, one.value


def _kin(records: Iterable[PledgeRecord]) -> Mapping[str, str]:
    """By id, one id for all records that continue one another."""
    of: dict[str, str] = {record.id: record.id for record in records}

    def first(id: str) -> str:
        while of[id] != id:
            id = of[id]
        return id

    for record in records:
        before = record.document.get("renews")
        if before in of:
            of[first(record.id)] = first(before)
    return {id: first(id) for id in of}


def _seen(shared: Iterable[Shared], kin: Mapping[str, str], only: str) -> Iterator[Same]:
    for one in shared:
        several = len({pledge for pledge, _ in one.places}) > 1
        # a host of the same name is expected in what continues its record
        differ = len({(kin.get(pledge, pledge), host) for pledge, host in one.places}) > 1
        if differ and (several or only):
            places = (Place(*place, evidence) for place, evidence in one.places.items())
            kinds = tuple(sorted(one.kinds, key=_ORDER.index))
            yield Same(kinds, "", tuple(sorted(places)))


def _declared(
    records: Iterable[PledgeRecord], kin: Mapping[str, str], today: date
) -> Iterator[Same]:
    records = tuple(records)
    renewed = lifecycle.continued(records)
    names: dict[str, set[Place]] = defaultdict(set)
    networks: dict[Network, set[Place]] = defaultdict(set)
    for record in records:
        if lifecycle.state(record, today, renewed=record.id in renewed) in _OVER:
            continue
        for text in record.document.get("resources", {}).get("addresses", ()):
            networks[ipaddress.ip_network(text)].add(Place(record.id, text))
        for host in record.hosts:
            place = Place(record.id, host)
            try:
                networks[ipaddress.ip_network(host)].add(place)
            except ValueError:
                names[host.lower()].add(place)
    for name, places in names.items():
        if _several(places, kin):
            yield Same(("host",), name, tuple(sorted(places)))
    yield from _overlapping(networks, kin)


def _overlapping(networks: Mapping[Network, set[Place]], kin: Mapping[str, str]) -> Iterator[Same]:
    """Each network that several have; what lies within one that the same have is told with it."""
    # those that the next may lie in, with whose each is and who was told to have it
    around: list[tuple[Network, set[Place], frozenset[str]]] = []
    order = sorted(networks, key=lambda n: (n.version, int(n.network_address), n.prefixlen))
    for network in order:
        while around and not _within(network, around[-1][0]):
            around.pop()
        places = networks[network].union(*(held for _, held, _ in around))
        whose = frozenset(place.pledge for place in places)
        told = around[-1][2] if around else frozenset[str]()
        if _several(places, kin) and not whose <= told:
            kind = "address" if _public(network) else "internal"
            yield Same((kind,), _text(network), tuple(sorted(places)))
            told = whose
        around.append((network, networks[network], told))


def _several(places: Iterable[Place], kin: Mapping[str, str]) -> bool:
    return len({kin[place.pledge] for place in places}) > 1


def _within(inner: Network, outer: Network) -> bool:
    return (
        inner.version == outer.version
        and inner.prefixlen >= outer.prefixlen
        and inner.network_address in outer
    )


def _public(network: Network) -> bool:
    # all that weighs in it is the reading of firewalls, which is not wanted where nothing is shared
    from collector.facts.firewall.exposure import public

    return int(network.network_address) in public(network.version)


def _text(network: Network) -> str:
    alone = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if alone else str(network)
