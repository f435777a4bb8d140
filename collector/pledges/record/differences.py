"""What of a pledge record another one says otherwise, field by field. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """A field (its path, `safety_contact.phone`); None where one of the two does not have it.

    A list is one field: `before` and `after` hold all of it.
    """

    field: str
    before: Any
    after: Any


def changes(old: Mapping[str, Any], new: Mapping[str, Any], path: str = "") -> Iterator[Change]:
    """In the order of their names."""
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        field = f"{path}{name}"
        if before == after:
            continue
        if isinstance(before, Mapping) or isinstance(after, Mapping):
            yield from changes(_fields(before), _fields(after), f"{field}.")
        else:
            yield Change(field, before, after)


def _fields(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
