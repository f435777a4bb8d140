"""Where a document breaks its schema, in words: slower than `schema.check`, and its measure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from rfc3339_validator import validate_rfc3339  # type: ignore[import-untyped]

from collector.i18n.message import msg
from collector.resources import shared

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.exceptions import ValidationError

_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$", re.ASCII)
# of a value that breaks its schema
_WIDEST = 190
_KEYWORDS = {
    "anyOf": "schema_any_of",
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
    """What each format that our schemas name takes.

    As jsonschema has them; it is not asked, as it builds a grammar of IRIs for a second first.
    """
    return {"date": _is_date, "date-time": _is_time, "email": _is_email}


def _is_date(value: object) -> bool:
    if not isinstance(value, str):
        return True
    with suppress(ValueError):
        return bool(_DATE.match(value) and date.fromisoformat(value))
    return False


def _is_time(value: object) -> bool:
    """And it is one that can be reckoned with."""
    if not isinstance(value, str):
        return True
    with suppress(ValueError, OverflowError):
        if validate_rfc3339(value.upper()):
            datetime.fromisoformat(value).astimezone(UTC)
            return True
    return False


def _is_email(value: object) -> bool:
    return not isinstance(value, str) or "@" in value


@cache
def _checker() -> FormatChecker:
    from jsonschema import FormatChecker

    checker = FormatChecker(())
    checker.checkers = {name: (known, ()) for name, known in formats().items()}
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
    # a schema that names its draft is looked at by the class that jsonschema has for it
    plain = ({k: v for k, v in known.items() if k != "$schema"} for known in documents().values())
    registry = [DRAFT202012.create_resource(known) for known in plain] @ empty
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
