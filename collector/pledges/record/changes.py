"""Small changes to a pledge record, each of which makes a new version of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.record.form import PledgeRecord, from_document

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


def updated(old: PledgeRecord, new: PledgeRecord, keep: Collection[str] = ()) -> PledgeRecord:
    """The next version of `old`, as a list has it in `new`.

    `keep`: fields that stay where the list says nothing of them. What was signed stays signed: a
    list from before then makes no draft of it.
    """
    held = old.document
    document = {**new.document, **{f: held[f] for f in keep if f in held and f not in new.document}}
    if document.get("draft") and not held.get("draft"):
        del document["draft"]
        document["documents"] = held["documents"]
    return PledgeRecord(document)


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
