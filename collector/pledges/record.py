"""Pledge records: what a customer signed and declared, read strictly.

The schema (`schemas/pledge-record.schema.json`) says what fields there are. What a schema cannot
say is checked here: the check character of the credit code, the order of dates, addresses,
domains, clauses and controls by name, and that no text hides control characters.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, cast

import rfc8785

from collector import catalog
from collector.errors import BadInput
from collector.model import Waiver
from collector.pledges import documents
from collector.resources import shared
from collector.schema import check, load_json, load_yaml

LARGEST = 4 * 1024 * 1024
CHINA = timezone(timedelta(hours=8), "UTC+8")
_CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_IDENTITY = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])"
    r"[0-9]{3}[0-9Xx](?![0-9A-Za-z])"
)
_PROSE = frozenset({"statement", "reason", "summary"})
_SEEN_CONTROLS = frozenset("\n\t")


@dataclass(frozen=True, slots=True)
class PledgeRecord:
    """One pledge record. `document` is in the form of the schema and must not be changed."""

    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        return cast(str, self.document["id"])

    @property
    def grade(self) -> int:
        """The MLPS grade, 2 or 3, that hosts are judged at."""
        return cast(int, self.document["grade"])

    @property
    def customer(self) -> str:
        return cast(str, self.document["customer"]["name"])

    @property
    def hosts(self) -> tuple[str, ...]:
        """The inventory's names of the hosts declared under clause 五."""
        return tuple(self.document.get("resources", {}).get("hosts", ()))

    @property
    def data_inventory(self) -> Mapping[str, Any] | None:
        return cast("Mapping[str, Any] | None", self.document.get("data_inventory"))

    @property
    def signed_on(self) -> date:
        """The day the first of the documents was signed."""
        return min(date.fromisoformat(d["signed_on"]) for d in self.document["documents"])

    def canonical(self) -> bytes:
        """The record as RFC 8785 JSON: what is stored, and what its digest is taken over."""
        return rfc8785.dumps(cast(Any, self.document))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()


def load(path: Path, *, today: date | None = None) -> PledgeRecord:
    """The record in a YAML or JSON file; raises BadInput with one line that says what is wrong."""
    try:
        with path.open("rb") as source:
            data = source.read(LARGEST + 1)
    except OSError as problem:
        raise BadInput(problem.strerror or "cannot be read", where=str(path)) from None
    except ValueError:
        raise BadInput("no file can have that name", where=repr(str(path))) from None
    return from_bytes(data, where=str(path), today=today)


def from_bytes(data: bytes, *, where: str, today: date | None = None) -> PledgeRecord:
    """As `load`, from bytes; `where` names them in messages."""
    if len(data) > LARGEST:
        raise BadInput(f"larger than {LARGEST >> 20} MiB: no pledge record is", where=where)
    if b"\0" in data:
        raise BadInput("holds a NUL byte: not a text file", where=where)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadInput(
            f"not UTF-8 (byte {problem.start})", where=where, mend="save the file as UTF-8"
        ) from None
    if not text.strip():
        raise BadInput("empty: no pledge record in it", where=where)
    if text.lstrip().startswith("{"):
        document = load_json(text, where=where)
    else:
        document = load_yaml(text, where=where)
    return from_document(document, where=where, today=today)


def from_document(document: Any, *, where: str, today: date | None = None) -> PledgeRecord:
    """A record out of what JSON or YAML gave; raises BadInput naming the first fault.

    `today` is the day that no signature may lie after; without it, today in China.
    """
    check(document, "pledge-record", where=where)
    try:
        rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, TypeError, ValueError, RecursionError) as problem:
        raise BadInput(f"holds what JSON cannot: {problem}", where=where) from None
    faults = _faults(document, today or datetime.now(CHINA).date())
    fault = next(faults, None)
    if fault is not None:
        place, what = fault
        raise BadInput(f"{place}: {what}", where=where)
    inventory = document.get("data_inventory")
    if inventory is not None and shared("schemas", "data-inventory.schema.json").is_file():
        check(inventory, "data-inventory", where=f"{where}: data_inventory")
    return PledgeRecord(document)


def stored(text: str, *, where: str) -> PledgeRecord:
    """A record out of the register: it was checked when it was added, under the schema of then."""
    document = load_json(text, where=where)
    check(document, "pledge-record", where=where)
    return PledgeRecord(document)


def waivers(record: PledgeRecord) -> tuple[Waiver, ...]:
    """The record's waivers; one that names a day lasts until that day ends in China."""
    return tuple(
        Waiver(w["control"], w["host"], w["reason"], w["approver"], waiver_end(w["expires"]))
        for w in record.document.get("waivers", ())
    )


def waiver_end(expires: str) -> datetime:
    """When a waiver ends (aware, UTC)."""
    if "T" in expires.upper():
        return datetime.fromisoformat(expires.upper()).astimezone(UTC)
    day = date.fromisoformat(expires) + timedelta(days=1)
    return datetime.combine(day, time(), CHINA).astimezone(UTC)


def attached_documents(record: PledgeRecord) -> dict[str, bytes]:
    """Documents of the record that judges may use: `data-inventory` as RFC 8785 JSON."""
    inventory = record.data_inventory
    return {} if inventory is None else {"data-inventory": rfc8785.dumps(cast(Any, inventory))}


def credit_code_valid(code: str) -> bool:
    """Is the last of the 18 characters the check character of the others (GB 32100-2015, 5.2)?"""
    if len(code) != 18 or any(c not in _CODE for c in code):
        return False
    total = sum(_CODE.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
    return _CODE[(31 - total % 31) % 31] == code[17]


# --- what a schema cannot say ---------------------------------------------------------------------


def _faults(document: Mapping[str, Any], today: date) -> Iterator[tuple[str, str]]:
    yield from _hidden(document, "")
    code = document["customer"].get("credit_code")
    if code is not None and not credit_code_valid(code):
        yield (
            "customer.credit_code",
            f"{code} is no unified social credit code: its check character does not fit "
            "(GB 32100-2015)",
        )
    yield from _dates(document, today)
    yield from _twice("documents", (f"{d['type']} {d['version']}" for d in document["documents"]))
    yield from _resources(document.get("resources", {}))
    yield from _names(document)


def _hidden(value: Any, place: str, *, key: str = "") -> Iterator[tuple[str, str]]:
    """Control and direction characters, which would show a reader something else than is there."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _hidden(inner, f"{place}.{name}" if place else str(name), key=str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _hidden(inner, f"{place}[{number}]", key=key)
    elif isinstance(value, str):
        allowed = _SEEN_CONTROLS if key in _PROSE or "data_inventory" in place else frozenset()
        for c in value:
            if c not in allowed and (unicodedata.category(c) in ("Cc", "Cs") or _turns(c)):
                yield place, f"holds the unseen character U+{ord(c):04X}"
        if not value.strip():
            yield place, "is blank"
        if _IDENTITY.search(value) and key != "credit_code":
            yield place, "holds a whole identity number; mask it, e.g. 110101********1234"


def _turns(c: str) -> bool:
    return "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069" or c in "\u2028\u2029"


def _dates(document: Mapping[str, Any], today: date) -> Iterator[tuple[str, str]]:
    for number, signed in enumerate(document["documents"]):
        if date.fromisoformat(signed["signed_on"]) > today:
            yield f"documents[{number}].signed_on", f"{signed['signed_on']} has not come yet"
    period = document.get("period")
    if period and period["from"] > period["until"]:
        yield "period", f"ends ({period['until']}) before it begins ({period['from']})"
    last = document.get("self_check", {}).get("last")
    if last and date.fromisoformat(last) > today:
        yield "self_check.last", f"{last} has not come yet"
    for number, attestation in enumerate(document.get("attestations", ())):
        place = f"attestations[{number}]"
        if date.fromisoformat(attestation["date"]) > today:
            yield f"{place}.date", f"{attestation['on']} has not come yet"
        if attestation.get("expires", attestation["date"]) < attestation["date"]:
            yield f"{place}.expires", "lies before the day it was attested"
    for number, notice in enumerate(document.get("incidents", {}).get("notices", ())):
        begun = datetime.fromisoformat(notice["occurred_at"].upper())
        for name in ("reported_at", "provider_notified_at"):
            if name in notice and datetime.fromisoformat(notice[name].upper()) < begun:
                yield f"incidents.notices[{number}].{name}", "lies before the incident"


def _resources(resources: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    addresses = []
    for number, address in enumerate(resources.get("addresses", ())):
        try:
            addresses.append(str(ipaddress.ip_network(address)))
        except ValueError as problem:
            yield f"resources.addresses[{number}]", str(problem)
    yield from _twice("resources.addresses", addresses)
    domains = []
    for number, domain in enumerate(resources.get("domains", ())):
        ascii_form = ascii_domain(domain)
        if ascii_form is None:
            yield f"resources.domains[{number}]", f"{domain!r} is no domain name"
        else:
            domains.append(ascii_form)
    yield from _twice("resources.domains", domains)
    yield from _twice("resources.hosts", resources.get("hosts", ()))


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
            yield f"attestations[{number}].clause", f"no clause is named {entry['clause']}"
    for number, entry in enumerate(document.get("acknowledgements", ())):
        for name in entry["clauses"]:
            if name not in known:
                yield f"acknowledgements[{number}].clauses", f"no clause is named {name}"
    granted = document.get("waivers", ())
    for number, waiver in enumerate(granted):
        if waiver["control"] not in catalog.controls():
            yield (
                f"waivers[{number}].control",
                f"no control is named {waiver['control']} (`hostpledge controls` lists them)",
            )
    yield from _twice("waivers", (f"{w['control']} on {w['host']}" for w in granted))
    notices = document.get("incidents", {}).get("notices", ())
    yield from _twice("incidents.notices", (notice["id"] for notice in notices))


def _twice(place: str, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield place, f"{name} stands twice"
        seen.add(name)
