"""Briefs of records as the register keeps them: written with each version, and mended when read.

One that is missing, of another version, made by other code or not as it was written is made anew
from its record: what a list shows never depends on who wrote last, or with which hostpledge.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

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
            "made_by": _seal(record.digest, **columns),
            **columns,
        }
        for record, number in made
        for columns in (brief.brief_of(record),)
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
    columns = (table.c.made_by, table.c.document, table.c.deadlines, table.c.first_on)
    rows = connection.execute(select(table.c.pledge, table.c.version, *columns)).all()
    last = select(versions.c.pledge, func.max(versions.c.version).label("version"))
    newest = last.group_by(versions.c.pledge).subquery()
    of_newest = (versions.c.pledge == newest.c.pledge) & (versions.c.version == newest.c.version)
    query = select(versions.c.pledge, versions.c.version, versions.c.sha256)
    known = {row[0]: row for row in connection.execute(query.join(newest, of_newest))}
    held = {}
    for pledge, version, seal, document, found, first_on in rows:
        _, number, sha256 = known.get(pledge, (pledge, None, ""))
        if number == version and seal == _seal(sha256, document, found, first_on):
            falls_due = first_on is not None and first_on <= day
            held[pledge] = brief.read(document, found if falls_due else None, until)
    return held, frozenset(known.keys() - held.keys())


def of(record: PledgeRecord, until: datetime) -> Brief:
    """The brief of a record, past the register."""
    made: dict[str, Any] = brief.brief_of(record)
    return brief.read(made["document"], made["deadlines"], until)


def _seal(sha256: str, document: str, deadlines: str, first_on: str | None) -> str:
    """What binds a brief to the version it was made of (its digest), and to the code that did."""
    told = "\n".join((brief.made_by(), sha256, document, deadlines, first_on or ""))
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:16]
