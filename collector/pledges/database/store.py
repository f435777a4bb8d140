"""Bundles kept beside the register, each under its digest.

A bundle is copied aside first, so that what is verified is what is kept, whatever happens to the
original meanwhile. It is synced before it takes its name: a name in the store means a whole bundle.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from collector.attest.bundle import bag
from collector.captures import sync_folder
from collector.errors import BadInput
from collector.i18n.message import msg, of_system
from collector.private import append, create
from collector.schema import load_json

MOST_FILES = 200_000
MOST_BYTES = bag.MOST_BYTES
_CHUNK = 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ASIDE = ".aside-"
_HOLDERS = ".holders"


class Store:
    """A folder of bundles; made when the first one is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, digest: str) -> Path:
        """Where the bundle of that digest (64 hex digits) is, or would be."""
        if not _DIGEST.fullmatch(digest):
            raise ValueError(msg("no_digest", digest=digest))
        return self.folder / digest

    @contextmanager
    def aside(self, source: Path) -> Iterator[Path]:
        """A copy, as a folder, of the bundle at `source` (a folder or a ZIP file), synced.

        It is gone afterwards unless `keep` took it. Raises BadInput when there is nothing, or a
        link or a device in it, and VerifyFailed for a ZIP file that is no bundle's.
        """
        with self.room() as room:
            copy = room / "bundle"
            if source.is_file():
                from collector.attest.keys import age
                from collector.verify.archive import unpack

                if age.is_encrypted(source):
                    raise BadInput(
                        msg("encrypted_age"), where=str(source), mend=msg("decrypt_age_d")
                    )
                (room / "unpacked").mkdir(mode=0o700)
                _Copy(unpack(source, room / "unpacked")).to(copy)
            else:
                _Copy(source).to(copy)
            yield copy

    @contextmanager
    def room(self, *, alone: bool = False) -> Iterator[Path]:
        """A folder to prepare something in, on the store's own file system; gone afterwards.

        `alone`: nobody else is at work here, so that a bundle without a row is one for good: who
        keeps one has a room up to the row's end.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._share(self.folder / ".lock")
            self._tidy(lock)
            fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            room = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=self.folder))
            try:
                yield room
            finally:
                shutil.rmtree(room, ignore_errors=True)
        finally:
            os.close(lock)

    @contextmanager
    def idle(self) -> Iterator[bool]:
        """Whether nobody is at work here, up to the end; nothing is made or taken away."""
        try:
            lock = os.open(self.folder / ".lock", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            yield True
            return
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(lock)

    def digests(self) -> frozenset[str]:
        """Of all bundles that are here, whosever they are."""
        with suppress(FileNotFoundError):
            return frozenset(p.name for p in self.folder.iterdir() if _DIGEST.fullmatch(p.name))
        return frozenset()

    def destroy(self, digest: str, room: Path) -> None:
        """Its name goes first: what has a name in the store is whole."""
        self.path(digest).rename(room / "gone")
        sync_folder(self.folder)
        shutil.rmtree(room / "gone")

    def _tidy(self, lock: int) -> None:
        """Removes what a killed process left aside, when no other process is copying now."""
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for left in self.folder.glob(f"{_ASIDE}*"):
            shutil.rmtree(left, ignore_errors=True)

    def _share(self, path: Path) -> None:
        """With the group of the folder, as far as the folder itself is: operators of one team."""
        group = stat.S_IMODE(self.folder.stat().st_mode) & stat.S_IRWXG
        with suppress(PermissionError):  # somebody else's, who has done it
            found = path.stat().st_mode
            if stat.S_ISREG(found):
                group &= ~stat.S_IXGRP
            if group & ~found:
                path.chmod(stat.S_IMODE(found) | group)

    def keep(self, copy: Path, digest: str) -> Path:
        """Gives the copy its name. Whatever has that name already, and no row yet, gives way."""
        kept = self.path(digest)
        for folder, _, names in os.walk(copy):
            for name in ("", *names):
                self._share(Path(folder, name))
        if os.path.lexists(kept):
            kept.rename(copy.with_name("before"))
        copy.rename(kept)
        sync_folder(self.folder)
        return kept

    @property
    def holders(self) -> Path:
        """Which registers keep which bundles here, a line each; a later line takes one back."""
        return self.folder / _HOLDERS

    def note(
        self, digests: Iterable[str], register: str, where: str, *, gone: bool = False
    ) -> None:
        """`register` and `where` are the name of a register and its place, without a password."""
        held, who = self._held(), (register, where)
        lines = [
            {"digest": digest, "register": register, "where": where, "gone": gone}
            for digest in digests
            if gone == (who in held.get(digest, ()))
        ]
        if not lines:
            return
        text = "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines)
        append(self.holders, text.encode())
        self._share(self.holders)

    def noted(self, digest: str) -> list[tuple[str, str]]:
        """The registers that keep the bundle here, each by its name and its place."""
        return list(self._held().get(digest, ()))

    def _held(self) -> dict[str, dict[tuple[str, str], None]]:
        found: dict[str, dict[tuple[str, str], None]] = {}
        for line in self._notes():
            key = str(line.get("register")), str(line.get("where"))
            held = found.setdefault(str(line.get("digest")), {})
            if line.get("gone"):
                held.pop(key, None)
            else:
                held[key] = None
        return found

    def places(self) -> list[str]:
        """Where the registers lie that have kept anything here."""
        return list(dict.fromkeys(str(line.get("where")) for line in self._notes()))

    def _notes(self) -> Iterator[dict[str, Any]]:
        """Raises BadInput for a damaged file: nobody knows then whose the bundles are."""
        try:
            lines = self.holders.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return
        for line in lines:
            found = load_json(line, where=str(self.holders))
            if not isinstance(found, dict):
                raise BadInput(msg("not_mapping", what=_HOLDERS), where=str(self.holders))
            yield found


class _Copy:
    """Copies regular files and folders only, and syncs every one of them."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.files = 0
        self.bytes = 0

    def to(self, target: Path) -> None:
        try:
            sizes: dict[str, int] = {}
            self._measure(self.source, "", sizes)
            bag.check_sizes(sizes)
            self._any(self.source, target, first=True)
        except OSError as problem:
            if problem.errno in (errno.ENOSPC, errno.EDQUOT):
                raise BadInput(
                    of_system(problem, "cannot_written"), where=str(target.parents[1])
                ) from None
            if problem.filename is None or Path(problem.filename).is_relative_to(target):
                raise
            raise BadInput(of_system(problem, "cannot_read"), where=str(problem.filename)) from None

    def _measure(self, folder: Path, prefix: str, sizes: dict[str, int]) -> None:
        """How large each file is, before a byte is copied: a large one may take no room at all."""
        if not folder.is_dir():
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    self._measure(folder / entry.name, f"{prefix}{entry.name}/", sizes)
                elif stat.S_ISREG(found.st_mode):
                    sizes[prefix + entry.name] = found.st_size
                if len(sizes) > MOST_FILES:
                    raise BadInput(
                        msg("more_files_no_bundle", most_files=MOST_FILES), where=self._name
                    )

    def _any(self, source: Path, target: Path, *, first: bool = False) -> None:
        # the name given may itself be a link; nothing inside a bundle may be one
        mode = source.stat().st_mode if first else source.lstat().st_mode
        self.files += 1
        if self.files > MOST_FILES:
            raise BadInput(msg("more_files_no_bundle", most_files=MOST_FILES), where=self._name)
        if stat.S_ISDIR(mode):
            target.mkdir(mode=0o700)
            for inside in sorted(source.iterdir()):
                self._any(inside, target / inside.name)
            sync_folder(target)
        elif stat.S_ISREG(mode):
            self._file(source, target)
        else:
            raise BadInput(msg("neither_file_nor_folder_no"), where=str(source))

    def _file(self, source: Path, target: Path) -> None:
        # its owner may put a link or a pipe there after we looked: neither is followed
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as inside, create(target) as out:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise BadInput(msg("no_regular_file_any"), where=str(source))
            while chunk := inside.read(_CHUNK):
                self.bytes += len(chunk)
                if self.bytes > MOST_BYTES:
                    raise BadInput(
                        msg("larger_gib_no_bundle", most_bytes=MOST_BYTES >> 30), where=self._name
                    )
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())

    @property
    def _name(self) -> str:
        return str(self.source)
