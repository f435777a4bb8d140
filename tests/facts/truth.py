"""The exposure engine held to what packets do: every listener, from every source, TCP and UDP."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from collector.facts.base.intervals import address
from collector.facts.firewall.exposure import Exposure, exposures
from collector.model import Capture
from tests.facts.netlab import (
    BOUND,
    CONTAINER4,
    CONTAINER6,
    HOST6,
    LINKS,
    ONLY4,
    PORTS,
    SECOND4,
    SHARED,
    SOURCES,
    TARGETS,
    Lab,
    Try,
)

_WANTED = ("ip", "nft", "iptables", "ss")
_MISSING = [name for name in _WANTED if shutil.which(name) is None]
needs_kernel = pytest.mark.skipif(
    os.geteuid() != 0 or bool(_MISSING),
    reason=f"needs root and {', '.join(_WANTED)} (missing: {', '.join(_MISSING) or 'root'})",
)
_INSIDE = {4: CONTAINER4, 6: CONTAINER6}
# (source port, hops, type of service): what a sender may choose. Ports: any, two that rules name,
# another one that only root may use; hops and service: as usual, few, a class of its own
Kind = tuple[int, int, int]
_USUAL: Kind = (0, 0, 0)


def kinds(text: str) -> list[Kind]:
    """The kinds of packets to try where these are the rules."""
    sports = (0, 53, 123, 600) if "sport" in text or "--ports" in text else (0,)
    hops = (0, 2) if re.search(r"\bttl|--hl|hoplimit", text) else (0,)
    service = (0, 0x28) if "dscp" in text else (0,)
    return [(sport, ttl, tos) for sport in sports for ttl in hops for tos in service]


Asked = tuple[str, int, str, int, str]


@dataclass
class Compared:
    """How many questions were asked, which were answered falsely, and which not at all."""

    asked: int = 0
    wrong: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def compare(lab: Lab, *, inside: bool = True, tried: Iterable[Kind] = (_USUAL,)) -> Compared:
    """Asks the engine and the kernel, for the rules that are loaded.

    `inside`: the container asks as well, which comes in by another interface.
    """
    return _compared(lab, lab.capture(), inside, list(tried))


def _compared(lab: Lab, capture: Capture, inside: bool, tried: list[Kind]) -> Compared:
    found = exposures(capture)
    tries: dict[Asked, list[Try]] = {}
    said: dict[Asked, Exposure] = {}
    for proto in ("tcp", "udp"):
        for family, place, port, targets in _listeners():
            exposure = _of(found, proto, family, place, port)
            for source in (*SOURCES[family], *((_INSIDE[family],) if inside else ())):
                asked = (proto, family, place, port, source)
                said[asked] = exposure
                tries[asked] = [
                    Try(proto, family, source, target, port, *kind)
                    for target in targets
                    for kind in tried
                ]
                near = () if place else LINKS.get(source, ())
                shared = SHARED.get(source, ()) if proto == "udp" and not place else ()
                # a socket for both families hears no group of IPv4 that it did not join
                tries[asked] += [
                    Try(proto, family, source, target, port, *kind)
                    for target in (*near, *shared)
                    for kind in tried
                ]
    happened = lab.sent([t for several in tries.values() for t in several])
    got = {asked: any(happened[t] for t in several) for asked, several in tries.items()}
    words = {asked: _word(said[asked], asked) for asked in said}
    slow = [asked for asked, word in words.items() if word == "yes" and not got[asked]]
    if slow:
        again = lab.sent([t for asked in slow for t in tries[asked]], 1.2)
        got |= {asked: any(again[t] for t in tries[asked]) for asked in slow}
    result = Compared(len(said))
    for asked, word in words.items():
        line = f"{asked}: said {word}, got {got[asked]} ({said[asked].why})"
        if word == "unknown":
            result.unknown.append(line)
        elif (word == "yes") is not got[asked]:
            result.wrong.append(line)
    return result


def _listeners() -> list[tuple[int, str, int, tuple[str, ...]]]:
    """(family, address, port, targets to try) of each listener that is not on loopback."""
    found = [(f, "", port, TARGETS[f]) for f in (4, 6) for port in PORTS]
    found += [(f, place, port, (place,)) for f, place, port in BOUND if place in (SECOND4, HOST6)]
    return [*found, (4, "", ONLY4, TARGETS[4])]


def _of(found: Iterable[Exposure], proto: str, family: int, place: str, port: int) -> Exposure:
    number = address(place)[1] if place else 0
    (answer,) = [
        e
        for e in found
        if (e.listener.proto, e.listener.family, e.listener.address, e.listener.port)
        == (proto, family, number, port)
    ]
    return answer


def _word(exposure: Exposure, asked: Asked) -> str:
    number = address(asked[-1])[1]
    if number in exposure.yes:
        return "yes"
    return "unknown" if number in exposure.unknown else "no"


def hold(lab: Lab, name: str, *, may_be_unknown: bool = False, inside: bool = True) -> None:
    """Fails where the engine is wrong, or does not know."""
    compared = compare(lab, inside=inside, tried=kinds(name))
    assert not compared.wrong, name + "\n" + "\n".join(compared.wrong)
    assert may_be_unknown or not compared.unknown, name + "\n" + "\n".join(compared.unknown)
