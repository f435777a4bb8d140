"""However often an account signs in, what is kept of it is bounded: the oldest go."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from collector.web.keeping import sessions, tables
from collector.web.keeping.accounts import Account, Accounts
from collector.web.keeping.sessions import Sessions
from collector.web.keeping.state import State


@pytest.fixture
def state(tmp_path: Path) -> State:
    opened = State.open(str(tmp_path / "state"))
    for name in ("boss", "other"):
        Accounts(opened).add(Account(name, "manager"), "correct horse battery")
    return opened


def _account(state: State, name: str) -> Account:
    found = Accounts(state).find(name)
    assert found is not None
    return found


def _count(state: State, table: str) -> int:
    known = getattr(tables, table)
    with state.read() as connection:
        query = select(func.count()).where(known.c.account == "boss")
        return int(connection.execute(query).scalar_one())


def test_the_sessions_used_last_longest_ago_end(state: State) -> None:
    found, boss = Sessions(state), _account(state, "boss")
    theirs = found.begin(_account(state, "other"))
    begun = [found.begin(boss) for _ in range(sessions.SESSIONS)]
    assert theirs is not None
    assert begun[0] is not None
    # the first is one that is used
    with state.write() as connection:
        table = tables.sessions
        connection.execute(table.update().values(seen_at=table.c.seen_at - 100))
    assert found.find(begun[0]) is not None
    begun += [found.begin(boss) for _ in range(3)]
    assert _count(state, "sessions") == sessions.SESSIONS
    holds = [found.find(token or "") is not None for token in begun]
    assert holds == [True, False, False, False, *[True] * (len(begun) - 4)]
    assert found.find(theirs) is not None


def test_the_oldest_browsers_are_new_ones_again(state: State) -> None:
    found, boss = Sessions(state), _account(state, "boss")
    theirs = found.trust_device(_account(state, "other"))
    known = [found.trust_device(boss) or "" for _ in range(sessions.DEVICES + 2)]
    assert _count(state, "devices") == sessions.DEVICES
    holds = [found.knows_device(token, "boss") for token in known]
    assert holds == [False, False, *[True] * sessions.DEVICES]
    assert found.knows_device(theirs or "", "other")
