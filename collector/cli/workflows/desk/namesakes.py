"""Whose customers' affairs a name of the settings may be told: two people have one name at times.

A finding's owner is a name and no more. Where a record names somebody of that name as its contact,
the name is of that customer, and nothing of another one goes to it: its namesake may be meant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.notify.settings import EVERYBODY, Person
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.record.people import plain_name

_CONTACTS = ("safety_contact", "security_officer")


@dataclass(frozen=True, slots=True)
class _Named:
    """Somebody whom the record of that customer names, and how he is reached."""

    customer: str
    reached: frozenset[str]


class Namesakes:
    """By the records, and by the settings where they say of which pledges a person is told.

    `ids` are those of all records there are: where one of them is not among `records`, nobody knows
    whom it names. `unknown`: what the settings name beside them, with whom that was for. Raises
    BadInput for two names that are one.
    """

    def __init__(
        self,
        records: Collection[PledgeRecord],
        people: Mapping[str, Person],
        ids: Collection[str] | None = None,
    ) -> None:
        self._customers = {record.id: _customer(record) for record in records}
        self._named: dict[str, list[_Named]] = {}
        for record in records:
            for field in _CONTACTS:
                self._take(record.document.get(field), self._customers[record.id])
        self._of = {name: self._all_of(name) for name in people if name != EVERYBODY}
        _refuse_twice(people)
        known = {EVERYBODY, *(self._customers if ids is None else ids)}
        self._whole = known <= {EVERYBODY, *self._customers}
        self.unknown = [
            (one.name, id) for one in people.values() for id in one.pledges if id not in known
        ]

    def _take(self, contact: Mapping[str, Any] | None, customer: str) -> None:
        if contact and contact.get("name"):
            reached = {str(contact[word]) for word in ("phone", "email") if contact.get(word)}
            name = plain_name(str(contact["name"]))
            self._named.setdefault(name, []).append(_Named(customer, frozenset(reached)))

    def _all_of(self, name: str) -> frozenset[str] | None:
        """The customers that the person of that name is of; none where it is several people's.

        None where no record names such a one: then it is one of this side.
        """
        found = self._named.get(plain_name(name), [])
        if not found:
            # a number behind the name says which of them is meant
            first, _, number = plain_name(name).rpartition(" ")
            found = [one for one in self._named.get(first, ()) if number in one.reached]
        if not found:
            return None
        customers = frozenset(one.customer for one in found)
        if len(customers) == 1:
            return customers
        # one person of several companies is reached there by the same number
        common = frozenset.intersection(*(one.reached for one in found))
        return customers if common else frozenset()

    def may(self, person: Person, pledge: str) -> bool:
        """Is what falls due of that pledge, and is owned by that name, this person's to know?"""
        if person.pledges:
            return EVERYBODY in person.pledges or pledge in person.pledges
        customers = self._of.get(person.name)
        if customers is None:
            # one of this side, unless a record that cannot be read names such a one
            return self._whole or person.name == EVERYBODY
        return self._whole and self._customers.get(pledge, "") in customers

    def mistakable(self, owned: Iterable[tuple[str, str]], people: Iterable[Person]) -> list[str]:
        """Names of the settings to which something of these is not told (owner, pledge)."""
        known = {plain_name(one.name): one for one in people if one.name != EVERYBODY}
        found = (
            (known[plain_name(owner)], pledge)
            for owner, pledge in owned
            if plain_name(owner) in known
        )
        return sorted({one.name for one, pledge in found if not self.may(one, pledge)})


def _refuse_twice(people: Iterable[str]) -> None:
    """Names that are compared as one: the first would never be told anything."""
    found: dict[str, str] = {}
    for name in people:
        other = found.setdefault(plain_name(name), name)
        if other != name:
            raise BadInput(msg("notify_name_twice", name=name, other=other))


def without_address(owners: Iterable[str], people: Iterable[str]) -> dict[str, int]:
    """By name (masked), how many items there are of those that the settings do not have."""
    names = set(map(plain_name, people))
    strange = Counter(str(masked(o)) for o in owners if o and plain_name(o) not in names)
    return dict(sorted(strange.items()))


def _customer(record: PledgeRecord) -> str:
    customer = record.document.get("customer", {})
    numbers = (customer.get(word, "") for word in ("credit_code", "identity_masked"))
    return next(filter(None, numbers), "") + plain_name(str(customer.get("name", "")))
