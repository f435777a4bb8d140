"""The evidence that says what is proven now: of each pledge the newest that is not void."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, select

from collector.pledges.database import tables, voids

# how the JSON of a row's scope says so; within a text its quotation marks would be escaped
_WHOLE = '"whole": true'
_PAST = '"past": true'


def rows(connection: Connection, id: str = "") -> Select[Any]:
    """The query of the rows from which `few_of` chooses, of each pledge (with `id` of that one).

    Of one that has void evidence, all others: which of them is past no row says any more.
    """
    table = tables.evidence
    void = voids.of(connection, [id] if id else None)
    holds = voids.without(void, table)
    if id:
        holds = and_(holds, table.c.pledge == id)
    whole = table.c.scope.is_(None) | table.c.scope.contains(_WHOLE)
    present = table.c.scope.is_(None) | ~table.c.scope.contains(_PAST)
    newest = (
        select(
            table.c.pledge,
            func.max(table.c.sequence).label("sequence"),
            func.max(table.c.collected_at).label("collected_at"),
            func.max(case((whole, table.c.collected_at))).label("whole_at"),
            func.max(case((present, table.c.sequence))).label("present"),
        )
        .where(holds)
        .group_by(table.c.pledge)
        .subquery()
    )
    last = table.c.sequence.in_([newest.c.sequence, newest.c.present])
    latest = table.c.collected_at.in_([newest.c.collected_at, newest.c.whole_at])
    return (
        select(table)
        .join(
            newest,
            (table.c.pledge == newest.c.pledge)
            & (last | latest | table.c.pledge.in_(sorted(void))),
        )
        .where(holds)
        .order_by(table.c.pledge, table.c.sequence)
    )
