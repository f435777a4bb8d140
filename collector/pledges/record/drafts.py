"""A draft that nobody signed, taken back: it stays on record as ended, and binds no id. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.record.form import PledgeRecord, from_document


def is_withdrawn(document: Mapping[str, Any]) -> bool:
    """Is it a draft, of a record or a brief, that ended before anybody signed it?

    What it says it continues can be continued again.
    """
    return bool(document.get("draft")) and "ended" in document


def is_free(record: PledgeRecord) -> bool:
    """Was it withdrawn, and nothing came of it? Then its id may be used again."""
    document = record.document
    said = document.get("documents") or document.get("notices") or "disposed" in document
    return is_withdrawn(document) and not said


def withdrawn(
    record: PledgeRecord, said: Mapping[str, str], *, today: date, evidence: bool
) -> PledgeRecord:
    """`said` is why and by whom; `evidence`: something is attached to it.

    Raises BadInput where it is no draft, or something was signed, sent or attached already.
    """
    document: dict[str, Any] = json.loads(record.canonical())
    why = ""
    if is_withdrawn(document):
        why = msg("draft_withdrawn_already", day=document["ended"]["date"])
    elif not document.get("draft") or document.get("documents"):
        why = msg("no_draft_to_withdraw")
    elif evidence:
        why = msg("draft_has_evidence")
    elif document.get("notices"):
        why = msg("draft_has_notices")
    if why:
        raise BadInput(why, where=record.id)
    document.pop("renews", None)
    document["ended"] = {"date": today.isoformat(), **said}
    return from_document(document, where=record.id, today=today)
