"""The file of a backup: rows and bundles of a register as one ZIP, with digests over all of it.

It is of no database's own form: what was saved from SQLite can be restored into PostgreSQL, and
the other way round. `sha256sum -c manifest-sha256.txt` checks what was unpacked.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from collector import private
from collector.attest.bundle import bag, container
from collector.attest.envelope import dsse as envelope
from collector.attest.envelope import statement
from collector.attest.trust.trust_file import Trust
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg, told
from collector.pledges.database import bound_versions, columns, held, log, tables
from collector.pledges.database.rows import evidence_of
from collector.pledges.record.form import stored
from collector.pledges.transfer import whole_bundle
from collector.pledges.transfer.log_of_backup import about_log, counts, last_proven
from collector.verify.archive import FREE, MOST_RATIO

SCHEMA = "urn:hostpledge:register-backup:1"
ROOT = "hostpledge-register"
ABOUT = "backup.json"
MANIFEST = "manifest-sha256.txt"
# in the order in which they can be filled; all others are made anew
TABLES = (
    tables.pledges, tables.versions, tables.evidence, tables.log_head, tables.log_entries,
    tables.checkpoints,
)  # fmt: skip
MODE = 0o600
_MOST = 10_000_000
_CHUNK = 1 << 20
# a record is at most 4 MiB of YAML, and no character of it takes more than six as JSON
_LONGEST = 32 << 20
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError,
    OverflowError, RuntimeError, KeyError, TypeError, RecursionError,
)  # fmt: skip
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_BUNDLE = re.compile(r"bundles/([0-9a-f]{64})/(.+)")
_MEND = msg("take_another_backup")


def table_name(table: Table) -> str:
    """The name of the file that holds the rows of a table, one JSON object a line."""
    return f"{table.name}.jsonl"


class _UnlikeError(BadInput):
    """What is no backup, or not a whole one."""

    def __init__(self, why: str, where: str) -> None:
        super().__init__(msg("not_a_whole_register_backup", why=why), where=where, mend=_MEND)


class BackupFile:
    """A backup, opened with `opened`. What is read of it is held to the manifest."""

    def __init__(self, archive: zipfile.ZipFile, where: str) -> None:
        self._archive = archive
        self._where = where
        with self._reading():
            self._digests = self._manifest()
            self.about = self._about()
        # what nobody who is trusted here signed: bundles, and whether the last checkpoint is one
        self.strangers = 0
        self.unproven_log = True
        # entries of the log that no checkpoint of such a key is over
        self.after_checkpoint = 0
        # by their digest, the bundles that a trusted key signed
        self.trusted: set[str] = set()
        self.bundles: dict[str, dict[str, str]] = {}
        for name in self._digests:
            if found := _BUNDLE.fullmatch(name):
                self.bundles.setdefault(found[1], {})[found[2]] = self._digests[name]

    def rows(self, table: Table) -> Iterator[dict[str, Any]]:
        """The rows of a table; raises BadInput for what is no row of it."""
        known = {column.name: column for column in table.columns}
        for line in self._lines(table_name(table)):
            with self._reading():
                row = json.loads(line)
            if isinstance(row, dict):
                # a backup from before there was such a column
                row = {n: None for n, column in known.items() if column.nullable} | row
            if not isinstance(row, dict) or row.keys() != known.keys():
                raise self.unlike(msg("not_row", table_name=table_name(table)))
            for name, value in row.items():
                column = known[name]
                if type(value) is not columns.kind(column) and not (
                    value is None and column.nullable
                ):
                    raise self.unlike(msg("not_row", table_name=table_name(table)))
            yield row

    def extract(self, digest: str, target: Path) -> Iterator[Path]:
        """Writes a bundle to the new folder `target`; yields its files, to be synced."""
        for name in self.bundles[digest]:
            place = target / name
            private.folder(place.parent)
            with private.create(place) as out:
                for chunk in self._chunks(f"bundles/{digest}/{name}"):
                    out.write(chunk)
            yield place

    def check(self, trust: Trust | None = None) -> None:
        """Reads all of it; raises BadInput unless it is whole, and of one piece in itself.

        What a key in `trust` signed has to verify.
        """
        self._check_sizes()
        for name in self._digests:
            for _ in self._chunks(name):
                pass
        counts = {table.name: sum(1 for _ in self.rows(table)) for table in TABLES}
        if self.about.get("rows") != counts:
            raise self.unlike(msg("other_numbers_of_rows"))
        try:
            self._check_records()
            self._check_log()
            for row in self.rows(tables.evidence):
                if row["digest"] in self.bundles:
                    self._check_bundle(row, trust or Trust())
            last = last_proven(self.rows(tables.checkpoints), trust or Trust(), self._where)
            self.unproven_log = last is None
            self.after_checkpoint = self.about["log"]["size"] - (last or 0)
        except (BadInput, VerifyFailed) as problem:
            if isinstance(problem, _UnlikeError):
                raise
            raise self.unlike(problem.what) from None

    def _check_sizes(self) -> None:
        """Of all that is in it, before a byte of it is unpacked; raises BadInput."""
        for entry in self._archive.infolist():
            if entry.file_size > entry.compress_size * MOST_RATIO + FREE:
                raise self.unlike(msg("unpacks_more_bundle_holds"))
        for digest, files in self.bundles.items():
            try:
                bag.check_sizes({name: self._size(f"bundles/{digest}/{name}") for name in files})
            except VerifyFailed as problem:
                raise self.unlike(problem.said) from None

    def _check_records(self) -> None:
        known = {row["id"]: 0 for row in self.rows(tables.pledges)}
        emptied: set[str] = set()
        for row in self.rows(tables.versions):
            id, version = row["pledge"], row["version"]
            if version != known.get(id, -1) + 1:
                raise self.unlike(msg("version_out_place", version=version, which=id))
            known[id] += 1
            if row["document"] == "":
                emptied.add(id)
                continue
            record = stored(row["document"], sha256=row["sha256"], where=self._where)
            if record.id != id or (id in emptied and "disposed" not in record.document):
                raise self.unlike(msg("version_out_place", version=version, which=id))
            emptied.discard(id)
        for id in emptied:
            raise self.unlike(msg("no_version", which=id))
        for id, count in known.items():
            if not count:
                raise self.unlike(msg("no_version", which=id))

    def _check_log(self) -> None:
        evidence = list(self.rows(tables.evidence))
        last: dict[str, tuple[int, str | None]] = {}
        for row in evidence:
            sequence, previous = last.get(row["pledge"], (0, None))
            if row["sequence"] != sequence + 1 or row["previous"] != previous:
                raise self.unlike(
                    msg("evidence_out_place", row=row["sequence"], row_2=row["pledge"])
                )
            last[row["pledge"]] = row["sequence"], row["digest"]
        disposed = {row["pledge"] for row in self.rows(tables.versions) if row["document"] == ""}
        if {e["digest"] for e in evidence if e["pledge"] not in disposed} != self.bundles.keys():
            raise self.unlike(msg("bundles_not_those_evidence"))
        if not last.keys() <= {row["id"] for row in self.rows(tables.pledges)}:
            raise self.unlike(msg("evidence_no_pledge"))
        origins = [row["origin"] for row in self.rows(tables.log_head)]
        if len(origins) != 1:
            raise self.unlike(msg("no_log_more_one"))
        found = log.whole(
            origins[0],
            [(row["number"], row["leaf"]) for row in self.rows(tables.log_entries)],
            evidence,
            max(
                ((row["number"], row["note"]) for row in self.rows(tables.checkpoints)),
                default=(0, None),
            )[1],
            where=self._where,
        )
        bound_versions.check(
            evidence,
            (
                (v["pledge"], v["version"], v["sha256"], v["added_at"])
                for v in self.rows(tables.versions)
            ),
            where=self._where,
        )
        if self.about.get("log") != about_log(found):
            raise self.unlike(msg("another_log_says"))

    def _check_bundle(self, row: dict[str, Any], trust: Trust) -> None:
        """Its statement is the one that was attached, and says what its row says.

        Its files are those that the statement vouches for.
        """
        digest = row["digest"]
        kept = self.bundles[digest]
        sealed = envelope.unseal(
            self._small(f"bundles/{digest}/data/{envelope.FILE}"), where=self._where
        )
        if hashlib.sha256(sealed.payload).hexdigest() != digest:
            raise self.unlike(msg("bundle_another_one", digest=digest[:12]))
        told = statement.from_bytes(sealed.payload, where=self._where)
        for name, known in statement.subjects(told).items():
            if kept.get(f"data/{name}") != known:
                raise self.unlike(msg("bundle_not_signed", digest=digest[:12], name=name))
        signer = trust.find(sealed.keyid)
        if signer is not None:
            sealed.verify(signer.key)
        looks = [
            held.look(self._chunks(f"bundles/{digest}/{name}", whole=False))
            for name in kept
            if name.startswith("data/captures/")
        ]
        with self._reading():
            attached = evidence_of(row, Path(self._where))
            if signer is not None and counts(signer, attached, sealed, trust):
                self.trusted.add(digest)
            else:
                self.strangers += 1
            if row["scope"] and json.loads(row["scope"])["whole"] is not attached.whole:
                raise self.unlike(msg("evidence_jsonl_not_row"))
            held.hold(attached, told["predicate"], looks, self._where)
            sizes = {name: self._size(f"bundles/{digest}/{name}") for name in kept}
        name = whole_bundle.unlike(kept, sizes, sealed.payload, told)
        if not name:
            with private.set_aside() as aside:
                list(self.extract(digest, aside / "bundle"))
                name = whole_bundle.wrong(aside / "bundle", digest, trust)
        if name:
            raise self.unlike(msg("bundle_not_signed", digest=digest[:12], name=name))

    def _manifest(self) -> dict[str, str]:
        entries = {entry.filename for entry in self._archive.infolist()}
        # a line for each of the others: it packs well enough to be of any size
        longest = sum(len(name.encode()) + 67 for name in entries)
        if self._archive.getinfo(f"{ROOT}/{MANIFEST}").file_size > longest:
            raise self.unlike(msg("not_one", manifest=MANIFEST))
        with self._archive.open(f"{ROOT}/{MANIFEST}") as source:
            lines = source.read().decode().splitlines()
        digests: dict[str, str] = {}
        for line in lines:
            found = _LINE.fullmatch(line)
            if found is None or found[2] in digests or not _plain(found[2]):
                raise self.unlike(msg("not_one", manifest=MANIFEST))
            digests[found[2]] = found[1]
        names = {f"{ROOT}/{name}" for name in (*digests, MANIFEST)}
        if names != entries or len(entries) != len(self._archive.infolist()):
            raise self.unlike(msg("holds_not_says"))
        strange = digests.keys() - {ABOUT, *map(table_name, TABLES)}
        if any(not _BUNDLE.fullmatch(name) for name in strange):
            raise self.unlike(msg("holds_no_backup"))
        return digests

    def _about(self) -> dict[str, Any]:
        about = json.loads(self._small(ABOUT))
        if not isinstance(about, dict) or about.get("schema") != SCHEMA:
            raise self.unlike(msg("made_newer_hostpledge_something"))
        return about

    def _size(self, name: str) -> int:
        return self._archive.getinfo(f"{ROOT}/{name}").file_size

    def _small(self, name: str) -> bytes:
        """The bytes of a file that is held in memory."""
        with self._reading():
            size = self._size(name)
        if size > _LONGEST:
            raise self.unlike(msg("line_more_mib", name=name, longest=_LONGEST >> 20))
        return b"".join(self._chunks(name))

    def _lines(self, name: str) -> Iterator[bytes]:
        rest = b""
        for chunk in self._chunks(name):
            *whole, rest = (rest + chunk).split(b"\n")
            if len(rest) > _LONGEST:
                raise self.unlike(msg("line_more_mib", name=name, longest=_LONGEST >> 20))
            yield from whole
        if rest:
            raise self.unlike(msg("cut_off", name=name))

    def _chunks(self, name: str, *, whole: bool = True) -> Iterator[bytes]:
        """What the file holds; only where the `whole` of it is read, it is held to its digest."""
        digest = hashlib.sha256()
        with self._reading(), self._archive.open(f"{ROOT}/{name}") as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                yield chunk
        if whole and digest.hexdigest() != self._digests[name]:
            raise self.unlike(msg("was_changed", name=name))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except _BROKEN as problem:
            raise self.unlike(told(problem)) from None

    def unlike(self, why: str) -> BadInput:
        return _UnlikeError(why, self._where)


@contextmanager
def opened(path: Path) -> Iterator[BackupFile]:
    """Raises BadInput, here and while it is read, for what is no backup, or not a whole one."""
    with private.opened(path) as source:
        try:
            # whatever else unpacks it finds the same files
            container.layout(source, str(path), most=_MOST, mode=MODE)
            archive = zipfile.ZipFile(source)
        except VerifyFailed as problem:
            raise _UnlikeError(problem.what, str(path)) from None
        except _BROKEN as problem:
            raise _UnlikeError(told(problem), str(path)) from None
        with archive:
            yield BackupFile(archive, str(path))


def _plain(name: str) -> bool:
    """Does the name stay below the folder it is unpacked to?"""
    parts = name.split("/")
    return not any(part in ("", ".", "..") for part in parts) and not re.search(r"[\\\0]", name)
