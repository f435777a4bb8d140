"""What captures show of a host's network resources, whatever a record declares. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, get_args

from collector.errors import FactError, PastLimit, one_line
from collector.facts.base.intervals import address, show
from collector.facts.firewall.exposure import breadth, exposures, public
from collector.facts.logs.web.apache import apache_sites
from collector.facts.logs.web.others import caddy_sites
from collector.facts.logs.web.servers import Server, web_servers
from collector.facts.network.interfaces import network_of
from collector.i18n.message import msg
from collector.judging.confined import within_limits
from collector.model import Capture
from collector.pledges.record.validation import ascii_domain
from collector.pledges.status.declared_resources import (
    CONTAINED,
    NAMES,
    NOT_READ,
    Address,
    Part,
    Port,
    Shown,
)

_INSIDE = frozenset({
    "local", "localhost", "localdomain", "internal", "intranet", "lan", "home", "corp", "test",
    "invalid", "arpa",
})  # fmt: skip
# any address far away: the interface that leads there is the one to the outside
_FAR = {4: address("9.9.9.9")[1], 6: address("2620:fe::fe")[1]}


def shown(capture: Capture) -> Shown:
    """What one capture shows; what could not be told says why, and never looks like nothing."""
    try:
        return within_limits(partial(_shown, capture))
    except PastLimit as problem:
        return Shown(capture.host, (), (), (), dict.fromkeys(get_args(Part), problem.said))


def _shown(capture: Capture) -> Shown:
    found: dict[Part, tuple[Any, ...]] = {}
    unseen: dict[Part, str] = {}
    looks: tuple[tuple[Part, str, Callable[[Capture], Iterator[Any]]], ...] = (
        ("addresses", "network.state", _addresses),
        ("domains", "web_servers.config", _domains),
        ("ports", "sockets.listening", _ports),
    )
    for part, read, look in looks:
        try:
            found[part] = tuple(dict.fromkeys(look(capture)))
        except FactError as problem:
            asked = read in capture.reads or not capture.reads
            unseen[part] = problem.said if asked else msg("at", where=read, what=NOT_READ)
        except Exception as problem:  # noqa: BLE001 - a parser's defect must not take all of it away
            unseen[part] = one_line(f"{read}: {type(problem).__name__}: {problem}")
    return Shown(
        capture.host,
        found.get("addresses", ()),
        found.get("domains", ()),
        found.get("ports", ()),
        unseen,
    )


def _addresses(capture: Capture) -> Iterator[Address]:
    network = network_of(capture)
    for family in (4, 6):
        outward = network.way(_FAR[family], family)
        for device, number in network.global_addresses(family):
            text = ipaddress.ip_address(show(number, family))
            yield Address(str(text), int(text) in public(family), device == outward)


def _domains(capture: Capture) -> Iterator[tuple[bool, str]]:
    """Whether it is a name, and that or why names cannot be told."""
    servers = web_servers(capture)
    if servers.contained:
        yield False, msg("at", where="web_servers.config", what=CONTAINED)
    for server in servers.own:
        for written in _names(server):
            yield written is not None, written or msg("at", where="web_servers.config", what=NAMES)


def _ports(capture: Capture) -> Iterator[Port]:
    for found in exposures(capture):
        listener = found.listener
        if breadth(found.yes, listener.family):
            yield Port(listener.port, listener.proto, True, "")
        elif breadth(found.unknown, listener.family):
            yield Port(listener.port, listener.proto, False, found.why)


def _names(server: Server) -> Iterator[str | None]:
    """The domains that a web server has sites for; None where they cannot be told."""
    lines = [line for held in server.files.values() for line in held]
    if server.kind == "nginx":
        written = [w for x in lines if x.startswith("server_name\t") for w in x.split("\t")[1:]]
    elif server.kind == "httpd":
        written = [site.name for site in apache_sites(server)]
    elif server.kind == "caddy":
        written = [w for s in caddy_sites(server) for w in re.split(r"[,\s]+", s.name)]
    elif server.kind == "tomcat":
        written = re.findall(r'<Host\b[^>]*?name="([^"]*)"', "\n".join(lines))
    elif server.kind == "lighttpd":
        asked = [re.search(r'\$HTTP\["host"\]\s*(\S+)\s*"([^"]*)"', x) for x in lines]
        written = [m[2] if m[1] == "==" else f"~{m[2]}" for m in asked if m]
    else:
        yield None
        return
    for word in written:
        if word.startswith("~") or "{" in word:
            yield None
            continue
        bare = re.sub(r"^[a-z]+://", "", word).split("/")[0].split(":")[0]
        name = ascii_domain(bare.removeprefix("."))
        if name is not None and name.rsplit(".", 1)[1] not in _INSIDE:
            yield name
