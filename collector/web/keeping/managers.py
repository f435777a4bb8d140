"""Somebody can manage: no change of an account takes the last manager away.

Nor the last that has no end: on the day after, nobody could let anybody in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sqlalchemy import Connection, exists, select

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.record.times import today_in_china
from collector.web.keeping import tables
from collector.web.keeping.state import State

# any constant of our own: of two changes at once the second sees what the first left
_LOCK = 0x77656263


@contextmanager
def kept(state: State, connection: Connection, name: str) -> Iterator[None]:
    """Within a write; raises BadInput where what was done to the account leaves too little."""
    state.alone(connection, _LOCK)
    before = _until(connection)
    yield
    after = _until(connection)
    if before is not None and (after is None or after < before):
        raise BadInput(msg("web_last_manager"), where=name, mend=msg("web_last_manager_mend"))


def _until(connection: Connection) -> date | None:
    """The last day on which there is a manager; None where there is none now.

    One of a provider counts while the provider's last word lets them in.
    """
    table, grounds = tables.accounts, tables.grounds
    vouched = exists().where(grounds.c.account == table.c.name)
    query = select(table.c.ends).where(
        table.c.role == "manager",
        table.c.disabled == 0,
        table.c.name.not_like("%~%") | vouched,
    )
    ends = connection.execute(query).scalars()
    every = [date.fromisoformat(end) if end else date.max for end in ends]
    today = today_in_china()
    return max((end for end in every if end >= today), default=None)
