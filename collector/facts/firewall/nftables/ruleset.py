"""The JSON form of an nftables ruleset (libnftables-json(5)) → the model of `packets`.

What is not known becomes `Unknown`: a match that may hold or not, a statement that may end it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from collector.errors import NotUnderstood
from collector.facts.base.intervals import Spans
from collector.facts.firewall.nftables.expressions import Foggy, Reader, conditions
from collector.facts.firewall.nftables.language import Ruleset
from collector.facts.firewall.nftables.mutations import divert, mangle, rewrite
from collector.facts.firewall.nftables.render import rule_text
from collector.facts.firewall.rules.packet import PROTOCOLS, Match, Numeric, OneOf, Unknown
from collector.facts.firewall.rules.rules import Base, Go, Rate, Rewrite, Rule, Set, Step
from collector.i18n.message import msg

_FAMILIES = {"ip": 4, "ip6": 6, "inet": 0, "netdev": 0}
_PRIORITIES = {
    "raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100,
}  # fmt: skip
_VERDICTS = {"accept", "drop", "return", "jump", "goto", "continue"}
# what only watches, or concerns what leaves this host
_PASSIVE = {
    "counter", "log", "comment", "ct helper", "ct timeout", "ct expectation", "flow", "quota_off",
    "masquerade", "snat", "dup", "last", "nflog", "secmark", "tcp option", "reset",
}  # fmt: skip


@dataclass(frozen=True)
class Table:
    """One table: `family` as nft has it, its chains and base chains.

    `compatible`: it holds expressions of iptables that nft itself cannot show.
    """

    family: str
    name: str
    chains: Mapping[str, tuple[Rule, ...]]
    bases: tuple[Base, ...]
    compatible: bool


def tables(text: str, read: str) -> list[Table]:
    """Every table that can see IP packets. Raises NotUnderstood when it is no ruleset."""
    try:
        document = json.loads(text)["nftables"]
        entries = [next(iter(entry.items())) for entry in document]
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError) as bad:
        raise NotUnderstood(read, msg("no_json_nft", name=type(bad).__name__)) from None
    return _tables(entries)


def written(text: str, read: str, include: Callable[[str], list[str]]) -> list[Table]:
    """The same from nft's own language: a listing, or a file of rules.

    `include` gives the texts of the files that an `include` names. Raises NotUnderstood.
    """
    entries = Ruleset(text, read, include).entries
    return _tables([next(iter(entry.items())) for entry in entries])


def _tables(entries: list[tuple[str, Any]]) -> list[Table]:
    known = [(kind, value) for kind, value in entries if isinstance(value, dict)]
    found = []
    for kind, value in known:
        if kind == "table" and value.get("family") in _FAMILIES:
            if "dormant" in _several(value.get("flags", [])):
                continue
            own = [
                (k, v)
                for k, v in known
                if v.get("family") == value["family"] and v.get("table") == value["name"]
            ]
            found.append(_table(value["family"], value["name"], own))
        elif kind == "table" and value.get("family") == "bridge":
            found += _bridged(str(value["name"]), known)
    return found


def _bridged(name: str, known: list[tuple[str, dict[str, Any]]]) -> list[Table]:
    """What a table of bridges does to a packet is not modelled: it may drop it, or not."""
    mine = [(k, v) for k, v in known if v.get("family") == "bridge" and v.get("table") == name]
    hooked = {
        v["name"]
        for k, v in mine
        if k == "chain" and v.get("hook") in ("ingress", "prerouting", "input")
    }
    strict = any(
        k == "chain" and v.get("policy") == "drop" and v["name"] in hooked for k, v in mine
    )
    if not hooked or not (strict or any(k == "rule" for k, _ in mine)):
        return []
    chain = f"bridge {name}"
    rule = Rule((Unknown(msg("family_bridge")), Go("drop")), chain)
    base = Base(chain, 0, "filter", "ingress", 0, accept=True)
    return [Table("bridge", name, {chain: (rule,)}, (base,), compatible=False)]


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _table(family: str, name: str, own: list[tuple[str, dict[str, Any]]]) -> Table:
    elements = {
        str(v["name"]): v.get("elem", []) for k, v in own if k in ("set", "map") and "name" in v
    }
    rules_of = [v.get("expr", []) for k, v in own if k == "rule"]
    reader = Reader(_FAMILIES[family], elements, _growing(rules_of))
    prefix = f"{family} {name}"
    rules: dict[str, list[Rule]] = {}
    bases = []
    compatible = False
    for kind, value in own:
        if kind == "chain":
            rules.setdefault(f"{prefix} {value['name']}", [])
            if "hook" in value:
                bases.append(_base(family, prefix, value))
        elif kind == "rule":
            expressions = value.get("expr", [])
            compatible = compatible or any("xt" in e for e in expressions if isinstance(e, dict))
            chain = f"{prefix} {value.get('chain')}"
            rules.setdefault(chain, []).extend(_rules(expressions, prefix, chain, reader))
    chains = {chain: tuple(held) for chain, held in rules.items()}
    return Table(family, name, chains, tuple(bases), compatible)


def _growing(rules: list[list[Any]]) -> frozenset[str]:
    """The sets that a rule adds to for packets of a quiet sender that were not in them."""
    found: set[str] = set()
    for expressions in rules:
        for at, expression in enumerate(expressions):
            value = expression.get("set") if isinstance(expression, dict) else None
            if not isinstance(value, dict) or value.get("op") not in ("add", "update"):
                continue
            name = str(value.get("set"))
            before = json.dumps(expressions[:at])
            if '"inv": true' not in before and f'"{name}"' not in before:
                found.add(name.removeprefix("@"))
    return frozenset(found)


def _base(family: str, prefix: str, value: Mapping[str, Any]) -> Base:
    priority = value.get("prio", 0)
    if isinstance(priority, str):
        if priority not in _PRIORITIES:
            raise NotUnderstood("firewall.nft", msg("priority", given=priority))
        priority = _PRIORITIES[priority]
    hook = str(value["hook"])
    devices = value.get("dev", value.get("devs", []))
    return Base(
        f"{prefix} {value['name']}",
        _FAMILIES[family],
        str(value.get("type", "filter")),
        hook,
        int(priority),
        value.get("policy", "accept") == "accept",
        frozenset(str(d) for d in _several(devices)),
    )


def _rules(expressions: list[Any], prefix: str, chain: str, reader: Reader) -> list[Rule]:
    """One rule, or one for each element of the verdict map or address map that it ends in."""
    text = f"{chain}: {rule_text(expressions)}"
    steps: list[Step] = []
    for expression in expressions:
        if not isinstance(expression, dict) or len(expression) != 1:
            steps.append(Go("unknown"))
            continue
        ((kind, value),) = expression.items()
        if kind == "vmap":
            return _arms(steps, _verdict_arms(value, prefix, reader), text)
        if kind in ("dnat", "redirect") and _mapped(value) is not None:
            return _arms(steps, _address_arms(kind, value, reader), text)
        steps += _steps(kind, value, prefix, reader)
    return [Rule(tuple(steps), text)]


def _arms(before: list[Step], arms: Iterable[tuple[Step, ...]], text: str) -> list[Rule]:
    return [Rule((*before, *arm), text) for arm in arms]


def _steps(kind: str, value: Any, prefix: str, reader: Reader) -> list[Step]:
    if kind in _PASSIVE or kind == "continue":
        return []
    if kind == "match":
        return list(_match(value, reader))
    if kind in _VERDICTS:
        return [_verdict({kind: value}, prefix)]
    if kind == "reject":
        return [*_rejected(value), Go("drop")]
    if kind in ("limit", "ct count"):
        return _rate(kind, value)
    if kind in ("set", "meter"):
        inner = value.get("stmt", []) if isinstance(value, dict) else []
        pairs = [next(iter(each.items())) for each in _several(inner)]
        return [s for name, given in pairs for s in _steps(name, given, prefix, reader)]
    if kind == "notrack":
        return [Set("state")]
    if kind == "mangle":
        return mangle(value)
    if kind in ("dnat", "redirect"):
        return [rewrite(kind, value, reader)]
    if kind == "tproxy":
        return [divert(value, reader)]
    if kind == "quota" and isinstance(value, dict):
        return [Rate(kind, value.get("inv") is not True)]
    if kind == "xt" and isinstance(value, dict) and value.get("type") == "match":
        known = value.get("name") == "comment"
        return [] if known else [Unknown(f"xt match {value.get('name')}")]
    return [Go("unknown")]


def _rejected(value: Any) -> list[Match]:
    """What nft leaves out because the kind of rejection says it: its protocol or family."""
    kind = value.get("type") if isinstance(value, dict) else None
    implied = {
        "tcp reset": Numeric("proto", Spans.one(PROTOCOLS["tcp"])),
        "icmp": Numeric("family", Spans.one(4)),
        "icmpv6": Numeric("family", Spans.one(6)),
    }
    return [implied[kind]] if kind in implied else []


def _rate(kind: str, value: Any) -> list[Step]:
    """Few packets come: a limit holds, `over` does not; no connection is open but this one."""
    parts = value if isinstance(value, dict) else {}
    over = parts.get("inv") is True
    if kind == "ct count" and parts.get("val") == 0 and over:
        return []
    return [Rate(kind, not over)]


def _match(value: Any, reader: Reader) -> tuple[Match | Rate, ...]:
    try:
        left = value["left"]
        if isinstance(left, dict) and (left.get("meta") == {"key": "random"} or "numgen" in left):
            always = (value["op"], value["right"]) == (">=", 0)
            return () if always else (Rate("random", None),)
        return conditions(value["op"], value["left"], value["right"], reader)
    except (Foggy, KeyError, TypeError, ValueError) as fog:
        return (Unknown(str(fog)),)


def _verdict(value: Any, prefix: str) -> Go:
    kind, inner = next(iter(value.items()))
    if kind in ("jump", "goto"):
        return Go(kind, f"{prefix} {inner['target']}")
    if kind in ("accept", "drop", "return"):
        return Go(kind)
    return Go("unknown")


def _verdict_arms(value: Any, prefix: str, reader: Reader) -> list[tuple[Step, ...]]:
    try:
        pairs = reader.pairs(value["data"])
        if _by_chance(value["key"]):
            verdicts = [_verdict(verdict, prefix) for _, verdict in pairs]
            return [(Rate("chance", None), go) for go in verdicts]
        arms: list[tuple[Step, ...]] = []
        keys: list[tuple[Match, ...]] = []
        default: Go | None = None
        for key, verdict in pairs:
            go = _verdict(verdict, prefix)
            if key == "*":
                default = go
                continue
            matches = conditions("==", value["key"], key, reader)
            keys.append(matches)
            if next(iter(verdict)) != "continue":
                arms.append((*matches, go))
        if default is not None:
            arms.append((OneOf(tuple(keys), negate=True), default))
        return arms
    except (Foggy, KeyError, TypeError, ValueError, StopIteration) as fog:
        return [(Unknown(str(fog)), Go("unknown"))]


def _by_chance(key: Any) -> bool:
    """Is it drawn, or told by a sum over what the sender chooses: may it be each of its values?"""
    return isinstance(key, dict) and bool({"numgen", "jhash", "symhash"} & set(key))


def _mapped(value: Any) -> Any:
    """The map that gives the new address (or port), where there is one."""
    if not isinstance(value, dict):
        return None
    for name in ("addr", "port"):
        inner = value.get(name)
        if isinstance(inner, dict) and "map" in inner:
            return inner["map"]
    return None


def _address_arms(kind: str, value: Any, reader: Reader) -> list[tuple[Step, ...]]:
    try:
        name = "addr" if "map" in str(value.get("addr", "")) else "port"
        arms: list[tuple[Step, ...]] = []
        for key, target in reader.pairs(value[name]["map"]["data"]):
            fixed = {**value, name: target}
            if isinstance(target, dict) and "concat" in target:
                fixed["addr"], fixed["port"] = target["concat"][0], target["concat"][1]
            by = value[name]["map"]["key"]
            chance = _by_chance(by)
            before = (Rate("chance", None),) if chance else conditions("==", by, key, reader)
            arms.append((*before, rewrite(kind, fixed, reader)))
        return arms
    except (Foggy, KeyError, TypeError, ValueError, IndexError) as fog:
        return [(Unknown(str(fog)), Rewrite(known=False))]
