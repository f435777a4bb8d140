"""Briefs of records as the register keeps them: written with each version, and mended when read.

One that is missing, of another version, made by other code or not as it was written is made anew
from its record: what a list shows never depends on who wrote last, or with which hostpledge.
Each user has their own, under a seal that nobody else can make (`keeper`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from collector.pledges.database import tables
from collector.pledges.database.keeper import keeper
from collector.pledges.record.form import PledgeRecord
from collector.pledges.status import brief
from collector.pledges.status.brief import Brief


def put(connection: Connection, made: Iterable[tuple[PledgeRecord, int]]) -> None:
    """Writes the briefs of (record, number of its version); those of ours that were there go.

    And those of others that are of another version.
    """
    made, ours, table = tuple(made), keeper(make=True), tables.briefs
    name = ours.id if ours is not None else ""
    if made:
        stale = (table.c.keeper == name) | (table.c.version != bindparam("number"))
        gone = table.delete().where((table.c.pledge == bindparam("id")) & stale)
        connection.execute(gone, [{"id": record.id, "number": n} for record, n in made])
    if ours is None:
        return
    rows = [
        {
            "pledge": record.id,
            "keeper": name,
            "version": number,
            "seal": ours.seal(*_told(record.digest, **columns)),
            **columns,
        }
        for record, number in made
        for columns in (brief.brief_of(record),)
    ]
    if rows:
        connection.execute(table.insert(), rows)


def read(connection: Connection, until: datetime) -> tuple[dict[str, Brief], frozenset[str]]:
    """The briefs that hold, by id, with what falls due until then (aware); ids of the others."""
    table, versions, ours = tables.briefs, tables.versions, keeper()
    day = until.date().isoformat()
    columns = (table.c.seal, table.c.document, table.c.deadlines, table.c.first_on)
    mine = table.c.keeper == (ours.id if ours is not None else "")
    rows = connection.execute(select(table.c.pledge, table.c.version, *columns).where(mine)).all()
    last = select(versions.c.pledge, func.max(versions.c.version).label("version"))
    newest = last.group_by(versions.c.pledge).subquery()
    of_newest = (versions.c.pledge == newest.c.pledge) & (versions.c.version == newest.c.version)
    query = select(versions.c.pledge, versions.c.version, versions.c.sha256)
    known = {row[0]: row for row in connection.execute(query.join(newest, of_newest))}
    held = {}
    for pledge, version, seal, document, found, first_on in rows if ours is not None else ():
        _, number, sha256 = known.get(pledge, (pledge, None, ""))
        told = _told(sha256, document, found, first_on)
        if number == version and ours is not None and ours.holds(seal, *told):
            falls_due = first_on is not None and first_on <= day
            held[pledge] = brief.read(document, found if falls_due else None, until)
    return held, frozenset(known.keys() - held.keys())


def customers(connection: Connection) -> dict[str, str]:
    """By id the customer's name, as the record has it; ours or not, each brief is made of it."""
    held, without = read(connection, datetime.min.replace(tzinfo=UTC))
    names = {id: one.customer for id, one in held.items()}
    if without:
        versions = tables.versions
        query = select(versions.c.pledge, versions.c.document).order_by(versions.c.version)
        # the newest comes last; of what was destroyed the text is empty
        for id, document in connection.execute(query.where(versions.c.document != "")):
            if id in without:
                names[id] = str(json.loads(document)["customer"]["name"])
    return names


def of(record: PledgeRecord, until: datetime) -> Brief:
    """The brief of a record, past the register."""
    made: dict[str, Any] = brief.brief_of(record)
    return brief.read(made["document"], made["deadlines"], until)


def _told(
    sha256: str, document: str, deadlines: str, first_on: str | None
) -> tuple[str, str, str, str, str]:
    """What binds a brief to the version it was made of (its digest), and to the code that did."""
    return brief.made_by(), sha256, document, deadlines, first_on or ""
