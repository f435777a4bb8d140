"""nftables' JSON expressions as one short line for people, close to what nft itself writes.

Sets are written without braces (`tcp dport 22,80`): the line goes into messages.
"""

from __future__ import annotations

import json
from typing import Any

_LONGEST = 300
_MOST = 8


def rule_text(expressions: list[Any]) -> str:
    """One rule, counters left out."""
    words = [_statement(e) for e in expressions]
    text = " ".join(word for word in words if word)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _statement(expression: Any) -> str:
    if not isinstance(expression, dict) or len(expression) != 1:
        return "?"
    ((kind, value),) = expression.items()
    if kind == "counter":
        return ""
    if kind == "match" and isinstance(value, dict):
        sign = value.get("op", "")
        sign = "" if sign in ("==", "in") else f"{sign} "
        return f"{_value(value.get('left'))} {sign}{_value(value.get('right'))}"
    if kind in ("jump", "goto") and isinstance(value, dict):
        return f"{kind} {value.get('target')}"
    if kind == "vmap" and isinstance(value, dict):
        return f"{_value(value.get('key'))} vmap {_value(value.get('data'))}"
    if kind in ("dnat", "redirect", "snat"):
        parts = value if isinstance(value, dict) else {}
        target = ":".join(_value(parts[k]) for k in ("addr", "port") if k in parts)
        return f"{kind} to {target}" if target else kind
    if kind == "mangle" and isinstance(value, dict):
        return f"{_value(value.get('key'))} set {_value(value.get('value'))}"
    if kind == "limit" and isinstance(value, dict):
        over = "over " if value.get("inv") else ""
        return f"limit rate {over}{value.get('rate')}/{value.get('per', 'second')}"
    if kind == "xt" and isinstance(value, dict):
        return f"xt {value.get('type')} {value.get('name')}"
    if value is None or kind in ("reject", "log"):
        return str(kind)
    return f"{kind} {_value(value)}"


def _value(value: Any) -> str:
    """A left or right side, a set, a verdict."""
    if isinstance(value, list):
        shown = [_value(part) for part in value[:_MOST]]
        return ",".join([*shown, "…"] if len(value) > _MOST else shown)
    if not isinstance(value, dict) or len(value) != 1:
        return _plain(value)
    ((kind, inner),) = value.items()
    if kind == "payload":
        return f"{inner.get('protocol', '@')} {inner.get('field', '')}".strip()
    if kind == "meta":
        key = str(inner.get("key"))
        return key if key in ("iifname", "oifname", "iif", "oif") else f"meta {key}"
    if kind == "ct":
        return " ".join(str(inner[k]) for k in ("dir", "key") if k in inner).join(("ct ", ""))
    if kind == "fib":
        flags = inner.get("flags", [])
        told = [flags] if isinstance(flags, str) else flags
        return f"fib {' . '.join(map(str, told))} {inner.get('result')}"
    if kind == "prefix":
        return f"{inner.get('addr')}/{inner.get('len')}"
    if kind == "range":
        return "-".join(_value(part) for part in inner)
    if kind == "concat":
        return " . ".join(_value(part) for part in inner)
    if kind == "set":
        pairs = [p for p in inner if isinstance(p, list) and len(p) == 2]
        if pairs and len(pairs) == len(inner):
            return ",".join(f"{_value(k)}:{_value(v)}" for k, v in pairs[:_MOST])
        return _value(inner)
    if kind == "elem":
        return _value(inner.get("val"))
    if kind == "map":
        return f"{_value(inner.get('key'))} map {_value(inner.get('data'))}"
    if kind in ("&", "|", "^"):
        return f" {kind} ".join(_value(part) for part in inner)
    if kind in ("jump", "goto"):
        return f"{kind} {inner.get('target')}"
    return str(kind) if inner is None else _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, str | int):
        return str(value)
    return json.dumps(value, ensure_ascii=False).translate(str.maketrans("{}", "()"))
