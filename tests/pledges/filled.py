"""The workbook of `pledge import --template`, filled in as a person would."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook

from collector.model import Lang
from collector.pledges.lists import template
from collector.pledges.lists.places import MAIN, PLEDGE, SIGNED, tables


def book(lang: Lang = "zh") -> Workbook:
    """The workbook as it is written."""
    return load_workbook(io.BytesIO(template.template(lang)))


def put(page: Any, row: int, heading: str, value: Any) -> None:
    """Writes a cell below a heading, which may have the mark of what is needed."""
    headings = [str(cell.value or "").rstrip("*") for cell in page[template.HEADINGS]]
    page.cell(row, headings.index(heading) + 1, value)


def fill(page_of: Workbook, document: Mapping[str, Any], row: int, lang: Lang = "zh") -> None:
    """A record in the row of the main sheet, and in as many of the others as it has entries."""
    for table in tables().values():
        page = page_of[template.title(table, lang)]
        if table.field == MAIN:
            for column in table.columns.values():
                held = held_at(document, column.field)
                if held is not None and not column.field.startswith(f"{SIGNED}."):
                    put(page, row, template.heading(column, lang), cell_of(held, lang))
            continue
        for entry in held_at(document, table.field) or ():
            at = page.max_row + 1
            for column in table.columns.values():
                held = document["id"] if column.field == PLEDGE else held_at(entry, column.field)
                if held is not None:
                    put(page, at, template.heading(column, lang), cell_of(held, lang))


def saved(filled: Workbook, folder: Path) -> Path:
    """The file."""
    filled.save(folder / "filled.xlsx")
    return folder / "filled.xlsx"


def held_at(document: Mapping[str, Any], path: str) -> Any:
    inner: Any = document
    for word in path.split("."):
        if not isinstance(inner, Mapping) or word not in inner:
            return None
        inner = inner[word]
    return inner


def cell_of(value: Any, lang: Lang) -> Any:
    if isinstance(value, bool):
        return {"zh": ("否", "是"), "en": ("no", "yes")}[lang][value]
    if isinstance(value, list):
        return ("、" if lang == "zh" else ", ").join(map(str, value))
    return value
