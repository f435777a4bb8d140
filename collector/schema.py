"""JSON Schemas (draft 2020-12) of everything that comes from outside; strict reading of JSON."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Collection
from functools import cache
from typing import Any, cast

import jsonschema_rs
import yaml

from collector import yaml_text
from collector.alike_names import fold
from collector.errors import BadInput
from collector.faults import documents, first_fault, formats, reference
from collector.i18n.message import Message, msg, told

DEEPEST = 64
# a whole number of so many characters is less than 2**53
_SHORT = 15
MOST_VALUES = 500_000
# of what parts values in YAML, which is read ten times slower than JSON
_MOST_MARKS = 100_000
_STRUCTURE = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[,\[{]', re.DOTALL)


@cache
def validator(name: str, part: str | None = None) -> jsonschema_rs.Validator:
    """Says whether a document fits `schemas/NAME.schema.json`; `faults` says why it does not.

    It is compiled: a bundle of a thousand hosts holds a hundred thousand lines to look at.
    """
    return jsonschema_rs.validator_for(
        reference(name, part),
        registry=jsonschema_rs.Registry(list(documents().items())),
        formats=formats(),
        validate_formats=True,
        ignore_unknown_formats=False,
        offline=True,
    )


def check(document: Any, name: str, *, where: str, part: str | None = None) -> None:
    """Raises BadInput naming the first place where `document` breaks the schema.

    `part` is one of its `$defs`, where the document says itself which of them it is.
    """
    fits = _fits(validator(name, part), document)
    if fits:
        return
    problem = first_fault(document, name, part)
    if problem is None and fits is None:
        return
    # what explains must not be what decides: what it finds nothing wrong with is refused as well
    problem = problem or msg("schema_does_not_fit")
    raise BadInput(
        msg(
            "not_a_document",
            document=msg(f"document_{name.replace('-', '_')}"),
            problem=problem,
        ),
        where=where,
        mend=msg("see_schemas_schema_json", name=name),
    )


def _fits(quick: jsonschema_rs.Validator, document: Any) -> bool | None:
    """None where it cannot say: of what holds texts of our own kind, or keys that are numbers."""
    try:
        return quick.is_valid(document)
    except ValueError:
        return None


def load_line(data: bytes, name: str, *, where: str, parts: Collection[str]) -> Any:
    """`load_json` and `check` of one line, of which a fleet has a hundred thousand.

    The member `kind` names its part of the schema, one of `parts`. What fits that nests no deeper
    than the schema does: depth is looked at only in what does not.
    """
    document = load_json(data, where=where, shallow=True)
    kind = document.get("kind") if type(document) is dict else None
    part = kind if type(kind) is str and kind in parts else None
    if part is None or not _fits(validator(name, part), document):
        load_json(data, where=where)
        check(document, name, where=where, part=part)
    return document


def load_json(
    text: str | bytes,
    *,
    where: str,
    numbers: list[str] | None = None,
    shallow: bool = False,
) -> Any:
    """JSON as RFC 8259 has it and no more: UTF-8, no duplicate keys, no NaN, no number past a

    double, no half of a surrogate pair (which nothing that prints could take), no deeper than
    DEEPEST, no more values than MOST_VALUES. Numbers that more than one text stands for are added
    to `numbers`; `shallow` leaves the depth to the caller.
    """
    try:
        data = text if isinstance(text, bytes) else text.encode()
        refuse_many(data)
        plain = data.removeprefix(codecs.BOM_UTF8).decode() if isinstance(text, bytes) else text
        document = (_DECODER if numbers is None else _noting(numbers)).decode(plain)
        many = not shallow and len(data) > DEEPEST
        if many and data.count(b"[") + data.count(b"{") > DEEPEST:
            _refuse_deep(document)
        if b"\\u" in data and (b"\\ud" in data or b"\\uD" in data):
            json.dumps(document, ensure_ascii=False).encode()
        return document
    except (ValueError, RecursionError) as problem:
        reason = msg("nested_too_deeply") if isinstance(problem, RecursionError) else told(problem)
        raise BadInput(msg("not_json", reason=reason), where=where) from None


def refuse_many(data: bytes) -> None:
    """Raises ValueError for JSON that would become far larger in memory than it is."""
    if len(data) <= MOST_VALUES:
        return
    if data.count(b",") + data.count(b"[") + data.count(b"{") <= MOST_VALUES:
        return
    seen = sum(1 for token in _STRUCTURE.finditer(data) if data[token.start()] != ord('"'))
    if seen > MOST_VALUES:
        raise ValueError(msg("more_values_anything_read"))


def _noting(numbers: list[str]) -> json.JSONDecoder:
    """As _DECODER, and notes fractions, and whole numbers that a double may not hold."""

    def whole(text: str) -> int:
        if len(text) > _SHORT:
            numbers.append(text)
        return int(text)

    def fraction(text: str) -> float:
        numbers.append(text)
        return _finite(text)

    return json.JSONDecoder(
        object_pairs_hook=_unique, parse_constant=_refuse, parse_float=fraction, parse_int=whole
    )


def _refuse_deep(document: Any) -> None:
    level = [document]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return
    raise RecursionError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        keys = "".join(found)
        # nearly every key is small ASCII letters, which folding leaves as they are
        if keys.isascii() and keys == keys.lower():
            return found
    if len(set(map(fold, found))) == len(pairs):
        return found
    seen: dict[str, str] = {}
    for key, _ in pairs:
        folded = fold(key)
        if folded in seen:
            raise ValueError(msg("key_stands_twice_before", key=key, seen=seen[folded]))
        seen[folded] = key
    return found


def _refuse(word: str) -> Any:
    raise ValueError(msg("not_json_number", word=word))


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(msg("number_too_large", text=text[:20]))
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)


def load_own(text: str | bytes, *, where: str) -> Any:
    """YAML of this package, as `load_yaml` would read it."""
    return load_yaml(text, where=where)


def load_yaml(text: str | bytes, *, where: str) -> Any:
    """YAML (or JSON, which is YAML) read strictly; dates, and numbers of base sixty, stay text."""
    found = load_documents(text, where=where)
    if len(found) > 1:
        raise BadInput(msg("not_yaml_more_one"), where=where)
    return found[0] if found else None


def load_documents(text: str | bytes, *, where: str, aliases: bool = False) -> list[Any]:
    """All documents of a YAML stream; `aliases` as `yaml_text.parse` has it. Raises BadInput."""
    marks = "\n,[{" if isinstance(text, str) else (b"\n", b",", b"[", b"{")
    if sum(text.count(cast("Any", mark)) for mark in marks) > _MOST_MARKS:
        raise BadInput(msg("not_yaml_far_longer"), where=where)
    try:
        return list(yaml_text.parse(text, aliases=aliases))
    except (yaml.YAMLError, ValueError) as problem:
        reason = told(problem)
        if not isinstance(reason, Message):
            reason = " ".join(reason.split()) or type(problem).__name__
        raise BadInput(msg("not_yaml", failed=reason), where=where) from None
