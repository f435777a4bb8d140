"""What is attached to pledge records: the register's rows of evidence, and its log of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from collector.attest.log.checkpoint import parse
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg
from collector.pledges.database import (
    against_log,
    bound_versions,
    in_force,
    last_kept,
    seals,
    sightings,
    tables,
    voids,
    waived,
)
from collector.pledges.database.next_in_order import AttachedAlready, check_in_order
from collector.pledges.database.rows import Evidence, evidence_of, scope_json
from collector.pledges.register.nearest import no_pledge
from collector.pledges.register.present import in_order, present
from collector.pledges.register.remembered import Remembered
from collector.pledges.register.with_hosts import with_hosts
from collector.pledges.status import briefs
from collector.pledges.status import snapshots as looks

if TYPE_CHECKING:
    from collector.attest.bundle.evidence import PledgeReference
    from collector.attest.log.logged import Log
    from collector.pledges.database.held import Disagrees
    from collector.pledges.database.sightings import Sighting
    from collector.pledges.status.declared_resources import Shown
    from collector.pledges.status.latest_bundle import Newest
    from collector.scope import Scope


class Attached(Remembered):
    """The part of a register that is about evidence; see `register.Register`."""

    def evidence(self, id: str, *, hold: bool = True) -> tuple[Evidence, ...]:
        """As `every_evidence`, without what was declared void: what says something of a pledge."""
        every = self.every_evidence(id, hold=hold)
        with self._database.read() as connection:
            void = voids.of(connection, [id]).get(id, frozenset())
            holding = tuple(one for one in every if one.sequence not in void)
            if void or (not in_order(holding) and voids.ever(connection, [id])):
                holding = present(holding)
            return with_hosts(connection, {id: holding})[id]

    def every_evidence(self, id: str, *, hold: bool = True) -> tuple[Evidence, ...]:
        """What is attached to a record, in sequence; raises BadInput when there is no record.

        And where its rows and the log of them differ, unless the caller holds them (`hold_to_log`).
        """
        table = tables.evidence
        query = select(table).where(table.c.pledge == id).order_by(table.c.sequence)
        with self._database.read() as connection:
            if not self._hold(connection, id):
                raise self.unknown(connection, id)
            rows = connection.execute(query).mappings().all()
            agree = not hold or (
                self._against.broken(connection, where=self.where) is None
                and self._against.agrees(connection, id, rows)
            )
            unsigned = self._unsigned(connection, id) if hold and agree else {}
        if not agree:
            self.hold_to_log(id)
        for why in unsigned.values():
            raise why
        return self._counted(self._evidence(row) for row in rows)

    def hold_to_log(self, id: str) -> None:
        """Raises BadInput where the log says another thing of a record's evidence than its rows,

        or what others attached since this user did is not what a trusted key signed.
        """
        with self._database.snapshot() as connection:
            self._hold_to_log(connection, id)
            for why in self._unsigned(connection, id).values():
                raise why

    def _hold_to_log(self, connection: Connection, id: str) -> None:
        broken = self._against.broken(connection, where=self.where)
        if broken is not None:
            raise broken
        for doubt in against_log.doubts(connection, (id,), where=self.where).values():
            raise doubt.why

    def all_evidence(self) -> Mapping[str, tuple[Evidence, ...]]:
        """What is attached to every record, by id; a record with none is not among them."""
        table = tables.evidence
        found: dict[str, tuple[Evidence, ...]] = {}
        with self._database.read() as connection:
            rows = connection.execute(select(table).order_by(table.c.pledge, table.c.sequence))
            for row in rows.mappings():
                one = self._evidence(row)
                found[one.pledge] = (*found.get(one.pledge, ()), one)
        return {id: self._counted(every) for id, every in found.items()}

    def newest_evidence(self) -> Mapping[str, tuple[Evidence, ...]]:
        """As `newest_and_doubts`, of which a record that is doubted proves nothing."""
        return self.newest_and_doubts()[0]

    def newest_and_doubts(self) -> tuple[Mapping[str, tuple[Evidence, ...]], Sequence[Disagrees]]:
        """Of every record the bundle attached last, by id; a record with none is not among them.

        What was declared void is not there.

        Where the rows of a record and the log differ, what the log says is there in their place,
        with no verdict but `error`; and why comes second. Of a log that is not the one that was
        signed nothing is proven, of any record.

        Its sequence number is how many there are. Where another one was collected later, another
        is the newest that looked at all of its pledge, or the last of no past look (`current`),
        that stands before it.
        """
        with self._database.read() as connection:
            query = in_force.rows(connection)
        with self._database.read() as connection:
            broken = self._against.broken(connection, where=self.where)
            differing = frozenset() if broken else self._against.differing(connection)
            unsigned = {} if broken else self._unsigned(connection)
            rows: Sequence[Mapping[Any, Any]] = connection.execute(query).mappings().all()
        doubts: Mapping[str, against_log.Doubt] = {}
        if differing:
            # in one moment: what another process attached meanwhile differs no more
            with self._database.snapshot() as connection:
                doubts = against_log.doubts(connection, differing, where=self.where)
            rows = [row for row in rows if row["pledge"] not in doubts]
        found: dict[str, list[Evidence]] = {}
        for row in rows:
            doubted = broken is not None or row["pledge"] in unsigned
            for kept in against_log.unproven([row]) if doubted else [row]:
                one = replace(self._evidence(kept), doubted=doubted)
                found.setdefault(one.pledge, []).append(one)
        for id, doubt in doubts.items():
            if doubt.rows:
                found[id] = [replace(self._evidence(row), doubted=True) for row in doubt.rows]
        with self._database.read() as connection:
            few = with_hosts(connection, self._few(connection, found))
        if broken:
            return few, [broken]
        more = [why for id, why in sorted(unsigned.items()) if id not in doubts]
        return few, [*(doubt.why for doubt in doubts.values()), *more, *self._refused(few)]

    def reference(self, id: str) -> PledgeReference:
        """What the next bundle for this pledge must say of itself; raises BadInput as `get`."""
        from collector.attest.bundle.evidence import PledgeReference

        attached = self.every_evidence(id)
        if not attached:
            return PledgeReference(id, 1, None)
        return PledgeReference(id, attached[-1].sequence + 1, attached[-1].digest)

    def bundles(self, *, but: Collection[str] = ()) -> frozenset[str]:
        """The digests of all evidence, void ones as well; without that of the pledges `but`."""
        table = tables.evidence
        chosen = select(table.c.digest).where(table.c.pledge.not_in(but))
        with self._database.read() as connection:
            return frozenset(connection.execute(chosen).scalars())

    def waiver_courses(self) -> Mapping[str, waived.Course]:
        """Of each record that ever had a waiver, by id: which, and since when."""
        with self._database.read() as connection:
            return waived.courses(connection)

    @contextmanager
    def attaching(self, id: str) -> Iterator[None]:
        """Up to its end nobody else attaches anything, or changes this record.

        Not to another record either: a capture must be attached to one host of one alone.
        """
        from collector.pledges.database import log

        with self._database.writing() as connection:
            self._hold(connection, id)
            log.hold(connection, where=self.where)
            yield
        # only now is it there for others, and cannot be taken back
        self._remember()

    def name(self) -> str:
        """Which register it is, by its log: wherever it lies, and after it was restored."""
        with self._database.read() as connection:
            return self._name(connection)

    def _name(self, connection: Connection) -> str:
        return str(connection.execute(select(tables.log_head.c.origin)).scalar() or "")

    @contextmanager
    def changing(self, *ids: str) -> Iterator[None]:
        """Up to its end nobody else changes a record: what was read is so when it is written."""
        with self._database.writing() as connection:
            # in one order: two that hold the same would wait for each other otherwise
            for id in sorted(ids):
                self._hold(connection, id)
            yield

    def insert_evidence(
        self,
        id: str,
        *,
        sequence: int,
        digest: str,
        previous: str | None,
        collected_at: datetime,
        made_at: datetime,
        verdicts: Mapping[str, str],
        scope: Scope,
        handed_in: int,
        past: bool | None,
        seen: Sequence[Sighting],
        copy: Path,
    ) -> Evidence:
        """Keeps the verified bundle at `copy` and writes its row; see `attach.attach`.

        Raises BadInput when it is attached already, or is not the next one of its pledge.
        """
        from collector.pledges.database import log

        now = datetime.now(UTC)
        table = tables.evidence
        with self._database.write() as connection:
            if not self._hold(connection, id):
                raise self.unknown(connection, id)
            self._check_next(connection, id, sequence, digest, previous)
            # what does not hold now is not vouched for with what is put to it
            held = not seals.unsealed(connection, id)
            path = self.store.keep(copy, digest)
            self.store.note([digest], self._name(connection), self.where)
            sightings.forget_others(connection, id)
            sightings.put(connection, id, sequence, seen)
            row = {
                "pledge": id,
                "sequence": sequence,
                "digest": digest,
                "previous": previous,
                "collected_at": collected_at.astimezone(UTC).isoformat(),
                "made_at": made_at.astimezone(UTC).isoformat(),
                "attached_at": now.isoformat(),
                "verdicts": json.dumps(dict(verdicts), sort_keys=True),
                "scope": json.dumps(scope_json(scope, handed_in, past), sort_keys=True),
                "record": json.dumps(bound_versions.now(connection, id), sort_keys=True),
                "seen": seals.digest(connection, id, sequence),
            }
            connection.execute(table.insert().values(**row))
            log.append(connection, row, now, where=self.where)
            if held:
                seals.seal(connection, [id])
            # somebody's trigger may have taken it away again
            if sequence in seals.unlike(connection, id):
                raise BadInput(msg("kept_is_changed_by_database"), where=self.where)
        return evidence_of(row, path)

    def check_next(self, id: str, sequence: int, digest: str, previous: str | None) -> None:
        """Raises BadInput as `insert_evidence`, which looks once more."""
        with self._database.snapshot() as connection:
            self._check_next(connection, id, sequence, digest, previous)

    def _check_next(
        self, connection: Connection, id: str, sequence: int, digest: str, previous: str | None
    ) -> None:
        table = tables.evidence
        there = connection.execute(select(table).where(table.c.pledge == id)).mappings().all()
        if not self._against.agrees(connection, id, there):
            # a row that is gone would be attached once more, and the log say so twice
            self._hold_to_log(connection, id)
        same = connection.execute(select(table).where(table.c.digest == digest)).mappings()
        taken = same.first()
        if taken is not None:
            raise AttachedAlready(taken["pledge"], taken["sequence"])
        check_in_order(connection, id, sequence, previous)

    def shown(self, newest: Newest) -> tuple[Shown, ...]:
        """What the captures of a pledge's newest bundle show, each held to its signed digest.

        Read from them when they are first asked for, kept from then on; raises BadInput where one
        was changed in the store.
        """
        newest.hold_captures()
        with self._database.read() as connection:
            known = looks.read(connection, newest)
        if known is not None:
            return known
        from collector.pledges.status.observed_resources import shown

        made = tuple(shown(capture) for capture in newest.captures())
        with self._database.write() as connection:
            held = self._hold(connection, newest.pledge)
            if held and newest.pledge not in tables.emptied(connection):
                looks.put(connection, newest, made)
        return made

    def log(self) -> Log:
        """The log of all that was ever attached.

        Raises VerifyFailed, with the first cause, when it and the rows of the evidence differ, or
        it and the newest checkpoint that was signed of it.
        """
        from collector.pledges.database import log

        known = last_kept.read(self.where)
        with self._database.read() as connection:
            return log.read(connection, where=self.where, known=known)

    def keep_checkpoint(self, size: int, note: str) -> None:
        """Keeps a signed checkpoint, for reports that are made when no key is at hand."""
        now = datetime.now(UTC).isoformat()
        with self._database.write() as connection:
            kept = tables.checkpoints.insert().values(size=size, note=note, made_at=now)
            connection.execute(kept)
        with suppress(VerifyFailed):
            last_kept.keep(parse(note.encode(), where="").checkpoint, self.where)

    def checkpoint_over(self, digest: str) -> str | None:
        """The first kept checkpoint over the entry of that bundle; None where there is none."""
        from collector.pledges.database import log

        with self._database.read() as connection:
            return log.checkpoint_over(connection, digest, where=self.where)

    def _hold(self, connection: Connection, id: str) -> bool:
        """Is there such a record? In a write, no other process writes to it meanwhile."""
        query = select(tables.pledges.c.id).where(tables.pledges.c.id == id)
        if connection.get_execution_options().get("writing"):
            query = query.with_for_update()
        return connection.execute(query).first() is not None

    def _hold_all(self, connection: Connection) -> None:
        """Until the write ends no other process writes to any record that is there now."""
        held = select(tables.pledges.c.id).order_by(tables.pledges.c.id).with_for_update()
        connection.execute(held).all()

    def unknown(self, connection: Connection, id: str) -> BadInput:
        """What is raised for an id that no record has."""
        known = connection.execute(select(tables.pledges.c.id)).scalars().all()
        return no_pledge(id, known, briefs.customers(connection), where=self.where)
