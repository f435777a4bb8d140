"""Captures on disk: a gzip'd JSON-lines file that `zcat FILE | jq` reads.

The first line is the head of the capture, each further line one read, the last line its end.
A file without its last line is not a capture: it was cut off.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import re
import string
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from collector import private
from collector.errors import BadInput
from collector.i18n.message import Message, msg, of_system
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus
from collector.private import refuse_special, sync_folder, write_aside
from collector.schema import load_line
from collector.script import parse_output

__all__ = ["refuse_special", "sync_folder", "write_aside"]

SCHEMA = "urn:hostpledge:schema:capture:1"
SUFFIX = ".capture.gz"
_STATUSES = {str(status): status for status in ReadStatus}
_KINDS = ("head", "read", "end")
# unpacked; the collector ends a host at half of it, and none comes near that
LARGEST = 64 << 20
_LONGEST_LINE = 16 << 20
# the head as a whole: what a host says of itself is cut at 64 KiB
_LONGEST_HEAD = 1 << 20
_MOST_LINES = 20_000
_CHUNK = 1 << 20
# control characters of which JSON makes six
_ODD = re.compile(rb"[\0-\x07\x0b\x0e-\x1f]")
_SAFE = frozenset(string.ascii_letters + string.digits + "._-")


def file_name(host: str) -> str:
    """A file name for any host name whatever: safe letters stay, other bytes become `=XX`."""
    safe = "".join(
        chr(b) if chr(b) in _SAFE else f"={b:02X}" for b in host.encode("utf-8", "surrogateescape")
    )
    if safe.startswith((".", "-")):
        safe = f"={ord(safe[0]):02X}{safe[1:]}"
    if len(safe) > 180:
        safe = f"{safe[:120]}={hashlib.sha256(os.fsencode(host)).hexdigest()[:32]}"
    return safe + SUFFIX


def to_bytes(capture: Capture) -> bytes:
    """The capture as it is stored; the same capture always gives the same bytes.

    One that would be too large to be read again is stored without what it returned, as flooded.
    """
    buffer = io.BytesIO()
    left = LARGEST
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0, compresslevel=6) as out:
        for document in _lines(capture):
            line = json.dumps(document, ensure_ascii=False, sort_keys=True).encode() + b"\n"
            left -= len(line)
            if left < 0 or len(line) > _LONGEST_LINE:
                return to_bytes(_emptied(capture))
            out.write(line)
    return buffer.getvalue()


def _emptied(capture: Capture) -> Capture:
    said = msg("returned_larger_capture_may")
    return replace(
        capture, status=HostStatus.FLOODED, detail=said, head={}, reads=MappingProxyType({})
    )


def _lines(capture: Capture) -> Iterator[dict[str, Any]]:
    yield {
        "kind": "head",
        "schema": SCHEMA,
        "host": capture.host,
        "status": str(capture.status),
        "detail": capture.detail,
        "nonce": capture.nonce,
        "collected_at": capture.collected_at.isoformat() if capture.collected_at else None,
        "head": dict(capture.head),
        "origin": dict(capture.origin),
    }
    for result in capture.reads.values():
        line: dict[str, Any] = {
            "kind": "read",
            "id": result.id,
            "status": str(result.status),
            "rc": result.rc,
            "seconds": result.seconds,
            "sha256": read_digest(result),
            **_content("stdout", result.stdout),
        }
        if result.stderr:
            line["stderr"] = result.stderr
        if result.files:
            line["files"] = [_file_line(file) for file in result.files]
        yield line
    yield {"kind": "end", "reads": len(capture.reads)}


def _file_line(file: CapturedFile) -> dict[str, Any]:
    return {
        **_content("path", os.fsencode(file.path)),
        "status": str(file.status),
        "mode": f"{file.mode:04o}",
        "uid": file.uid,
        "gid": file.gid,
        "size": file.size,
        "mtime": file.mtime,
        **_content("data", file.data),
    }


def _content(name: str, data: bytes) -> dict[str, str]:
    """Text as text; anything else, and what JSON would write at length, in base64."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if data and (not text or _ODD.subn(b"", data)[1] * 8 > len(data)):
        return {f"{name}_base64": base64.b64encode(data).decode()}
    return {name: text}


def read_digest(result: ReadResult) -> str:
    """SHA-256 over what a read returned: stdout, then each file's path and content, NUL between."""
    digest = hashlib.sha256(result.stdout)
    for file in result.files:
        digest.update(b"\0" + os.fsencode(file.path) + b"\0" + file.data)
    return digest.hexdigest()


def digest(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def write(capture: Capture, path: Path) -> str:
    """Writes the capture aside, syncs and renames it; returns the SHA-256 of the file."""
    data = to_bytes(capture)
    write_aside(path, data)
    return hashlib.sha256(data).hexdigest()


# --- reading -------------------------------------------------------------------------------------


def load(path: Path) -> Capture:
    """A capture file of either form: ours (gzip'd), or the collector script's plain output.

    Raises BadInput for anything else. The host of a plain output is named after its file.
    """
    try:
        with private.opened(path) as source:
            data = source.read(LARGEST + 1)
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=str(path)) from None
    return from_bytes(data, where=str(path))


def read_at_most(path: Path, most: int) -> bytes:
    """The bytes of a file from outside; raises BadInput where there are more (a device, …)."""
    try:
        with private.opened(path) as source:
            data = source.read(most + 1)
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=str(path)) from None
    if len(data) > most:
        raise BadInput(msg("larger_mib", largest=most >> 20), where=str(path))
    return data


def check_time(capture: Capture, now: datetime, where: str, mend: Message) -> None:
    """Raises BadInput, with that mend, for one of a day that has not come: a clock was wrong.

    Judged at that time, everything would look older than it is, or younger.
    """
    at = capture.collected_at
    if at is not None and at > now + timedelta(days=1):
        raise BadInput(
            msg(
                "collected_own_clock_now", host=capture.host, at=at.isoformat(), now=now.isoformat()
            ),
            where=where,
            mend=mend,
        )


def from_bytes(data: bytes, *, where: str) -> Capture:
    """As `load`, from bytes; `where` names them in messages."""
    if not data:
        raise BadInput(msg("empty_no_capture"), where=where)
    if len(data) > LARGEST:
        raise BadInput(msg("larger_mib_no_capture", largest=LARGEST >> 20), where=where)
    if data[:2] == b"\x1f\x8b":
        chunks = _unpacked(data, where)
        if not own_form(data):
            return _from_output(b"".join(chunks), where)
        return _from_lines(_lines_of(chunks, where), where)
    return _from_output(data, where)


def own_form(data: bytes) -> bool:
    """Is it a capture file of hostpledge, rather than the script's plain output?

    Whoever asks has to get one answer: what a control node knows alone is believed of no output.
    """
    try:
        return data[:2] == b"\x1f\x8b" and zlib.decompressobj(31).decompress(data, 1) == b"{"
    except zlib.error:
        return False


def _from_output(data: bytes, where: str) -> Capture:
    name = os.fsencode(Path(where).name).decode("utf-8", "replace")
    for suffix in (".gz", ".capture", ".txt"):
        name = name.removesuffix(suffix)
    try:
        return parse_output(data, host=name or "host")
    except BadInput as problem:
        raise BadInput(problem.what, where=where, mend=problem.mend) from None


def _unpacked(data: bytes, where: str) -> Iterator[bytes]:
    """What was packed with gzip, piece by piece."""
    unpack = zlib.decompressobj(wbits=31)
    left, fed = LARGEST, data
    try:
        while not unpack.eof and (chunk := unpack.decompress(fed, _CHUNK)):
            fed = unpack.unconsumed_tail
            left -= len(chunk)
            if left < 0:
                raise BadInput(msg("unpacks_more_mib", largest=LARGEST >> 20), where=where)
            yield chunk
    except zlib.error as problem:
        raise BadInput(
            msg("damaged", problem=problem), where=where, mend=msg("get_file_again")
        ) from None
    if not unpack.eof:
        raise BadInput(msg("cut_off_before_end"), where=where, mend=msg("get_whole_file_again"))
    if unpack.unused_data:
        raise BadInput(msg("something_follows_end_capture"), where=where)


def _lines_of(chunks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """The lines of them, without ever holding all of it."""
    begun: list[bytes] = []
    length = 0
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        begun.append(first)
        length += len(first)
        for other in others:
            yield b"".join(begun)
            begun, length = [other], len(other)
        if length > _LONGEST_LINE:
            raise BadInput(msg("line_longer_mib", longest_line=_LONGEST_LINE >> 20), where=where)
    yield b"".join(begun)


def _from_lines(lines: Iterable[bytes], where: str) -> Capture:
    head: dict[str, Any] | None = None
    reads: dict[str, ReadResult] = {}
    ended = False
    for number, line in enumerate(lines, 1):
        if number > _MOST_LINES:
            raise BadInput(msg("more_lines", most_lines=_MOST_LINES), where=where)
        if not line:
            continue
        place = f"{where} line {number}"
        document = load_line(line, "capture", where=place, parts=_KINDS)
        kind = document["kind"]
        if (kind == "head") is (head is not None) or ended:
            raise BadInput(msg("line_stands_wrong_place", kind=kind), where=place)
        if kind == "head":
            if len(line) > _LONGEST_HEAD:
                raise BadInput(
                    msg("line_longer_mib", longest_line=_LONGEST_HEAD >> 20), where=place
                )
            head = document
        elif kind == "read":
            result = _result(document, place)
            if result.id in reads:
                raise BadInput(msg("read_stands_twice", which=result.id), where=place)
            reads[result.id] = result
        else:
            ended = document["reads"] == len(reads)
    if head is None or not ended:
        raise BadInput(msg("cut_off_before_end"), where=where, mend=msg("get_whole_file_again"))
    at = datetime.fromisoformat(head["collected_at"]) if head["collected_at"] else None
    if at is not None and not 1970 <= at.year <= 9000:
        raise BadInput(msg("collected_no_year_reckon", year=at.year), where=where)
    return Capture(
        head["host"],
        HostStatus(head["status"]),
        head["nonce"],
        head["detail"],
        MappingProxyType(head["head"]),
        MappingProxyType(head["origin"]),
        at,
        MappingProxyType(reads),
    )


def _result(line: dict[str, Any], where: str) -> ReadResult:
    result = ReadResult(
        line["id"],
        _STATUSES[line["status"]],
        line["rc"],
        line["seconds"],
        _bytes(line, "stdout", "stdout_base64", where),
        line.get("stderr", ""),
        tuple([_captured_file(file, where) for file in line.get("files", ())]),
    )
    if read_digest(result) != line["sha256"]:
        raise BadInput(msg("content_not_match_digest", which=result.id), where=where)
    return result


def _captured_file(line: dict[str, Any], where: str) -> CapturedFile:
    return CapturedFile(
        _path(line, where),
        _STATUSES[line["status"]],
        int(line["mode"], 8),
        line["uid"],
        line["gid"],
        line["size"],
        line["mtime"],
        _bytes(line, "data", "data_base64", where),
    )


def _path(line: dict[str, Any], where: str) -> str:
    plain = line.get("path")
    if type(plain) is str and plain.isascii():
        return plain
    return os.fsdecode(_bytes(line, "path", "path_base64", where))


def _bytes(line: dict[str, Any], name: str, packed: str, where: str) -> bytes:
    encoded = line.get(packed)
    if encoded is None:
        if name not in line:
            raise BadInput(msg("is", name=name), where=where)
        return cast("str", line[name]).encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        raise BadInput(msg("not_base64", packed=packed), where=where) from None
