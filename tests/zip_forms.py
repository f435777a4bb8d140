"""ZIP files put together by hand: a bundle in its one form, and in others that we thought of."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from collector.attest.bundle.making import packs

END = ("disk", "list_disk", "here", "count", "size", "offset", "comment")


@dataclass
class Raw:
    """One entry. `local` and `listed` say what their headers hold instead of the right fields."""

    name: bytes
    content: bytes
    method: int = 8
    data: bytes = b""
    local: dict[str, int] = field(default_factory=dict)
    listed: dict[str, int] = field(default_factory=dict)
    local_name: bytes | None = None
    local_extra: bytes = b""
    extra: bytes = b""
    comment: bytes = b""
    before: bytes = b""
    after: bytes = b""
    hidden: bool = False

    def fields(self) -> dict[str, int]:
        return {
            "made": 20, "system": 3, "version": 20, "reserved": 0, "flags": 0,
            "method": self.method, "time": 0, "date": 33, "crc": zlib.crc32(self.content),
            "packed": len(self.data), "size": len(self.content), "disk": 0, "internal": 0,
            "external": 0o644 << 16,
        }  # fmt: skip


def deflated(content: bytes) -> bytes:
    packing = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packing.compress(content) + packing.flush()


def raw(name: str | bytes, content: bytes, *, pack: bool | None = None) -> Raw:
    """An entry as it should be."""
    plain = name.decode("latin1") if isinstance(name, bytes) else name
    packed = packs(plain) if pack is None else pack
    made = Raw(plain.encode("latin1"), content, 8 if packed else 0)
    made.data = deflated(content) if packed else content
    return made


@dataclass
class Archive:
    """All of a file. `end` overrides fields of its last record; `wide` is what stands before it."""

    entries: list[Raw]
    lead: bytes = b""
    before_list: bytes = b""
    after_list: bytes = b""
    wide: bytes = b""
    comment: bytes = b""
    trail: bytes = b""
    end: dict[str, int] = field(default_factory=dict)
    unordered: bool = False

    @classmethod
    def of(cls, root: Path) -> Archive:
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return cls([raw(str(path.relative_to(root)), path.read_bytes()) for path in files])

    def entry(self, name: str) -> Raw:
        return next(one for one in self.entries if one.name.decode().startswith(name))

    def bytes(self) -> bytes:
        out = bytearray(self.lead)
        listed = bytearray()
        if not self.unordered:
            self.entries.sort(key=lambda one: one.name)
        count = 0
        for one in self.entries:
            out += one.before
            offset = len(out)
            local = {**one.fields(), **one.local}
            name = one.name if one.local_name is None else one.local_name
            out += _local(local, name, one.local_extra)
            out += one.data + one.after
            if not one.hidden:
                count += 1
                listed += _listed({**one.fields(), "offset": offset, **one.listed}, one)
        out += self.before_list
        start = len(out)
        out += listed + self.after_list + self.wide
        told = {
            "disk": 0, "list_disk": 0, "here": count, "count": count, "size": len(listed),
            "offset": start, "comment": len(self.comment), **self.end,
        }  # fmt: skip
        out += struct.pack("<4s4H2LH", b"PK\5\6", *(told[name] for name in END))
        return bytes(out + self.comment + self.trail)


def _local(told: Mapping[str, int], name: bytes, extra: bytes) -> bytes:
    fields = (told[n] for n in ("version", "flags", "method", "time", "date", "crc"))
    sizes = (told["packed"], told["size"], len(name), len(extra))
    return struct.pack("<4s5H3L2H", b"PK\3\4", *fields, *sizes) + name + extra


def _listed(told: Mapping[str, int], one: Raw) -> bytes:
    return (
        struct.pack(
            "<4s4B4H3L5H2L", b"PK\1\2", told["made"], told["system"], told["version"],
            told["reserved"], told["flags"], told["method"], told["time"], told["date"],
            told["crc"], told["packed"], told["size"], len(one.name), len(one.extra),
            len(one.comment), told["disk"], told["internal"], told["external"], told["offset"],
        ) + one.name + one.extra + one.comment
    )  # fmt: skip


def wide_end(count: int, size: int, offset: int, place: int) -> bytes:
    """ZIP64's end record and its locator; the record stands at `place`."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    return record + struct.pack("<4sLQL", b"PK\6\7", 0, place, 1)


def parts(data: bytes) -> tuple[int, int, int]:
    """Count, size and place of the list of a plain archive."""
    count, size, offset = struct.unpack("<4H2LH", data[-18:])[3:6]
    return count, size, offset


# --- what somebody does to it: each is given the archive, the folder, and what the case says ------


def two_ends(good: bytes, forged: bytes, first: str) -> bytes:
    """One file in which ZIP64's record leads to one archive and the last record to the other."""
    one, other = (good, forged) if first == "good" else (forged, good)
    count, size, offset = parts(one)
    shifted = _moved(other, offset)
    many, long, start = parts(shifted)
    # readers reckon with the list of ZIP64 right before its record
    whole = one[:offset] + shifted[:-22] + one[offset : offset + size]
    return (
        whole
        + wide_end(count, size, len(whole) - size, len(whole))
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, many, many, long, start, 0)
    )


def _moved(data: bytes, by: int) -> bytes:
    """The archive as it stands after `by` bytes of something else."""
    count, _, offset = parts(data)
    moved = bytearray(data)
    place = offset
    for _ in range(count):
        (at,) = struct.unpack_from("<L", moved, place + 42)
        struct.pack_into("<L", moved, place + 42, at + by)
        place += 46 + sum(struct.unpack_from("<3H", moved, place + 28))
    struct.pack_into("<L", moved, len(moved) - 6, offset + by)
    return bytes(moved)


def _hidden(archive: Archive, given: Mapping[str, str]) -> None:
    """An entry that no list names: who reads the file as a stream finds it."""
    one = raw(given["name"], given.get("text", "{}").encode(), pack=True)
    one.hidden = True
    place = next(n for n, e in enumerate(archive.entries) if e.name.decode() == given["before"])
    archive.entries.insert(place, one)
    archive.unordered = True


def _set(archive: Archive, given: Mapping[str, Any]) -> None:
    """Fields of headers, by name of entry: `local`, `listed`, or `both`."""
    for where in ("local", "listed"):
        for name, fields in {**given.get("both", {}), **given.get(where, {})}.items():
            getattr(archive.entry(name), where).update(fields)


def _bytes(archive: Archive, given: Mapping[str, Mapping[str, str]]) -> None:
    """Bytes (hex) in a member of an entry: extra, local_extra, comment, before, after."""
    for name, fields in given.items():
        for member, text in fields.items():
            setattr(archive.entry(name), member, bytes.fromhex(text))


def _descriptor(archive: Archive, name: str) -> None:
    """Sizes after the content, as who writes to a pipe does."""
    one = archive.entry(name)
    sizes = (zlib.crc32(one.content), len(one.data), len(one.content))
    one.after = struct.pack("<4s3L", b"PK\7\x08", *sizes)
    one.local |= {"flags": 8, "crc": 0, "packed": 0, "size": 0}
    one.listed |= {"flags": 8}


def _repacked(archive: Archive, given: Mapping[str, bool]) -> None:
    for name, pack in given.items():
        old = archive.entry(name)
        archive.entries[archive.entries.index(old)] = raw(old.name, old.content, pack=pack)


def _stream(archive: Archive, given: Mapping[str, Any]) -> None:
    """Other bytes in the place of a packed content: more of them, or fewer."""
    one = archive.entry(given["name"])
    one.data = one.data + bytes.fromhex(given["more"]) if "more" in given else one.data[:-1]


def _added(archive: Archive, given: Mapping[str, Any]) -> None:
    for name, about in given.items():
        one = raw(name, str(about.get("text", "x")).encode(), pack=about.get("pack"))
        if about.get("zeros"):
            one = raw(name, bytes(about["zeros"]))
        one.listed |= about.get("listed", {})
        one.local |= about.get("local", {})
        archive.entries.append(one)


def _overlapping(archive: Archive, name: str) -> None:
    """A second entry that begins at the same place as the first."""
    one = raw(name, archive.entries[0].content)
    one.listed["offset"] = 0
    archive.entries.append(one)


def _renamed(archive: Archive, given: Mapping[str, str]) -> None:
    for old, new in given.items():
        archive.entry(old).name = new.encode("latin1")


def _topped(archive: Archive, top: str) -> None:
    for one in archive.entries:
        one.name = f"{top}/".encode() + one.name


def _folders(archive: Archive, names: list[str]) -> None:
    for name in names:
        one = raw(name, b"", pack=False)
        one.listed["external"] = 0o040755 << 16
        archive.entries.append(one)


def _wide(archive: Archive, _given: object) -> None:
    """ZIP64's record where nothing asks for it, naming the same list."""
    count, size, offset = parts(archive.bytes())
    archive.wide = wide_end(count, size, offset, offset + size)


def _turned(archive: Archive, _given: object) -> None:
    archive.entries.sort(key=lambda one: one.name)
    archive.entries.reverse()
    archive.unordered = True


def _around(archive: Archive, given: Mapping[str, str]) -> None:
    for member, text in given.items():
        setattr(archive, member, bytes.fromhex(text))


def _ended(archive: Archive, given: Mapping[str, int]) -> None:
    count, size, offset = parts(archive.bytes())
    now = {"here": count, "count": count, "size": size, "offset": offset}
    archive.end |= {name: now.get(name, 0) + more for name, more in given.items()}


FORMS: dict[str, Callable[[Archive, Any], None]] = {
    "hidden": _hidden, "set": _set, "bytes": _bytes, "descriptor": _descriptor,
    "repacked": _repacked, "stream": _stream, "added": _added, "overlapping": _overlapping,
    "renamed": _renamed, "topped": _topped, "folders": _folders, "wide": _wide, "turned": _turned,
    "around": _around, "ended": _ended,
}  # fmt: skip


class Staged(Protocol):
    """What a case works on (tests/bundle_cases)."""

    path: Path


def pack(stage: Staged, **change: Any) -> None:
    """As a ZIP file in its one form, and then as somebody changes it who means no good."""
    target = stage.path.with_name("case.zip")
    archive = Archive.of(stage.path)
    for name, given in change.items():
        if name in FORMS:
            FORMS[name](archive, given)
    data = archive.bytes()
    if "two_ends" in change or "twice" in change:
        forged = _forged(stage)
        data = data + forged if "twice" in change else two_ends(data, forged, change["two_ends"])
    if "cut" in change:
        data = data[: change["cut"]]
    target.write_bytes(data)
    stage.path = target


def _forged(stage: Staged) -> bytes:
    """The archive of the same bundle with a better verdict in it."""
    archive = Archive.of(stage.path)
    one = archive.entry("data/evidence.json")
    changed = one.content.replace(b'"verdict":"error"', b'"verdict":"pass"')
    assert changed != one.content
    archive.entries[archive.entries.index(one)] = raw(one.name, changed)
    return archive.bytes()
