"""The sheets of a list by what they hold, and where each of its columns stands.

A list is a workbook, or a CSV file: `customers.csv`, and beside it `customers.training.csv` and
the like for what stands in further sheets.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from collector import private
from collector.errors import BadInput
from collector.i18n.message import msg, of_system
from collector.model import Text
from collector.pledges.lists.places import MAIN, PLEDGE, Table, folded, sheet_names
from collector.pledges.lists.xlsx import Rows, Sheet, xlsx_sheets

MOST_ROWS = 100_000
LARGEST = 64 * 1024 * 1024
_HEADER_WITHIN = 20
_MOST_BESIDE = 10_000
_CHUNK = 1 << 20
# a cell may hold commas too; a spreadsheet has 16,384 columns
_MOST_OF_ROW = 100_000
# what a template tells of itself
NOTES = ("填写说明", "notes")


@dataclass(frozen=True, slots=True)
class Source:
    """The sheets of a list: the main one, the others by their field; what was not taken."""

    main: Sheet
    lists: Mapping[str, Sheet]
    unknown: Sequence[str] = ()
    notes: Sequence[Text] = ()


@dataclass(frozen=True, slots=True)
class Headed:
    """A sheet whose headings were found. `at`: where each column stands; `headings`: its name

    there; `rows` are those below; `unknown` the headings that no field takes; `width` is how many
    columns have a heading.
    """

    table: Table
    sheet: Sheet
    title: str
    at: Mapping[str, int]
    headings: Mapping[str, str]
    row: int
    rows: Rows
    unknown: tuple[str, ...] = field(default=())
    width: int = 0

    def named(self, column: str) -> str:
        """What the list calls a column; what it lacks, by the first name in its language."""
        if column in self.headings:
            return self.headings[column]
        chinese = any(c >= "\u4e00" for c in "".join(self.headings.values()))
        return self.table.columns[column].names[0 if chinese else 1]


def opened(path: Path) -> Source:
    """The sheets of a list; raises BadInput where the file cannot be read as one."""
    data = _bytes(path)
    if data.startswith(b"PK"):
        return _of_workbook(xlsx_sheets(data, most=MOST_ROWS, where=str(path)), str(path))
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise BadInput(msg("xls_old_excel"), where=str(path), mend=msg("save_xlsx_csv_utf"))
    lists: dict[str, Sheet] = {}
    unknown = []
    for beside, name in _beside(path):
        listed = sheet_names().get(folded(name), MAIN)
        if listed == MAIN:
            unknown.append(beside.name)
        elif listed in lists:
            names = f"{lists[listed].title}, {beside.name}"
            raise BadInput(
                msg("two_sheets_same", sheets=names), where=str(path.parent), mend=msg("merge_them")
            )
        else:
            lists[listed] = _csv_sheet(beside.name, _bytes(beside), beside)
    return Source(_csv_sheet("", data, path), lists, unknown)


def _csv_sheet(title: str, data: bytes, path: Path) -> Sheet:
    rows = partial(_csv, data, where=str(path))
    return Sheet(title, rows, unended=not data.endswith((b"\n", b"\r")))


def headed(sheet: Sheet, table: Table, title: str, path: Path) -> Headed | None:
    """Finds the headings; titles may stand above them. None for an empty sheet but the main one.

    Raises BadInput where they are missing, or two of them name the same.
    """
    rows = sheet.rows()
    empty = True
    where = f"{path}: {sheet.title}" if title else str(path)
    needed = {"id", "customer.name"} if table.field == MAIN else {PLEDGE}
    for turn, (number, cells) in enumerate(rows):
        empty = empty and not any(map(str.strip, cells))
        names = [folded(cell) for cell in cells]
        found: dict[str, int] = {}
        for at, name in enumerate(names):
            if (column := table.known.get(name)) is not None:
                if column in found:
                    raise BadInput(
                        msg("two_columns_same", cells=cells[found[column]], cells_2=cells[at]),
                        where=f"{where}: row {number}",
                    )
                found[column] = at
        if needed <= found.keys():
            headings = {column: cells[at].strip(" *＊") for column, at in found.items()}
            unknown = (
                c.strip() for c, n in zip(cells, names, strict=True) if n and n not in table.known
            )
            width = max(at for at, name in enumerate(names, 1) if name)
            return Headed(table, sheet, title, found, headings, number, rows, tuple(unknown), width)
        if turn >= _HEADER_WITHIN:
            break
    if table.field != MAIN:
        if empty:
            return None
        raise BadInput(
            msg("no_heading_pledge", sheet=sheet.title),
            where=str(path),
            mend=msg("rename_sheet_of_none"),
        )
    raise BadInput(
        msg("no_row_headings_id"),
        where=str(path),
        mend=msg("hostpledge_pledge_import_columns"),
    )


def _of_workbook(sheets: Sequence[Sheet], where: str) -> Source:
    """The first sheet is the main one, unless it is one of the others by its name."""
    if not sheets:
        raise BadInput(msg("no_row_headings_id"), where=where)
    named: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        listed = sheet_names().get(folded(sheet.title))
        if listed is not None:
            named.setdefault(listed, []).append(sheet)
    first = sheets[0]
    other = sheet_names().get(folded(first.title), MAIN) != MAIN or _is_notes(first)
    mains = named.pop(MAIN, [])
    main = mains[0] if other and mains else first
    for same in (mains, *named.values()):
        if len(same) > 1:
            names = ", ".join(one.title for one in same)
            raise BadInput(
                msg("two_sheets_same", sheets=names), where=where, mend=msg("merge_them")
            )
    lists = {listed: same[0] for listed, same in named.items() if same[0] is not main}
    taken = [main, *lists.values()]
    left = [s for s in sheets if s not in taken and not _is_notes(s)]
    unknown = [sheet.title for sheet in left if _holds_something(sheet)]
    return Source(main, lists, unknown, list(_notes(taken)))


def _notes(taken: Sequence[Sheet]) -> Iterator[Text]:
    for sheet in taken:
        if sheet.hidden:
            yield Text(
                f"工作表“{sheet.title}”被隐藏，也已读取",
                f"the sheet {sheet.title!r} is hidden, and was read as well",
            )
        if sheet.hidden_rows:
            count = sheet.hidden_rows
            yield Text(
                f"工作表“{sheet.title}”有 {count} 行被隐藏，也已读取",
                f"hidden rows of the sheet {sheet.title!r}, which were read as well: {count}",
            )


def _is_notes(sheet: Sheet) -> bool:
    return folded(sheet.title) in map(folded, NOTES)


def _holds_something(sheet: Sheet) -> bool:
    return any(any(map(str.strip, cells)) for _, cells in sheet.rows())


def _bytes(path: Path) -> bytes:
    try:
        with private.opened(path) as source:
            data = source.read(LARGEST + 1)
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=str(path)) from None
    if len(data) > LARGEST:
        raise BadInput(msg("larger_mib", largest=LARGEST >> 20), where=str(path))
    return data


def _beside(path: Path) -> Iterator[tuple[Path, str]]:
    """Files that are called as a CSV file is, with a word between name and ending."""
    if path.suffix.lower() != ".csv":
        return
    for number, beside in enumerate(sorted(path.parent.glob("*.[cC][sS][vV]"))):
        if number >= _MOST_BESIDE:
            return
        before = f"{path.stem}."
        if beside.stem.startswith(before) and beside.is_file():
            yield beside, beside.stem.removeprefix(before)


def _csv(data: bytes, *, where: str) -> Rows:
    if b"\0" in data:
        raise BadInput(msg("neither_csv_nor_xlsx"), where=where)
    encoding = _encoding(data, where)
    with io.TextIOWrapper(io.BytesIO(data), encoding, newline="") as text:
        first = text.readline(LARGEST)
        text.seek(0)
        separator = max(",\t;，", key=first.count)
        given = _Lines(text, separator, where)
        reader = csv.reader(given, delimiter=separator, strict=True)
        try:
            for cells in reader:
                given.of_row = 0
                if reader.line_num > MOST_ROWS:
                    raise BadInput(msg("more_rows", most_rows=MOST_ROWS), where=where)
                yield reader.line_num, [_unwrapped(cell) for cell in cells]
        except csv.Error as problem:
            raise BadInput(
                msg("line_not_csv", line_num=reader.line_num, problem=problem), where=where
            ) from None


class _Lines:
    """The lines of a CSV file; raises BadInput before a row is made of more cells than any has."""

    def __init__(self, text: Iterator[str], separator: str, where: str) -> None:
        self._text, self._separator, self._where = text, separator, where
        self.of_row = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._text:
            self.of_row += line.count(self._separator)
            if self.of_row > _MOST_OF_ROW:
                raise BadInput(msg("more_cells", most=_MOST_OF_ROW), where=self._where)
            yield line


def _encoding(data: bytes, where: str) -> str:
    problem = _undecodable(data, "utf-8-sig")
    if problem is None:
        return "utf-8-sig"
    # what Excel writes as CSV on a Chinese Windows
    problem = _undecodable(data, "gb18030")
    if problem is not None:
        raise BadInput(msg("neither_utf_8_nor", start=problem), where=where)
    return "gb18030"


def _undecodable(data: bytes, encoding: str) -> int | None:
    """Where it cannot be decoded; a piece at a time, for a text takes several times the room."""
    decoder = codecs.getincrementaldecoder(encoding)()
    for start in range(0, len(data), _CHUNK):
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(data[start : start + _CHUNK], start + _CHUNK >= len(data))
        except UnicodeDecodeError as problem:
            return start - held + problem.start
    return None


def _unwrapped(cell: str) -> str:
    """`="0012"` is how digits are kept as text in a CSV file."""
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') and len(cell) > 3 else cell
