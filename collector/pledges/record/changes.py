"""Small changes to a pledge record, each of which makes a new version of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from collector.pledges.record.form import PledgeRecord, from_document


def followed_up(
    record: PledgeRecord, control: str, host: str, entry: Mapping[str, Any] | None, *, today: date
) -> PledgeRecord:
    """With who sees to a control on a host (or `*`), until when; None: nobody any more.

    Raises BadInput where the record does not hold then.
    """
    return _with(record, "follow_ups", control, host, entry, today)


def waived(
    record: PledgeRecord, control: str, host: str, entry: Mapping[str, Any] | None, *, today: date
) -> PledgeRecord:
    """With a waiver for a control on a host (or `*`); None: none any more. Raises as above."""
    return _with(record, "waivers", control, host, entry, today)


def _with(
    record: PledgeRecord,
    field: str,
    control: str,
    host: str,
    entry: Mapping[str, Any] | None,
    today: date,
) -> PledgeRecord:
    document: dict[str, Any] = json.loads(record.canonical())
    kept = [e for e in document.pop(field, []) if (e["control"], e["host"]) != (control, host)]
    if entry is not None:
        kept.append({"control": control, "host": host, **entry})
    if kept:
        document[field] = kept
    return from_document(document, where=record.id, today=today)
