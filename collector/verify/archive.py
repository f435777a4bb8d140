"""Unpacks a bundle that came as a ZIP file from somebody we do not trust."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from collector import private
from collector.errors import VerifyFailed

MOST_ENTRIES = 100_000
# zipfile reads the archive's list of entries in one go, and makes ten times as much of it
_LONGEST_READ = 8 << 20
_LONGEST_NAME = 512
_DEEPEST = 8
MOST_BYTES = 8 << 30
# nothing in a bundle packs better than its repetitive evidence.json, which reaches about 60
MOST_RATIO = 200
_FREE = 1 << 20
# the last record of an archive, without a comment
_END, _END_LENGTH = b"PK\x05\x06", 22
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError,
    OverflowError,
)  # fmt: skip
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


def unpack(path: Path, target: Path, *, where: str = "") -> Path:
    """Unpacks into the empty folder `target`; returns the folder that holds the bundle.

    `where` is what to call the archive (default: its path).
    Raises VerifyFailed for links and other special entries, absolute names, `..`, names that
    stand twice (also in other letters), encryption, and for more entries, bytes or a higher
    ratio than a bundle has. What is counted is what comes out, not what the archive claims.
    """
    where = where or str(path)
    try:
        with _Source(path) as source, zipfile.ZipFile(source) as archive:
            _check_ends(source, where)
            entries = archive.infolist()
            if len(entries) > MOST_ENTRIES:
                raise VerifyFailed(f"more than {MOST_ENTRIES} entries", where=where)
            _check_names(entries)
            left = MOST_BYTES
            for entry in entries:
                if not entry.is_dir():
                    left -= _extract(archive, entry, target, left)
    except _BROKEN as problem:
        raise VerifyFailed(f"not a whole ZIP file: {problem}", where=where) from None
    inside = list(target.iterdir())
    if len(inside) == 1 and inside[0].is_dir() and inside[0].name != "data":
        return inside[0]
    return target


class _Source(io.FileIO):
    """A file of which nobody reads too much at once, whatever the archive says of itself."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LONGEST_READ:
            raise ValueError("a longer list of entries than a bundle has")
        return super().read(size) or b""


def _check_ends(source: io.FileIO, where: str) -> None:
    """Another reader may find another archive in what stands before or after this one."""
    source.seek(0)
    if source.read(4) not in (b"PK\x03\x04", _END):
        raise VerifyFailed("something stands before the archive", where=where)
    source.seek(-_END_LENGTH, io.SEEK_END)
    end = source.read(_END_LENGTH)
    if end[:4] != _END or end[-2:] != b"\0\0":
        raise VerifyFailed("something stands after the archive", where=where)


def _check_names(entries: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        name = entry.orig_filename
        bare = name.removesuffix("/")
        parts = PurePosixPath(bare).parts
        if (
            name != entry.filename
            or name.startswith("/")
            or not parts
            or "/".join(parts) != bare
            or ".." in parts
            or len(name) > _LONGEST_NAME
            or len(parts) > _DEEPEST
            or any(c in name for c in "\\:\0\n\r")
        ):
            raise VerifyFailed("a name that leads elsewhere", where=repr(name))
        if bare.casefold() in seen:
            raise VerifyFailed("stands twice in the archive", where=repr(name))
        seen.add(bare.casefold())
        folders |= {str(parent).casefold() for parent in PurePosixPath(bare).parents}
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFDIR if entry.is_dir() else stat.S_IFREG):
            raise VerifyFailed("a link or another special entry", where=repr(name))
        if entry.header_offset < 0:
            raise VerifyFailed("not a whole ZIP file: an entry lies before it", where=repr(name))
        if entry.flag_bits & 0x1:
            raise VerifyFailed("encrypted", where=repr(name))
        if entry.compress_type not in _METHODS:
            raise VerifyFailed("packed in an unusual way", where=repr(name))
    for entry in entries:
        if not entry.is_dir() and entry.filename.casefold() in folders:
            raise VerifyFailed("both a file and a folder", where=repr(entry.filename))


def _extract(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    place = target / entry.filename
    private.folder(place.parent)
    most = min(left, _FREE + entry.compress_size * MOST_RATIO)
    written = 0
    with archive.open(entry) as source, private.create(place) as out:
        while chunk := source.read(1 << 20):
            written += len(chunk)
            if written > most:
                raise VerifyFailed("unpacks to more than a bundle holds", where=entry.filename)
            out.write(chunk)
    return written
