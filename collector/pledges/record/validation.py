"""What the schema of a pledge record cannot say: faults that only a look at the values shows."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from collector import catalog, reaching
from collector.errors import NotUnderstood
from collector.facts.data.inventory_signature import owner_keys
from collector.i18n.message import msg, told
from collector.pledges.record import documents
from collector.pledges.record.times import moment, waiver_end

_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])"
    r"[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
)
_PROSE = frozenset({"statement", "reason", "summary", "measures"})
_SEEN_CONTROLS = frozenset("\n\t")


def faults(document: Mapping[str, Any], today: date) -> Iterator[tuple[str, str]]:
    yield from _hidden(document, "")
    code = document["customer"].get("credit_code")
    if code is not None and not credit_code_valid(code):
        yield (
            "customer.credit_code",
            (msg("no_unified_social_credit", number=code)),
        )
    yield from _times(document)
    yield from _dates(document, today)
    yield from _twice("documents", (f"{d['type']} {d['version']}" for d in document["documents"]))
    yield from _resources(document.get("resources", {}))
    yield from _names(document)
    yield from _consents(document)
    for number, known in enumerate(document.get("data_owner_keys", ())):
        try:
            owner_keys(f"owner {known['key']}".encode())
        except NotUnderstood:
            yield f"data_owner_keys[{number}].key", msg("no_public_key_openssh")


def _hidden(value: Any, place: str, *, key: str = "") -> Iterator[tuple[str, str]]:
    """Control and direction characters, which would show a reader something else than is there."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _hidden(inner, f"{place}.{name}" if place else str(name), key=str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _hidden(inner, f"{place}[{number}]", key=key)
    elif isinstance(value, str):
        prose = key in _PROSE or place.startswith(("data_inventory", "event_ledger"))
        allowed = _SEEN_CONTROLS if prose else frozenset()
        # nearly every text is: none of it is looked for one by one
        for c in "" if value.isprintable() else value:
            if c not in allowed and (unicodedata.category(c) in ("Cc", "Cs") or _turns(c)):
                yield place, msg("holds_unseen_character_u", ord=ord(c))
        if not value.strip():
            yield place, msg("is_blank")
        if _IDENTITY.search(value) and key != "credit_code":
            yield place, msg("holds_whole_identity_number")


def word_fault(text: str, *, most: int, prose: bool = False) -> str | None:
    """Why a record cannot hold it as a name (as `prose`: a text of lines) of `most` characters."""
    if len(text) > most:
        return msg("longer_than_characters", most=most)
    found = _hidden(text, "", key="reason" if prose else "")
    return next((what for _, what in found), None)


def _turns(c: str) -> bool:
    return "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" or c in "\u2028\u2029"


def _times(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Times that the format allows and no clock can hold: leap seconds, the far end of 9999."""
    notices = document.get("incidents", {}).get("notices", ())
    places = [
        (f"waivers[{n}].expires", w["expires"]) for n, w in enumerate(document.get("waivers", ()))
    ] + [
        (f"incidents.notices[{n}].{name}", notice[name])
        for n, notice in enumerate(notices)
        for name in ("occurred_at", "reported_at", "provider_notified_at")
        if name in notice
    ]
    for place, text in places:
        try:
            waiver_end(text)
        except ValueError as problem:
            yield place, msg("at", where=text, what=told(problem))


def _dates(document: Mapping[str, Any], today: date) -> Iterator[tuple[str, str]]:
    if not document["documents"] and "draft" not in document:
        yield "documents", msg("empty_record_not_signed")
    for place, field, earlier, later in _ordered(document):
        if earlier > later:
            yield f"{place}.{field}", msg("lies_before", later=later, earlier=earlier)
    for place, day in _past(document):
        if date.fromisoformat(day) > today:
            yield place, msg("not_come_yet", day=day)
    for number, signed in enumerate(document["documents"]):
        if date.fromisoformat(signed["signed_on"]) > today:
            yield f"documents[{number}].signed_on", msg("not_come_yet", day=signed["signed_on"])
    period = document.get("period")
    if period and period["from"] > period["until"]:
        yield "period", msg("ends_before_begins", period=period["until"], period_2=period["from"])
    granted = document.get("resources", {}).get("period")
    if granted and granted["from"] > granted["until"]:
        yield (
            "resources.period",
            msg("ends_before_begins", period=granted["until"], period_2=granted["from"]),
        )
    for number, attestation in enumerate(document.get("attestations", ())):
        place = f"attestations[{number}]"
        if date.fromisoformat(attestation["date"]) > today:
            yield f"{place}.date", msg("not_come_yet", day=attestation["date"])
        if attestation.get("expires", attestation["date"]) < attestation["date"]:
            yield f"{place}.expires", msg("lies_before_day_attested")
    for number, notice in enumerate(document.get("incidents", {}).get("notices", ())):
        begun = moment(notice["occurred_at"])
        for name in ("reported_at", "provider_notified_at"):
            if name in notice and moment(notice[name]) < begun:
                yield f"incidents.notices[{number}].{name}", msg("lies_before_incident")


# (list, the day it begins, days that cannot lie before it)
_COURSES = (
    ("vulnerabilities", "found_on", ("mended_on", "reported_on")),
    ("harmful_content", "found_on", ("removed_on", "reported_on")),
    ("inspections", "date", ("mend_by", "mended_on")),
    ("suspensions", "from", ("until",)),
    ("management_rules", "date", ("expires",)),
    ("self_check.records", "date", ("mended_on", "notified_on")),
    ("sub_users.users", "undertaken_on", ("until",)),
    ("probes", "agreed_on", ("until",)),
)
# days that are told only when they were
_TOLD = frozenset(
    {
        "found_on",
        "mended_on",
        "removed_on",
        "reported_on",
        "notified_on",
        "undertaken_on",
        "agreed_on",
    }
)


def _entries(document: Mapping[str, Any], path: str) -> list[tuple[str, Mapping[str, Any]]]:
    outer, _, inner = path.partition(".")
    held = document.get(outer, {}).get(inner, ()) if inner else document.get(outer, ())
    return [(f"{path}[{number}]", entry) for number, entry in enumerate(held)]


def _ordered(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """(place, field, day, day of the field) of days that must not come before another."""
    for path, first, others in _COURSES:
        for place, entry in _entries(document, path):
            for field in others:
                if field in entry:
                    yield place, field, entry[first], entry[field]
    for place, entry in _entries(document, "notices"):
        if "withdrawn" in entry:
            yield place, "withdrawn.date", entry["date"], entry["withdrawn"]["date"]
    given = {entry["number"]: entry["date"] for entry in document.get("notices", ())}
    for place, entry in _entries(document, "notices"):
        if entry.get("of") in given:
            # what was not given yet cannot be looked at again
            yield place, "date", given[entry["of"]], entry["date"]
    if "ended" in document and "disposed" in document:
        yield "disposed", "date", document["ended"]["date"], document["disposed"]["date"]


def _past(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(place, day) of what a record tells of after it was."""
    for path, first, others in _COURSES:
        for place, entry in _entries(document, path):
            for field in (first, *others):
                told = field in _TOLD or (field == "date" and path != "management_rules")
                if told and field in entry:
                    yield f"{place}.{field}", entry[field]
    for place, entry in _entries(document, "training"):
        yield f"{place}.date", entry["date"]
    for path in ("notices", "taken_back", "voided"):
        for place, entry in _entries(document, path):
            yield f"{place}.date", entry["date"]
            if "withdrawn" in entry:
                yield f"{place}.withdrawn.date", entry["withdrawn"]["date"]
    if "last" in document.get("self_check", {}):
        yield "self_check.last", document["self_check"]["last"]
    if "disposed" in document:
        yield "disposed.date", document["disposed"]["date"]


def _resources(resources: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for number, port in enumerate(resources.get("ports", ())):
        first, _, last = port.partition("/")[0].partition("-")
        if not 0 < int(first) <= int(last or first) < 65536:
            yield f"resources.ports[{number}]", msg("no_port_range_ports", port=port)
    addresses = []
    for number, address in enumerate(resources.get("addresses", ())):
        try:
            addresses.append(str(ipaddress.ip_network(address)))
        except ValueError as problem:
            yield f"resources.addresses[{number}]", told(problem)
    yield from _twice("resources.addresses", addresses)
    domains = []
    for number, domain in enumerate(resources.get("domains", ())):
        ascii_form = ascii_domain(domain)
        if ascii_form is None:
            yield f"resources.domains[{number}]", msg("no_domain_name", domain=domain)
        else:
            domains.append(ascii_form)
    yield from _twice("resources.domains", domains)
    for number, host in enumerate(resources.get("hosts", ())):
        if why := reaching.wrong_declared(host):
            yield f"resources.hosts[{number}]", msg("at", where=host, what=why)
    yield from _twice("resources.hosts", resources.get("hosts", ()))


def _consents(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Nobody agrees to probes of hosts that the record does not declare."""
    declared = set(document.get("resources", {}).get("hosts", ()))
    for number, consent in enumerate(document.get("probes", ())):
        for place, host in enumerate(consent.get("hosts", ())):
            if host not in declared:
                yield f"probes[{number}].hosts[{place}]", msg("probe_host_not_declared", host=host)


def ascii_domain(name: str) -> str | None:
    """The name in lower case and ASCII (IDNA), without its last dot; None when it is no domain."""
    try:
        text = name.removesuffix(".").lower().encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = text.removeprefix("*.").split(".")
    if len(labels) < 2 or len(text) > 253 or labels[-1].isdigit():
        return None
    return text if all(_LABEL.fullmatch(label) for label in labels) else None


def _names(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known = documents.clauses()
    for number, entry in enumerate(document.get("attestations", ())):
        if entry["clause"] not in known:
            yield f"attestations[{number}].clause", msg("no_clause_named", entry=entry["clause"])
    for number, entry in enumerate(document.get("acknowledgements", ())):
        for name in entry["clauses"]:
            if name not in known:
                yield f"acknowledgements[{number}].clauses", msg("no_clause_named", entry=name)
    for place in ("waivers", "follow_ups"):
        entries = document.get(place, ())
        for number, entry in enumerate(entries):
            if entry["control"] not in catalog.controls():
                yield (
                    f"{place}[{number}].control",
                    msg("no_control_named_hostpledge", entry=entry["control"]),
                )
        yield from _twice(place, (f"{e['control']} on {e['host']}" for e in entries))
    for path in ("incidents.notices", "vulnerabilities", "harmful_content", "inspections"):
        yield from _twice(path, (entry["id"] for _, entry in _entries(document, path)))
    yield from _twice("notices", (entry["number"] for entry in document.get("notices", ())))
    yield from _twice("voided", (str(entry["sequence"]) for entry in document.get("voided", ())))
    if document.get("renews") == document["id"]:
        yield "renews", msg("names_record_itself")


def _twice(place: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield place, msg("stands_twice", match=name)
        seen.add(name)


def credit_code_valid(code: str) -> bool:
    """Is the last of the 18 characters the check character of the others (GB 32100-2015, 5.2)?"""
    if len(code) != 18 or any(c not in _CODE for c in code):
        return False
    total = sum(_CODE.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
    return _CODE[(31 - total % 31) % 31] == code[17]
