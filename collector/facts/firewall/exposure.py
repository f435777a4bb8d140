"""Which listening sockets can be reached from where, under the rules as they are loaded.

Every socket is sent a new packet in thought: to each of its addresses that the rules tell
apart, in through each interface with the sources that come in there, from each kind of source
port. What can be reached on one of these ways can be reached.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from collector.errors import FactError
from collector.facts.base.intervals import NONE, Spans, everything, network, networks, show
from collector.facts.firewall.boot_ruleset import READS as _BOOT_READS
from collector.facts.firewall.ingress import Outcome, Place, Ways
from collector.facts.firewall.live_ruleset import READS as _FIREWALL_READS
from collector.facts.firewall.live_ruleset import firewall
from collector.facts.firewall.port_forwarding import among, led_on, sent_on, unbounded
from collector.facts.firewall.reachability import Firewall, diverted
from collector.facts.firewall.rules.packet import PROTOCOLS
from collector.facts.firewall.systemd_ip_filter import Limit, limits
from collector.facts.network.ipvs import Virtual
from collector.facts.network.listeners import READS as _SOCKET_READS
from collector.facts.network.listeners import Listener, sockets
from collector.facts.network.socket_owners import holders
from collector.i18n.message import msg
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_FIREWALL_READS, *_BOOT_READS, *_SOCKET_READS)

_LOOPBACK = msg("bound_loopback")
_PRIVATE = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exposure:
    """One socket (or published port) of one family, and who can reach it.

    `yes` are the sources that can, `unknown` those for which that cannot be told; `targets` are
    the destinations that a published port leads to; `why` is what decides it. `answers`: some
    packets come to the socket itself, and not all of them to where rules send them on.
    """

    listener: Listener
    yes: Spans
    unknown: Spans
    why: str
    targets: tuple[str, ...] = ()
    every: Spans = NONE
    own: Spans = NONE
    answers: bool = True

    @property
    def reachable(self) -> Literal["yes", "no", "unknown"]:
        return "yes" if self.yes else "unknown" if self.unknown else "no"

    @property
    def led_to(self) -> frozenset[int]:
        """The ports that its packets are sent on to, on this host or another."""
        return frozenset(int(target.rpartition(":")[2]) for target in self.targets)

    @property
    def local(self) -> frozenset[int]:
        """Those of them that are on this host."""
        family = self.listener.family
        here = self.own | network("127.0.0.0/8" if family == 4 else "::1/128", family)
        found = set()
        for address, _, port in (target.rpartition(":") for target in self.targets):
            if network(address.strip("[]"), family) & here:
                found.add(int(port))
        return frozenset(found)

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


@cache
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


def exposures(capture: Capture, only: tuple[int, int] | None = None) -> tuple[Exposure, ...]:
    """Every listening socket and published port. `only`: (family, address) of the one who asks.

    Where the rules could not be seen or read, everything but loopback is unknown, and says why.
    Raises FactError when the sockets could not be seen.
    """
    known = list(sockets(capture))
    try:
        filtering = firewall(capture)
    except FactError as problem:
        asked = [s for s in known if only is None or s.family == only[0]]
        return tuple(_unseen(listener, problem.said) for listener in asked)
    return _limited(_exposures(known, filtering, only), limits(capture))


def sent_on_with_others(
    capture: Capture, known: Iterable[Exposure], ports: Spans
) -> tuple[Exposure, ...]:
    """Of these ports, those not known yet that a rule sends on with very many more, or with all.

    Who answers then is not known, so nobody is certain to reach them; where they are sent on to a
    port of this host on which nothing listens, nobody answers.
    """
    try:
        filtering = firewall(capture)
    except FactError:
        return ()
    told = {(e.listener.proto, e.listener.family, e.listener.port) for e in known}
    found: list[Exposure] = []
    every = list(sockets(capture))
    for family in (4, 6):
        rule = unbounded(filtering, family)
        ways = Ways(filtering, family, None, _heard(every, family))
        for listener in among(family, ports) if rule else ():
            if (listener.proto, family, listener.port) in told or not _led(ways, listener):
                continue
            seen = _exposure(ways, listener, natted=True)
            if reached := seen.yes | seen.unknown:
                found.append(replace(seen, yes=NONE, unknown=reached, why=rule))
    return tuple(found)


def _heard(known: Iterable[Listener], family: int) -> frozenset[tuple[int, int, int]]:
    mine = [s for s in known if s.family == family]
    return frozenset((PROTOCOLS[s.proto], s.address, s.port) for s in mine)


def exposures_of(capture: Capture, filtering: Firewall) -> tuple[Exposure, ...]:
    """The same for the sockets of the capture and other rules than those that are loaded."""
    return _exposures(list(sockets(capture)), filtering, None)


def _exposures(
    known: list[Listener], filtering: Firewall, only: tuple[int, int] | None
) -> tuple[Exposure, ...]:
    found: list[Exposure] = []
    dual = {s.line for s in known if s.family == 4} & {s.line for s in known if s.family == 6}
    for family in (4, 6):
        if only is not None and only[0] != family:
            continue
        source = None if only is None else Spans.one(only[1])
        mine = [s for s in known if s.family == family]
        ways = Ways(filtering, family, source, _heard(known, family))
        found += [_exposure(ways, x, both=x.line in dual) for x in mine]
        open_ports = {(s.proto, s.port) for s in mine if not s.loopback}
        for listener in sent_on(filtering, family):
            if (listener.proto, listener.port) not in open_ports:
                open_ports.add((listener.proto, listener.port))
                found.append(_exposure(ways, listener, natted=True))
        for listener in led_on(filtering, family):
            if (listener.proto, listener.port) not in open_ports:
                led = _exposure(ways, listener, natted=True)
                if led.targets or (led.unknown and _led(ways, listener)):
                    found.append(led)
        found += [_virtual(ways, service) for service in _services(filtering, family)]
    return tuple(found)


def _limited(found: tuple[Exposure, ...], by_process: dict[int, Limit]) -> tuple[Exposure, ...]:
    """What systemd may hold back from a unit is in doubt."""
    told = []
    for exposure in found:
        family = exposure.listener.family
        kept = exposure
        for _, pid in holders(exposure.listener.line):
            limit = by_process.get(pid)
            doubt = NONE if limit is None else kept.yes & limit.denied[family]
            if limit is not None and doubt:
                yes, unknown = kept.yes - doubt, kept.unknown | doubt
                kept = replace(kept, yes=yes, unknown=unknown, why=kept.why if yes else limit.units)
        told.append(kept)
    return tuple(told)


def _unseen(listener: Listener, why: str) -> Exposure:
    if listener.loopback:
        return Exposure(listener, NONE, NONE, _LOOPBACK)
    every = everything(listener.family)
    return Exposure(listener, NONE, every, why, every=every)


def _led(ways: Ways, listener: Listener) -> bool:
    """Is the port sent on at all, for anybody, as far as can be told?"""
    places = ways.places(listener.proto)
    try:
        return ways.reach(PROTOCOLS[listener.proto], listener.port, places, natted=True).natted
    except FactError:
        return True


def _exposure(
    ways: Ways, listener: Listener, *, natted: bool = False, both: bool = False
) -> Exposure:
    try:
        return _found(ways, listener, natted=natted, both=both)
    except FactError as problem:
        return _unseen(listener, problem.said)


def _found(ways: Ways, listener: Listener, *, natted: bool, both: bool) -> Exposure:
    network = ways.firewall.network
    if listener.loopback:
        near = [d for d in network.interfaces() if network.loopback_from(d)]
        places = [Place(listener.address, d) for d in near if listener.family == 4]
    elif listener.any:
        places = ways.places(listener.proto, both=both)
    else:
        places = ways.bound(listener.address)
    missing = listener.device and listener.device not in network.interfaces()
    if missing and listener.device != "lo":
        return _unseen(listener, msg("no_address_own", device=listener.device))
    if not places:
        why: str = _LOOPBACK if listener.loopback else msg("host_no_address_family")
        found = Outcome(keeps=[why])
    else:
        proto = PROTOCOLS[listener.proto]
        found = ways.reach(proto, listener.port, places, device=listener.device, natted=natted)
    unknown = found.unknown
    if found.lets:
        why = next(filter(None, found.lets), msg("no_rule_stands_way"))
    else:
        why = next(filter(None, found.keeps), msg("nothing_comes"))
    other = "" if natted else _otherwise(ways.firewall, listener)
    if other:
        unknown = ways.everyone() - found.yes
        why = why if found.yes else other
    every = ways.everyone() if ways.only is None else NONE
    shown = tuple(_at(place, port, ways.family) for place, port in sorted(found.targets))
    own = network.addresses(ways.family)
    answers = found.direct or not found.targets
    return Exposure(listener, found.yes, unknown, why, shown, every, own, answers)


def _otherwise(filtering: Firewall, listener: Listener) -> str:
    """What may hand this listener packets that were sent to another port, if anything."""
    for rule, divert in diverted(filtering.rules):
        if divert.family in (0, listener.family) and divert.port in (None, 0, listener.port):
            return msg("sent_another_port", text=rule.text)
    here = filtering.network
    for service in here.hooks.virtual:
        for number, port in service.servers:
            local = here.local(number, listener.family) and port in (0, listener.port)
            if service.family == listener.family and local:
                return f"IPVS: {service.line}"
    return ""


def _services(filtering: Firewall, family: int) -> list[Virtual]:
    return [v for v in filtering.network.hooks.virtual if v.proto and v.family == family]


def _virtual(ways: Ways, service: Virtual) -> Exposure:
    """A service of IPVS: its packets pass the chains of input; who answers then is not known."""
    listener = Listener(
        service.proto, service.family, service.address, service.port, "", "", 0, service.line
    )
    found = _exposure(replace(ways, listening=None), listener)
    shown = tuple(_at(number, port, service.family) for number, port in service.servers)
    why = f"IPVS: {service.line}" if found.yes else found.why
    return replace(found, yes=NONE, unknown=found.yes | found.unknown, why=why, targets=shown)


def _at(number: int, port: int, family: int) -> str:
    return f"{_bracket(number, family)}:{port}"


def _bracket(number: int, family: int) -> str:
    return show(number, 4) if family == 4 else f"[{show(number, 6)}]"
