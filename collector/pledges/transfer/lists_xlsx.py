"""The rows of the first sheet of an XLSX file, as text, within bounds of size."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg

_MOST_UNPACKED = 256 * 1024 * 1024
_MOST_COLUMNS = 500
_MOST_CELLS = 2_000_000
# what a cell may hold (Microsoft: "Excel specifications and limits"), and as XML at its longest
_LONGEST_CELL = 32_767
_LONGEST_TEXT = 512 * 1024
_CHUNK = 1 << 20
# a list has a few; each of them is read whole
_MOST_ENTRIES = 2_000
_ROW, _CELL, _STRING = (
    re.compile(rb"<(?:[\w.-]+:)?" + x + rb"[\s/>]") for x in (b"row", b"c", b"si")
)


def xlsx_rows(data: bytes, *, most: int, where: str) -> Iterator[tuple[int, Sequence[str]]]:
    """(row number, cells); raises BadInput for what is no workbook, or would unpack too large."""
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if not _one_reading(packed, data):
                raise BadInput(
                    msg("another_list_files_could"),
                    where=where,
                    mend=msg("save_anew_csv_utf"),
                )
            _measure(packed, most, where)
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for number, cells in enumerate(sheet.iter_rows(max_col=_MOST_COLUMNS), 1):
            if number > most:
                raise BadInput(msg("more_rows", most_rows=most), where=where)
            texts = [_text(cell.value) for cell in cells]
            if any(len(text) > _LONGEST_CELL for text in texts):
                raise BadInput(msg("a_cell_longer_than_any", most=_LONGEST_CELL), where=where)
            yield number, texts
    except BadInput:
        raise
    except Exception as problem:  # noqa: BLE001 - openpyxl raises whatever its parsers met
        raise BadInput(
            msg("cannot_read_xlsx", name=type(problem).__name__),
            where=where,
            mend=msg("save_anew_csv_utf"),
        ) from None


def _measure(packed: zipfile.ZipFile, most: int, where: str) -> None:
    """Goes once through what is packed, a piece at a time, before anything is made of it.

    Raises BadInput where it unpacks too large, has a text that is longer than any cell, more rows
    or cells than a list, or entities, which unpack once more.
    """
    entries = packed.infolist()
    left = _MOST_UNPACKED
    if len(entries) > _MOST_ENTRIES or sum(e.file_size for e in entries) > left:
        raise BadInput(msg("unpacks_more_mib", largest=left >> 20), where=where)
    for entry in entries:
        rows = cells = 0
        for text in _pieces(packed, entry, where):
            left -= len(text)
            if left < 0:
                raise BadInput(msg("unpacks_more_mib", largest=_MOST_UNPACKED >> 20), where=where)
            rows += len(_ROW.findall(text))
            cells += len(_CELL.findall(text))
            if rows > most:
                raise BadInput(msg("more_rows", most_rows=most), where=where)
            if cells > _MOST_CELLS:
                raise BadInput(msg("more_cells", most=_MOST_CELLS), where=where)


def _pieces(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> Iterator[bytes]:
    """Its bytes; of XML, no piece ends within a tag, and none holds a text of any length."""
    is_xml = entry.filename.lower().endswith((".xml", ".rels", ".vml"))
    held = b""
    with packed.open(entry) as source:
        while chunk := source.read(_CHUNK):
            if not is_xml:
                yield chunk
                continue
            held += chunk
            # UTF-16 would hide what is counted, and no workbook declares types of its own
            if b"\0" in chunk or b"<!" in held.replace(b"<![CDATA[", b"").replace(b"<!--", b""):
                raise BadInput(msg("xml_of_no_workbook", name=entry.filename), where=where)
            cut = held.rfind(b"<")
            ready, held = held[: max(cut, 0)], held[max(cut, 0) :]
            longest = max(map(len, ready.split(b"<")))
            if max(len(held), longest) > _LONGEST_TEXT:
                raise BadInput(msg("a_cell_longer_than_any", most=_LONGEST_CELL), where=where)
            yield ready
    yield held


def _one_reading(packed: zipfile.ZipFile, data: bytes) -> bool:
    """Does whoever reads it, from either end, find the same files? Programs write many forms of

    ZIP, but none leaves room between entries, and none names two lists of them.
    """
    end = len(data) - 22 - len(packed.comment)
    if data[:4] != b"PK\3\4" or data[max(end, 0) : end + 4] != b"PK\5\6":
        return False
    here, count, _, start = struct.unpack_from("<2H2L", data, end + 8)
    entries = sorted(packed.infolist(), key=lambda entry: entry.header_offset)
    known = (len(entries), packed.start_dir)
    if here != count or count not in (known[0], 0xFFFF) or start not in (known[1], 0xFFFFFFFF):
        return False
    place = 0
    for entry in entries:
        gap = entry.header_offset - place
        # sizes that stand after the content, in 32 bits or 64, with their mark or without
        if gap and gap not in ((12, 16, 20, 24) if place else ()):
            return False
        long, extra = struct.unpack_from("<2H", data, entry.header_offset + 26)
        start = entry.header_offset + 30
        known_as = packed.NameToInfo.get(entry.filename) is entry
        if not known_as or data[start : start + long] != _raw(entry):
            return False
        place = start + long + extra + entry.compress_size
    return packed.start_dir - place in (0, 12, 16, 20, 24)


def _raw(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("utf-8" if entry.flag_bits & 0x800 else "cp437")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        midnight = not (value.hour or value.minute or value.second)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
