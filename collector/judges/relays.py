"""What is open beside a port, and may lead to it all the same."""

from __future__ import annotations

import re
from collections.abc import Iterable

from collector.facts.firewall.exposure import Exposure, breadth, exposures
from collector.facts.network.relays import relay
from collector.facts.system.package_owners import programs
from collector.model import Capture, Facts, ReadStatus

_XINETD = "legacy.inetd"


def leading(facts: Facts, most: int | None = None) -> list[Exposure]:
    """The relays that more than `most` public sources reach, or may reach; without it, anybody."""
    return [
        e
        for e in facts.get(exposures)
        if e.listener.proto == "tcp"
        and e.reachable != "no"
        and (most is None or breadth(e.yes | e.unknown, e.listener.family) > most)
        and (name := relay(e.listener))
        and not (name == "xinetd" and _starts_programs(facts.capture))
    ]


def untold(facts: Facts, most: int) -> list[str]:
    """Programs of somebody's own that more than `most` public sources reach: `7003 (python3)`.

    A script or a program of no package may serve a shop or hand on to sshd, and no list of sockets
    tells which. A shop's own application is no fault, so that they are named and do not decide.
    """
    owners = facts.get(programs)
    found = [
        e.listener
        for e in facts.get(exposures)
        if e.listener.proto == "tcp"
        and breadth(e.yes | e.unknown, e.listener.family) > most
        and not relay(e.listener)
    ]
    named = []
    for listener in found:
        owner = owners.get(listener.pid)
        own = owner is not None and owner.package == ""
        if own or _INTERPRETERS.fullmatch(listener.process):
            named.append(f"{listener.port} ({listener.process})")
    return [*dict.fromkeys(named)]


_INTERPRETERS = re.compile(
    r"(?:python|perl|ruby|node|nodejs|deno|bun|java|php|lua|luajit|tclsh|guile|beam\.smp|mono|"
    r"dotnet|bash|dash|sh|busybox)[0-9.]*(?:-[a-z]+)?|MainThread"
)


def _starts_programs(capture: Capture) -> bool:
    """Does xinetd start programs alone, and hand nothing on, by the settings that were read?"""
    if _XINETD not in capture.reads or capture.read(_XINETD).status is not ReadStatus.OK:
        return False
    found = [f for f in capture.read(_XINETD).present() if "xinetd" in f.path]
    texts = [f.text(_XINETD) for f in found]
    return bool(texts) and not any(re.search(r"(?m)^\s*redirect\s*=", text) for text in texts)


def shown(found: Iterable[Exposure]) -> list[str]:
    return [*dict.fromkeys(f"{e.listener.port} ({relay(e.listener)})" for e in found)]
