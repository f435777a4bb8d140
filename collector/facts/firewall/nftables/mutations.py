"""What statements of nftables' JSON change of a packet: its destination, its marks, a field."""

from __future__ import annotations

from typing import Any, Literal

from collector.facts.base.intervals import address
from collector.facts.firewall.nftables.expressions import Reader
from collector.facts.firewall.rules.rules import Divert, Go, Rewrite, Set, Step

Mark = Literal["mark", "ctmark"]


def rewrite(kind: str, value: Any, reader: Reader) -> Rewrite:
    """A new destination, by `dnat` or `redirect`."""
    parts = value if isinstance(value, dict) else {}
    family = {"ip": 4, "ip6": 6}.get(str(parts.get("family", "")), reader.family)
    port, target = parts.get("port"), parts.get("addr")
    number = port if isinstance(port, int) else None
    # a flag may have the port drawn at random
    spread = None if parts.get("flags") else _spread(port)
    known = port is None or isinstance(port, int) or spread is not None
    if kind == "redirect":
        return Rewrite(family, None, number, here=True, known=known, spread=spread)
    if target is None:
        return Rewrite(family, None, number, known=known, spread=spread)
    try:
        version, where = address(str(target))
    except ValueError:
        return Rewrite(family, None, number, known=False)
    return Rewrite(version, where, number, known=known, spread=spread)


def _spread(port: Any) -> tuple[int, int, int] | None:
    held = port.get("range") if isinstance(port, dict) else None
    if not isinstance(held, list) or not all(isinstance(n, int) for n in held) or len(held) != 2:
        return None
    return (held[0], held[1], -1) if held[0] <= held[1] else None


def divert(value: Any, reader: Reader) -> Divert:
    """A listener takes it, by `tproxy`."""
    parts = value if isinstance(value, dict) else {}
    family = {"ip": 4, "ip6": 6}.get(str(parts.get("family", "")), reader.family)
    port = parts.get("port", 0)
    return Divert(family, port if isinstance(port, int) else None)


def mangle(value: Any) -> list[Step]:
    """A field that is written: a mark, a header's; what is not known may do anything."""
    try:
        ((kind, field),) = value["key"].items()
        name = field.get("field", field.get("key"))
    except (AttributeError, KeyError, TypeError, ValueError):
        return [Go("unknown")]
    if kind in ("meta", "ct") and name == "mark":
        return [_marked("mark" if kind == "meta" else "ctmark", value["value"])]
    if kind in ("ct", "tcp option", "exthdr"):
        return []
    if kind == "meta":
        return [Go("unknown")] if name in ("pkttype", "broute") else []
    if kind == "payload" and name in ("ttl", "hoplimit", "dscp"):
        return [Set("dscp" if name == "dscp" else "ttl", None)]
    # an address or a port becomes another: translation that no connection tracks
    return [] if name in ("checksum", "ecn", "id", "window") else [Divert(0, None)]


def _marked(field: Mark, given: Any) -> Set:
    """A mark written as a number, a copy, or a copy with bits masked and set."""
    keep, bits = 0xFFFFFFFF, 0
    if isinstance(given, int):
        return Set(field, given)
    while isinstance(given, dict) and next(iter(given)) in ("|", "^", "&"):
        ((sign, parts),) = given.items()
        given, number = parts[0], parts[-1]
        if len(parts) != 2 or not isinstance(number, int):
            return Set(field, None)
        if sign == "&":
            keep &= number
            continue
        bits ^= number & keep
        if sign == "|":
            keep &= ~number
    copies: dict[str, Mark] = {"ct": "ctmark", "meta": "mark"}
    for name, copy in copies.items():
        if given == {name: {"key": "mark"}}:
            return Set(field, bits, keep, copy)
    return Set(field, None)
