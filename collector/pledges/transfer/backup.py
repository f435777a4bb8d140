"""Saves a register whole: one moment of its rows, its log with its checkpoints, and its bundles."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import select

from collector import __version__, private
from collector.attest.log.checkpoint import Checkpoint
from collector.attest.log.logged import Log
from collector.captures import refuse_special, sync_folder
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg
from collector.pledges.database import last_kept, log, tables
from collector.pledges.database.location import SHARED
from collector.pledges.register.register import Register
from collector.pledges.transfer import backup_file
from collector.pledges.transfer.backup_file import ABOUT, MANIFEST, ROOT, SCHEMA, TABLES
from collector.pledges.transfer.log_of_backup import about_log

_CHUNK = 1 << 20
_AT_ONCE = 1000
_TIME = (1980, 1, 1, 0, 0, 0)


def write(register: Register, target: Path) -> dict[str, Any]:
    """Writes the file aside, reads it back, and renames it; returns what it says of itself.

    Raises BadInput where a bundle is missing or another file is not as it was, and VerifyFailed
    where log and rows disagree: what is damaged is not taken for a backup. A file that is there is
    replaced only where it is an earlier backup of this very register, else BadInput is raised.
    """
    refuse_special(target)
    if target.is_dir():
        raise BadInput(msg("is_a_directory"), where=str(target))
    older = _older(target)
    with _aside(target) as (out, aside):
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            about = _Writer(archive, older, target).register(register)
        out.flush()
        os.fsync(out.fileno())
        with backup_file.opened(aside) as made:
            try:
                made.check()
            except BadInput as problem:
                raise BadInput(
                    msg("backup_not_read_back", what=problem.what), where=str(target)
                ) from None
        aside.replace(target)
    sync_folder(target.absolute().parent)
    return about


def _older(target: Path) -> Mapping[str, Any] | None:
    """What the backup that is there says of itself; None where nothing is there."""
    try:
        with backup_file.opened(target) as made:
            return made.about
    except FileNotFoundError:
        return None
    except BadInput as problem:
        raise _in_the_way(problem.what, target) from None


def _in_the_way(why: str, target: Path) -> BadInput:
    return BadInput(
        msg("backup_in_the_way", why=why), where=str(target), mend=msg("backup_elsewhere")
    )


def _lacking(register: Register, digest: str, kept: Path) -> BadInput:
    alone = "://" in register.where and not os.environ.get(SHARED)
    mend = msg("share_bundles_with_team") if alone else msg("restore_backup")
    return BadInput(msg("bundle_not_store_any", digest=digest[:12]), where=str(kept), mend=mend)


@contextmanager
def _aside(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A file beside the target, gone afterwards unless it is renamed."""
    try:
        with private.set_aside(private.BESIDE, target.parent) as folder:
            aside = folder / "backup"
            handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w+b") as out:
                yield out, aside
    except OSError as problem:
        if problem.filename is None or private.BESIDE in str(problem.filename):
            problem.filename = str(target)
        raise


class _Writer:
    def __init__(
        self, archive: zipfile.ZipFile, older: Mapping[str, Any] | None, target: Path
    ) -> None:
        self._archive = archive
        self._older = older
        self._target = target
        self._digests: dict[str, str] = {}

    def register(self, register: Register) -> dict[str, Any]:
        digests: list[str] = []
        known = last_kept.read(register.where)
        with register.snapshot() as connection:
            found = log.read(connection, where=register.where, known=known)
            counts: dict[str, int] = {}
            gone = tables.emptied(connection)
            for table in TABLES:
                query = select(table).order_by(*table.primary_key.columns)
                rows = connection.execution_options(yield_per=_AT_ONCE).execute(query)
                with self._open(backup_file.table_name(table)) as put:
                    counts[table.name] = 0
                    for row in rows.mappings():
                        put(json.dumps(dict(row), ensure_ascii=False).encode() + b"\n")
                        counts[table.name] += 1
                        if table is tables.evidence and row["pledge"] not in gone:
                            digests.append(row["digest"])
        self._follows(found, counts)
        # a bundle is in the store before its row is written, and stays there until its pledge
        # is disposed of
        for digest in digests:
            kept = register.store.path(digest)
            if not kept.is_dir():
                raise _lacking(register, digest, kept)
            self._tree(kept, f"bundles/{digest}")
        about = {
            "schema": SCHEMA,
            "hostpledge": __version__,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "rows": counts,
            "log": about_log(found),
        }
        with self._open(ABOUT) as put:
            put(json.dumps(about, indent=1).encode() + b"\n")
        lines = "".join(f"{digest}  {name}\n" for name, digest in self._digests.items())
        self._archive.writestr(self._entry(MANIFEST), lines.encode())
        return about

    def _follows(self, found: Log, counts: Mapping[str, int]) -> None:
        """An empty register, of a folder that was mistyped, would replace the only backup."""
        if self._older is None:
            return
        try:
            head = self._older["log"]
            earlier = Checkpoint(
                str(head["origin"]), int(head["size"]), bytes.fromhex(head["root"])
            )
            found.check_begins_with(earlier, where=str(self._target))
            # no version of a record is ever removed
            kept = counts[tables.versions.name] >= int(self._older["rows"][tables.versions.name])
        except VerifyFailed as problem:
            raise _in_the_way(problem.what, self._target) from None
        except (LookupError, TypeError, ValueError):
            raise _in_the_way(msg("holds_no_backup"), self._target) from None
        if not kept:
            raise _in_the_way(msg("backup_has_more_versions"), self._target)

    def _tree(self, path: Path, name: str) -> None:
        for inside in sorted(path.iterdir()):
            mode = inside.lstat().st_mode
            if stat.S_ISDIR(mode):
                self._tree(inside, f"{name}/{inside.name}")
            elif stat.S_ISREG(mode):
                with self._open(f"{name}/{inside.name}") as put, inside.open("rb") as source:
                    while chunk := source.read(_CHUNK):
                        put(chunk)
            else:
                raise BadInput(msg("neither_file_nor_folder"), where=str(inside))

    @contextmanager
    def _open(self, name: str) -> Iterator[Any]:
        digest = hashlib.sha256()
        with self._archive.open(self._entry(name), "w", force_zip64=True) as out:

            def put(data: bytes) -> None:
                digest.update(data)
                out.write(data)

            yield put
        self._digests[name] = digest.hexdigest()

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(f"{ROOT}/{name}", _TIME)
        packed = name.endswith((".gz", ".capture"))
        entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        entry.external_attr = backup_file.MODE << 16
        return entry
