"""What the register had at a time that is past: which version, and who ever continued a record."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select

from collector.pledges.database import tables
from collector.pledges.register.seen import Seen


class Past(Seen):
    """The part of a register that is about times past; see `register.Register`."""

    def has(self, id: str) -> bool:
        """Is there such a record?"""
        with self._database.read() as connection:
            return self._hold(connection, id)

    def number_before(self, id: str, over: datetime) -> int:
        """Of the newest version that there was then, its number; 0 where there was none.

        One that was emptied since is none of `history`.
        """
        table = tables.versions
        query = select(table.c.version, table.c.added_at).where(table.c.pledge == id)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        return max((n for n, at in rows if datetime.fromisoformat(at) < over), default=0)

    def ever_renewing(self, id: str) -> frozenset[str]:
        """The records of which some version, an earlier one too, says that it continues `id`."""
        table = tables.versions
        said = table.c.document.contains(f'"renews":"{id}"', autoescape=True)
        with self._database.read() as connection:
            return frozenset(connection.execute(select(table.c.pledge).where(said)).scalars())
