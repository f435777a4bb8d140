"""What lists need of a pledge record: a small part of it, and what it makes fall due. Pure.

The register keeps a brief of each record, so that thousands are listed without reading them.
It can be made anew from the record at any time, and is, where other code than this made it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from collector.model import Text
from collector.pledges.due.deadlines import Due, deadlines
from collector.pledges.record.form import Documented, PledgeRecord
from collector.pledges.record.sought import sought_in
from collector.resources import package_text

_FIELDS = (
    "id",
    "grade",
    "draft",
    "period",
    "ended",
    "disposed",
    "suspensions",
    "retention",
    "renews",
    "follow_ups",
    "voided",
)
# whom to call, of the one that a record names first
_CONTACT = ("name", "phone", "email")
# what a deadline rests on: a brief made by another form of any of it is not read
_MADE_BY = (
    "pledges/status/brief.py",
    *(f"pledges/due/{name}.py" for name in ("deadlines", "expiries", "lifecycle")),
    *(f"pledges/record/{name}.py" for name in ("sought", "terms", "times")),
    *(f"catalogs/{name}.yml" for name in ("clocks", "documents", "pledge-fields")),
)


@dataclass(frozen=True, slots=True)
class Brief(Documented):
    """`document` has the fields of a record that lists show and its life depends on.

    `until` (aware): up to when `found` holds its deadlines.
    """

    document: Mapping[str, Any]
    found: tuple[Due, ...]
    until: datetime

    @property
    def sought(self) -> tuple[str, ...]:
        """What a search looks in."""
        return tuple(self.document["sought"])

    @property
    def signed_on(self) -> date | None:
        signed = self.document.get("signed_on")
        return date.fromisoformat(signed) if signed else None

    def deadlines(self, until: datetime) -> tuple[Due, ...]:
        """Raises ValueError where it was asked for with those of a shorter time."""
        if until > self.until:
            raise ValueError(f"deadlines up to {self.until.isoformat()} alone")
        return self.found


@cache
def made_by() -> str:
    """The digest of what a brief rests on beside its record."""
    found = hashlib.sha256()
    for name in _MADE_BY:
        found.update(package_text(name).encode())
    return found.hexdigest()[:16]


def brief_of(record: PledgeRecord) -> dict[str, Any]:
    """The columns of a brief: `document`, `deadlines` (JSON both) and `first_on`.

    That is the day (UTC, ISO) of the first of its deadlines, None where it has none.
    """
    document: dict[str, Any] = {
        name: record.document[name] for name in _FIELDS if name in record.document
    }
    document["customer"] = {"name": record.customer}
    for field in ("safety_contact", "security_officer"):
        if contact := record.document.get(field):
            document["contact"] = {word: contact[word] for word in _CONTACT if word in contact}
            break
    if record.hosts:
        document["resources"] = {"hosts": record.hosts}
    document["sought"] = sought_in(record.document)
    if record.signed_on is not None:
        document["signed_on"] = record.signed_on.isoformat()
    found = deadlines(record)
    return {
        "document": _json(document),
        "deadlines": _json(
            [[d.kind, d.at.isoformat(), d.text.zh, d.text.en, d.about] for d in found]
        ),
        "first_on": min((d.at.date().isoformat() for d in found), default=None),
    }


def read(document: str, found: str | None, until: datetime) -> Brief:
    """A brief out of its columns; no `found`: nothing falls due until then."""
    known = json.loads(document)
    ours = json.loads(found) if found else ()
    return Brief(
        known,
        tuple(
            Due(known["id"], kind, datetime.fromisoformat(at), Text(zh, en), about)
            for kind, at, zh, en, about in ours
        ),
        until,
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
