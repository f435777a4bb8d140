"""Briefs of records as the register keeps them: written with each version, and mended when read.

One that is missing, of an older version or made by other code is made anew from its record: what
a list shows never depends on who wrote last, or with which hostpledge.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, func, null, select

from collector.pledges.database import tables
from collector.pledges.record.form import PledgeRecord
from collector.pledges.status import brief
from collector.pledges.status.brief import Brief

# values in one statement: less than any database takes
_MOST = 500


def put(connection: Connection, made: Iterable[tuple[PledgeRecord, int]]) -> None:
    """Writes the briefs of (record, number of its version); those that were there go."""
    rows = [
        {
            "pledge": record.id,
            "version": number,
            "made_by": brief.made_by(),
            **brief.brief_of(record),
        }
        for record, number in made
    ]
    table = tables.briefs
    for at in range(0, len(rows), _MOST):
        some = rows[at : at + _MOST]
        gone = table.c.pledge.in_([row["pledge"] for row in some])
        connection.execute(table.delete().where(gone))
        connection.execute(table.insert(), some)


def read(connection: Connection, until: datetime) -> tuple[dict[str, Brief], frozenset[str]]:
    """The briefs that hold, by id, with what falls due until then (aware); ids of the others."""
    table, versions = tables.briefs, tables.versions
    day = until.date().isoformat()
    query = select(
        table.c.pledge,
        table.c.version,
        table.c.document,
        case((table.c.first_on <= day, table.c.deadlines), else_=null()),
    ).where(table.c.made_by == brief.made_by())
    rows = connection.execute(query).all()
    last = select(versions.c.pledge, func.max(versions.c.version)).group_by(versions.c.pledge)
    newest = {pledge: number for pledge, number in connection.execute(last)}  # noqa: C416 - typed
    held = {
        pledge: brief.read(document, found, until)
        for pledge, version, document, found in rows
        if newest.get(pledge) == version
    }
    return held, frozenset(newest.keys() - held.keys())


def of(record: PledgeRecord, until: datetime) -> Brief:
    """The brief of a record, past the register."""
    made: dict[str, Any] = brief.brief_of(record)
    return brief.read(made["document"], made["deadlines"], until)
