"""The sheets of an XLSX file, as text, within bounds of size.

What a spreadsheet shows and a reader of values would miss is marked: formulas that were never
worked out, errors, numbers that were cut, merged cells, hidden rows.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Text
from collector.pledges.lists.forms import Unread

_MOST_UNPACKED = 256 * 1024 * 1024
_MOST_COLUMNS = 500
_MOST_CELLS = 2_000_000
_MOST_MERGED = 10_000
# what a cell may hold (Microsoft: "Excel specifications and limits"), and as XML at its longest
_LONGEST_CELL = 32_767
_LONGEST_TEXT = 512 * 1024
_CHUNK = 1 << 20
# a list has a few; each of them is read whole
_MOST_ENTRIES = 2_000
# a spreadsheet keeps fifteen digits of a number and makes the others zeros
_EXACT = 10**15
_ROW, _CELL, _STRING = (
    re.compile(rb"<(?:[\w.-]+:)?" + x + rb"[\s/>]") for x in (b"row", b"c", b"si")
)
_FORMULA = re.compile(rb"<(?:[\w.-]+:)?f[\s/>]")
_HIDDEN = re.compile(rb"<(?:[\w.-]+:)?row\s[^<>]*hidden=[\"'](?:1|true)")
_MERGED = re.compile(
    rb"<(?:[\w.-]+:)?mergeCell\s[^<>]*ref=[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"
)
_UNWORKED = Text(
    "是没有算出结果的公式，请用表格软件打开并保存，或写成值",
    "is a formula without a result: open and save it in a spreadsheet, or write the value",
)

_Unworked = Callable[[], Iterator[tuple[int, set[int]]]]
Rows = Iterator[tuple[int, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet, or a CSV file (`title` empty). `rows` begins anew with each call.

    `merged`: first row, last row, first column, last column (from 0) of each that spans rows.
    """

    title: str
    rows: Callable[[], Rows]
    merged: Sequence[tuple[int, int, int, int]] = ()
    hidden: bool = False
    hidden_rows: int = 0
    since_1904: bool = False


@dataclass(slots=True)
class _Marks:
    """What is seen of a sheet while it is measured."""

    formulas: bool = False
    hidden_rows: int = 0
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def xlsx_sheets(data: bytes, *, most: int, where: str) -> list[Sheet]:
    """Its sheets; raises BadInput for what is no workbook, or would unpack too large."""
    from openpyxl import load_workbook
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    with _reading(where):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if not _one_reading(packed, data):
                raise BadInput(
                    msg("another_list_files_could"),
                    where=where,
                    mend=msg("save_anew_csv_utf"),
                )
            marks = _measure(packed, most, where)
        # of what a workbook holds besides cells, and of days that no calendar has
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        found = []
        for sheet in book.worksheets:
            path = str(getattr(sheet, "_worksheet_path", ""))
            if path not in marks or not path.lower().endswith(".xml"):
                # it was not measured as what it is read as
                raise BadInput(msg("xml_of_no_workbook", name=path), where=where)
            seen = marks[path]
            unworked = partial(_unworked, data, path if seen.formulas else "")
            found.append(
                Sheet(
                    sheet.title,
                    partial(_rows, sheet, unworked, most, where),
                    seen.merged,
                    sheet.sheet_state != "visible",
                    seen.hidden_rows,
                    book.epoch == CALENDAR_MAC_1904,
                )
            )
        return found


def _rows(sheet: Any, unworked: _Unworked, most: int, where: str) -> Rows:
    from openpyxl.cell.read_only import EMPTY_CELL

    with _reading(where):
        # what a program wrote there need not be so
        sheet.reset_dimensions()
        without = unworked()
        row, columns = next(without, (0, set()))
        for number, cells in enumerate(sheet.iter_rows(max_col=_MOST_COLUMNS), 1):
            if number > most:
                raise BadInput(msg("more_rows", most_rows=most), where=where)
            texts = ["" if cell is EMPTY_CELL else _text(cell) for cell in cells]
            if sum(map(len, texts)) > _LONGEST_CELL and max(map(len, texts)) > _LONGEST_CELL:
                raise BadInput(msg("a_cell_longer_than_any", most=_LONGEST_CELL), where=where)
            while row and row < number:
                row, columns = next(without, (0, set()))
            if row == number:
                for at in columns:
                    if at < len(texts):
                        texts[at] = Unread("=", _UNWORKED)
            yield number, texts


@contextmanager
def _reading(where: str) -> Iterator[None]:
    try:
        yield
    except BadInput:
        raise
    except Exception as problem:  # noqa: BLE001 - openpyxl raises whatever its parsers met
        raise BadInput(
            msg("cannot_read_xlsx", name=type(problem).__name__),
            where=where,
            mend=msg("save_anew_csv_utf"),
        ) from None


def _unworked(data: bytes, path: str) -> Iterator[tuple[int, set[int]]]:
    """(row, columns) of the formulas of a sheet that have no result, row by row.

    Empty text is one: spreadsheets say that it is text.
    """
    if not path:
        return
    from openpyxl.utils.cell import column_index_from_string, coordinate_from_string
    from openpyxl.xml.functions import iterparse

    with zipfile.ZipFile(io.BytesIO(data)) as packed, packed.open(path) as source:
        row = 0
        for _, element in iterparse(source):
            if element.tag.rpartition("}")[2] != "row":
                continue
            row = int(element.get("r", row + 1))
            found, at = set(), 0
            for cell in element:
                place = cell.get("r")
                at = column_index_from_string(coordinate_from_string(place)[0]) if place else at + 1
                inner = {part.tag.rpartition("}")[2]: part for part in cell}
                value = inner.get("v")
                if "f" in inner and cell.get("t") != "str" and (value is None or not value.text):
                    found.add(at - 1)
            element.clear()
            if found:
                yield row, found


def _measure(packed: zipfile.ZipFile, most: int, where: str) -> dict[str, _Marks]:
    """Goes once through what is packed, a piece at a time, before anything is made of it.

    Raises BadInput where it unpacks too large, has a text that is longer than any cell, more rows
    or cells than a list, or entities, which unpack once more.
    """
    entries = packed.infolist()
    left, cells = _MOST_UNPACKED, 0
    if len(entries) > _MOST_ENTRIES or sum(e.file_size for e in entries) > left:
        raise BadInput(msg("unpacks_more_mib", largest=left >> 20), where=where)
    found: dict[str, _Marks] = {}
    for entry in entries:
        rows = 0
        marks = found[entry.filename] = _Marks()
        for text in _pieces(packed, entry, where):
            left -= len(text)
            if left < 0:
                raise BadInput(msg("unpacks_more_mib", largest=_MOST_UNPACKED >> 20), where=where)
            rows += len(_ROW.findall(text))
            cells += len(_CELL.findall(text))
            if rows > most:
                raise BadInput(msg("more_rows", most_rows=most), where=where)
            if cells > _MOST_CELLS or len(marks.merged) > _MOST_MERGED:
                raise BadInput(msg("more_cells", most=_MOST_CELLS), where=where)
            _mark(marks, text)
    return found


def _mark(marks: _Marks, text: bytes) -> None:
    marks.formulas = marks.formulas or _FORMULA.search(text) is not None
    marks.hidden_rows += len(_HIDDEN.findall(text))
    for first, top, last, bottom in _MERGED.findall(text):
        if int(top) < int(bottom):
            marks.merged.append((int(top), int(bottom), _column(first), _column(last)))


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


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


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "e":
        return Unread(
            str(value), Text(f"是公式的错误值 {value}", f"is {value}, the error of a formula")
        )
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float) and abs(value) >= _EXACT:
        return f"{value:.14E}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        midnight = not (value.hour or value.minute or value.second)
        return value.date().isoformat() if midnight else value.isoformat(" ", "seconds")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
