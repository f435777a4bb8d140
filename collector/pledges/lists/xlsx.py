"""The sheets of an XLSX file, as text, within bounds of size.

What a spreadsheet shows and a reader of values would miss is marked: formulas that were never
worked out, errors, numbers that were cut, merged cells, hidden rows.
"""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Text
from collector.pledges.lists.forms import Unread
from collector.pledges.lists.measured import (
    AT_ONCE,
    LONGEST_CELL,
    MOST_AT_ONCE,
    Marks,
    hold,
    measure,
)

_MOST_COLUMNS = 500
# each of them may be gone through, down to the last row of a list
_MOST_SHEETS = 100
# a spreadsheet keeps fifteen digits of a number and makes the others zeros
_EXACT = 10**15
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
    `unended`: its file ends within a line.
    """

    title: str
    rows: Callable[[], Rows]
    merged: Sequence[tuple[int, int, int, int]] = ()
    hidden: bool = False
    hidden_rows: int = 0
    since_1904: bool = False
    unended: bool = False


def xlsx_sheets(data: bytes, *, most: int, where: str) -> list[Sheet]:
    """Its sheets; raises BadInput for what is no workbook, or would unpack too large."""
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    with _reading(where):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if not _one_reading(packed, data):
                raise BadInput(
                    msg("another_list_files_could"),
                    where=where,
                    mend=msg("save_anew_csv_utf"),
                )
            marks = measure(packed, most, where)
        # of what a workbook holds besides cells, and of days that no calendar has
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        book = _book(data, marks, where)
        return [
            Sheet(
                sheet.title,
                partial(
                    _rows,
                    sheet,
                    partial(_unworked, data, path if marks[path].formulas else ""),
                    most,
                    where,
                ),
                marks[path].merged,
                sheet.sheet_state != "visible",
                marks[path].hidden_rows,
                book.epoch == CALENDAR_MAC_1904,
            )
            for sheet in book.worksheets
            for path in (str(getattr(sheet, "_worksheet_path", "")),)
        ]


def _book(data: bytes, marks: Mapping[str, Marks], where: str) -> Any:
    """The workbook, as `load_workbook` has it; before a part is read, it is seen what it is read

    as: which part holds the sheets, and which the texts, says the workbook alone.
    """
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.xml.constants import SHARED_STRINGS, XLSM, XLSX, XLTM, XLTX

    reader = ExcelReader(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    for name in reader.valid_files:
        if name.lower().endswith(".rels") or name in AT_ONCE:
            hold(marks, name, MOST_AT_ONCE, where, at_once=True)
    reader.read_manifest()
    for kind in (SHARED_STRINGS, XLSX, XLSM, XLTX, XLTM):
        for part in reader.package.findall(kind):
            texts = kind == SHARED_STRINGS
            hold(marks, part.PartName[1:], MOST_AT_ONCE, where, at_once=not texts)
    reader.read_workbook()
    paths = [rel.target for _, rel in reader.parser.find_sheets()]
    if len(paths) > _MOST_SHEETS:
        raise BadInput(
            msg("more_sheets", most=_MOST_SHEETS), where=where, mend=msg("save_anew_csv_utf")
        )
    for path in paths:
        # what is missing is left out by whoever reads it
        if path in marks:
            hold(marks, path, MOST_AT_ONCE, where, at_once=False)
        if paths.count(path) > 1:
            raise BadInput(msg("xml_of_no_workbook", name=path), where=where)
    reader.read()
    return reader.wb


def _rows(sheet: Any, unworked: _Unworked, most: int, where: str) -> Rows:
    from openpyxl.cell.read_only import EMPTY_CELL

    with _reading(where):
        # what a program wrote there need not be so
        sheet.reset_dimensions()
        without = unworked()
        row, columns = next(without, (0, set()))
        before = None
        for number, cells in enumerate(sheet.iter_rows(max_col=_MOST_COLUMNS), 1):
            if number > most:
                raise BadInput(msg("more_rows", most_rows=most), where=where)
            # one and the same for all rows that are left out: a row's number is cheap to write
            if cells is before:
                yield number, ()
                continue
            before = cells
            texts = ["" if cell is EMPTY_CELL else _text(cell) for cell in cells]
            if sum(map(len, texts)) > LONGEST_CELL and max(map(len, texts)) > LONGEST_CELL:
                raise BadInput(msg("a_cell_longer_than_any", most=LONGEST_CELL), where=where)
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
        # a cell that names a text by a number which the list of texts has not
        lost = isinstance(problem, IndexError)
        name = msg("xlsx_lost_texts") if lost else type(problem).__name__
        raise BadInput(
            msg("cannot_read_xlsx", name=name),
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
