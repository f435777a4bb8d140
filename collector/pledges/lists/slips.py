"""What of a record is likely a slip of whoever wrote it, and may be right all the same. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from collector import catalog
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.papers import same_customer
from collector.pledges.record.sought import plain

# the longest that a contract of lease may run is 20 years (民法典 705), and few pledges run five
LONGEST_YEARS = 20
# a paper may be signed somewhat after the days that it is of
_LATE = timedelta(days=366)
_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Alike:
    """A record that was just made, and one in force that says the same of the same customer."""

    id: str
    other: str
    papers: bool
    hosts: bool
    addresses: bool


def renamed(
    before: Mapping[str, PledgeRecord], made: Iterable[PledgeRecord]
) -> Iterator[tuple[PledgeRecord, PledgeRecord]]:
    """(then, now) of each signed record whose customer has another name now."""
    for now in made:
        then = before.get(now.id)
        if then is None or then.document.get("draft"):
            continue
        if then.document["customer"]["name"] != now.document["customer"]["name"]:
            yield then, now


@dataclass(frozen=True, slots=True)
class Moved:
    """A record whose customer has a name now that another customer has in record `owner`."""

    id: str
    before: str
    after: str
    owner: str


def moved(before: Mapping[str, PledgeRecord], made: Iterable[PledgeRecord]) -> Iterator[Moved]:
    """Names of rows that slipped against their ids; one customer may have several records."""
    owners: dict[str, list[PledgeRecord]] = {}
    for one in before.values():
        owners.setdefault(plain(one.customer), []).append(one)
    for now in made:
        then = before.get(now.id)
        if then is None or plain(then.customer) == plain(now.customer):
            continue
        others = (one for one in owners.get(plain(now.customer), ()) if one.id != now.id)
        for other in others:
            if not same_customer(now.document, other.document):
                yield Moved(now.id, then.customer, now.customer, other.id)
                break


def years(record: PledgeRecord) -> int | None:
    """How many the period runs, where that is longer than any contract; None otherwise."""
    period = record.document.get("period", {})
    if "from" not in period or "until" not in period:
        return None
    length = date.fromisoformat(period["until"]) - date.fromisoformat(period["from"])
    found = round(length.days / _YEAR)
    return found if found > LONGEST_YEARS else None


def signed_late(record: PledgeRecord) -> tuple[date, date] | None:
    """(begin of the period, day of the signature) where the latter is years after it."""
    begun, signed = record.document.get("period", {}).get("from"), record.signed_on
    if begun is None or signed is None:
        return None
    first = date.fromisoformat(begun)
    return (first, signed) if signed - first > _LATE else None


@dataclass(frozen=True, slots=True)
class Stray:
    """An entry for a host that its record does not declare, and what may have been meant."""

    id: str
    field: str
    host: str
    near: str


def strays(before: Mapping[str, PledgeRecord], made: Iterable[PledgeRecord]) -> Iterator[Stray]:
    """Of entries that are new; a record that declares no hosts has none to go by."""
    for one in made:
        declared = one.hosts
        if not declared:
            continue
        old = _of_hosts(before[one.id]) if one.id in before else set()
        for field, host in sorted(_of_hosts(one) - old):
            if host not in declared and host != "*":
                near = difflib.get_close_matches(host, declared, 1, 0.6)
                yield Stray(one.id, field, host, near[0] if near else "")


def _of_hosts(record: PledgeRecord) -> set[tuple[str, str]]:
    document = record.document
    found = {(f, str(e["host"])) for f in ("follow_ups", "waivers") for e in document.get(f, ())}
    for entry in document.get("attestations", ()):
        found |= {("attestations", str(host)) for host in entry.get("hosts", ())}
    return found


def without_effect(
    before: Mapping[str, PledgeRecord], made: Iterable[PledgeRecord]
) -> Iterator[tuple[str, str]]:
    """(pledge, control) of attestations that are new, for controls that go by none."""
    for one in made:
        old = _attested(before[one.id]) if one.id in before else set()
        for id in sorted(_attested(one) - old):
            known = catalog.described().get(id)
            if known is not None and known.attested is None:
                yield one.id, id


def _attested(record: PledgeRecord) -> set[str]:
    entries = record.document.get("attestations", ())
    return {str(entry["control"]) for entry in entries if "control" in entry}


def dropped(
    before: Mapping[str, PledgeRecord], made: Iterable[PledgeRecord]
) -> Iterator[tuple[str, str, str, str]]:
    """(pledge, field, control, host) of owners and waivers that were on record and are no more."""
    for one in made:
        if one.id not in before:
            continue
        for field in ("follow_ups", "waivers"):
            held = before[one.id].document.get(field, ())
            now = {(e["control"], e["host"]) for e in one.document.get(field, ())}
            for entry in held:
                if (entry["control"], entry["host"]) not in now:
                    yield one.id, field, str(entry["control"]), str(entry["host"])


def alike(before: Mapping[str, PledgeRecord], made: Collection[PledgeRecord]) -> Iterator[Alike]:
    """Those that are new and may be another one under a mistyped id.

    Of the same customer and days, with the same papers, hosts or addresses; what one says it
    continues is no slip.
    """
    every = {**before, **{one.id: one for one in made}}
    by_customer: dict[str, list[PledgeRecord]] = {}
    for one in every.values():
        for name in _called(one):
            by_customer.setdefault(name, []).append(one)
    told = set[frozenset[str]]()
    for mine in made:
        if mine.id in before and "ended" not in before[mine.id].document:
            continue
        others = {one.id: one for name in _called(mine) for one in by_customer[name]}
        for other in others.values():
            pair = frozenset((mine.id, other.id))
            if pair in told or not _may_be_one(mine, other):
                continue
            found = Alike(mine.id, other.id, *_shared(mine, other))
            if found.papers or found.hosts or found.addresses:
                told.add(pair)
                yield found


def one_code(
    before: Mapping[str, PledgeRecord], made: Collection[PledgeRecord]
) -> Iterator[tuple[str, list[PledgeRecord]]]:
    """Each credit code that customers of different names have, and the records that say so.

    Said once, of a name that no record had with that code; what is ended is nobody's slip any more.
    """
    every = {**before, **{one.id: one for one in made}}
    known = {(_code(one), plain(one.customer)) for one in before.values()}
    fresh = {
        code for one in made if (code := _code(one)) and (code, plain(one.customer)) not in known
    }
    by_code: dict[str, list[PledgeRecord]] = {}
    for one in every.values():
        if (code := _code(one)) in fresh and not {"ended", "disposed"} & one.document.keys():
            by_code.setdefault(code, []).append(one)
    new = {one.id for one in made}
    for code, records in sorted(by_code.items()):
        if len({plain(one.customer) for one in records}) > 1:
            # a line names a few of them
            yield code, sorted(records, key=lambda one: (one.id not in new, one.id))


def _code(record: PledgeRecord) -> str:
    return str(record.document["customer"].get("credit_code", ""))


def _called(record: PledgeRecord) -> set[str]:
    customer = record.document["customer"]
    return {str(customer["name"]), str(customer.get("credit_code") or customer["name"])}


def _may_be_one(mine: PledgeRecord, other: PledgeRecord) -> bool:
    one, two = mine.document, other.document
    if mine.id == other.id or {"ended", "disposed"} & (one.keys() | two.keys()):
        return False
    if one.get("renews") == other.id or two.get("renews") == mine.id:
        return False
    days, their = one.get("period"), two.get("period")
    if days and their and (days["until"] < their["from"] or their["until"] < days["from"]):
        return False
    return same_customer(one, two)


def _shared(mine: PledgeRecord, other: PledgeRecord) -> tuple[bool, bool, bool]:
    papers, hosts, addresses = (
        not one.isdisjoint(two) for one, two in zip(_holds(mine), _holds(other), strict=True)
    )
    return papers, hosts, addresses


def _holds(record: PledgeRecord) -> tuple[set[str], set[str], set[str]]:
    papers = {str(one["sha256"]) for one in record.document["documents"]}
    addresses = record.document.get("resources", {}).get("addresses", ())
    return papers, set(record.hosts), set(addresses)
