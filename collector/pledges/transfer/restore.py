"""Puts a saved register in place: all of it, or nothing. Where there is one already, told to.

Bundles come first, each under its digest, then all rows in one transaction: a process killed at
any moment leaves what was there before, and may be run again.
"""

from __future__ import annotations

import itertools
import os
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, text

from collector import captures
from collector.attest.trust.trust_file import Trust
from collector.captures import sync_folder
from collector.errors import BadInput, CollectorError
from collector.i18n.message import msg
from collector.pledges.database import last_kept, location, log, tables
from collector.pledges.database.location import Place
from collector.pledges.database.store import Store
from collector.pledges.database.transactions import Database
from collector.pledges.register.register import Register
from collector.pledges.transfer import whole_bundle
from collector.pledges.transfer.backup_file import TABLES, BackupFile, opened

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Restored:
    """`about` is what the backup says of itself; `where` the register that now is as it was.

    `lost`: how many entries the log had there that the backup does not have. `strangers`: how many
    bundles no key signed that counts; `unproven_log`: its last checkpoint is by none, or there is
    none; `after_checkpoint`: how many entries of the log came after it.
    `gone`: the ids of the records that were there and are not in the backup.
    """

    about: dict[str, Any]
    where: str
    lost: int
    strangers: int = 0
    unproven_log: bool = False
    after_checkpoint: int = 0
    gone: tuple[str, ...] = ()


def restore(
    file: Path, at: str | None, *, replace: bool = False, trust: Trust | None = None
) -> Restored:
    """Raises BadInput, and nothing is changed, where the backup is not whole, where what a key of

    `trust` signed does not verify, or where there are records at that place and `replace` was not
    said.
    """
    with opened(file) as backup:
        backup.check(trust)
        trust = trust or Trust()
        place = location.place(at)
        if place.path is not None and not place.path.parent.is_dir():
            raise BadInput(
                msg("no_such_folder"), where=str(place.path.parent), mend=msg("make_first")
            )
        if place.path is not None and not place.path.exists():
            made = _made(backup, place, place.path, trust)
            _take_in(at)
            return made
        Register.open(at)
        database = Database(place.engine(), place.where)
        with database.read() as connection:
            _refuse(connection, place.where, replace=replace)
        _bundles(backup, place.store, trust)
        # an earlier state is put in place on purpose
        with last_kept.forgotten(place.where), database.write() as connection:
            _hold(connection)
            _refuse(connection, place.where, replace=replace)
            before = _ids(connection)
            lost = _fill(connection, backup, place.where)
            gone = tuple(sorted(before - _ids(connection)))
            _note(connection, backup, place)
    _take_in(at)
    return replaced(_restored(backup, place.where, lost), gone=gone)


def _made(backup: BackupFile, place: Place, path: Path, trust: Trust) -> Restored:
    """A file that is not there yet is made aside, and appears with all that belongs into it."""
    _bundles(backup, place.store, trust)
    with place.store.room() as room:
        aside = room / path.name
        database = Database(tables.open_sqlite(aside), place.where)
        with last_kept.forgotten(place.where), database.write() as connection:
            tables.create(connection, where=place.where)
            _fill(connection, backup, place.where)
            _note(connection, backup, place)
        # the last connection took the write-ahead log into the file as it was closed
        if any(room.glob(f"{path.name}-wal")):
            raise BadInput(msg("write_ahead_log_not"), where=place.where)
        _sync(aside)
        try:
            os.link(aside, path)
        except FileExistsError:
            raise BadInput(msg("another_process_made_register"), where=place.where) from None
        sync_folder(path.parent)
    return _restored(backup, place.where, 0)


def _take_in(at: str | None) -> None:
    """Which hosts the bundles have is in no backup: lists ask for it."""
    with suppress(CollectorError):
        # what cannot be read is told by whoever asks for it
        Register.open(at).take_in()


def _restored(backup: BackupFile, where: str, lost: int) -> Restored:
    return Restored(
        backup.about, where, lost, backup.strangers, backup.unproven_log, backup.after_checkpoint
    )


def _ids(connection: Connection) -> frozenset[str]:
    return frozenset(connection.execute(select(tables.pledges.c.id)).scalars())


def _refuse(connection: Connection, where: str, *, replace: bool) -> None:
    count = connection.execute(select(func.count()).select_from(tables.pledges)).scalar_one()
    if count and not replace:
        raise BadInput(
            msg("register_holds_pledge_records", count=count),
            where=where,
            mend=msg("replace_puts_backup_their"),
        )


def _hold(connection: Connection) -> None:
    """Nobody else writes until this ends; who reads sees what was there before."""
    if connection.dialect.name == "postgresql":
        names = ", ".join(table.name for table in (*TABLES, *tables.MADE_ANEW))
        # also against those who hold a row, for they would wait for a table that we hold
        connection.exec_driver_sql(f"LOCK TABLE {names} IN EXCLUSIVE MODE")


def _fill(connection: Connection, backup: BackupFile, where: str) -> int:
    """Puts the rows in, and reads the log of them; returns how many entries were lost."""
    entries = select(func.count()).select_from(tables.log_entries)
    before = connection.execute(entries).scalar_one()
    with tables.unguarded(connection):
        for table in (*tables.MADE_ANEW, *reversed(TABLES)):
            connection.execute(table.delete())
        for table in TABLES:
            rows = backup.rows(table)
            while some := list(itertools.islice(rows, _AT_ONCE)):
                connection.execute(table.insert(), some)
    if connection.dialect.name == "postgresql":
        connection.execute(
            text(
                "SELECT setval(pg_get_serial_sequence('checkpoints', 'number'), "
                "(SELECT coalesce(max(number), 0) + 1 FROM checkpoints), false)"
            )
        )
    log.read(connection, where=where)
    return int(max(0, before - connection.execute(entries).scalar_one()))


def _note(connection: Connection, backup: BackupFile, place: Place) -> None:
    """Whose the bundles are from now on."""
    name = str(connection.execute(select(tables.log_head.c.origin)).scalar() or "")
    if backup.bundles:
        place.store.note(backup.bundles, name, place.where)


def _bundles(backup: BackupFile, store: Store, trust: Trust) -> None:
    """Each that the store has not takes its name there, whole; one that it has in order stays."""
    missing = [digest for digest in backup.bundles if not _is_kept(backup, store, digest, trust)]
    if not missing:
        return
    with store.room() as room:
        for digest in missing:
            copy = room / digest / "bundle"
            copy.mkdir(mode=0o700, parents=True)
            for file in backup.extract(digest, copy):
                _sync(file)
            for folder, _, _ in os.walk(copy):
                sync_folder(Path(folder))
            store.keep(copy, digest)


def _is_kept(backup: BackupFile, store: Store, digest: str, trust: Trust) -> bool:
    root = store.path(digest)
    if not root.is_dir():
        return False
    there = {str(p.relative_to(root)): p for p in root.rglob("*") if not p.is_dir()}
    wanted = backup.bundles[digest]
    same = there.keys() == wanted.keys() and all(
        path.is_file() and not path.is_symlink() and _digest(path) == wanted[name]
        for name, path in there.items()
    )
    # the same statement: one that holds together is not given up for another
    trusted = digest in backup.trusted
    return same or not whole_bundle.wrong(root, digest, trust, trusted=trusted)


def _digest(path: Path) -> str:
    return captures.digest(path.read_bytes())


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
