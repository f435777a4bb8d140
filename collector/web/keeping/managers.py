"""Somebody can manage: no change of an account takes the last manager away.

Nor the last that has no end: on the day after, nobody could let anybody in. Who could not sign in
today is none: their one-time password has ended, or the page has other roles by the provider now.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from sqlalchemy import Connection, select

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.record.times import today_in_china
from collector.web.keeping import one_time, tables
from collector.web.keeping.state import State

# any constant of our own: of two changes at once the second sees what the first left
_LOCK = 0x77656263
# the name in what is kept: by which words of its settings the page lets in whom a provider names
_GROUNDS = "grounds"


def vouch(state: State, grounds: Collection[str]) -> None:
    """The page begins, and lets in by these words of its settings, and by no others."""
    with state.write() as connection:
        state.put(connection, _GROUNDS, json.dumps(sorted(grounds)))


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

    One of a provider counts while the provider's last word lets them in, and is one of the
    settings still.
    """
    table, grounds = tables.accounts, tables.grounds
    by = grounds.c.account == table.c.name
    query = (
        select(table.c.name, table.c.ends, table.c.must_change, grounds.c.ground)
        .select_from(table.outerjoin(grounds, by))
        .where(table.c.role == "manager", table.c.disabled == 0)
    )
    known, now, today = _grounds(connection), datetime.now(UTC), today_in_china()
    found: date | None = None
    for row in connection.execute(query).all():
        if "~" in row.name and not _is_vouched(row.ground, known):
            continue
        if row.must_change and one_time.is_over(connection, row.name, now):
            continue
        end = date.fromisoformat(row.ends) if row.ends else date.max
        if end >= today:
            found = max(found or end, end)
    return found


def _is_vouched(ground: str | None, known: Collection[str] | None) -> bool:
    return ground is not None and (known is None or ground in known)


def _grounds(connection: Connection) -> frozenset[str] | None:
    """None where no page has begun with this state since they are kept."""
    table = tables.kept
    query = select(table.c.value).where(table.c.name == _GROUNDS)
    told = connection.execute(query).scalar()
    return None if told is None else frozenset(json.loads(told))
