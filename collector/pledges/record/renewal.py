"""The record that continues a pledge: what stays as it was, what the old one keeps. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.record.terms import months_on
from collector.pledges.record.times import CHINA, waiver_end

# what happened under the old pledge stays with it, and so does what was signed for it
STAYS = (
    "acknowledgements",
    "disposed",
    "ended",
    "follow_ups",
    "harmful_content",
    "incidents.notices",
    "inspections",
    "no_transfer",
    "notices",
    "probes",
    "suspensions",
    "taken_back",
    "voided",
    "vulnerabilities",
)


def renewed(
    old: PledgeRecord,
    id: str,
    period: tuple[date, date],
    documents: Sequence[Mapping[str, Any]],
    *,
    today: date,
) -> PledgeRecord:
    """A draft where no document is given. Raises BadInput where the record does not hold then.

    And where its period is over: nobody signs for days that are past.
    """
    if period[1] < today:
        until = period[1].isoformat()
        where, mend = old.id, msg("renewal_in_past_mend")
        raise BadInput(msg("renewal_in_past", until=until), where=where, mend=mend)
    document: dict[str, Any] = json.loads(old.canonical())
    for path in STAYS:
        outer, _, inner = path.partition(".")
        held = document.get(outer, {}) if inner else document
        held.pop(inner or outer, None)
        if inner and not held:
            document.pop(outer, None)
    waivers = [w for w in document.pop("waivers", []) if _holds(w, today)]
    if waivers:
        document["waivers"] = waivers
    first, last = (day.isoformat() for day in period)
    document |= {
        "id": id,
        "renews": old.id,
        "period": {"from": first, "until": last},
        "documents": [dict(entry) for entry in documents],
    }
    if "period" in document.get("resources", {}):
        document["resources"]["period"] = {"from": first, "until": last}
    document.pop("draft", None)
    if not documents:
        document["draft"] = True
    return from_document(document, where=id, today=today)


def signed(
    draft: PledgeRecord, documents: Sequence[Mapping[str, Any]], *, today: date
) -> PledgeRecord:
    """A draft with the documents that were signed, and no draft any more; raises as above."""
    document: dict[str, Any] = json.loads(draft.canonical())
    document.pop("draft", None)
    document["documents"] = [*document["documents"], *map(dict, documents)]
    return from_document(document, where=draft.id, today=today)


def left_behind(old: PledgeRecord) -> list[str]:
    """The fields of the old record that the new one does not take over."""
    found = []
    for path in STAYS:
        outer, _, inner = path.partition(".")
        held = old.document.get(outer)
        if held is not None and (not inner or held.get(inner)):
            found.append(path)
    return found


def next_period(old: PledgeRecord, first: date | None, last: date | None) -> tuple[date, date]:
    """From the day after the old one ends, as long as it was, where nothing else is said.

    Raises BadInput where the old one does not say so much, or its end has no day after it.
    """
    period = old.document.get("period")
    try:
        if period is not None:
            start, end = (date.fromisoformat(period[word]) for word in ("from", "until"))
            first = first or end + timedelta(days=1)
            last = last or _as_long(start, end, first)
    except (OverflowError, ValueError):
        pass
    if first is None or last is None:
        raise BadInput(msg("renewal_no_period"), where=old.id, mend=msg("give_from_until"))
    return first, last


def _as_long(start: date, end: date, first: date) -> date:
    """A period of whole months stays one of as many months, however long each is."""
    # what began on a day that its last month has not ended with that month
    for after in (end + timedelta(days=1), end):
        months = (after.year - start.year) * 12 + after.month - start.month
        if months_on(start, months) == after:
            return months_on(first, months) - timedelta(days=1)
    return first + (end - start)


def _holds(waiver: Mapping[str, Any], today: date) -> bool:
    return waiver_end(waiver["expires"]).astimezone(CHINA).date() >= today
