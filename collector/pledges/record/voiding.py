"""Evidence that was attached wrongly, as its record says: it stays, and says nothing. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from collector.pledges.record.form import PledgeRecord, from_document


def voided(record: PledgeRecord) -> Sequence[Mapping[str, Any]]:
    """Its entries, in the order in which they were made."""
    return tuple(record.document.get("voided", ()))


def with_void(record: PledgeRecord, entry: Mapping[str, Any], *, today: date) -> PledgeRecord:
    """With evidence that is void from now on; raises BadInput where it is already."""
    return _with(record, [*voided(record), entry], today)


def without_void(record: PledgeRecord, sequence: int, *, today: date) -> PledgeRecord:
    """With evidence that is not void any more."""
    left = [entry for entry in voided(record) if entry["sequence"] != sequence]
    return _with(record, left, today)


def _with(record: PledgeRecord, entries: Sequence[Mapping[str, Any]], today: date) -> PledgeRecord:
    document: dict[str, Any] = json.loads(record.canonical())
    document.pop("voided", None)
    if entries:
        document["voided"] = [dict(entry) for entry in entries]
    return from_document(document, where=record.id, today=today)
