"""Goes through what an XLSX file holds, and counts, before anything is made of it (ADR 50).

A kilobyte of it unpacks to a megabyte, and a byte of XML takes a hundred in memory.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from collector.errors import BadInput
from collector.i18n.message import msg

_MOST_UNPACKED = 256 * 1024 * 1024
_MOST_CELLS = 2_000_000
_MOST_MERGED = 10_000
# a cell that holds something takes two or three
_MOST_ELEMENTS = 6_000_000
_MOST_TEXTS = 500_000
# of all texts: a run of its own font has nine
_MOST_OF_FONTS = 500_000
# no program nests them deeper than twenty or thirty
_DEEPEST = 256
# a row has 16,384 cells at most, each of up to four
_MOST_OF_ROW = 100_000
# of what is made of a part at once: styles of a workbook are 65,490 at most
MOST_AT_ONCE = 250_000
# what a cell may hold (Microsoft: "Excel specifications and limits"), and as XML at its longest
LONGEST_CELL = 32_767
_LONGEST_TEXT = 512 * 1024
_CHUNK = 1 << 20
# a list has a few; each of them is read whole
_MOST_ENTRIES = 2_000
AT_ONCE = frozenset(
    ("[Content_Types].xml", "docProps/core.xml", "docProps/custom.xml", "xl/styles.xml",
     "xl/workbook.xml")
)  # fmt: skip
_ROW, _CELL = (re.compile(rb"<(?:[\w.-]+:)?" + x + rb"[\s/>]") for x in (b"row", b"c"))
_FORMULA = re.compile(rb"<(?:[\w.-]+:)?f[\s/>]")
_HIDDEN = re.compile(rb"<(?:[\w.-]+:)?row\s[^<>]*hidden=[\"'](?:1|true)")
_MERGED = re.compile(
    rb"<(?:[\w.-]+:)?mergeCell\s[^<>]*ref=[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"
)
_OF_CELLS = frozenset(("c", "v"))
_MEND = msg("save_anew_csv_utf")


@dataclass(slots=True)
class Marks:
    """What is seen of a part while it is measured.

    `elements` of it in all, and `outside` of rows and texts: those are kept until its end.
    `crowded` is whether a row or text has too many; `counted` whether it was XML to its end.
    """

    formulas: bool = False
    hidden_rows: int = 0
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    counted: bool = False
    elements: int = 0
    outside: int = 0
    crowded: bool = False


@dataclass(slots=True)
class _Counts:
    """Of all parts."""

    cells: int = 0
    # of the parts that were gone through
    elements: int = 0
    texts: int = 0
    fonts: int = 0


class _Elements:
    """Counts the elements of a part."""

    def __init__(self, marks: Marks, counts: _Counts, where: str) -> None:
        self._marks, self._counts, self._where = marks, counts, where
        self._depth = self._within = self._of_row = 0
        self._text, self._before = 0, counts.elements
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        marks.counted = True

    def feed(self, data: bytes, *, last: bool) -> None:
        """Raises BadInput for more than a workbook has; what is no XML is not counted further."""
        # what has such a row is not read, and need not be counted to its end
        if self._marks.crowded or not self._marks.counted:
            return
        try:
            self._marks.elements += data.count(b"<") - data.count(b"</")
            self._parser.Parse(data, last)
        except expat.ExpatError:
            self._marks.counted = False
        self._check()
        if last:
            self._counts.elements += self._marks.elements

    def _start(self, tag: str, _attributes: object) -> None:
        self._depth += 1
        if self._within:
            self._of_row += 1
            if tag in _OF_CELLS and not self._text and self._depth < _DEEPEST:
                return
        self._odd(tag.rpartition(":")[2])

    def _odd(self, name: str) -> None:
        """An element that is no cell of numbers, of which most of a workbook consists."""
        if not self._within:
            if name in ("row", "si"):
                self._within, self._of_row = self._depth, 0
            else:
                self._marks.outside += 1
        if self._text:
            self._counts.fonts += name not in ("t", "phoneticPr")
        elif name in ("si", "is"):
            self._text = self._depth
            self._counts.texts += 1
        if self._depth > _DEEPEST:
            raise BadInput(msg("xml_too_deep", most=_DEEPEST), where=self._where, mend=_MEND)

    def _end(self, _tag: str) -> None:
        if self._depth == self._within:
            self._within = 0
            self._marks.crowded = self._marks.crowded or self._of_row > _MOST_OF_ROW
        if self._depth == self._text:
            self._text = 0
        self._depth -= 1

    def _check(self) -> None:
        """Once for each piece: of a megabyte, which has no more than 350,000 elements."""
        counts = self._counts
        self._marks.crowded = self._marks.crowded or self._of_row > _MOST_OF_ROW
        if counts.texts > _MOST_TEXTS:
            said = msg("more_texts", most=_MOST_TEXTS)
        elif counts.fonts > _MOST_OF_FONTS:
            said = msg("more_elements", most=_MOST_OF_FONTS)
        elif self._before + self._marks.elements > _MOST_ELEMENTS:
            said = msg("more_elements", most=_MOST_ELEMENTS)
        else:
            return
        raise BadInput(said, where=self._where, mend=_MEND)


def hold(marks: Mapping[str, Marks], name: str, most: int, where: str, *, at_once: bool) -> None:
    """Raises BadInput unless the part was counted, and has no more than `most` elements: in all,

    where it is read `at_once`, or outside of its rows and texts.
    """
    found = marks.get(name)
    if found is None or not found.counted:
        raise BadInput(msg("xml_of_no_workbook", name=name), where=where, mend=_MEND)
    if found.crowded or (found.elements if at_once else found.outside) > most:
        raise BadInput(msg("more_elements", most=most), where=f"{where}: {name}", mend=_MEND)


def measure(packed: zipfile.ZipFile, most: int, where: str) -> dict[str, Marks]:
    """Goes once through what is packed, a piece at a time.

    Raises BadInput where it unpacks too large, has a text that is longer than any cell, more rows
    or cells than a list, entities, which unpack once more, or more elements than a workbook.
    """
    entries = packed.infolist()
    left, counts = _MOST_UNPACKED, _Counts()
    if len(entries) > _MOST_ENTRIES or sum(e.file_size for e in entries) > left:
        raise BadInput(msg("unpacks_more_mib", largest=left >> 20), where=where, mend=_MEND)
    found: dict[str, Marks] = {}
    for entry in entries:
        rows = 0
        marks = found[entry.filename] = Marks()
        elements: _Elements | None = None
        place = f"{where}: {entry.filename}"
        for text, is_xml in _pieces(packed, entry, where):
            left -= len(text)
            if left < 0:
                raise BadInput(
                    msg("unpacks_more_mib", largest=_MOST_UNPACKED >> 20), where=where, mend=_MEND
                )
            if not is_xml:
                continue
            rows += len(_ROW.findall(text))
            counts.cells += len(_CELL.findall(text))
            if rows > most:
                raise BadInput(msg("more_rows", most_rows=most), where=where)
            if counts.cells > _MOST_CELLS or len(marks.merged) > _MOST_MERGED:
                raise BadInput(msg("more_cells", most=_MOST_CELLS), where=where)
            _mark(marks, text)
            elements = elements or _Elements(marks, counts, place)
            elements.feed(text, last=False)
        if elements is not None:
            elements.feed(b"", last=True)
    return found


def _mark(marks: Marks, text: bytes) -> None:
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


def _pieces(
    packed: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str
) -> Iterator[tuple[bytes, bool]]:
    """Its bytes, and whether they are to be counted as XML; of that, no piece ends within a tag,

    and none holds a text of any length. What is called otherwise is not read (`hold`).
    """
    name = entry.filename.lower()
    is_xml = name.endswith((".xml", ".rels"))
    in_tags = is_xml or name.endswith(".vml")
    held = b""
    with packed.open(entry) as source:
        while chunk := source.read(_CHUNK):
            if not in_tags:
                yield chunk, False
                continue
            held += chunk
            # UTF-16 would hide what is counted, and no workbook declares types of its own
            if b"\0" in chunk or b"<!" in held.replace(b"<![CDATA[", b"").replace(b"<!--", b""):
                raise BadInput(msg("xml_of_no_workbook", name=entry.filename), where=where)
            cut = held.rfind(b"<")
            ready, held = held[: max(cut, 0)], held[max(cut, 0) :]
            longest = max(map(len, ready.split(b"<")))
            if max(len(held), longest) > _LONGEST_TEXT:
                raise BadInput(msg("a_cell_longer_than_any", most=LONGEST_CELL), where=where)
            yield ready, is_xml
    yield held, is_xml
