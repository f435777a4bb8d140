"""The virtual services of IPVS, as /proc/net/ip_vs lists them (numbers in hexadecimal)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.base.intervals import address
from collector.i18n.message import msg

_READ = "network.state"
_SERVICE = re.compile(r"^(TCP|UDP|SCTP)\s+(\S+):([0-9A-Fa-f]{4})\s+(.*)$")
_MARKED = re.compile(r"^FWM\s+([0-9A-Fa-f]+)\s")
_SERVER = re.compile(r"^\s*->\s+(\S+):([0-9A-Fa-f]{4})\s")


@dataclass(frozen=True, slots=True)
class Virtual:
    """One service: `proto` is `tcp` or `udp` (empty for another, or one that a mark selects).

    Its packets pass the chains of input first, then go on to one of `servers` (address, port);
    those of a real server at port 0 keep theirs.
    """

    proto: str
    family: int
    address: int
    port: int
    servers: tuple[tuple[int, int], ...]
    line: str


def virtual_services(text: str) -> tuple[Virtual, ...]:
    """Raises NotUnderstood for what is no list of services."""
    found: list[Virtual] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith(("IP Virtual", "Prot ")) or "RemoteAddress" in line:
            continue
        if match := _SERVICE.match(line):
            proto = match[1].lower()
            family, number = _place(match[2], line)
            known = proto if proto in ("tcp", "udp") else ""
            found.append(Virtual(known, family, number, int(match[3], 16), (), line.strip()))
            continue
        if _MARKED.match(line):
            found.append(Virtual("", 0, 0, 0, (), line.strip()))
            continue
        server = _SERVER.match(line)
        if server is None:
            raise NotUnderstood(_READ, msg("not_line_proc_net", line=line[:120]))
        if found:
            family, number = _place(server[1], line)
            last = found[-1]
            servers = (*last.servers, (number, int(server[2], 16)))
            found[-1] = Virtual(
                last.proto, last.family or family, last.address, last.port, servers, last.line
            )
    return tuple(found)


def _place(text: str, line: str) -> tuple[int, int]:
    try:
        if text.startswith("["):
            return address(text.strip("[]"))
        return 4, int(text, 16)
    except ValueError:
        raise NotUnderstood(_READ, msg("no_address", line=line[:120])) from None
