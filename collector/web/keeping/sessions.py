"""Sessions, kept here and not in the browser: they end when they are told to, at once."""

from __future__ import annotations

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, Table, select

from collector.web.keeping import tables
from collector.web.keeping.accounts import Account, Accounts, is_still
from collector.web.keeping.state import State

# seconds after the last page, and after the sign-in
IDLE, LONGEST = 3600.0, 12 * 3600.0
_DEVICE = 180 * 86400.0
# of one account; of more the one that was used last longest ago ends, and the oldest browser is
# one that nobody knows
SESSIONS, DEVICES = 50, 50
# how often it is written down that a session is used
_SEEN = 60.0


@dataclass(frozen=True, slots=True)
class Session:
    """`made_at`: when it was signed in (aware); None for one that is of its request alone."""

    account: Account
    csrf: str
    token: str
    made_at: datetime | None = None


class Sessions:
    """Those of a state."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._accounts = Accounts(state)

    def begin(self, account: Account) -> str | None:
        """What the browser is to hold; never a token that it brought along.

        None where the account is no more as it was when it was known.
        """
        token, now = secrets.token_urlsafe(32), time.time()
        table = tables.sessions
        with self._state.write() as connection:
            # the account before its sessions, as whoever changes it: or each waits for the other
            if not is_still(connection, account):
                return None
            for column, most in ((table.c.made_at, LONGEST), (table.c.seen_at, IDLE)):
                over = (column < now - most) | (column > now + most)
                connection.execute(table.delete().where(over))
            _room(connection, table, account, SESSIONS, table.c.seen_at, table.c.made_at)
            connection.execute(
                table.insert().values(
                    token=_digest(token),
                    account=account.name,
                    csrf=secrets.token_urlsafe(24),
                    made_at=now,
                    seen_at=now,
                )
            )
        return token

    def find(self, token: str) -> Session | None:
        """The session, as long as it and its account hold."""
        table, now = tables.sessions, time.time()
        digest = _digest(token)
        with self._state.read() as connection:
            row = (
                connection.execute(select(table).where(table.c.token == digest)).mappings().first()
            )
        if row is None:
            return None
        account = self._accounts.find(row["account"])
        # of a clock that was ahead too: it would last until that time has come
        fresh = abs(row["made_at"] - now) < LONGEST and abs(row["seen_at"] - now) < IDLE
        if not fresh or account is None or not account.holds(datetime.now(UTC)):
            self.end(token)
            return None
        if row["seen_at"] < now - _SEEN:
            with self._state.write() as connection:
                seen = table.update().where(table.c.token == digest).values(seen_at=now)
                connection.execute(seen)
        made_at = datetime.fromtimestamp(row["made_at"], UTC)
        return Session(account, str(row["csrf"]), token, made_at)

    def end(self, token: str) -> None:
        table = tables.sessions
        with self._state.write() as connection:
            connection.execute(table.delete().where(table.c.token == _digest(token)))

    def trust_device(self, account: Account) -> str | None:
        """What a browser holds in which that account has signed in: see `throttle`.

        None as with `begin`.
        """
        token, now, table = secrets.token_urlsafe(32), time.time(), tables.devices
        with self._state.write() as connection:
            if not is_still(connection, account):
                return None
            connection.execute(table.delete().where(table.c.made_at < now - _DEVICE))
            _room(connection, table, account, DEVICES, table.c.made_at)
            connection.execute(
                table.insert().values(token=_digest(token), account=account.name, made_at=now)
            )
        return token

    def holds(self, connection: Connection, token: str) -> bool:
        """Has nobody ended that session: up to the end of a write."""
        table = tables.sessions
        query = select(table.c.token).where(table.c.token == _digest(token)).with_for_update()
        return connection.execute(query).first() is not None

    def knows_device(self, token: str, account: str) -> bool:
        table = tables.devices
        with self._state.read() as connection:
            mine = (table.c.token == _digest(token)) & (table.c.account == account)
            return connection.execute(select(table.c.token).where(mine)).first() is not None


def _room(
    connection: Connection, table: Table, account: Account, most: int, *by: Column[float]
) -> None:
    """For one more of that account: those that are last by `by` go."""
    mine = select(table.c.token).where(table.c.account == account.name)
    over = mine.order_by(*(column.desc() for column in by)).offset(most - 1)
    connection.execute(table.delete().where(table.c.token.in_(over)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
