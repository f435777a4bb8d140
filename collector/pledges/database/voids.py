"""Which evidence of the register was declared void: the newest version of its record says so."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select, true

from collector.pledges.database import tables

# as canonical JSON has the field; within a text its quotation marks would be escaped
_FIELD = '"voided":['


def of(connection: Connection, ids: Collection[str] | None = None) -> dict[str, frozenset[int]]:
    """The sequence numbers of what is void, by pledge: of those named, or of all."""
    table = tables.versions
    last = select(table.c.pledge, func.max(table.c.version).label("version"))
    if ids is not None:
        last = last.where(table.c.pledge.in_(list(ids)))
    newest = last.group_by(table.c.pledge).subquery()
    query = (
        select(table.c.pledge, table.c.document, table.c.sha256)
        .join(newest, (table.c.pledge == newest.c.pledge) & (table.c.version == newest.c.version))
        .where(table.c.document.contains(_FIELD, autoescape=True))
    )
    found = {}
    for pledge, document, sha256 in connection.execute(query):
        # whoever changed the text made nothing void: what reads the record tells of it
        if not tables.as_written(document, sha256):
            continue
        entries = json.loads(document).get("voided", ())
        found[pledge] = frozenset(entry["sequence"] for entry in entries)
    return found


def ever(connection: Connection, ids: Collection[str]) -> frozenset[str]:
    """Those of the pledges of which something is void, or was and counts again."""
    table = tables.versions
    query = (
        select(table.c.pledge)
        .where(table.c.pledge.in_(list(ids)))
        .where(table.c.document.contains(_FIELD, autoescape=True))
    )
    return frozenset(connection.execute(query.distinct()).scalars())


def without(found: Mapping[str, Collection[int]], table: Any) -> ColumnElement[bool]:
    """Of a table with `pledge` and `sequence`, the rows that are not void."""
    parts = [
        and_(table.c.pledge == id, table.c.sequence.in_(list(numbers)))
        for id, numbers in found.items()
        if numbers
    ]
    return not_(or_(*parts)) if parts else true()
