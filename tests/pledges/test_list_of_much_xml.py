"""Workbooks of some kilobytes that would take minutes, or gigabytes, to read: refused in one line.

What is counted are elements and bytes: neither grows with how slow the machine is.
"""

from __future__ import annotations

import io
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from collector.errors import BadInput
from collector.pledges.lists import measured
from collector.pledges.lists.sheets import opened

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_TEXTS = f"<sst {_MAIN}>".encode(), b"</sst>"
_SHEET = f"<worksheet {_MAIN}><sheetData>".encode(), b"</sheetData></worksheet>"
_STYLES = f"<styleSheet {_MAIN}>".encode(), b"</styleSheet>"
_IN_TEXTS, _IN_SHEET = "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"
# what refusing them takes, with the interpreter and all it has loaded
_MOST_MEMORY = 300 << 20


def _workbook(path: Path, part: str, data: bytes, **more: bytes) -> Path:
    """A workbook in which a part is another; `more` by its name, with dots for slashes."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.active["A1"], book.active["B1"] = "编号", "用户名称"
    book.save(out)
    with zipfile.ZipFile(out) as given:
        files = {name: given.read(name) for name in given.namelist()}
    files |= more
    if "sharedStrings" in part:
        kind = f'<Override PartName="/{part}" ContentType="{_TYPE}"/></Types>'.encode()
        types = files["[Content_Types].xml"]
        assert _TYPE.encode() not in types
        files["[Content_Types].xml"] = types.replace(b"</Types>", kind)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in {**files, part: data}.items():
            packed.writestr(name, content)
    return path


# made when they are wanted: they are large
CASES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "deep": (
        _IN_TEXTS,
        lambda: (
            _TEXTS[0] + b"<si>" + b"<x>" * 3_000_000 + b"</x>" * 3_000_000 + b"</si>" + _TEXTS[1]
        ),
        "sharedStrings.xml: XML nested deeper than 256",
    ),
    "deep cells": (
        _IN_SHEET,
        lambda: _SHEET[0] + b"<row>" + b"<c>" * 90_000 + b"</c>" * 90_000 + b"</row>" + _SHEET[1],
        "sheet1.xml: XML nested deeper than 256",
    ),
    "called otherwise": (
        "xl/sharedStrings.bin",
        lambda: _TEXTS[0] + b"<si/>" * 1_000_000 + _TEXTS[1],
        r"XML that no workbook has \(xl/sharedStrings.bin\)",
    ),
    "texts": (
        _IN_TEXTS,
        lambda: _TEXTS[0] + b"<si/>" * 1_000_000 + _TEXTS[1],
        "sharedStrings.xml: more than 500000 texts",
    ),
    "fonts": (
        _IN_TEXTS,
        lambda: _TEXTS[0] + b"<si><r/><r/></si>" * 400_000 + _TEXTS[1],
        "sharedStrings.xml: more than 500000 elements",
    ),
    "one text": (
        _IN_TEXTS,
        lambda: _TEXTS[0] + b"<si>" + b"<t/>" * 200_000 + b"</si>" + _TEXTS[1],
        "sharedStrings.xml: more than 250000 elements",
    ),
    "beside texts": (
        _IN_TEXTS,
        lambda: _TEXTS[0] + b"<x/>" * 300_000 + _TEXTS[1],
        "sharedStrings.xml: more than 250000 elements",
    ),
    "texts in cells": (
        _IN_SHEET,
        lambda: _SHEET[0] + (b"<row>" + b"<c><is/></c>" * 20 + b"</row>") * 30_000 + _SHEET[1],
        "sheet1.xml: more than 500000 texts",
    ),
    "one row": (
        _IN_SHEET,
        lambda: _SHEET[0] + b"<row>" + b"<c/>" * 200_000 + b"</row>" + _SHEET[1],
        "sheet1.xml: more than 250000 elements",
    ),
    "beside rows": (
        _IN_SHEET,
        lambda: _SHEET[0] + _SHEET[1].replace(b"</w", b"<x/>" * 300_000 + b"</w"),
        "sheet1.xml: more than 250000 elements",
    ),
    "styles": (
        "xl/styles.xml",
        lambda: _STYLES[0] + b"<xf/>" * 300_000 + _STYLES[1],
        "styles.xml: more than 250000 elements",
    ),
    "all": (
        _IN_TEXTS,
        lambda: _TEXTS[0] + b"<x/>" * 7_000_000 + _TEXTS[1],
        "sharedStrings.xml: more than 6000000 elements",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_more_than_a_list_holds(name: str, tmp_path: Path) -> None:
    part, data, said = CASES[name]
    with pytest.raises(BadInput, match=said) as refused:
        opened(_workbook(tmp_path / "l.xlsx", part, data()))
    assert "save it anew, or as CSV" in str(refused.value)


def _within() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (_MOST_MEMORY, _MOST_MEMORY))


@pytest.mark.parametrize("name", ["deep", "fonts", "one row"])
def test_it_is_one_line_of_a_command_with_little_memory(name: str, tmp_path: Path) -> None:
    part, data, _ = CASES[name]
    path = _workbook(tmp_path / "l.xlsx", part, data())
    done = subprocess.run(
        [sys.executable, "-m", "collector", "pledge", "import", str(path), "--lang", "en",
         "--register", str(tmp_path / "register.sqlite")],
        capture_output=True, text=True, check=False, preexec_fn=_within,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert str(path) in done.stderr


def test_one_sheet_that_is_named_again_and_again(tmp_path: Path) -> None:
    """Each of its names is a sheet that is gone through."""
    path = _workbook(tmp_path / "l.xlsx", "x.xml", b"<x/>")
    with zipfile.ZipFile(path) as given:
        book = given.read("xl/workbook.xml").decode()
    one = book[book.index("<sheet ") : book.index("</sheets>")]
    for count, said in ((3, "XML that no workbook has"), (500, "more than 100 sheets")):
        named = "".join(
            one.replace('name="Sheet"', f'name="s{n}"').replace('sheetId="1"', f'sheetId="{n + 1}"')
            for n in range(count)
        )
        _workbook(path, "xl/workbook.xml", book.replace(one, named).encode())
        with pytest.raises(BadInput, match=said):
            opened(path)


def test_rows_that_are_left_out_hold_no_cells(tmp_path: Path) -> None:
    """Two rows, the second of which says that it is the last one of a list."""
    rows = b'<row r="1"><c t="str"><v>a</v></c></row><row r="100000"><c><v>1</v></c></row>'
    path = _workbook(tmp_path / "l.xlsx", _IN_SHEET, _SHEET[0] + rows + _SHEET[1])
    found = list(opened(path).main.rows())
    assert [number for number, _ in found] == list(range(1, 100_001))
    assert (found[0][1][0], found[-1][1][0]) == ("a", "1")
    # the first of those between is the one that all of them are
    assert sum(len(cells) for _, cells in found) <= 3 * 500


def test_a_large_honest_workbook(tmp_path: Path) -> None:
    """5,000 pledges of 40 columns, each cell of its own text, as programs for Chinese write it."""
    texts = b"".join(
        b'<si><t>%d</t><phoneticPr fontId="1" type="noConversion"/></si>' % n
        for n in range(5_000 * 40)
    )
    rows = b"".join(
        b'<row r="%d">%s</row>'
        % (r + 1, b"".join(b'<c t="s"><v>%d</v></c>' % (r * 40 + c) for c in range(40)))
        for r in range(5_000)
    )
    path = _workbook(
        tmp_path / "l.xlsx",
        _IN_TEXTS,
        _TEXTS[0] + texts + _TEXTS[1],
        **{_IN_SHEET: _SHEET[0] + rows + _SHEET[1]},
    )
    found = list(opened(path).main.rows())
    assert len(found) == 5_000
    assert found[-1][1][39] == "199999"


def test_a_row_of_a_csv_file_has_few_cells(tmp_path: Path) -> None:
    """Also one that goes on over lines, in quotes."""
    for name, data in {"one": b"," * 150_000, "quoted": (b"," * 60_000 + b'"\n",') * 3}.items():
        path = tmp_path / f"{name}.csv"
        path.write_bytes("编号,用户名称\n".encode() + data + b"\n")
        with pytest.raises(BadInput, match="more than 100000 cells"):
            list(opened(path).main.rows())
    path.write_bytes("编号,用户名称\n".encode() + (b'1,"' + b"," * 90_000 + b'"\n') * 3)
    assert len(list(opened(path).main.rows())) == 4


def test_a_picture_is_no_xml(tmp_path: Path) -> None:
    svg = b'<!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg">' + b"<g/>" * 300_000 + b"</svg>"
    path = _workbook(tmp_path / "l.xlsx", "xl/media/image1.svg", svg)
    assert next(opened(path).main.rows())[1][:2] == ["编号", "用户名称"]
    with zipfile.ZipFile(path) as given:
        assert not measured.measure(given, 10, "l.xlsx")["xl/media/image1.svg"].counted
