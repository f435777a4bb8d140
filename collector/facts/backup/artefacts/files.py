"""Dumps, archives and restic snapshots that lie on the host (the read is backup.artefacts).

Times are those of the content where it has one (gzip header, RFC 1952 2.3.1; the header of
pg_dump's archives; the last line of an SQL dump), for copying a file changes the file's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import CouldNotLook, NotUnderstood
from collector.i18n.message import msg
from collector.model import Capture


@dataclass(frozen=True, slots=True)
class Artefact:
    """A dump, an archive, or a snapshot of a restic repository (`repository` is its folder then).

    `when` is the time of its content where that is known, else of the file. `fault` says why it
    cannot be a good backup: empty, cut off, not what its name says. `owned` is its mode, user and
    group, None where the read did not tell yet; `head` what stands first in it, in hex, `text` for
    anything printable and `other` for the rest, empty where nobody looked. `start` of a base backup
    of PostgreSQL is the timeline and the position in its WAL that it begins at. `content` is the
    kind of dump inside (`mysql`, `postgresql`), `other` for none of these, empty where nobody
    looked. `doubt`, which only its job tells, is why it may be no dump, or surely is
    none; `whole`: its
    last line was seen, and is the one that a dump ends with.
    """

    path: str
    when: datetime
    size: int
    fault: str
    repository: str
    line: str
    owned: tuple[int, int, int] | None = None
    head: str = ""
    start: tuple[int, int] | None = None
    content: str = ""
    doubt: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Artefacts:
    """`folders` were looked through; `closed` could not be.

    `repositories` are the lines that tell of one, by its folder.
    """

    folders: frozenset[str]
    closed: frozenset[str]
    all: tuple[Artefact, ...]
    repositories: Mapping[str, str]


# What a dump that failed leaves behind a pipe: `mysqldump | gzip` 20 bytes, `… | gzip | age` 220.
_NOTHING = {
    ".gz": (32, "gzip"), ".tgz": (32, "gzip"), ".zst": (16, "zstd"), ".xz": (32, "xz"),
    ".bz2": (16, "bzip2"), ".lz4": (16, "lz4"), ".enc": (48, "openssl"), ".gpg": (90, "gpg"),
    ".age": (220, "age"),
}  # fmt: skip
# How a file of that name begins, whatever packed it; `text` where its first line is one. gpg and
# openssl have no mark that is always there.
_MARKS: Mapping[str, tuple[str, ...]] = {
    ".zst": ("28b52ffd", "502a4d18", "512a4d18"), ".xz": ("fd377a585a00",), ".bz2": ("425a68",),
    ".lz4": ("04224d18", "02214c18"), ".7z": ("377abcaf271c",), ".zip": ("504b", "text"),
    ".age": ("text",),
}  # fmt: skip
# What tar leaves whose sources are not there: two blocks of zeros, packed.
_NO_MEMBERS = {".gz": 48, ".tgz": 48, ".zst": 26, ".xz": 120, ".bz2": 50, ".lz4": 74}
_TAR = re.compile(r"\.tar(\.\w+)?$|\.t[gx]z$")
# restic's design document: 16 bytes of IV before what is encrypted, 16 of MAC behind it
_SEALED_NOTHING = 32
_END = re.compile(r"Dump completed|dump complete")
_Seen = tuple[str, int, int, str, tuple[int, int, int] | None]


def artefacts(capture: Capture) -> Artefacts:
    """Dumps, archives and restic snapshots in the folders that jobs name. Raises FactError."""
    folders: set[str] = set()
    closed: set[str] = set()
    found: dict[str, Artefact] = {}
    kept: dict[str, str] = {}
    current: _Seen | None = None
    head = tail = inner = ""
    for line in [*capture.read("backup.artefacts").text().splitlines(), "end"]:
        word, _, rest = line.partition(" ")
        if word == "head":
            head = rest
            continue
        if word == "tail":
            tail = rest
            continue
        if word == "inner":
            inner = rest
            continue
        if current is not None:
            made = _artefact(current, head, tail, inner)
            found[made.path] = made
            current, head, tail, inner = None, "", "", ""
        if word == "folder":
            folders.add(rest)
        elif word == "closed":
            closed.add(rest)
        elif word == "artefact":
            match = re.fullmatch(r"([0-9]{1,11}) (\d+) (?:([0-7]{1,4}):(\d+):(\d+) )?(/.*)", rest)
            if match is None:
                raise NotUnderstood("backup.artefacts", msg("not_understood", line=line))
            owned = (int(match[3], 8), int(match[4]), int(match[5])) if match[3] else None
            current = (match[6], int(match[1]), int(match[2]), line, owned)
        elif word == "repository":
            kept["/" + rest.partition("/")[2]] = line
        elif line == "more":
            raise CouldNotLook("backup.artefacts", msg("more_than_is_read"))
        elif word in ("tree", "attr"):
            continue  # `backup_versions` reads these
        elif line != "end":
            raise NotUnderstood("backup.artefacts", msg("not_understood", line=line))
    return Artefacts(frozenset(folders), frozenset(closed), tuple(found.values()), kept)


def _artefact(seen: _Seen, head: str, tail: str, inner: str) -> Artefact:
    path, mtime, size, line, owned = seen
    match = re.fullmatch(r"(.*)/snapshots/[0-9a-f]{64}", path)
    when = datetime.fromtimestamp(mtime, UTC)
    content = _content_time(head, tail)
    # a zone is not known for pg_dump and SQL: only a difference of more than a day says something
    if content is not None and (when - content).total_seconds() > 86_400:
        when = content
    if match:
        fault = "empty" if size <= _SEALED_NOTHING else ""
    else:
        fault = _fault(path, size, head, tail, inner)
    return Artefact(
        path, when, size, fault, match[1] if match else "", line, owned, head, _start(tail),
        inner if inner != "cut" else "", whole=not fault and bool(_END.search(tail)),
    )  # fmt: skip


def _start(tail: str) -> tuple[int, int] | None:
    """The first range of WAL in the manifest of a base backup (pg_basebackup, from version 13)."""
    match = re.search(
        r'"Timeline": (\d{1,9}), "Start-LSN": "([0-9A-F]{1,8})/([0-9A-F]{1,8})"', tail
    )
    return (int(match[1]), int(match[2], 16) << 32 | int(match[3], 16)) if match else None


def _content_time(head: str, tail: str) -> datetime | None:
    raw = _raw(head)
    if raw[:3] == b"\x1f\x8b\x08" and len(raw) >= 8:
        stamp = int.from_bytes(raw[4:8], "little")
        return datetime.fromtimestamp(stamp, UTC) if stamp else None
    if raw[:5] == b"PGDMP":
        return _pg_time(raw)
    match = re.search(
        r"-- Dump completed on (\d{4}-\d\d-\d\d)\s+(\d{1,2}:\d\d:\d\d)"
        r"|^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) GMT \{",
        tail,
    )
    if match:
        try:
            day, hour = match[1] or match[3], match[2] or match[4]
            return datetime.fromisoformat(f"{day}T{hour:0>8}").replace(tzinfo=UTC)
        except ValueError:
            return None
    return None


def _raw(head: str) -> bytes:
    """The first bytes; none where the host saw nothing in them that is known here."""
    if head in ("", "text", "other"):
        return b""
    if not re.fullmatch(r"(?:[0-9a-f]{2})+", head):
        raise NotUnderstood("backup.artefacts", msg("not_bytes_hex", head=head[:80]))
    return bytes.fromhex(head)


def _pg_time(raw: bytes) -> datetime | None:
    """The creation time in the header of pg_dump's custom form (pg_backup_archiver.c, K_VERS)."""
    if len(raw) < 11:
        return None
    version, width = (raw[5], raw[6], raw[7]), raw[8]
    at = 11  # magic, version, int size, offset size, format
    numbers = []
    # 1.15 and later: one byte of compression; before that, an int
    at += 1 if version >= (1, 15, 0) else 1 + width
    for _ in range(6):
        if at + 1 + width > len(raw):
            return None
        sign, value = raw[at], int.from_bytes(raw[at + 1 : at + 1 + width], "little")
        numbers.append(-value if sign else value)
        at += 1 + width
    second, minute, hour, day, month, year = numbers
    try:
        return datetime(year + 1900, month + 1, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None


# The heading alone of what dump tools print is longer, of an empty database too.
_HEADING = 100
_DUMPS = (
    b"PGDMP",
    b"-- MySQL dump",
    b"-- MariaDB dump",
    b"/*M!999999",
    b"--\n-- PostgreSQL database",
)

# What a client prints that is refused: `mysqldump shop >shop.sql 2>&1`.
_COMPLAINT = 4096
_PACKED_COMPLAINT = 512


def _complaint(path: str, size: int, head: str, tail: str, inner: str) -> bool:
    """Does it hold some lines of text, where a dump should be?"""
    if path.endswith((".sql", ".dump", ".dmp")):
        return head == "text" and size <= _COMPLAINT and "omplete" not in tail
    return inner == "other" and size <= _PACKED_COMPLAINT and ".sql." in path


def _fault(path: str, size: int, head: str, tail: str, inner: str) -> str:
    if size == 0:
        return "empty"
    if _TAR.search(path) and any(path.endswith(e) and size <= n for e, n in _NO_MEMBERS.items()):
        return msg("empty_archive")
    for end, (most, kind) in _NOTHING.items():
        if path.endswith(end) and size <= most:
            return msg("empty_stream", kind=kind)
    if path.endswith((".gz", ".tgz")) and head and not head.startswith("1f8b"):
        return msg("no_gzip_file")
    if head and any(path.endswith(e) and not head.startswith(m) for e, m in _MARKS.items()):
        return msg("not_as_named", end=path.rpartition(".")[2])
    if size < _HEADING and head and _raw(head).startswith(_DUMPS):
        return msg("empty_dump")
    if inner == "cut":
        return msg("not_unpack_end")
    if _complaint(path, size, head, tail, inner):
        return msg("no_dump_inside")
    if inner == "mysql" and "Dump completed" not in tail:
        return msg("ends_before_last_line")
    if inner == "postgresql" and "dump complete" not in tail:
        return msg("ends_before_last_line_dump")
    if not path.endswith(".sql") or not head or not tail:
        return ""
    text = _raw(head)
    if re.match(rb"(/\*M!999999[^\n]*\n)?-- M[ya]", text) and "Dump completed" not in tail:
        return msg("ends_before_last_line")
    if b"-- PostgreSQL database" in text and "dump complete" not in tail:
        return msg("ends_before_last_line_dump")
    return ""
