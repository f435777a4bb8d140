"""What others put into the register since this user attached to it, held to its signed bundles.

The user's own folder remembers the log as it was then. Behind that anybody who can write the
database can put an entry and its row: they are what the statement says, signed by somebody whom
this user trusts, or prove nothing. A bundle that lies in another user's folder can be held to
nothing here.

Of a register that a user has not used before, what is in force is held in that way. From who only
looks and has not said whom they trust (`HOSTPLEDGE_TRUST`), a signature of somebody unknown is
taken, as the key of a host that one comes to for the first time, and told once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, tuple_

from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg
from collector.pledges.database import against_log, in_force, last_kept, log, tables, voids
from collector.pledges.database.held import Disagrees
from collector.pledges.database.location import SHARED
from collector.pledges.database.rows import Evidence, current, evidence_of, few_of
from collector.pledges.database.store import Store
from collector.pledges.register import borne
from collector.pledges.register.present import in_order, present

if TYPE_CHECKING:
    from collector.attest.log.checkpoint import Checkpoint
    from collector.pledges.database.transactions import Database
    from collector.pledges.register.over_keys import OverKeys
    from collector.pledges.register.signers import Signers

# as many are asked for in one query
_AT_ONCE = 200


class Remembered:
    """The part of a register that is about what its user knows of it; see `register.Register`."""

    def __init__(self, database: Database, store: Store, where: str) -> None:
        self._database = database
        self.store = store
        self.where = where
        self.first_seen: tuple[str, ...] = ()
        """The pledges whose newest evidence is taken though nobody that is trusted signed it."""
        self._signers_of: tuple[tuple[str, ...], Signers] | None = None
        self._know_log()

    def _know_log(self) -> None:
        """Before the register is read: what this user knows of its log."""
        self._against = against_log.AgainstLog(last_kept.read(self.where))

    def _remember(self) -> None:
        """What this user attached is held to the log that it was put into, signed or not.

        Not with an entry before it that others put there, and that is not what was signed.
        """
        with self._database.read() as connection:
            if not self._unsigned(connection):
                self._know(connection)

    def hold_signatures(self) -> None:
        """Raises BadInput where others attached what no trusted key signed, to any record."""
        with self._database.read() as connection:
            for why in self._unsigned(connection).values():
                raise why

    def _unsigned(self, connection: Connection, id: str = "") -> Mapping[str, Disagrees]:
        """By pledge (with `id` of that one) why what others attached is not what was signed."""
        from collector.pledges.register.signers import NAMED

        here = "://" not in self.where or bool(os.environ.get(SHARED))
        met = last_kept.is_met(self.where)
        loose = met and not os.environ.get(NAMED)
        found: dict[str, Disagrees] = {}
        unvouched: list[str] = []
        rows = list(self._unheld(connection, id))
        gone = tables.emptied(connection) if rows else frozenset()
        for row in rows:
            one = self._evidence(row)
            if one.pledge in found or one.pledge in gone:
                continue
            # a bundle lies beside a register that is a file, and with each user of a server's,
            # unless they share a folder
            if (loose or not here) and not one.path.exists():
                unvouched += [one.pledge] if loose else []
            elif (
                why := self._unlike(one, unvouched if loose else None)
            ) is not None and not self._over_now(one):
                found[one.pledge] = why
        self.first_seen = tuple(dict.fromkeys((*self.first_seen, *unvouched)))
        if met and not (id or found) and (rows or self._against.unknown):
            self._know(connection, met=True)
        return found

    def _over_now(self, one: Evidence) -> bool:
        """Is its key over? Then it says so itself, and what good keys signed counts on."""
        return bool(self._counted([one])[0].refused)

    def _unheld(self, connection: Connection, id: str) -> Iterator[Mapping[Any, Any]]:
        """What this user does not know yet; of a register that is new to them, what is in force."""
        if self._against.unknown:
            yield from connection.execute(in_force.rows(connection, id)).mappings()
        else:
            yield from self._since(connection, id)

    def _know(self, connection: Connection, *, met: bool = False) -> None:
        now = self._against.now(connection)
        if now is not None and now.size:
            last_kept.keep(now, self.where, met=met)
            self._against.remember(now)
            if met and not self._is_there(now):
                last_kept.forget(self.where)

    def _is_there(self, known: Checkpoint) -> bool:
        """Is the log as long still? While it was read another one may have been put there."""
        with self._database.snapshot() as connection:
            origin, size = log.extent(connection)
        return origin == known.origin and size >= known.size

    def _unlike(self, one: Evidence, strangers: list[str] | None = None) -> Disagrees | None:
        """`strangers`: takes the pledges whose bundles nobody known signed, as no reason."""
        from collector.pledges.status.latest_bundle import Newest

        try:
            newest = Newest(one)
            newest.hold_row()
            if strangers is None or self._signers.know(newest):
                self._signers.hold(newest)
            else:
                strangers.append(one.pledge)
        except Disagrees as problem:
            return problem
        except (BadInput, VerifyFailed) as problem:
            return Disagrees(problem.what, where=problem.where, mend=msg("restore_backup"))
        return None

    @property
    def _signers(self) -> Signers:
        """As the user trusts now: a register may be open for months."""
        from collector.pledges.register.over_keys import trusted
        from collector.pledges.register.signers import Signers

        stands = tuple(trusted())
        known = self._signers_of
        if known is None or known[0] != stands:
            known = self._signers_of = stands, Signers(self.where)
        return known[1]

    def document_courses(self, newest: Mapping[str, Evidence]) -> Mapping[str, str]:
        """The records whose documents that judges use changed since; see `borne.changed`."""
        with self._database.read() as connection:
            return borne.changed(connection, newest)

    @cached_property
    def _over(self) -> OverKeys:
        from collector.pledges.register.over_keys import OverKeys

        return OverKeys(self.where)

    def _counted(self, rows: Iterable[Evidence]) -> tuple[Evidence, ...]:
        """The same, each with why its signature counts no more, where it does not."""
        self._over.look()
        return tuple(map(self._over.counted, rows))

    def _few(
        self, connection: Connection, found: Mapping[str, Sequence[Evidence]]
    ) -> dict[str, tuple[Evidence, ...]]:
        """Of each pledge, out of its rows in force, the few that say how it is now.

        Where the signature of one of them counts no more, an older one may count in its place.
        """
        void = voids.of(connection)
        few = {id: self._counted(few_of(rows)) for id, rows in found.items()}
        mixed = [id for id, rows in found.items() if id in void or not in_order(rows)]
        once_void = {
            id
            for at in range(0, len(mixed), _AT_ONCE)
            for id in voids.ever(connection, mixed[at : at + _AT_ONCE])
        }
        again = [
            id
            for id, rows in few.items()
            if (
                any(row.refused and not row.doubted for row in rows)
                and len(rows) < rows[-1].sequence
            )
            or (id in once_void and not any(row.doubted for row in rows))
        ]
        table = tables.evidence
        for at in range(0, len(again), _AT_ONCE):
            some = again[at : at + _AT_ONCE]
            query = select(table).where(table.c.pledge.in_(some)).order_by(table.c.sequence)
            every: dict[str, list[Evidence]] = {id: [] for id in some}
            for row in connection.execute(query).mappings():
                if row["sequence"] not in void.get(row["pledge"], ()):
                    every[row["pledge"]].append(self._evidence(row))
            for id, all_rows in every.items():
                held = present(all_rows) if id in once_void else all_rows
                few[id] = few_of(self._counted(held))
        return few

    def _refused(self, few: Mapping[str, Sequence[Evidence]]) -> Iterator[Disagrees]:
        """Why what says how a pledge is now proves nothing of it, where its signature is over."""
        for id, rows in sorted(few.items()):
            one = current(rows)
            if one is not None and one.refused and not one.doubted:
                yield Disagrees(
                    msg("evidence_refused", sequence=one.sequence, pledge=id, why=one.refused),
                    where=self.where,
                    mend=msg("check_anew_pledge"),
                )

    def _evidence(self, row: Mapping[Any, Any]) -> Evidence:
        """Raises Disagrees for a row that nobody but another program writes."""
        try:
            return evidence_of(row, self.store.path(row["digest"]))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Disagrees(
                msg("row_not_as_written", sequence=row["sequence"], pledge=row["pledge"]),
                where=self.where,
                mend=msg("restore_backup"),
            ) from None

    def _since(self, connection: Connection, id: str) -> Iterator[Mapping[Any, Any]]:
        table, places = tables.evidence, sorted(self._against.since(connection))
        places = [place for place in places if id in ("", place[0])]
        for at in range(0, len(places), _AT_ONCE):
            wanted = tuple_(table.c.pledge, table.c.sequence).in_(places[at : at + _AT_ONCE])
            yield from connection.execute(select(table).where(wanted)).mappings()
