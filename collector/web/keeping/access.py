"""Who looked at what, and who was turned away: one line each, none of them breakable."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, or_, select

from collector.i18n.message import visible
from collector.web.keeping import tables
from collector.web.keeping.looks import FILE, MORE, Looks
from collector.web.keeping.state import State

# six months at least, by article 21 of the Cybersecurity Law
DAYS = 200
_DAY = 86400.0
NOBODY = "-"
# lines of who has not signed in, of tries and of others
STRANGERS = 200_000
# and of each account, of pages, of files, of sign-ins and forms, and of what was refused
OF_ONE = 200_000
# notes of who was known, or tried a password that was looked at, and did not get in
_TRIES = ("failed", "stopped", "no role")
_SIGNED_IN = "signed in"
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

    @property
    def is_look(self) -> bool:
        """Is it of a page alone? Who signs in, sends a form, takes a file or is refused is told."""
        return self.method in ("GET", "HEAD") and self.note in ("", "busy")


class Access:
    """The log of a state."""

    def __init__(self, state: State, days: int = DAYS) -> None:
        self._state, self._days = state, max(days, DAYS)
        self._dropped = float("-inf")
        self._written = 0
        self._looks = Looks()
        self._of_one: Counter[str] = Counter()
        self._counting = threading.Lock()

    def put(self, line: Line) -> None:
        """Control characters are written as escapes: one line cannot pass for two.

        Of more pages than an account's budget has, one line counts those of a minute.
        """
        if time.monotonic() - self._dropped > _DAY:
            self._drop_old()
        self._written += 1
        if self._written % _OFTEN == 1:
            self._drop_strangers()
        if line.account != NOBODY:
            with self._counting:
                self._of_one[line.account] += 1
                many = self._of_one[line.account] % _OFTEN == 0
            if many:
                self._drop_of_one(line.account)
        if line.account == NOBODY or not line.is_look or self._looks.has_room(line.account):
            self._insert(line)
        else:
            self._looks.count(
                line.account, line.at, lambda number, said: self._more(line, number, said)
            )

    def _more(self, line: Line, number: int | None, said: str) -> int:
        """Says so in that line of this minute, or in a new one; its number."""
        if number is None:
            return self._insert(replace(line, path=MORE, note=said))
        table = tables.access
        with self._state.write() as connection:
            connection.execute(table.update().where(table.c.number == number).values(note=said))
        return number

    def _insert(self, line: Line) -> int:
        with self._state.write() as connection:
            made = connection.execute(
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
        (number,) = made.inserted_primary_key or (0,)
        return int(number)

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

    def _drop_of_one(self, account: str) -> None:
        """Of an account the newest alone: each kind apart, or pages push out what was refused."""
        table = tables.access
        looks = table.c.method.in_(("GET", "HEAD")) & table.c.note.in_(("", "busy"))
        looks |= table.c.path == MORE
        files = table.c.note == FILE
        signed = table.c.note.startswith(_SIGNED_IN)
        done = ~files & (signed | ((table.c.method == "POST") & (table.c.status < 400)))
        for kind in (looks, files, done, ~(looks | files | done)):
            theirs = (table.c.account == account) & kind
            last = select(table.c.number).where(theirs).order_by(table.c.number.desc())
            # most often there is nothing to take away, and nobody waits for that
            with self._state.read() as connection:
                number = connection.execute(last.offset(OF_ONE).limit(1)).scalar()
            if number is not None:
                with self._state.write() as connection:
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
