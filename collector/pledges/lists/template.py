"""A workbook to fill in: every sheet and column there is, and what may stand in each."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from rich.cells import cell_len

from collector.model import Lang, Text
from collector.pledges.lists import words
from collector.pledges.lists.forms import FORMS
from collector.pledges.lists.places import MAIN, PLEDGE, SIGNED, Column, Table, tables
from collector.pledges.lists.sheets import NOTES

HINTS, HEADINGS, FIRST = 1, 2, 3
# rows that drop-down lists and forms of cells are laid over
_LAST = 10_000
_NARROWEST, _WIDEST, _HIGH = 14, 40, 62
_NEEDED = frozenset(("id", "customer.name"))
_SCAN = Text(
    "文件名（导入时加 --scans 目录），或 SHA-256",
    "the name of a file (import with --scans DIR), or a SHA-256",
)
_LOOKED_UP = Text(
    "文件名或 SHA-256；留空时取 --scans 目录中以编号开头、名称含“{word}”的文件",
    "the name of a file, or a SHA-256; empty: the file of --scans that begins with the id and "
    "has {word} in its name",
)
_HINTS: Mapping[str, Text] = {
    "scan": _SCAN,
    "day": Text("日期，如 2026-01-08", "a day: 2026-01-08"),
    "time": Text("北京时间，如 2026-01-08 09:30", "time of China: 2026-01-08 09:30"),
    "day_or_time": Text("日期，如 2026-01-08", "a day: 2026-01-08"),
    "yes_or_no": Text("是 或 否", "yes or no"),
    "grade": Text("二级 或 三级；留空为二级", "2 or 3; 2 where empty"),
    "customer": Text(
        "单位 或 个人（企业、机关、学校、医院、个体工商户等都算单位）", "unit or person"
    ),
    "choice": Text("责任书 或 承诺书", "responsibility or pledge"),
    "address": Text("IP 地址或网段，如 203.0.113.16/29", "IP addresses or networks"),
    "domain": Text("域名", "domain names"),
    "file": Text(
        "--scans 目录中的 YAML 或 JSON 文件名", "the name of a YAML or JSON file of --scans"
    ),
    "text": Text("文字", "text"),
}
_SEVERAL = Text("；可写多个，以顿号分隔", "; several with commas between them")
_OF_PLEDGE = Text(
    "“{main}”表中的编号，同一编号可写多行", "an id of the sheet {main}, in any number of rows"
)
_EMPTY = Text("留空即可", "leave it empty")
_MUST = Text("必填：", "needed: ")
_WORDS: Mapping[str, Sequence[Text]] = {
    "yes_or_no": (Text("是", "yes"), Text("否", "no")),
    "grade": (Text("二级", "2"), Text("三级", "3")),
    "customer": (Text("单位", "unit"), Text("个人", "person")),
    "choice": (Text("责任书", "responsibility"), Text("承诺书", "pledge")),
}
_FORMATS = {
    "day": "yyyy-mm-dd",
    "day_or_time": "yyyy-mm-dd",
    "time": "yyyy-mm-dd hh:mm",
    "whole": "0",
}
_NOTES_HEAD = (
    Text("工作表", "sheet"), Text("列", "column"), Text("必填", "needed"),
    Text("可填内容", "what may stand there"), Text("示例", "example"),
)  # fmt: skip
_GUIDE = (
    Text(
        "“{main}”每份登记一行；其余工作表按需填写，每行以登记编号开头。"
        "请勿改动表头与工作表名，从第 {first} 行起填写。",
        "The sheet {main} has a row for each pledge; the others as needed, each row with the "
        "pledge's id in front. Leave headings and names of sheets, fill in from row {first}.",
    ),
    Text(
        "扫描件放入一个目录，表中写文件名；检查："
        "hostpledge pledge import 本文件 --scans 目录 --check",
        "Put the scans into one folder and write their names; to check: "
        "hostpledge pledge import THIS --scans DIR --check",
    ),
    Text("下表列出每一列可填的内容与示例。", "What may stand in each column, and an example:"),
)
_HEAD = PatternFill("solid", fgColor="D9E5F2")
_MUST_HEAD = PatternFill("solid", fgColor="F6D9C8")


def template(lang: Lang) -> bytes:
    """The workbook, in which nothing is filled in."""
    book = Workbook()
    book.properties.creator = "hostpledge"
    main = title(tables()[MAIN], lang)
    for turn, table in enumerate(tables().values()):
        page = book.worksheets[0] if turn == 0 else book.create_sheet()
        page.title = title(table, lang)
        _sheet(page, table, lang, main)
    _notes(book.create_sheet(NOTES[0 if lang == "zh" else 1]), lang, main)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def title(table: Table, lang: Lang) -> str:
    """What a sheet is called in that language."""
    return table.names[0 if lang == "zh" else 1]


def heading(column: Column, lang: Lang) -> str:
    """What a column is called in that language."""
    return column.names[0 if lang == "zh" else 1]


def example(column: Column, lang: Lang) -> str:
    """What could stand there; empty where nothing should."""
    if lang == "en":
        for word in _WORDS.get(column.kind, ()):
            if word.zh == column.example:
                return word.en
    return column.example


def _sheet(page: Any, table: Table, lang: Lang, main: str) -> None:
    for number, column in enumerate(table.columns.values(), 1):
        letter = get_column_letter(number)
        needed = column.required if table.field else column.field in _NEEDED
        name = heading(column, lang) + ("*" if needed else "")
        hint = page.cell(HINTS, number, _hint(column, lang, main, needed=needed))
        hint.font = Font(italic=True, color="666666", size=9)
        hint.alignment = Alignment(vertical="top", wrap_text=True)
        head = page.cell(HEADINGS, number, name)
        head.font = Font(bold=True)
        head.fill = _MUST_HEAD if needed else _HEAD
        head.alignment = Alignment(vertical="center", wrap_text=True)
        dimension = page.column_dimensions[letter]
        dimension.width = max(_NARROWEST, min(cell_len(name) + 4, _WIDEST))
        # digits that are no number stay whole only as text
        dimension.number_format = _FORMATS.get(column.kind, "@")
        if (listed := _listed(column, lang, main)) is not None:
            choice = DataValidation(type="list", formula1=listed, allow_blank=True)
            # other words of the same meaning may be written too
            choice.showErrorMessage = False
            choice.add(f"{letter}{FIRST}:{letter}{_LAST}")
            page.add_data_validation(choice)
    page.row_dimensions[HINTS].height = _HIGH
    page.freeze_panes = f"B{FIRST}"


def _listed(column: Column, lang: Lang, main: str) -> str | None:
    """What a drop-down list offers, as a formula."""
    if column.field == PLEDGE:
        return f"'{main}'!$A${FIRST}:$A${_LAST}"
    offered = _WORDS.get(column.kind)
    return f'"{",".join(word.to(lang) for word in offered)}"' if offered else None


def _hint(column: Column, lang: Lang, main: str, *, needed: bool) -> str:
    return (_MUST.to(lang) if needed else "") + _may_stand(column, lang, main)


def _may_stand(column: Column, lang: Lang, main: str) -> str:
    whole = column.node
    for word, kind in (("responsibility", "responsibility"), ("pledge", "pledge")):
        if column.field == f"{SIGNED}.{word}":
            said = words.CHOICES[kind][0] if lang == "zh" else kind
            return _LOOKED_UP.to(lang).format(word=said)
    if column.field == PLEDGE:
        return _OF_PLEDGE.to(lang).format(main=main)
    if column.kind == "text" and "const" in whole:
        return _EMPTY.to(lang)
    if column.kind == "whole":
        return _number(whole).to(lang)
    told = _HINTS.get(column.kind) or FORMS[column.kind]
    return told.to(lang) + (_SEVERAL.to(lang) if column.several else "")


def _number(node: Mapping[str, Any]) -> Text:
    least, most = node.get("minimum", 0), node.get("maximum")
    if most is None:
        return Text("整数", "a whole number")
    return Text(f"整数，{least} 至 {most}", f"a whole number from {least} to {most}")


def _notes(page: Any, lang: Lang, main: str) -> None:
    for line in _GUIDE:
        page.append([line.to(lang).format(main=main, first=FIRST)])
    page.append([])
    page.append([word.to(lang) for word in _NOTES_HEAD])
    for cell in page[page.max_row]:
        cell.font, cell.fill = Font(bold=True), _HEAD
    page.freeze_panes = f"A{page.max_row + 1}"
    for row in _described(lang, main):
        page.append(row)
        for cell in page[page.max_row]:
            cell.data_type = "s"
            cell.alignment = Alignment(vertical="top", wrap_text=True)
    for letter, width in zip("ABCDE", (18, 26, 8, 60, 48), strict=True):
        page.column_dimensions[letter].width = width


def _described(lang: Lang, main: str) -> Iterator[list[str]]:
    yes = Text("是", "yes").to(lang)
    for table in tables().values():
        for column in table.columns.values():
            needed = column.required if table.field else column.field in _NEEDED
            shown = "C-2026-001" if column.field == PLEDGE else example(column, lang)
            yield [
                title(table, lang),
                heading(column, lang),
                yes if needed else "",
                _may_stand(column, lang, main),
                shown,
            ]
