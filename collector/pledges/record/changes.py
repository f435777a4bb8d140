"""Small changes to a pledge record, each of which makes a new version of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.record.masking import masked
from collector.pledges.record.reverting import carried

Entries = Mapping[tuple[str, str], Mapping[str, Any] | None]
"""By control and host (or `*`): what takes the place of the entry of both; None: nothing does."""


def followed_up(record: PledgeRecord, entries: Entries, *, today: date) -> PledgeRecord:
    """With who sees to a control on a host, until when.

    Raises BadInput where the record does not hold then.
    """
    return _with(record, "follow_ups", entries, today)


def waived(record: PledgeRecord, entries: Entries, *, today: date) -> PledgeRecord:
    """With waivers for a control on a host. Raises as above."""
    return _with(record, "waivers", entries, today)


def check_names(known: Iterable[str], more: Iterable[str], *, where: str) -> None:
    """Raises BadInput for ids that differ in case only: they name folders, and to many a disk two

    such are one.
    """
    lower = {id.lower(): id for id in known}
    for id in more:
        other = lower.setdefault(id.lower(), id)
        if other != id:
            raise BadInput(
                msg("ids_differ_upper_lower", other=other, which=id),
                where=where,
                mend=msg("give_another_id"),
            )


def check_customer(old: PledgeRecord, new: PledgeRecord) -> None:
    """Raises BadInput where the next version is another customer's: what is attached is of one.

    By another name and another number; either alone may be put right, or both, one after the other.
    """
    before, after = old.document["customer"], new.document["customer"]
    if _another(before, after):
        raise BadInput(
            msg("another_customer", now=masked(before["name"]), then=masked(after["name"])),
            where=old.id,
            mend=msg("another_customer_mend"),
        )


def check_renewed(
    made: Iterable[PledgeRecord],
    before: Mapping[str, PledgeRecord],
    newest: Callable[[str], PledgeRecord | None],
) -> None:
    """Raises BadInput where a record says now, and did not `before`, that it continues another

    customer's: that one's clocks would stop, and nobody be told.
    """
    for one in made:
        id = one.document.get("renews")
        if id is None or (one.id in before and before[one.id].document.get("renews") == id):
            continue
        found = newest(id)
        # of what was disposed of nobody knows whose it was
        if found is not None and "disposed" not in found.document:
            _check_renewal(found, one)


def _check_renewal(old: PledgeRecord, new: PledgeRecord) -> None:
    before, after = old.document["customer"], new.document["customer"]
    if _another(before, after):
        raise BadInput(
            msg(
                "renews_another_customer",
                renewed=old.id,
                now=masked(before["name"]),
                then=masked(after["name"]),
            ),
            where=new.id,
            mend=msg("renews_another_customer_mend"),
        )


def _another(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    numbers = _number(before), _number(after)
    return before["name"] != after["name"] and all(numbers) and numbers[0] != numbers[1]


def check_signed(old: PledgeRecord, new: PledgeRecord) -> None:
    """Raises BadInput where the next version has other papers than those that were signed.

    By type and version of a document: another file, or another day. More may be signed.
    """
    if old.document.get("draft"):
        return
    after = {_paper(entry): entry for entry in new.document.get("documents", ())}
    for entry in old.document.get("documents", ()):
        if (now := after.get(_paper(entry))) is None or _signed(now) != _signed(entry):
            day = entry["signed_on"]
            raise BadInput(
                msg("other_responsibility_than_signed", day=day)
                if entry["type"] == "responsibility"
                else msg("other_pledge_than_signed", day=day),
                where=old.id,
                mend=msg("other_papers_than_signed_mend"),
            )


def _paper(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["type"]), str(entry["version"])


def _signed(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["sha256"]), str(entry["signed_on"])


def check_same_customer(old: PledgeRecord, new: PledgeRecord) -> None:
    """Raises BadInput where an id that is free again would go to another customer.

    A name, or a number, that was mistyped is not another one's; but many people have one name.
    """
    before, after = old.document["customer"], new.document["customer"]
    numbers = _number(before), _number(after)
    named = before["name"] == after["name"]
    if named and all(numbers) and "person" in (before["kind"], after["kind"]):
        named = numbers[0] == numbers[1]
    if not named and not (numbers[0] == numbers[1] != ""):
        raise BadInput(
            msg("id_of_another_customer", now=masked(before["name"])),
            where=old.id,
            mend=msg("give_another_id"),
        )


def _number(customer: Mapping[str, Any]) -> str:
    return str(customer.get("credit_code") or customer.get("identity_masked") or "")


def following(
    old: PledgeRecord,
    new: PledgeRecord,
    *,
    update: bool,
    keep: Collection[str] | None = None,
    told: Collection[str] | None = None,
) -> PledgeRecord:
    """The version that is written after `old`: what looks only, and what writes, both ask here.

    `keep` None: a command made it of the newest version, and means all of it. `told` as `updated`
    has it. Raises BadInput where there can be none.
    """
    if update and "disposed" in old.document and "disposed" not in new.document:
        # what it said is gone: a further version would stand beside versions of nothing
        raise BadInput(msg("disposed_stays_so"), where=old.id, mend=msg("disposed_stays_so_mend"))
    if not update:
        # accounts and links that were given out name the id alone
        check_same_customer(old, new)
    elif keep is not None:
        new = updated(old, new, keep, told)
    return carried(old, new)


def updated(
    old: PledgeRecord,
    new: PledgeRecord,
    keep: Collection[str] = (),
    told: Collection[str] | None = None,
) -> PledgeRecord:
    """The next version of `old`, as a list has it in `new`.

    `keep`: fields that stay where the list says nothing of them. `told`: the fields that the list
    has a column or a sheet for, all others stay; None: it has all. What was signed stays signed: a
    list from before then makes no draft of it.
    """
    held = old.document
    document = dict(new.document)
    if told is not None:
        document = unsaid(held, {*told, "documents", "draft"}, document)
        if document != new.document:
            # somebody wrote to it since the list was read
            document = dict(from_document(document, where=old.id).document)
    document |= {f: held[f] for f in keep if f in held and f not in document}
    if document.get("draft") and not held.get("draft"):
        del document["draft"]
        document["documents"] = held["documents"]
    return PledgeRecord(document)


def unsaid(
    held: Mapping[str, Any], told: Collection[str], new: Mapping[str, Any], path: str = ""
) -> dict[str, Any]:
    """`new`, and of `held` what stands in fields (by path) that are not `told`."""
    document = dict(new)
    for name, value in held.items():
        field = f"{path}{name}"
        if field in told:
            continue
        if isinstance(value, Mapping) and any(one.startswith(f"{field}.") for one in told):
            part = new.get(name)
            inner = unsaid(value, told, part if isinstance(part, Mapping) else {}, f"{field}.")
            if inner:
                document[name] = inner
        else:
            document[name] = value
    return document


def _with(record: PledgeRecord, field: str, entries: Entries, today: date) -> PledgeRecord:
    document: dict[str, Any] = json.loads(record.canonical())
    kept = [e for e in document.pop(field, []) if (e["control"], e["host"]) not in entries]
    kept += [
        {"control": control, "host": host, **entry}
        for (control, host), entry in entries.items()
        if entry is not None
    ]
    if kept:
        document[field] = kept
    return from_document(document, where=record.id, today=today)
