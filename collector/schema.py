"""JSON Schemas (draft 2020-12) of everything that comes from outside; strict reading of JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend
from referencing import Registry, Resource

from collector.errors import BadInput
from collector.resources import shared

_DEEPEST = 64
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")


def _pattern(
    _validator: Any, pattern: str, instance: Any, _schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    """As JSON Schema has it, where `$` is the very end; Python's lets a line end follow."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


_Strict: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"pattern": _pattern}
)


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of `schemas/NAME.schema.json`."""
    text = shared("schemas", f"{name}.schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    Draft202012Validator.check_schema(schema)
    return _Strict(schema, registry=_registry(), format_checker=Draft202012Validator.FORMAT_CHECKER)


@cache
def _registry() -> Registry[Any]:
    """All our schemas by their `$id`, so that one may refer to another; nothing is fetched."""
    found = (
        Resource.from_contents(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(shared("schemas").glob("*.schema.json"))
    )
    empty: Registry[Any] = Registry()
    return found @ empty


def check(document: Any, name: str, *, where: str) -> None:
    """Raises BadInput naming the first place where `document` breaks the schema."""
    problem = best_match(validator(name).iter_errors(document))
    if problem is not None:
        raise BadInput(
            f"not a {name.replace('-', ' ')}: {_say(problem)}",
            where=where,
            mend=f"see schemas/{name}.schema.json",
        )


def _say(problem: ValidationError) -> str:
    place = problem.json_path.removeprefix("$").lstrip(".")
    message = problem.message if len(problem.message) < 200 else problem.message[:199] + "…"
    return f"{place}: {message}" if place else message


def load_json(text: str | bytes, *, where: str) -> Any:
    """JSON as RFC 8259 has it and no more: UTF-8, no duplicate keys, no NaN, no number past a

    double, no half of a surrogate pair (which nothing that prints could take).
    """
    try:
        plain = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        document = json.loads(
            plain, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite
        )
        if _SURROGATE.search(plain):
            json.dumps(document, ensure_ascii=False).encode()
        return document
    except (ValueError, RecursionError) as problem:
        reason = "nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise BadInput(f"not JSON: {reason}", where=where) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, str] = {}
    for key, _ in pairs:
        folded = key.casefold()
        if folded in seen:
            raise ValueError(f"the key {key!r} stands twice (as {seen[folded]!r} before)")
        seen[folded] = key
    return dict(pairs)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"the number {text[:20]} is too large")
    return number


class _StrictLoader(yaml.SafeLoader):
    """YAML with no duplicate keys and no anchors; times stay the text that was written."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not taken")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=deep)
            if not isinstance(key, str | int):
                raise yaml.YAMLError(f"line {key_node.start_mark.line + 1}: key {key!r} is no text")
            if key in mapping:
                raise yaml.YAMLError(f"line {key_node.start_mark.line + 1}: {key!r} stands twice")
            mapping[key] = self.construct_object(value_node, deep=deep)
        return mapping


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, rule) for tag, rule in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_StrictLoader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG,
    lambda loader, node: loader.construct_mapping(cast("Any", node), deep=True),
)


def load_yaml(text: str | bytes, *, where: str) -> Any:
    """YAML (or JSON, which is YAML) read strictly; dates stay text."""
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader, made stricter
    except (yaml.YAMLError, ValueError, RecursionError) as problem:
        reason = " ".join(str(problem).split()) or type(problem).__name__
        raise BadInput(f"not YAML: {reason}", where=where) from None
