"""Who looked at what, and who was turned away: one line each, none of them breakable."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select

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
# after so many lines they are counted
_OFTEN = 500


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
        self._dropped = time.monotonic()
        before = (datetime.now(UTC) - timedelta(days=self._days)).isoformat()
        table = tables.access
        with self._state.write() as connection:
            connection.execute(table.delete().where(table.c.at < before))
