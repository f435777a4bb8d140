"""Do the logs that are sent reach another host: each target joined with its connections."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from collector.facts.base.intervals import address
from collector.facts.logs.forwarding import connections as _links
from collector.facts.logs.forwarding import targets as _shipping
from collector.facts.logs.forwarding.connections import Link, Links
from collector.facts.logs.forwarding.targets import Shipping, Target
from collector.facts.logs.syslog.daemons import syslog_running
from collector.facts.network import interfaces as _network
from collector.facts.network.interfaces import Network
from collector.model import Capture, Read

READS: tuple[Read, ...] = (*_shipping.READS, *_links.READS, *_network.READS)

# networks of containers and virtual machines on this very host
_HERE = re.compile(r"(docker|podman|cni-podman|cni|virbr|lxdbr|lxcbr|nerdctl)\d+|br-[0-9a-f]{12}")

State = Literal["arrived", "quiet", "stuck", "cut", "idle", "udp", "own", "down", "unseen", "none"]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What becomes of what is sent to one target.

    `arrived` — something was sent and acknowledged, `seconds` ago (None: ss does not tell when) ·
    `quiet` — connected, nothing sent for long · `stuck` — what was sent is not acknowledged ·
    `cut` — no connection · `idle` — none now, and it only connects to send · `udp` — nobody
    acknowledges · `own` — this very host · `down` — the sender does not run · `unseen` — it runs
    in a container, or there is no ss · `none` — no message gets to it. `through` is the other host
    where the target is a relay on this one.
    """

    target: Target
    state: State
    line: str = ""
    seconds: float | None = None
    at: datetime | None = None
    through: str = ""

    @property
    def shown(self) -> str:
        """The target, and where a relay on this host sends it on to."""
        return self.target.shown + (f" → {self.through}" if self.through else "")


@dataclass(frozen=True, slots=True)
class Limits:
    """In seconds: how long ago the last data may have been sent, how long it may wait."""

    sent: float
    waits: float


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Every target and all that tells whether things arrive there; judges give the limits.

    `notes` are the last lines in which rsyslogd complains of its sending, or counts it.
    """

    shipping: Shipping
    links: Links
    network: Network
    host: str
    notes: tuple[str, ...] = ()

    def of(self, limits: Limits) -> tuple[Arrival, ...]:
        """One for each target, in the order of the configuration."""
        return tuple(self._one(target, limits) for target in self.shipping.targets)

    def copies_of(self, path: str, limits: Limits) -> tuple[Arrival, ...]:
        """The targets that get all of the log at `path` (`Shipping.copies_of`), and whether it

        arrives there.
        """
        wanted = self.shipping.copies_of(path)
        return tuple(a for a in self.of(limits) if a.target in wanted)

    def _one(self, target: Target, limits: Limits) -> Arrival:
        if not target.sends:
            return Arrival(target, "none")
        pids = self.links.pids(*target.processes)
        if not pids:
            names = target.processes
            untold = self.links.inside(*names) or self.links.unsure(*names)
            return Arrival(target, "unseen" if untold else "down")
        if target.sender == "systemd-journal-upload" and self.links.uploaded:
            return Arrival(target, "arrived", at=self.links.uploaded)
        if not self.links.seen:
            return Arrival(target, "own" if self._own_name(target.host) else "unseen")
        links = [x for x in self.links.held(pids) if self._fits(x, target)]
        leaving = [x for x in links if self._leaves(x)]
        if leaving:
            return min((_judged(target, x, limits) for x in leaving), key=_rank)
        relayed = [y for x in links for y in self._relayed(x)]
        if relayed:
            best = min((_judged(target, y, limits) for y in relayed), key=_rank)
            return replace(best, through=best.line.split()[3])
        if links or self._own_name(target.host):
            return Arrival(target, "own", links[0].line if links else "")
        if target.transport == "udp":
            return Arrival(target, "udp")
        return Arrival(target, "cut" if target.transport in _KEPT else "idle")

    def _fits(self, link: Link, target: Target) -> bool:
        if target.port is not None and link.peer[2] != target.port:
            return False
        place = _number(target.host)
        return place is None or place == link.peer[:2]

    def _leaves(self, link: Link) -> bool:
        family, number, _ = link.peer
        return link.peer[:2] != link.local[:2] and not self._here(family, number)

    def _here(self, family: int, number: int) -> bool:
        """Is it an address of this host, or of a container or virtual machine on it?"""
        if self.network.local(number, family) or number == 0 or (family, number) == (6, 1):
            return True
        return any(
            of == family and _HERE.fullmatch(device) is not None and number in held
            for device, of, _, held in self.network.own
        )

    def _own_name(self, host: str) -> bool:
        place = _number(host)
        if place is not None:
            return self._here(*place)
        short = self.host.partition(".")[0].lower()
        name = host.lower()
        return name in {"localhost", "localhost.localdomain", "ip6-localhost", short, self.host}

    def _relayed(self, link: Link) -> Iterable[Link]:
        """What leaves the host from the process at the other end of a connection within it."""
        other = [x for x in self.links.links if x.local == link.peer and x.peer == link.local]
        for end in other:
            yield from (x for x in self.links.held(set(end.pids)) if self._leaves(x))


_KEPT = ("tcp", "tls", "relp", "relp/tls")


def _number(host: str) -> tuple[int, int] | None:
    try:
        return address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def _judged(target: Target, link: Link, limits: Limits) -> Arrival:
    if link.waiting and link.answered is not None and link.answered > limits.waits:
        return Arrival(target, "stuck", link.line, link.answered)
    # the connection's own beginning counts as one byte
    if link.through is not None and link.through <= 1:
        return Arrival(target, "quiet", link.line, link.sent)
    if link.sent is not None and link.sent > limits.sent:
        return Arrival(target, "quiet", link.line, link.sent)
    return Arrival(target, "arrived", link.line, link.sent)


def _rank(arrival: Arrival) -> tuple[int, float]:
    return ("arrived", "quiet", "stuck").index(arrival.state), arrival.seconds or 0.0


def arrivals(capture: Capture) -> Arrivals:
    """Raises FactError where configurations, connections or addresses could not be seen."""
    return Arrivals(
        _shipping.log_shipping(capture),
        _links.log_links(capture),
        _network.network_of(capture),
        capture.head.get("hostname", "").lower(),
        _notes(capture),
    )


def _notes(capture: Capture) -> tuple[str, ...]:
    lines = [x for held in syslog_running(capture).notes.values() for x in held]
    return tuple(x for x in lines if "omfwd" in x or "omrelp" in x)[-3:]
