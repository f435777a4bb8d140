"""What a probe learns from the capture before it acts: under the limits that judges have.

What a host said of itself stops no probe of another host's, so nothing of `facts` that reads its
words is called by a probe in any other way.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from collector.errors import FactError, PastLimit
from collector.facts.access.fail2ban import jails
from collector.facts.base.intervals import address
from collector.facts.firewall.exposure import exposures
from collector.facts.network.interfaces import network_of
from collector.judging.confined import LIMITS, within_limits
from collector.model import Capture
from collector.run.probing.site import Site, Undone
from collector.sizes import as_collected

T = TypeVar("T")


def target(site: Site) -> tuple[str, int]:
    """The host's own address and port of SSH. Raises Undone where it may be another's."""
    origin = site.capture.origin
    where, port = str(origin.get("address", "")), int(origin.get("port", 22) or 22)
    try:
        family, number = address(where)
        known = _seen(site.capture, partial(_numbers, family=family))
    except (ValueError, FactError):
        raise Undone("not_direct", where) from None
    except PastLimit as why:
        raise Undone("limit", str(why)) from None
    if number not in known:
        raise Undone("not_direct", where)
    return where, port


def own_addresses(site: Site) -> list[str]:
    """Of the host's interfaces, as far as it tells."""
    try:
        return _seen(site.capture, _own)
    except (FactError, PastLimit):
        return []


def tries_of_sshd(site: Site) -> list[int]:
    """After how many failures each of fail2ban's jails for sshd bans, as far as it tells.

    Raises Undone where that takes more than it may: one login could be one too many.
    """
    try:
        return _seen(site.capture, _tries)
    except FactError:
        return []
    except PastLimit as why:
        raise Undone("limit", str(why)) from None


def listening(site: Site) -> list[int]:
    """The TCP ports that are reached from somewhere, as far as it tells."""
    try:
        return _seen(site.capture, _ports)
    except (FactError, PastLimit):
        return []


def _seen(capture: Capture, look: Callable[[Capture], T]) -> T:
    return within_limits(partial(look, as_collected(capture)), limits=LIMITS)


def _numbers(capture: Capture, family: int) -> list[int]:
    return [number for _, number in network_of(capture).global_addresses(family)]


def _own(capture: Capture) -> list[str]:
    network = network_of(capture)
    return [
        str(kind(number))
        for kind, family in ((ipaddress.IPv4Address, 4), (ipaddress.IPv6Address, 6))
        for _, number in network.global_addresses(family)
    ]


def _tries(capture: Capture) -> list[int]:
    return [jail.maxretry for jail in jails(capture) if jail.sshd]


def _ports(capture: Capture) -> list[int]:
    return sorted({e.listener.port for e in exposures(capture) if e.listener.proto == "tcp"})
