"""Dumps, archives and restic snapshots that lie on the host (the read is backup.artefacts).

Times are those of the content where it has one (gzip header, RFC 1952 2.3.1; the header of
pg_dump's archives; the last line of an SQL dump), for copying a file changes the file's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import NotUnderstood
from collector.model import Capture


@dataclass(frozen=True, slots=True)
class Artefact:
    """A dump, an archive, or a snapshot of a restic repository (`repository` is its folder then).

    `when` is the time of its content where that is known, else of the file. `fault` says why it
    cannot be a good backup: empty, cut off, not what its name says.
    """

    path: str
    when: datetime
    size: int
    fault: str
    repository: str
    line: str


@dataclass(frozen=True, slots=True)
class Artefacts:
    """`folders` were looked through; `closed` could not be."""

    folders: frozenset[str]
    closed: frozenset[str]
    all: tuple[Artefact, ...]


def artefacts(capture: Capture) -> Artefacts:
    """Dumps, archives and restic snapshots in the folders that jobs name. Raises FactError."""
    folders: set[str] = set()
    closed: set[str] = set()
    found: dict[str, Artefact] = {}
    current: tuple[str, int, int, str] | None = None
    head = tail = ""
    for line in [*capture.read("backup.artefacts").text().splitlines(), "end"]:
        word, _, rest = line.partition(" ")
        if word == "head":
            head = rest
            continue
        if word == "tail":
            tail = rest
            continue
        if current is not None:
            made = _artefact(current, head, tail)
            found[made.path] = made
            current, head, tail = None, "", ""
        if word == "folder":
            folders.add(rest)
        elif word == "closed":
            closed.add(rest)
        elif word == "artefact":
            match = re.fullmatch(r"(\d+) (\d+) (/.*)", rest)
            if match is None:
                raise NotUnderstood("backup.artefacts", f"not understood: {line!r}")
            current = (match[3], int(match[1]), int(match[2]), line)
        elif line != "end":
            raise NotUnderstood("backup.artefacts", f"not understood: {line!r}")
    return Artefacts(frozenset(folders), frozenset(closed), tuple(found.values()))


def _artefact(seen: tuple[str, int, int, str], head: str, tail: str) -> Artefact:
    path, mtime, size, line = seen
    match = re.fullmatch(r"(.*)/snapshots/[0-9a-f]{64}", path)
    when = datetime.fromtimestamp(mtime, UTC)
    content = _content_time(head, tail)
    # a zone is not known for pg_dump and SQL: only a difference of more than a day says something
    if content is not None and (when - content).total_seconds() > 86_400:
        when = content
    fault = "" if match else _fault(path, size, head, tail)
    return Artefact(path, when, size, fault, match[1] if match else "", line)


def _content_time(head: str, tail: str) -> datetime | None:
    raw = _raw(head)
    if raw[:3] == b"\x1f\x8b\x08" and len(raw) >= 8:
        stamp = int.from_bytes(raw[4:8], "little")
        return datetime.fromtimestamp(stamp, UTC) if stamp else None
    if raw[:5] == b"PGDMP":
        return _pg_time(raw)
    match = re.search(r"-- Dump completed on (\d{4}-\d\d-\d\d)\s+(\d{1,2}:\d\d:\d\d)", tail)
    if match:
        try:
            return datetime.fromisoformat(f"{match[1]}T{match[2]:0>8}").replace(tzinfo=UTC)
        except ValueError:
            return None
    return None


def _raw(head: str) -> bytes:
    """The first bytes; none where the host saw nothing in them that is known here."""
    if head in ("", "other"):
        return b""
    if not re.fullmatch(r"(?:[0-9a-f]{2})+", head):
        raise NotUnderstood("backup.artefacts", f"not bytes in hex: {head[:80]!r}")
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


def _fault(path: str, size: int, head: str, tail: str) -> str:
    if size == 0:
        return "empty"
    packed = path.endswith((".gz", ".tgz"))
    # `mysqldump | gzip` that failed leaves the 20 bytes of an empty gzip stream
    if packed and size <= 32:
        return "an empty gzip stream"
    if packed and head and not head.startswith("1f8b"):
        return "no gzip file"
    if not path.endswith(".sql") or not head or not tail:
        return ""
    text = _raw(head)
    if re.match(rb"(/\*M!999999[^\n]*\n)?-- M[ya]", text) and "Dump completed" not in tail:
        return "ends before its last line (-- Dump completed)"
    if b"-- PostgreSQL database" in text and "dump complete" not in tail:
        return "ends before its last line (dump complete)"
    return ""
