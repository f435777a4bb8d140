"""Which documents that judges use the records of a register had when something was attached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from collector.pledges.database import tables

FIELDS = ("attestations", "data_inventory", "event_ledger", "data_owner_keys")
# as canonical JSON has the field, before all that could have one of the same name within
_ATTESTING = '"attestations":['
_AT_ONCE = 200
_JSON = json.JSONDecoder()
Documents = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Course:
    """Those of a record's newest version (its number), and are they others than they were then?"""

    version: int
    now: Documents
    is_changed: bool


def courses(connection: Connection, since: Mapping[str, datetime]) -> dict[str, Course]:
    """Of each record that has any, or had one at the time `since` (by id, aware)."""
    table = tables.versions
    last = select(table.c.pledge, func.max(table.c.version).label("version"))
    newest = last.group_by(table.c.pledge).subquery()
    of_newest = (table.c.pledge == newest.c.pledge) & (table.c.version == newest.c.version)
    query = select(table.c.pledge, table.c.version, table.c.added_at).join(newest, of_newest)
    known = {id: (version, at) for id, version, at in connection.execute(query)}
    later = [id for id in since if id in known and _later(known[id][1], since[id])]
    # most have no attestation, and what else a record has does not end by itself
    attesting = table.c.document.contains(_ATTESTING, autoescape=True)
    rows = connection.execute(
        select(table.c.pledge, table.c.document).join(newest, of_newest).where(attesting)
    )
    found = {
        id: Course(known[id][0], _attestations(document), is_changed=False)
        for id, document in rows
        if id in since
    }
    for at in range(0, len(later), _AT_ONCE):
        some = later[at : at + _AT_ONCE]
        columns = table.c.pledge, table.c.document, table.c.added_at
        of = select(*columns).where(table.c.pledge.in_(some)).order_by(table.c.version)
        then: dict[str, Documents] = {}
        now: dict[str, Documents] = {}
        for id, document, added_at in connection.execute(of):
            now[id] = _documents(document)
            if not _later(added_at, since[id]):
                then[id] = now[id]
        for id in some:
            changed = then.get(id, {}) != now[id]
            found[id] = Course(known[id][0], now[id], is_changed=changed)
    return found


def _later(added_at: str, since: datetime) -> bool:
    return datetime.fromisoformat(added_at) > since


def _attestations(text: str) -> Documents:
    """Without reading all the rest of a record."""
    try:
        return {
            "attestations": _JSON.raw_decode(text, text.index(_ATTESTING) + len(_ATTESTING) - 1)[0]
        }
    except (ValueError, RecursionError):
        return {}


def _documents(text: str) -> Documents:
    try:
        found = json.loads(text)
        return {name: found[name] for name in FIELDS if name in found}
    except (ValueError, TypeError, RecursionError):
        # what reads the record tells of it
        return {}
