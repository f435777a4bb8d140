"""The ZIP file of a bundle has one form (ADR 21): each of its bytes follows from names and content,

but for the DEFLATE streams, which depend on the library that made them. Writer and readers build
the headers here, and a reader compares them byte for byte. APPNOTE.TXT 6.3.10, section 4.3.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Protocol

from collector.errors import VerifyFailed
from collector.i18n.message import msg

STORED, DEFLATED = 0, 8
# past these the fields of ZIP64 are used: what Python's zipfile has always kept to
LIMIT, MOST_COUNTED = (1 << 31) - 1, (1 << 16) - 1
LONGEST_NAME = 512
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_LISTED = struct.Struct("<4s4B4HL2L5H2L")
_END = struct.Struct("<4s4H2LH")
_WIDE_END = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_LOCAL_MARK, _LISTED_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_WIDE_MARK, _LOCATOR_MARK = b"PK\x06\x06", b"PK\x06\x07"
_PLAIN, _WIDE, _UNIX = 20, 45, 3
_DATE = 1 << 5 | 1  # 1980-01-01, the first that a ZIP file knows
_FULL, _ALL = 0xFFFF, 0xFFFFFFFF
_KIND = 0o170000
_FOLDER, _FILE = 0o040000, 0o100000
_CHUNK = 1 << 20


class Output(Protocol):
    """What a ZIP file is written to."""

    def write(self, data: bytes, /) -> int: ...
    def tell(self) -> int: ...
    def seek(self, place: int, /) -> int: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in it: `packed` and `size` in bytes, where its header stands, its mode (0o644).

    `wide` is whether its own header holds its sizes in 64 bits.
    """

    name: str
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    mode: int = 0o644
    wide: bool = False

    def local(self, *, sizes_twice: bool = False) -> bytes:
        """The header before its content; `sizes_twice` as Python before 3.11.4 wrote wide ones."""
        short = (_ALL, _ALL) if self.wide and not sizes_twice else (self.packed, self.size)
        extra = struct.pack("<2H2Q", 1, 16, self.size, self.packed) if self.wide else b""
        name = self.name.encode()
        head = _LOCAL.pack(
            _LOCAL_MARK, _WIDE if self.wide else _PLAIN, 0, 0, self.method, 0, _DATE, self.crc,
            *short, len(name), len(extra),
        )  # fmt: skip
        return head + name + extra

    def listed(self) -> bytes:
        """What stands of it in the list at the end."""
        long = [self.size, self.packed] if max(self.size, self.packed) > LIMIT else []
        sizes = (_ALL, _ALL) if long else (self.packed, self.size)
        far = self.offset > LIMIT
        long += [self.offset] if far else []
        extra = struct.pack(f"<2H{len(long)}Q", 1, 8 * len(long), *long) if long else b""
        version = _WIDE if self.wide or long else _PLAIN
        name = self.name.encode()
        head = _LISTED.pack(
            _LISTED_MARK, version, _UNIX, version, 0, 0, self.method, 0, _DATE, self.crc, *sizes,
            len(name), len(extra), 0, 0, 0, self.mode << 16, _ALL if far else self.offset,
        )  # fmt: skip
        return head + name + extra


def end(count: int, size: int, offset: int) -> bytes:
    """What ends the file: a list of `count` entries in `size` bytes stands at `offset`."""
    wide = b""
    if count > MOST_COUNTED or max(size, offset) > LIMIT:
        wide = _WIDE_END.pack(_WIDE_MARK, 44, _WIDE, _WIDE, 0, 0, count, count, size, offset)
        wide += _LOCATOR.pack(_LOCATOR_MARK, 0, offset + size, 1)
    counted = min(count, _FULL)
    return wide + _END.pack(
        _END_MARK, 0, 0, counted, counted, min(size, _ALL), min(offset, _ALL), 0
    )


def is_wide(size: int) -> bool:
    """Has the header of a file of so many bytes room for 64 bits? Packing may make it longer."""
    return size * 1.05 > LIMIT


def other_form(what: str, where: str) -> VerifyFailed:
    """What to raise where `what` of an entry, or of the archive, is not as it is written here."""
    return VerifyFailed(
        msg("not_packed_form_hostpledge", what=what),
        where=where,
    )


class Writer:
    """Writes the file, entry after entry, in the order in which they are added."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._entries: list[Entry] = []

    def add(self, name: str, size: int, source: BinaryIO, *, pack: bool) -> None:
        """Raises ValueError where `source` does not hold `size` bytes."""
        start = self._out.tell()
        method = DEFLATED if pack else STORED
        draft = Entry(name, method, 0, 0, size, start, wide=is_wide(size))
        self._out.write(draft.local())
        packing = zlib.compressobj(6, zlib.DEFLATED, -15) if pack else None
        crc = taken = 0
        while chunk := source.read(_CHUNK):
            crc, taken = zlib.crc32(chunk, crc), taken + len(chunk)
            self._out.write(packing.compress(chunk) if packing else chunk)
        if packing:
            self._out.write(packing.flush())
        if taken != size:
            raise ValueError(msg("changed_while_packed", name=name))
        stop = self._out.tell()
        entry = replace(draft, crc=crc, packed=stop - start - len(draft.local()))
        self._out.seek(start)
        self._out.write(entry.local())
        self._out.seek(stop)
        self._entries.append(entry)

    def close(self) -> None:
        start = self._out.tell()
        for entry in self._entries:
            self._out.write(entry.listed())
        self._out.write(end(len(self._entries), self._out.tell() - start, start))


def layout(source: BinaryIO, where: str, *, most: int, mode: int = 0o644) -> list[Entry]:
    """The entries, in their order. Raises VerifyFailed unless each byte that is no content is the

    one that stands there in the form of this module: no other reader finds other entries.
    """
    whole = source.seek(0, 2)
    count, size, start = _ends(source, whole, where)
    if count > most:
        raise VerifyFailed(msg("more_entries", most=most), where=where)
    source.seek(start)
    entries: list[Entry] = []
    place = 0
    for entry in _listed(source, count, where):
        if entry.mode & _KIND not in (0, _FOLDER if entry.name.endswith("/") else _FILE):
            raise VerifyFailed(msg("link_another_special_entry"), where=repr(entry.name))
        if entry.mode != mode:
            raise other_form(msg("its_mode"), repr(entry.name))
        if entry.offset != place:
            if not entries:
                raise VerifyFailed(msg("something_stands_before_archive"), where=where)
            raise other_form(msg("its_place"), repr(entry.name))
        place += len(entry.local()) + entry.packed
        entries.append(entry)
    if place != start or source.tell() != start + size:
        raise VerifyFailed(msg("something_stands_between_parts"), where=where)
    for entry in entries:
        source.seek(entry.offset)
        header = source.read(len(entry.local()))
        if header not in (entry.local(), entry.local(sizes_twice=True)):
            raise other_form(msg("its_header"), repr(entry.name))
    return entries


def _ends(source: BinaryIO, whole: int, where: str) -> tuple[int, int, int]:
    """Count, size and place of the list, from the very end."""
    tail = _at(source, max(0, whole - _END.size), _END.size)
    if len(tail) < _END.size or tail[:4] != _END_MARK or tail[-2:] != b"\0\0":
        last = _at(source, max(0, whole - _END.size - _FULL), _END.size + _FULL)
        place = last.rfind(_END_MARK)
        ended = place >= 0 and place + _END.size <= len(last)
        said = msg("something_stands_after_archive") if ended else msg("not_whole_zip_file")
        raise VerifyFailed(said, where=where)
    count, size, start = _END.unpack(tail)[4:7]
    if count == _FULL or size > LIMIT or start > LIMIT:
        record = _at(source, whole - _END.size - _LOCATOR.size - _WIDE_END.size, _WIDE_END.size)
        if record[:4] == _WIDE_MARK:
            count, size, start = _WIDE_END.unpack(record)[7:]
    # before it is reckoned with: what 64 bits can say is no size of this file
    expected = end(count, size, start) if start + size <= whole else b""
    if start + size + len(expected) != whole:
        first = _at(source, 0, 4)
        said = (
            msg("something_stands_before_archive")
            if first not in (_LOCAL_MARK, _END_MARK)
            else msg("something_stands_between_parts")
        )
        raise VerifyFailed(said, where=where)
    if _at(source, start + size, len(expected)) != expected:
        raise other_form(msg("its_end"), where)
    return count, size, start


def _at(source: BinaryIO, place: int, size: int) -> bytes:
    if place < 0:
        return b""
    source.seek(place)
    return source.read(size)


def _listed(source: BinaryIO, count: int, where: str) -> Iterator[Entry]:
    for _ in range(count):
        head = source.read(_LISTED.size)
        if len(head) < _LISTED.size or head[:4] != _LISTED_MARK:
            raise VerifyFailed(msg("not_whole_zip_file"), where=where)
        told = _LISTED.unpack(head)
        flags, method, crc, packed, size = told[5], told[6], told[9], told[10], told[11]
        long, extra_long, comment = told[12:15]
        if long > LONGEST_NAME:
            raise VerifyFailed(msg("name_leads_elsewhere"), where=where)
        raw = source.read(long)
        name = raw.decode("utf-8", "backslashreplace")
        if flags & 1:
            raise VerifyFailed(msg("encrypted"), where=repr(name))
        if method not in (STORED, DEFLATED):
            raise VerifyFailed(msg("packed_unusual_way"), where=repr(name))
        if comment or extra_long not in (0, 12, 20, 28):
            raise other_form(msg("line_list"), repr(name))
        extra = source.read(extra_long)
        values = iter(struct.unpack(f"<{(len(extra) - 4) // 8}Q", extra[4:]) if extra else ())
        if size == _ALL:
            size, packed = next(values, size), next(values, packed)
        offset = next(values, told[18]) if told[18] == _ALL else told[18]
        # Python wrote the mode alone; a kind of file is told apart before the mode is compared
        entry = Entry(
            name, method, crc, packed, size, offset, told[17] >> 16, told[3] == _WIDE and not extra
        )
        entry = replace(entry, wide=entry.wide or (bool(extra) and is_wide(size)))
        if entry.listed() != head + raw + extra:
            raise other_form(msg("line_list"), repr(name))
        yield entry
