"""What a pledge declares of its network resources (五), held against what captures show. Pure.

An address counts when it is a public one, or when the record declares internal ones too and it
lies on an interface that a default route uses. A name of a web site counts unless it can be of
use inside alone; a domain that is declared covers the names below it. A port counts where the
record declares any, and the Internet can reach it under the rules as loaded. Not seen in
captures: aliases of Apache's virtual hosts, and names that sites in containers have.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from collector.errors import FactError
from collector.facts.apache_logs import apache_sites
from collector.facts.exposure import breadth, exposures, public
from collector.facts.network import network_of
from collector.facts.other_web_logs import caddy_sites
from collector.facts.reasons import in_chinese
from collector.facts.spans import address, show
from collector.facts.web_servers import Server, web_servers
from collector.model import Capture, Text
from collector.pledges.faults import ascii_domain
from collector.pledges.record import PledgeRecord

Kind = Literal["address", "domain", "port", "unseen"]
_WORDS: Mapping[Kind, Text] = {
    "address": Text("未登记的地址", "undeclared address"),
    "domain": Text("未登记的域名", "undeclared domain"),
    "port": Text("未登记的对外端口", "undeclared port, open to the Internet"),
    "unseen": Text("未能对照", "could not be compared"),
}
_INSIDE = frozenset({
    "local", "localhost", "localdomain", "internal", "intranet", "lan", "home", "corp", "test",
    "invalid", "arpa",
})  # fmt: skip
# why something could not be compared, beside the reasons that facts have
_NOT_READ, _CONTAINED = "not read this time", "web servers in containers"
_NAMES = "the names that its server has sites for"
_REASONS = {
    _NOT_READ: "本次未采集",
    _CONTAINED: "容器内的网站服务器",
    _NAMES: "网站服务器的域名配置",
}
# any address far away: the interface that leads there is the one to the outside
_FAR = {4: address("9.9.9.9")[1], 6: address("2620:fe::fe")[1]}
_MOST_NAMED = 4


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
        zh = f"{'、'.join(named)}{f' 等 {count} 台' if more else ''}"
        en = f"{', '.join(named)}{f' and {count - _MOST_NAMED} more' if more else ''}"
        told = _told(self.value) if self.kind == "unseen" else self.value
        return Text(f"{word.zh}：{told}（{zh}）", f"{word.en}: {self.value} ({en})")


def _told(value: str) -> str:
    read, _, why = value.partition(": ")
    return f"{read}：{_REASONS.get(why) or in_chinese(why)}"


def undeclared(record: PledgeRecord, captures: Iterable[Capture]) -> tuple[Undeclared, ...]:
    """What the captures show and the record does not declare, and what could not be compared."""
    declared = _Declared(record.document.get("resources", {}))
    found: dict[tuple[Kind, str], list[str]] = {}
    looks: tuple[tuple[str, _Look], ...] = (
        ("network.state", declared.addresses),
        ("web_servers.config", declared.domains),
        ("sockets.listening", declared.ports),
    )
    for capture in captures:
        for read, look in looks:
            try:
                values = list(look(capture))
            except FactError as problem:
                asked = read in capture.reads or not capture.reads
                why = f"{problem.read}: {problem.why}" if asked else f"{read}: {_NOT_READ}"
                values = [("unseen", why)]
            for value in dict.fromkeys(values):
                found.setdefault(value, []).append(capture.host)
    order: Sequence[Kind] = ("address", "domain", "port", "unseen")
    return tuple(
        Undeclared(kind, value, tuple(sorted(hosts)))
        for (kind, value), hosts in sorted(
            found.items(), key=lambda pair: (order.index(pair[0][0]), pair[0][1])
        )
    )


_Look = Callable[[Capture], Iterator[tuple[Kind, str]]]


class _Declared:
    def __init__(self, resources: Mapping[str, Any]) -> None:
        self._networks = [ipaddress.ip_network(a) for a in resources.get("addresses", ())]
        self._inside = {n.version for n in self._networks if not _public(n[0])}
        names = [ascii_domain(name) or "" for name in resources.get("domains", ())]
        self._domains = [name.removeprefix("*.") for name in names]
        self._exact = {name for name in names if not name.startswith("*.")}
        self._ports = [_port(text) for text in resources.get("ports", ())]

    def addresses(self, capture: Capture) -> Iterator[tuple[Kind, str]]:
        network = network_of(capture)
        for family in (4, 6):
            outward = network.way(_FAR[family], family)
            for device, number in network.global_addresses(family):
                shown = ipaddress.ip_address(show(number, family))
                counts = _public(shown) or (family in self._inside and device == outward)
                if counts and not any(
                    shown in held for held in self._networks if held.version == family
                ):
                    yield "address", str(shown)

    def domains(self, capture: Capture) -> Iterator[tuple[Kind, str]]:
        servers = web_servers(capture)
        if servers.contained:
            yield "unseen", f"web_servers.config: {_CONTAINED}"
        for server in servers.own:
            for written in _names(server):
                if written is None:
                    yield "unseen", f"web_servers.config: {_NAMES}"
                elif not self._covers(written):
                    yield "domain", written

    def ports(self, capture: Capture) -> Iterator[tuple[Kind, str]]:
        if not self._ports:
            return
        for found in exposures(capture):
            listener = found.listener
            shown = f"{listener.port}/{listener.proto}"
            if any(
                proto == listener.proto and first <= listener.port <= last
                for first, last, proto in self._ports
            ):
                continue
            if breadth(found.yes, listener.family):
                yield "port", shown
            elif breadth(found.unknown, listener.family):
                yield "unseen", f"{shown}: {found.why}"

    def _covers(self, name: str) -> bool:
        bare = name.removeprefix("*.")
        below = any(bare.endswith(f".{domain}") for domain in self._domains)
        # *.a.example is no more than a.example where that, and so all below it, is declared
        return below or bare in self._exact or (name != bare and bare in self._domains)


def _public(shown: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return int(shown) in public(shown.version)


def _port(text: str) -> tuple[int, int, str]:
    numbers, _, proto = text.partition("/")
    first, _, last = numbers.partition("-")
    return int(first), int(last or first), proto


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
