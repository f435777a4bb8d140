"""A record as it stood in an earlier version of it, without what may not be unsaid. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from typing import Any

from collector.pledges.record.form import PledgeRecord, from_document

# what happened, was signed or was agreed to is not taken back by going back
KEPT = frozenset(
    {
        "disposed",
        "documents",
        "draft",
        "ended",
        "id",
        "incidents",
        "notices",
        "probes",
        "renews",
        "schema",
        "suspensions",
        "voided",
    }
)


def reverted(
    newest: PledgeRecord, earlier: PledgeRecord, *, fields: Collection[str] = (), today: date
) -> PledgeRecord:
    """`newest` with the fields that `earlier` has otherwise; all but KEPT, where none is named.

    Raises BadInput where the record does not hold then.
    """
    document: dict[str, Any] = json.loads(newest.canonical())
    before: dict[str, Any] = json.loads(earlier.canonical())
    for name in sorted((document.keys() | before.keys()) - KEPT):
        if fields and name not in fields:
            continue
        document.pop(name, None)
        if name in before:
            document[name] = before[name]
    return from_document(document, where=newest.id, today=today)


def stays(newest: PledgeRecord, earlier: PledgeRecord) -> list[str]:
    """The fields that differ and are not taken back."""
    return sorted(name for name in KEPT if newest.document.get(name) != earlier.document.get(name))
