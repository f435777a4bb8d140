"""What a search of the register looks in: whose record it is, and what it declares. Pure.

Names, numbers and addresses are compared as a person types them: in any case and width, in parts,
several words in any order; numbers of telephones however their digits are parted. An address or a
network finds what is declared of it: a machine in it, the network that it lies in, or a part.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from collector.pledges.record.networks import span, spans
from collector.pledges.record.people import visible

_CONTACTS = ("safety_contact", "security_officer")
_SAID = ("name", "phone", "email")
_RESOURCES = ("hosts", "addresses", "domains")
_NUMBER = re.compile(r"\+?[0-9(][0-9() -]{3,}[0-9]")


def sought_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Of a record's document: id, customer and credit code, contacts, hosts, addresses, domains."""
    customer, resources = document["customer"], document.get("resources", {})
    parts = [document["id"], customer["name"], customer.get("credit_code", "")]
    for contact in _CONTACTS:
        parts += [str(document.get(contact, {}).get(word, "")) for word in _SAID]
    for field in _RESOURCES:
        parts += [str(entry) for entry in resources.get(field, ())]
    return tuple(part for part in dict.fromkeys(parts) if part)


def plain(text: str) -> str:
    """As it is compared: full-width signs are what they are elsewhere, as imports take them."""
    return visible(unicodedata.normalize("NFKC", text)).casefold()


def holds(parts: Iterable[str], text: str) -> bool:
    """Does one of the parts hold the text, or share an address with it, where both have some?"""
    wanted = plain(text.strip())
    if not wanted:
        return True
    given = list(parts)
    known = [plain(part) for part in given]
    if any(wanted in part for part in known):
        return True
    words = wanted.split()
    if len(words) > 1 and all(any(word in part for part in known) for word in words):
        return True
    if (digits := _digits(wanted)) and any(digits in _digits(part) for part in known):
        return True
    within = span(wanted)
    if within is None:
        return False
    low, high = within
    return any(first <= high and last >= low for first, last in spans(given))


def _digits(text: str) -> str:
    """Of a number that is nothing else; a day and an address have other signs."""
    return re.sub(r"[^0-9]", "", text) if _NUMBER.fullmatch(text) else ""
