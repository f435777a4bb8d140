"""A record as it stood in an earlier version of it, without what may not be unsaid. Pure.

What was put on record by mistake goes back where a named person answers for it: the versions stay,
and each later one bears the entry, with the papers.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Text
from collector.pledges.record.documents import fields
from collector.pledges.record.drafts import is_withdrawn
from collector.pledges.record.form import PledgeRecord, from_document

FIELD = "taken_back"
# what a person has to answer for that it never was so
ANSWERED_FOR = frozenset(
    {"documents", "draft", "ended", "incidents", "probes", "renews", "suspensions"}
)
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
        "taken_back",
        "voided",
    }
)


def named(entry: Mapping[str, Any]) -> list[Text]:
    """What an entry of `taken_back` is about, for people."""
    known = fields()
    # a paper that goes takes the draft's sign with it
    names = [name for name in entry["fields"] if name != "draft" or "documents" not in entry]
    if number := entry.get("evidence"):
        return [Text(f"第 {number} 份证据的作废", f"that evidence {number} is void")]
    texts = (known.get(name, Text(name, name)) for name in names)
    return [Text(one.zh, one.en) for one in texts]


def reverted(
    newest: PledgeRecord,
    earlier: PledgeRecord,
    *,
    fields: Collection[str] = (),
    said: Mapping[str, str] | None = None,
    today: date,
) -> PledgeRecord:
    """`newest` with the fields that `earlier` has otherwise; all but KEPT, where none is named.

    `said`, why and by whom: what was put on record by mistake goes back as well, and is told.
    Raises BadInput where the record does not hold then.
    """
    kept = KEPT - ANSWERED_FOR if said is not None else KEPT
    document: dict[str, Any] = json.loads(newest.canonical())
    before: dict[str, Any] = json.loads(earlier.canonical())
    for name in sorted((document.keys() | before.keys()) - kept):
        if fields and name not in fields:
            continue
        document.pop(name, None)
        if name in before:
            document[name] = before[name]
    if said is not None:
        return answered_for(newest, document, said, today=today)
    return from_document(document, where=newest.id, today=today)


def stays(newest: PledgeRecord, earlier: PledgeRecord, *, answered: bool = False) -> list[str]:
    """The fields that differ and are not taken back; `answered`: somebody answers for it."""
    kept = KEPT - ANSWERED_FOR if answered else KEPT
    return sorted(name for name in kept if newest.document.get(name) != earlier.document.get(name))


def unsigned(
    history: Sequence[PledgeRecord], said: Mapping[str, str], *, today: date
) -> PledgeRecord:
    """The draft that the newest of `history` was before it was signed, all else as it is now.

    One that was no draft before becomes a draft that was withdrawn: it binds nobody, nor its id.
    Raises BadInput where it is not signed.
    """
    newest = history[-1]
    if newest.document.get("draft") or not newest.document["documents"]:
        raise BadInput(
            msg("not_signed_to_withdraw"), where=newest.id, mend=msg("see_withdraw_draft")
        )
    document: dict[str, Any] = json.loads(newest.canonical())
    before = draft_before(history)
    document["draft"] = True
    document["documents"] = list(before.document["documents"]) if before else []
    if before is None:
        document.pop("renews", None)
        document["ended"] = {"date": today.isoformat(), **said}
    return _with_entry(newest, document, said, today)


def draft_before(history: Sequence[PledgeRecord]) -> PledgeRecord | None:
    """The draft that was signed; None where the newest was signed when it was made."""
    last = next((one for one in reversed(history) if one.document.get("draft")), None)
    return None if last is None or is_withdrawn(last.document) else last


def answered_for(
    newest: PledgeRecord, document: Mapping[str, Any], said: Mapping[str, str], *, today: date
) -> PledgeRecord:
    """`document` as the next version of `newest`, with who takes back what no list takes back."""
    return _with_entry(newest, dict(document), said, today)


def takes_papers(newest: PledgeRecord, document: Mapping[str, Any]) -> bool:
    """Was something signed that `document` does not have?"""
    return any(one not in document["documents"] for one in newest.document["documents"])


def carried(held: PledgeRecord, record: PledgeRecord) -> PledgeRecord:
    """A record that takes the place of another says all that was taken back of that one."""
    before: list[Any] = held.document.get(FIELD, [])
    after: list[Any] = record.document.get(FIELD, [])
    if after[: len(before)] == before:
        return record
    more = [one for one in after if one not in before]
    return PledgeRecord({**record.document, FIELD: [*before, *more]})


def _with_entry(
    newest: PledgeRecord, document: dict[str, Any], said: Mapping[str, str], today: date
) -> PledgeRecord:
    held = newest.document
    fields = sorted(name for name in ANSWERED_FOR if held.get(name) != document.get(name))
    if fields:
        papers = [one for one in held["documents"] if one not in document["documents"]]
        entry = {
            "date": today.isoformat(),
            **said,
            "fields": fields,
            **({"documents": papers} if papers else {}),
        }
        document[FIELD] = [*held.get(FIELD, ()), entry]
    return from_document(document, where=newest.id, today=today)
