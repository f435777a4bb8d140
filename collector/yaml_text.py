"""YAML from outside, as plain values: what it means is plain from its text, and it stays small.

It is made of the parser's events one by one (libyaml's where PyYAML was built with it), so that
nothing is built that is not wanted. Scalars are as in YAML 1.1, except that times and numbers of
base sixty (`12:30`) stay text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import yaml

from collector.i18n.message import msg

DEEPEST = 64
# values in a document, each as often as an alias names it
MOST = 200_000
_LONGEST_NUMBER = 400
_DIRECTIVES = re.compile(r"^%", re.MULTILINE)
_TAG = "tag:yaml.org,2002:"
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
}
_FIRST = frozenset("-+.0123456789")
_WHOLE = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)")
_FRACTION = re.compile(
    r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_KINDS: dict[str, tuple[type, ...]] = {
    "null": (type(None),), "bool": (bool,), "int": (int,), "float": (float,), "str": (str,),
}  # fmt: skip


def parse(text: str | bytes, *, aliases: bool = False) -> Iterator[Any]:
    """The documents in `text`.

    Keys stand once in a mapping; with `aliases`, as programs' own files have them, they may stand
    again (the last counts), and anchors, aliases and merge keys (`<<`) are taken.
    Raises yaml.YAMLError, and ValueError for numbers that cannot be.
    """
    plain = text if isinstance(text, str) else text.decode("utf-8", "replace")
    # each is held to all before it
    if len(list(islice(_DIRECTIVES.finditer(plain), 10))) == 10:
        raise yaml.YAMLError(msg("directives_name_not_taken"))
    events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            yield _Document(events, aliases=aliases).value(next(events), 0)[0]


class _Document:
    def __init__(self, events: Iterator[Any], *, aliases: bool) -> None:
        self._events = events
        self._aliases = aliases
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._seen = 0

    def value(self, event: Any, depth: int) -> tuple[Any, int]:
        """What begins with the event, and of how many values it is made."""
        if isinstance(event, yaml.AliasEvent):
            found, size = self._named(event)
        elif isinstance(event, yaml.ScalarEvent):
            found, size = _scalar(event), 1
        else:
            found, size = self._collection(event, depth + 1)
        alias = isinstance(event, yaml.AliasEvent)
        if not alias and event.anchor is not None:
            self._anchors[event.anchor] = found, size
        self._seen += size if alias else 1
        if self._seen > MOST:
            raise yaml.YAMLError(msg("far_longer_anything_read"))
        return found, size

    def _named(self, event: Any) -> tuple[Any, int]:
        if not self._aliases:
            raise yaml.YAMLError(msg("aliases_name_not_taken"))
        known = self._anchors.get(event.anchor)
        if known is None:
            raise yaml.YAMLError(
                msg("line_nothing_named_before", line=_line(event), anchor=event.anchor)
            )
        return known

    def _collection(self, event: Any, depth: int) -> tuple[Any, int]:
        if depth > DEEPEST:
            raise yaml.YAMLError(msg("nested_too_deeply"))
        sequence = isinstance(event, yaml.SequenceStartEvent)
        if event.tag not in (None, "!", f"{_TAG}{'seq' if sequence else 'map'}"):
            raise yaml.YAMLError(msg("line_tag_not_taken", line=_line(event), tag=event.tag))
        return self._sequence(depth) if sequence else self._mapping(depth)

    def _sequence(self, depth: int) -> tuple[list[Any], int]:
        items, size = [], 1
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            item, its = self.value(event, depth)
            items.append(item)
            size += its
        return items, size

    def _mapping(self, depth: int) -> tuple[dict[Any, Any], int]:
        found: dict[Any, Any] = {}
        merged: list[Any] = []
        size = 1
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key, its = self.value(event, depth)
            value, more = self.value(next(self._events), depth)
            size += its + more
            if isinstance(event, yaml.ScalarEvent) and _merges(event):
                if not self._aliases:
                    raise yaml.YAMLError(msg("merge_keys_not_taken"))
                merged += value if isinstance(value, list) else [value]
                continue
            if not isinstance(key, str | int):
                raise yaml.YAMLError(msg("line_key_no_text", line=_line(event), key=key))
            if key in found and not self._aliases:
                raise yaml.YAMLError(msg("line_stands_twice", line=_line(event), key=key))
            found[key] = value
        for other in merged:
            if not isinstance(other, dict):
                raise yaml.YAMLError(msg("merge_key_names_no"))
            self._seen += len(other)
            found = other | found
        return found, size


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _merges(event: Any) -> bool:
    return event.value == "<<" and bool(event.implicit[0])


def _scalar(event: Any) -> Any:
    """A plain one as YAML 1.1 has it, quoted ones as text; a tag must fit what stands there."""
    text, tag = event.value, event.tag
    if tag is None:
        return _plain(text) if event.implicit[0] else text
    name = tag.removeprefix(_TAG)
    if tag == "!" or name == "str":
        return text
    found = _plain(text)
    if tag == name or type(found) not in _KINDS.get(name, ()):
        raise yaml.YAMLError(msg("line_not_fit_tag", line=_line(event), text=text[:40], tag=tag))
    return found


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if text[:1] not in _FIRST:
        return text
    if _WHOLE.fullmatch(text):
        return _whole(text)
    if _FRACTION.fullmatch(text):
        return float(_short(text).lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def _whole(text: str) -> int:
    digits = _short(text)
    sign, bare = (-1 if digits[0] == "-" else 1), digits.lstrip("+-")
    if bare[:2] in ("0b", "0x"):
        return sign * int(bare, 0)
    return sign * int(bare, 8 if bare[0] == "0" else 10)


def _short(text: str) -> str:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(msg("number_too_long", text=text[:20]))
    return text.replace("_", "")
