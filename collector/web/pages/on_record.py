"""What a record says of papers given to its customer, and of what was put on it by mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.model import Lang
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.record.notices import Notice, notices
from collector.pledges.record.reverting import named


def given(record: PledgeRecord) -> list[dict[str, Any]]:
    """Its notices, the newest first."""
    return [_notice(one) for one in reversed(notices(record))]


def taken_back(record: PledgeRecord, lang: Lang) -> list[dict[str, Any]]:
    """What was put on record by mistake, and taken back: it stays to be seen."""
    return [_taken_back(one, lang) for one in record.document.get("taken_back", ())]


def _notice(one: Notice) -> dict[str, Any]:
    first, last = one.own_day, one.last_day
    gone = one.withdrawn
    return {
        "number": str(masked(one.number)),
        "kind": one.kind,
        "date": one.date,
        "evidence": one.evidence,
        "named": len(one.named),
        "days": first if first == last else f"{first} – {last}",
        "withdrawn": masked(dict(gone)) if gone else None,
    }


def _taken_back(entry: Mapping[str, Any], lang: Lang) -> dict[str, Any]:
    """As `pledge show` has it."""
    return {
        "at": entry["date"],
        "by": masked(entry["by"]),
        "reason": masked(entry["reason"]),
        "what": [one.to(lang) for one in named(entry)],
        "days": sorted({str(paper["signed_on"]) for paper in entry.get("documents", ())}),
    }
