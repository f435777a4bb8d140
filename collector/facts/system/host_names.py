"""The names and addresses of a host, and what it calls others: /etc/hosts, ssh_config(5)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collector.model import Capture

_READ = "backup_named.settings"


def is_here(capture: Capture, host: str) -> bool | None:
    """Is it a name or an address of this host? None where that cannot be told."""
    if not host:
        return None
    own = own_names(capture)
    names, addresses = own.follow(host)
    if any(_loopback(a) or a in own.addresses for a in addresses):
        return True
    short = own.name.partition(".")[0]
    if any(n == "localhost" or n.startswith("localhost.") or n in (own.name, short) for n in names):
        return True
    if addresses and not own.addresses:
        return None
    return None if short and any(n.partition(".")[0] == short for n in names) else False


@dataclass(frozen=True, slots=True)
class OwnNames:
    """The host's own name and addresses, and what it calls others (/etc/hosts, ssh_config(5))."""

    name: str
    addresses: frozenset[str]
    hosts: Mapping[str, frozenset[str]]
    aliases: Mapping[str, str]

    def follow(self, host: str) -> tuple[frozenset[str], frozenset[str]]:
        """The names and the addresses that `host` stands for here."""
        names = {host.lower()}
        if host in self.aliases:
            names.add(self.aliases[host])
        found = {a for n in names for a in self.hosts.get(n, ())}
        found |= {a for n in names if (a := _plain(n))}
        return frozenset(names), frozenset(found)


def own_names(capture: Capture) -> OwnNames:
    """Raises FactError."""
    hosts: dict[str, set[str]] = {}
    aliases: dict[str, str] = {}
    for file in capture.read(_READ).present():
        lines = file.text(_READ).splitlines()
        if file.path == "/etc/hosts":
            for words in (line.split() for line in lines):
                for name in words[1:] if words and _plain(words[0]) else ():
                    hosts.setdefault(name.lower(), set()).add(_plain(words[0]))
        elif "ssh" in file.path:
            _aliases(lines, aliases)
    listed = capture.head.get("address", "").split()
    own = frozenset(_plain(a.partition("/")[0]) for a in listed)
    name = capture.head.get("hostname", "").lower()
    return OwnNames(name, own, {k: frozenset(v) for k, v in hosts.items()}, aliases)


def _aliases(lines: Iterable[str], found: dict[str, str]) -> None:
    names: list[str] = []
    for line in lines:
        words = re.split(r"[\s=]+", line.strip())
        if words[0].lower() == "host":
            names = words[1:]
        elif words[0].lower() == "hostname" and len(words) > 1:
            # ssh takes the first value that it meets
            for name in names:
                found.setdefault(name.lower(), words[1].lower())


def _plain(text: str) -> str:
    """An address in its shortest form; empty for what is none."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


def _loopback(text: str) -> bool:
    known = ipaddress.ip_address(text)
    return known.is_loopback or known.is_unspecified
