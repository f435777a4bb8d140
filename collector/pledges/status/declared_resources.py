"""What a pledge declares of its network resources (五), held against what captures show. Pure.

An address counts when it is a public one, or when the record declares internal ones too and it
lies on an interface that a default route uses. A name of a web site counts unless it can be of
use inside alone; a domain that is declared covers the names below it. A port counts where the
record declares any, and the Internet can reach it under the rules as loaded. Not seen in
captures: aliases of Apache's virtual hosts, and names that sites in containers have.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from collector.errors import listed
from collector.i18n.message import in_chinese, msg
from collector.model import Text
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.validation import ascii_domain

Kind = Literal["address", "domain", "port", "unseen"]
Part = Literal["addresses", "domains", "ports"]
_WORDS: Mapping[Kind, Text] = {
    "address": Text("未登记的地址", "undeclared address"),
    "domain": Text("未登记的域名", "undeclared domain"),
    "port": Text("未登记的对外端口", "undeclared port, open to the Internet"),
    "unseen": Text("未能对照", "could not be compared"),
}
# why something could not be compared, beside the reasons that facts have
NOT_READ, CONTAINED = msg("not_read_this_time"), msg("web_servers_in_containers")
NAMES = msg("names_its_server_has_sites_for")
_MOST_NAMED = 4


class Address(NamedTuple):
    """`outward`: on an interface that a default route uses."""

    text: str
    public: bool
    outward: bool


class Port(NamedTuple):
    """One that listens and the Internet reaches; not `sure`: that could not be told, and `why`."""

    number: int
    proto: str
    sure: bool
    why: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What a host's capture shows, whatever is declared; `unseen` says what could not be told.

    `domains`: whether it is a name, and that or why names cannot be told.
    """

    host: str
    addresses: Sequence[Address]
    domains: Sequence[tuple[bool, str]]
    ports: Sequence[Port]
    unseen: Mapping[Part, str]


@dataclass(frozen=True, slots=True)
class Undeclared:
    """`value` is shown by `hosts` and not declared; of `unseen`, it is what could not be read."""

    kind: Kind
    value: str
    hosts: tuple[str, ...]

    @property
    def text(self) -> Text:
        word, count = _WORDS[self.kind], len(self.hosts)
        named, more = self.hosts[:_MOST_NAMED], count > _MOST_NAMED
        zh = f"{listed(named, '、')}{f' 等 {count} 台' if more else ''}"
        en = f"{listed(named)}{f' and {count - _MOST_NAMED} more' if more else ''}"
        return Text(
            f"{word.zh}：{in_chinese(self.value)}（{zh}）", f"{word.en}: {self.value} ({en})"
        )


def undeclared(record: PledgeRecord, seen: Iterable[Shown]) -> tuple[Undeclared, ...]:
    """What hosts show and the record does not declare, and what could not be compared."""
    declared = _Declared(record.document.get("resources", {}))
    found: dict[tuple[Kind, str], list[str]] = {}
    for host in seen:
        for value in dict.fromkeys(declared.lacks(host)):
            found.setdefault(value, []).append(host.host)
    order: Sequence[Kind] = ("address", "domain", "port", "unseen")
    return tuple(
        Undeclared(kind, value, tuple(sorted(hosts)))
        for (kind, value), hosts in sorted(
            found.items(), key=lambda pair: (order.index(pair[0][0]), pair[0][1])
        )
    )


class _Declared:
    def __init__(self, resources: Mapping[str, Any]) -> None:
        self._networks = [ipaddress.ip_network(a) for a in resources.get("addresses", ())]
        self._inside = {n.version for n in self._networks if not _public(n[0])}
        names = [ascii_domain(name) or "" for name in resources.get("domains", ())]
        self._domains = [name.removeprefix("*.") for name in names]
        self._exact = {name for name in names if not name.startswith("*.")}
        self._ports = [_port(text) for text in resources.get("ports", ())]

    def lacks(self, host: Shown) -> Iterator[tuple[Kind, str]]:
        for part, why in host.unseen.items():
            if part != "ports" or self._ports:
                yield "unseen", why
        yield from self._addresses(host)
        yield from self._names(host)
        yield from self._open(host)

    def _addresses(self, host: Shown) -> Iterator[tuple[Kind, str]]:
        for text, is_public, outward in host.addresses:
            address = ipaddress.ip_address(text)
            counts = is_public or (address.version in self._inside and outward)
            if counts and not any(
                address in held for held in self._networks if held.version == address.version
            ):
                yield "address", text

    def _names(self, host: Shown) -> Iterator[tuple[Kind, str]]:
        for is_name, said in host.domains:
            if not is_name:
                yield "unseen", said
            elif not self._covers(said):
                yield "domain", said

    def _open(self, host: Shown) -> Iterator[tuple[Kind, str]]:
        if not self._ports:
            return
        for number, proto, sure, why in host.ports:
            if any(
                known == proto and first <= number <= last for first, last, known in self._ports
            ):
                continue
            shown = f"{number}/{proto}"
            yield ("port", shown) if sure else ("unseen", f"{shown}: {why}")

    def _covers(self, name: str) -> bool:
        bare = name.removeprefix("*.")
        below = any(bare.endswith(f".{domain}") for domain in self._domains)
        # *.a.example is no more than a.example where that, and so all below it, is declared
        return below or bare in self._exact or (name != bare and bare in self._domains)


def _public(shown: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    # all that weighs in it is the reading of firewalls, which is not wanted here
    from collector.facts.firewall.exposure import public

    return int(shown) in public(shown.version)


def _port(text: str) -> tuple[int, int, str]:
    numbers, _, proto = text.partition("/")
    first, _, last = numbers.partition("-")
    return int(first), int(last or first), proto
