"""What a zone of firewalld lacks and has too much, from what `firewall-cmd` lists. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from collector.facts.base.intervals import NONE, Spans

# of firewalld's own there are about ten
_MOST = 64
# characters of what two lists of one zone say
_LONGEST = 200_000


def wanted(seen: Mapping[str, Any], *, limited: bool) -> list[str]:
    """What the role lets in, as `port 80/tcp` or a rich rule in firewalld's own form."""
    found = []
    if seen["client"]:
        found += _rules([seen["client"]], str(seen["port"]), "tcp")
    for port in seen["ssh_ports"]:
        if limited:
            found += _rules([*seen["admin4"], *seen["admin6"]], str(port), "tcp")
        else:
            found.append(f"port {port}/tcp")
    for opening in seen["openings"]:
        for port in opening["ports"]:
            if opening["anywhere"]:
                found.append(f"port {port}/{opening['proto']}")
            found += _rules([*opening["sources4"], *opening["sources6"]], port, opening["proto"])
    return list(dict.fromkeys(found))


def changes(
    listed: str,
    services: Mapping[str, str],
    seen: Mapping[str, Any],
    *,
    limited: bool,
    exposed: bool,
) -> dict[str, list[str]]:
    """`add` and `remove`, as options of firewall-cmd.

    `listed`: of `--list-all`; `services`: what `--info-service` says of each service of the zone;
    `limited`: SSH from administrators only; `exposed`: nobody may reach the forbidden ports.
    """
    there = _there(listed)
    asked = wanted(seen, limited=limited)
    shut = _spans(map(str, seen["ssh_ports"])) if limited else NONE
    if exposed:
        shut |= _spans(seen["forbidden"])
    remove = []
    for item in there:
        kind, _, what = item.partition(" ")
        if kind == "service":
            ports = re.findall(r"^ {2}ports: (.*)$", services.get(what, ""), re.MULTILINE)
            opened = _spans(p.partition("/")[0] for line in ports for p in line.split())
        elif kind == "port":
            opened = _spans([what.partition("/")[0]])
        else:
            continue
        if opened & shut and item not in asked:
            remove.append(item)
    open_by_service = _tcp_of(there, services)
    add = [
        item
        for item in asked
        if item not in there and not (item.startswith("port ") and item[5:] in open_by_service)
    ]
    return {
        "add": [_option("add", item) for item in add],
        "remove": [_option("remove", item) for item in remove],
    }


def zones(active: str, default: str) -> list[str]:
    """The zones that guard interfaces: the default one and those active, without engines' own.

    Raises ValueError for more than a host has: each is gone through while all other hosts wait.
    """
    named = re.findall(r"^(\S+)", active, re.MULTILINE)
    engines = re.compile(r"docker|libvirt|podman|nm-shared|lxd|incus")
    found = [z for z in dict.fromkeys([default.strip(), *named]) if z and not engines.match(z)]
    if len(found) > _MOST:
        raise ValueError(f"firewalld has {len(found)} active zones, and {_MOST} are gone through")
    return found


def spared(listed: Sequence[str], zone: str, default: str, bridges: Sequence[str]) -> bool:
    """Does the zone let all in, but only from networks that were named for it?

    As `trusted` does, where Podman puts its networks: those are not everybody, and containers
    lose their way without it. `listed`: of `--list-all`, now and after a boot; `bridges`: patterns
    of engines' interfaces. Raises ValueError for a zone that lists more than any does.
    """
    text = "\n".join(listed)
    if len(text) > _LONGEST:
        raise ValueError(f"the zone {zone} lists {len(text)} characters: more than any does")
    if zone == default.strip() or not re.search(r"^ {2}target: ACCEPT", text, re.MULTILINE):
        return False
    lines = re.findall(r"^ {2}(interfaces|sources): (.*)$", text, re.MULTILINE)
    given = {(kind, name) for kind, names in lines for name in names.split()}
    wide = [
        name
        for kind, name in given
        if (kind == "sources" and name.endswith("/0"))
        or (kind == "interfaces" and not any(fnmatchcase(name, b) for b in ("lo", *bridges)))
    ]
    return not wide


def _there(listed: str) -> list[str]:
    found = []
    for word, kind in (("services", "service"), ("ports", "port")):
        line = re.search(rf"^ {{2}}{word}: (.*)$", listed, re.MULTILINE)
        found += [f"{kind} {name}" for name in (line[1].split() if line else ())]
    rules = listed.partition("\n  rich rules:")[2]
    return [*found, *(line.strip() for line in rules.splitlines() if line.strip())]


def _tcp_of(there: Iterable[str], services: Mapping[str, str]) -> set[str]:
    texts = [services.get(item[8:], "") for item in there if item.startswith("service ")]
    lines = [line for t in texts for line in re.findall(r"^ {2}ports: (.*)$", t, re.MULTILINE)]
    return {port for line in lines for port in line.split()}


def _rules(nets: Iterable[str], port: str, proto: str) -> list[str]:
    return [
        f'rule family="ipv{6 if ":" in net else 4}" source address="{net}" '
        f'port port="{port}" protocol="{proto}" accept'
        for net in nets
    ]


def _option(what: str, item: str) -> str:
    kind, _, value = item.partition(" ")
    return f"--{what}-rich-rule={item}" if kind == "rule" else f"--{what}-{kind}={value}"


def _spans(texts: Iterable[str]) -> Spans:
    pairs = [text.partition("-") for text in texts]
    numbers = [(low, high or low) for low, _, high in pairs if low.isdecimal()]
    return Spans.of([(int(low), int(high)) for low, high in numbers])
