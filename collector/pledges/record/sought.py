"""What a search of the register looks in: whose record it is, and what it declares. Pure.

Names, numbers and addresses are compared as a person types them: in any case, in parts, and an
address that lies in a declared network finds the network.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

_CONTACTS = ("safety_contact", "security_officer")
_SAID = ("name", "phone", "email")
_RESOURCES = ("hosts", "addresses", "domains")


def sought_in(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Of a record's document: id, customer and credit code, contacts, hosts, addresses, domains."""
    customer, resources = document["customer"], document.get("resources", {})
    parts = [document["id"], customer["name"], customer.get("credit_code", "")]
    for contact in _CONTACTS:
        parts += [str(document.get(contact, {}).get(word, "")) for word in _SAID]
    for field in _RESOURCES:
        parts += [str(entry) for entry in resources.get(field, ())]
    return tuple(part for part in dict.fromkeys(parts) if part)


def holds(parts: Iterable[str], text: str) -> bool:
    """Does one of the parts hold the text, or, where it is an address, is a network it lies in?"""
    wanted = text.strip().casefold()
    if not wanted:
        return True
    given = list(parts)
    if any(wanted in part.casefold() for part in given):
        return True
    try:
        address = ipaddress.ip_address(wanted)
    except ValueError:
        return False
    return any(_within(address, part) for part in given)


def _within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, part: str) -> bool:
    try:
        network = ipaddress.ip_network(part, strict=False)
    except ValueError:
        return False
    return address.version == network.version and address in network
