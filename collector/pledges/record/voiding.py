"""Evidence that was attached wrongly, as its record says: it stays, and says nothing. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.record.reverting import FIELD


def voided(record: PledgeRecord) -> Sequence[Mapping[str, Any]]:
    """Its entries, in the order in which they were made."""
    return tuple(record.document.get("voided", ()))


def with_void(record: PledgeRecord, entry: Mapping[str, Any], *, today: date) -> PledgeRecord:
    """With evidence that is void from now on; raises BadInput where it is already."""
    return _with(record, [*voided(record), entry], today)


def without_void(
    record: PledgeRecord, sequence: int, said: Mapping[str, str] | None = None, *, today: date
) -> PledgeRecord:
    """With evidence that is not void any more; `said`, why and by whom, stays on record."""
    left = [entry for entry in voided(record) if entry["sequence"] != sequence]
    back = {"date": today.isoformat(), "fields": ["voided"], "evidence": sequence, **(said or {})}
    return _with(record, left, today, back if said else None)


def _with(
    record: PledgeRecord,
    entries: Sequence[Mapping[str, Any]],
    today: date,
    back: Mapping[str, Any] | None = None,
) -> PledgeRecord:
    document: dict[str, Any] = json.loads(record.canonical())
    document.pop("voided", None)
    if back is not None:
        document[FIELD] = [*document.get(FIELD, ()), dict(back)]
    if entries:
        document["voided"] = [dict(entry) for entry in entries]
    return from_document(document, where=record.id, today=today)
