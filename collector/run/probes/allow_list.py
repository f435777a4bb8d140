"""The allow-list of the role `firewall`, checked and brought into one form. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from collector.errors import BadInput
from collector.facts.base.intervals import Spans
from collector.i18n.message import msg

_KEYS = {"port", "proto", "from", "comment"}
_PROTOCOLS = {"tcp": ("tcp",), "udp": ("udp",), "both": ("tcp", "udp")}


@dataclass(frozen=True)
class Opening:
    """Ports that are let in: `ports` as `443` or `8000-8100`; with `anywhere`, from everybody."""

    proto: str
    ports: tuple[str, ...]
    anywhere: bool
    sources4: tuple[str, ...]
    sources6: tuple[str, ...]
    comment: str

    def plain(self) -> dict[str, Any]:
        """The same for a template."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def sources(texts: Iterable[Any], where: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Networks, IPv4 and IPv6 apart, those inside of others left out.

    Raises BadInput where one is no address or network.
    """
    found: dict[int, list[Any]] = {4: [], 6: []}
    for text in texts:
        try:
            net = ipaddress.ip_network(str(text).strip(), strict=False)
        except ValueError:
            raise BadInput(
                msg("no_network", where=where, text=text), mend=msg("such_as_networks")
            ) from None
        found[net.version].append(net)
    four, six = (tuple(map(_short, ipaddress.collapse_addresses(found[v]))) for v in (4, 6))
    return four, six


def openings(allow: Iterable[Any], listed: Spans | None) -> list[Opening]:
    """The entries of `firewall_allow`. `listed`: ports that must not be open to everybody.

    Raises BadInput for an entry that cannot be what was meant.
    """
    found = []
    for number, entry in enumerate(allow, 1):
        where = f"firewall_allow, entry {number}"
        if not isinstance(entry, Mapping) or "port" not in entry or set(entry) - _KEYS:
            raise BadInput(
                msg("is_not_understood", where=where, entry=entry), mend=msg("port_proto_comment")
            )
        protos = _PROTOCOLS.get(str(entry.get("proto", "tcp")))
        if protos is None:
            raise BadInput(
                msg("proto", where=where, entry=entry["proto"]), mend=msg("tcp_udp_both")
            )
        given = entry["port"]
        ranges = [_range(p, where) for p in (given if isinstance(given, list) else [given])]
        named = entry.get("from") or []
        four, six = sources([named] if isinstance(named, str) else named, where)
        everybody = not named or "0.0.0.0/0" in four or "::/0" in six
        clash = Spans.of(ranges) & listed if listed is not None and everybody else None
        if clash:
            shown = ", ".join(_shown(r) for r in clash.ranges)
            raise BadInput(
                msg("lets_everybody_reach_firewall", where=where, shown=shown),
                mend=msg("give_networks_need"),
            )
        if not ranges:
            # `port: []` names none
            continue
        ports = tuple(_shown(r) for r in Spans.of(ranges).ranges)
        comment = " ".join(str(entry.get("comment", "")).split()).replace('"', "'")[:100]
        found += [Opening(p, ports, not named, four, six, comment) for p in protos]
    return found


def _range(text: Any, where: str) -> tuple[int, int]:
    low, _, high = str(text).replace(":", "-").partition("-")
    try:
        first, last = int(low), int(high or low)
    except ValueError:
        raise BadInput(
            msg("no_port", where=where, text=text), mend=msg("such_443_8000_8100")
        ) from None
    if not 1 <= first <= last <= 65_535:
        raise BadInput(msg("no_port", where=where, text=str(text)), mend=msg("n_1_65535"))
    return first, last


def _shown(ports: tuple[int, int]) -> str:
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}-{ports[1]}"


def _short(net: Any) -> str:
    alone = net.prefixlen == net.max_prefixlen
    return str(net.network_address if alone else net)
