"""Where a document breaks its schema, in words: slower than `schema.check`, and its measure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from collector.i18n.message import msg
from collector.resources import shared

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.exceptions import ValidationError

_FORMATS = ("date", "date-time", "email")
# of a value that breaks its schema
_WIDEST = 190
_KEYWORDS = {
    "const": "schema_const",
    "enum": "schema_enum",
    "format": "schema_format",
    "maxLength": "schema_too_long",
    "maximum": "schema_maximum",
    "minItems": "schema_too_short",
    "minLength": "schema_too_short",
    "minProperties": "schema_too_short",
    "minimum": "schema_minimum",
    "pattern": "schema_pattern",
    "type": "schema_type",
    "uniqueItems": "schema_unique_items",
}


@cache
def documents() -> dict[str, Any]:
    """All our schemas by their `$id`, so that one may refer to another; nothing is fetched."""
    found = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(shared("schemas").glob("*.schema.json"))
    )
    return {schema["$id"]: schema for schema in found}


def reference(name: str, part: str | None = None) -> dict[str, str]:
    """A schema that is `schemas/NAME.schema.json`, or one of its `$defs`."""
    within = "" if part is None else f"#/$defs/{part}"
    return {"$ref": f"urn:hostpledge:schema:{name}:1{within}"}


def formats() -> dict[str, Callable[[object], bool]]:
    """What each format that our schemas name takes."""
    return {name: partial(_checker().conforms, format=name) for name in _FORMATS}


@cache
def _checker() -> FormatChecker:
    """As jsonschema has it, and a time is one that can be reckoned with."""
    from jsonschema import Draft202012Validator, FormatChecker

    checker = FormatChecker(())
    checker.checkers = dict(Draft202012Validator.FORMAT_CHECKER.checkers)
    well_formed = checker.checkers["date-time"][0]

    def is_time(value: object) -> bool:
        if well_formed(value) and isinstance(value, str):
            datetime.fromisoformat(value).astimezone(UTC)
        return bool(well_formed(value))

    checker.checks("date-time", (ValueError, OverflowError))(is_time)
    return checker


def first_fault(document: Any, name: str, part: str | None = None) -> str | None:
    """The place and the fault that tell most; None when it fits the schema."""
    from jsonschema.exceptions import best_match

    problem = best_match(_explaining(name, part).iter_errors(document))
    if problem is None:
        return None
    place = problem.json_path.removeprefix("$").lstrip(".")
    said = _said(problem)
    return msg("at", where=place, what=said) if place else said


def _said(problem: ValidationError) -> str:
    """By the keyword of the schema that it breaks (JSON Schema Validation, sections 6 and 7)."""
    keyword, asked = str(problem.validator), cast("Any", problem.validator_value)
    instance = cast("Any", problem.instance)
    # a file of another kind: a document that is nothing but text may be a password
    value = "***" if not problem.path and isinstance(instance, str) else _shown(instance)
    if keyword == "required":
        missing = next((name for name in asked if name not in instance), "")
        return msg("schema_required", name=missing)
    if keyword == "additionalProperties" and asked is False:
        known = cast("Mapping[str, Any]", problem.schema).get("properties", {})
        names = [_shown(name) for name in instance if name not in known]
        code = "schema_additional_property" if len(names) == 1 else "schema_additional_properties"
        return msg(code, names=", ".join(names[:5]))
    if keyword == "maxItems":
        return msg("schema_too_many", asked=asked, value=_shown(instance[asked:]))
    if asked == 1 and keyword.startswith("min") and not problem.instance:
        return msg("schema_empty", value=value)
    if keyword in _KEYWORDS:
        return msg(_KEYWORDS[keyword], value=value, asked=_shown(asked))
    message = problem.message
    return message if len(message) < 200 else message[:199] + "…"


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) < _WIDEST else shown[: _WIDEST - 1] + "…"


@cache
def _explaining(name: str, part: str | None) -> Draft202012Validator:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    schema = documents()[f"urn:hostpledge:schema:{name}:1"]
    Draft202012Validator.check_schema(schema)
    strict: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, {"pattern": _pattern}
    )
    empty: Registry[Any] = Registry()
    # a document that names its dialect is held to that alone: our own reading of patterns would go
    plain = (
        {key: value for key, value in one.items() if key != "$schema"}
        for one in documents().values()
    )
    registry = [DRAFT202012.create_resource(one) for one in plain] @ empty
    return strict(
        reference(name, part),
        registry=registry,
        format_checker=_checker(),
    )


def _pattern(
    _validator: Any, pattern: str, instance: Any, _schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """As JSON Schema has it, where `$` is the very end; Python's lets a line end follow."""
    from jsonschema.exceptions import ValidationError

    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")
