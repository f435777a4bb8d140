"""Since when an account may see what it sees."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from collector.web.keeping import tables
from collector.web.keeping.sessions import Session
from collector.web.keeping.state import State

# the clocks of who keeps the register, and of the page
_WITHIN = timedelta(minutes=5)


def given(state: State, session: Session) -> datetime | None:
    """Records of up to then (aware) may be what it was given; None where nobody said so.

    What an account here may see was said when it was added, or when its pledges were named last,
    whoever vouches for its password; another end or role says nothing of them. A provider says it
    with each sign-in, and of that session alone.
    """
    if session.account.by_provider:
        return session.made_at
    name, table = session.account.name, tables.marks
    added = select(tables.accounts.c.added_at).where(tables.accounts.c.name == name)
    named = select(table.c.at).where(table.c.account == name, table.c.what == "given")
    with state.read() as connection:
        times = [str(at) for query in (added, named) for (at,) in connection.execute(query)]
    last = max(map(datetime.fromisoformat, times), default=None)
    return last + _WITHIN if last is not None else None
