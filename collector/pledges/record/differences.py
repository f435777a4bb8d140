"""What of a pledge record another one says otherwise, field by field. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collector.pledges.record.masking import masked

# by which an entry of a list is the same one as before
_ENTRY = ("control", "host")
_NOTICE = {"number", "kind", "findings"}


@dataclass(frozen=True, slots=True)
class Change:
    """A field (its path, `safety_contact.phone`); None where one of the two does not have it.

    A list is one field: `before` and `after` hold all of it, or (`by_entry`) one entry of it.
    Both are the same where a number changed that is masked.
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


def by_entry(found: Iterable[Change]) -> Iterator[Change]:
    """The same, where a list of entries is one field for each entry that is not in both.

    Those for a control and a host are told apart by them, notices by their number, and what of such
    an entry differs is a field: `follow_ups[encryption.password_hash @ web-01].owner`.
    """
    for one in found:
        old, new = _entries(one.before), _entries(one.after)
        gone = [entry for entry in old if entry not in new]
        come = [entry for entry in new if entry not in old]
        # in another order, or once more, the list is what differs
        if not (gone or come):
            yield one
            continue
        before, after = _by_name(gone), _by_name(come)
        both = before.keys() & after.keys()
        for name in sorted(both):
            yield from changes(before[name], after[name], f"{one.field}[{name}].")
        for entry in gone:
            if (name := _name(entry)) not in both:
                yield Change(_of_entry(one.field, name), _rest(entry), None)
        for entry in come:
            if (name := _name(entry)) not in both:
                yield Change(_of_entry(one.field, name), None, _rest(entry))


def _entries(value: Any) -> list[Mapping[str, Any]]:
    """Those of a list of nothing else; none of another."""
    every = value if isinstance(value, list) else []
    return every if all(isinstance(entry, Mapping) for entry in every) else []


def _name(entry: Mapping[str, Any]) -> str:
    if entry.keys() >= _NOTICE:
        return str(entry["number"])
    return " @ ".join(str(entry[word]) for word in _ENTRY) if entry.keys() >= set(_ENTRY) else ""


def _by_name(entries: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Those of a name that no other one of them has."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        found.setdefault(_name(entry), []).append(entry)
    return {name: of[0] for name, of in found.items() if name and len(of) == 1}


def _rest(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """What it says beside its name."""
    return {k: v for k, v in entry.items() if k not in _ENTRY} if _name(entry) else entry


def _of_entry(field: str, name: str) -> str:
    return f"{field}[{name}]" if name else field


def masked_changes(found: Iterable[Change]) -> Iterator[Change]:
    """The same for anybody to see. A number that is masked may have changed where nobody sees."""
    for one in found:
        # what may be shown of a value depends on the field that it is in
        key = one.field.rpartition(".")[2]
        before, after = masked(one.before, key=key), masked(one.after, key=key)
        yield Change(str(masked(one.field)), before, after)
