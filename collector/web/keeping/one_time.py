"""One-time passwords: printed, mailed and noted down, they end by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, select

from collector.web.keeping import tables

DAYS = 7


def is_over(connection: Connection, name: str, now: datetime) -> bool:
    """Was the one-time password of that account made too long ago to sign in by it?"""
    accounts, marks = tables.accounts, tables.marks
    added = select(accounts.c.added_at).where(accounts.c.name == name)
    given = select(marks.c.at).where(marks.c.account == name, marks.c.what == "password")
    told = [*connection.execute(added).scalars(), *connection.execute(given).scalars()]
    made = max((datetime.fromisoformat(at).astimezone(UTC) for at in told), default=None)
    return made is None or now - made > timedelta(days=DAYS)
