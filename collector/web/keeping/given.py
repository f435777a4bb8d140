"""Since when an account may see what it sees."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from collector.web.keeping import tables
from collector.web.keeping.state import State


def given(state: State, name: str) -> datetime | None:
    """When it was last said what this account may see (aware); None where none is so called."""
    table = tables.marks
    added = select(tables.accounts.c.added_at).where(tables.accounts.c.name == name)
    changed = select(table.c.at).where(table.c.account == name, table.c.what == "changed")
    with state.read() as connection:
        times = [str(at) for query in (added, changed) for (at,) in connection.execute(query)]
    return max(map(datetime.fromisoformat, times), default=None)
