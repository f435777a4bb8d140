"""Who looked at what, and who was turned away: one line each, none of them breakable."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, or_, select

from collector.i18n.message import visible
from collector.web.keeping import tables
from collector.web.keeping.state import State

# six months at least, by article 21 of the Cybersecurity Law
DAYS = 200
_DAY = 86400.0
NOBODY = "-"
# lines of who has not signed in; those of accounts are kept by days alone
STRANGERS = 200_000
# notes of who was known, or tried a password that was looked at, and did not get in
_TRIES = ("failed", "stopped", "no role")
# by which the clock may be ahead of when old lines went last, and how far it is followed a day
_JUMP, _STEP = timedelta(days=7), timedelta(days=2)
_CLOCK = "log_clock"
# after so many lines they are counted
_OFTEN = 500
_log = logging.getLogger("hostpledge.web")


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    account: str
    address: str
    method: str
    path: str
    status: int
    note: str


class Access:
    """The log of a state."""

    def __init__(self, state: State, days: int = DAYS) -> None:
        self._state, self._days = state, max(days, DAYS)
        self._dropped = float("-inf")
        self._written = 0

    def put(self, line: Line) -> None:
        """Control characters are written as escapes: one line cannot pass for two."""
        if time.monotonic() - self._dropped > _DAY:
            self._drop_old()
        self._written += 1
        if self._written % _OFTEN == 1:
            self._drop_strangers()
        with self._state.write() as connection:
            connection.execute(
                tables.access.insert().values(
                    at=line.at.astimezone(UTC).isoformat(timespec="milliseconds"),
                    account=visible(line.account)[:64],
                    address=visible(line.address)[:64],
                    method=visible(line.method)[:8],
                    path=visible(line.path)[:400],
                    status=line.status,
                    note=visible(line.note)[:120],
                )
            )

    def newest(self, size: int, before: int | None = None) -> Sequence[tuple[int, Line]]:
        """The newest ones first, each with its number; those of smaller numbers than `before`."""
        table = tables.access
        query = select(table).order_by(table.c.number.desc()).limit(size)
        if before is not None:
            query = query.where(table.c.number < before)
        with self._state.read() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            (
                row["number"],
                Line(
                    datetime.fromisoformat(row["at"]),
                    row["account"],
                    row["address"],
                    row["method"],
                    row["path"],
                    row["status"],
                    row["note"],
                ),
            )
            for row in rows
        ]

    def _drop_strangers(self) -> None:
        """Of those whom nobody knows the newest alone: or they fill the disk in a day.

        What tells of tries to sign in is counted apart: tries are bounded, and pages are not.
        """
        table = tables.access
        tries = or_(*(table.c.note.startswith(word) for word in _TRIES))
        with self._state.write() as connection:
            for mine in (tries, ~tries):
                theirs = (table.c.account == NOBODY) & mine
                last = select(table.c.number).where(theirs).order_by(table.c.number.desc())
                number = connection.execute(last.offset(STRANGERS).limit(1)).scalar()
                if number is not None:
                    connection.execute(table.delete().where(theirs & (table.c.number <= number)))

    def _drop_old(self) -> None:
        first, self._dropped = self._dropped == float("-inf"), time.monotonic()
        table = tables.access
        with self._state.write() as connection:
            before = self._clock(connection, first=first) - timedelta(days=self._days)
            connection.execute(table.delete().where(table.c.at < before.isoformat()))

    def _clock(self, connection: Connection, *, first: bool) -> datetime:
        """Now, as far as it is believed: one wrong clock would take the whole log away.

        One that is far ahead of when old lines went last is followed by steps, a day each.
        """
        now, kept = datetime.now(UTC), tables.kept
        query = select(kept.c.value).where(kept.c.name == _CLOCK)
        last = select(tables.access.c.at).order_by(tables.access.c.number.desc()).limit(1)
        told = connection.execute(query).scalar() or connection.execute(last).scalar()
        known = datetime.fromisoformat(told) if told else now
        believed = now
        if now - known > _JUMP:
            believed = known if first else known + _STEP
            days = (now - known).days
            _log.warning("log of access: the clock is %d days ahead, old lines stay", days)
        self._state.put(connection, _CLOCK, believed.isoformat())
        return believed
