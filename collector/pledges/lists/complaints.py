"""What a record as a whole is found wrong of, put to the row and column of the list it is from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from collector.i18n.message import Message
from collector.model import Text
from collector.pledges.lists.places import MAIN, SIGNED, tables
from collector.pledges.lists.sheets import Headed
from collector.pledges.lists.words import CHOICES, reworded, said

_PLACE = re.compile(r"\[([0-9]+)\](?:\.(.+))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a row (as the list numbers it); `column` is its heading, or empty.

    `sheet` is the name of the sheet, where the list has several.
    """

    row: int
    column: str
    reason: Text
    sheet: str = ""


@dataclass(slots=True)
class Row:
    """A row of a sheet: what its cells mean by column, and the columns that mean nothing."""

    sheet: Headed
    number: int
    values: dict[str, Any] = field(default_factory=dict)
    wrong: set[str] = field(default_factory=set)

    def fault(self, column: str, reason: Text) -> Fault:
        """A fault of one of its cells."""
        self.wrong.add(column)
        return Fault(self.number, self.sheet.named(column), reason, self.sheet.title)


def placed(
    main: Row,
    entries: Mapping[str, Sequence[tuple[Row, Mapping[str, Any]]]],
    complaints: Sequence[tuple[str, str]],
) -> Iterator[Fault]:
    """Faults of complaints (place in the record, what is wrong), each at its cell.

    `entries`: of each list of the record, the row that each entry is from, in their order.
    """
    for place, complaint in complaints:
        listed = next(
            (name for name in entries if place == name or place.startswith(f"{name}[")), None
        )
        if listed is None or (place == listed and not entries[listed]):
            yield main.fault(*_of_main(place, complaint))
            continue
        found = _PLACE.fullmatch(place.removeprefix(listed))
        if found is not None:
            row = entries[listed][int(found[1])][0]
            column = _bare(found[2] or "")
        else:
            row, column = _twice(entries[listed], complaint, main)
        yield _at(row, column, complaint)


def _at(row: Row, column: str, complaint: str) -> Fault:
    if row.sheet.table.field == MAIN:
        known = f"{SIGNED}.{column}"
        return row.fault(known if known in row.sheet.table.columns else "id", _text(complaint))
    columns = row.sheet.table.columns
    return row.fault(column if column in columns else next(iter(columns)), _text(complaint))


def _of_main(place: str, complaint: str) -> tuple[str, Text]:
    columns = tables()[MAIN].columns
    bare = _bare(place)
    code = complaint.code if isinstance(complaint, Message) else ""
    if place == "documents":
        return "draft", Text(
            "为否，而没有签署日期与扫描件：尚未签署的登记是草稿，请写“是”或留空",
            "is no, and there is neither day nor scan of the documents: what is not signed yet is "
            "a draft; write yes, or nothing",
        )
    if code == "ends_before_begins":
        about = said(complaint)
        return f"{bare}.until", Text(about.zh, f"the period {about.en}")
    if bare in columns:
        return bare, _text(complaint)
    inside = (
        name for name in columns if name.startswith(f"{bare}.") or bare.startswith(f"{name}.")
    )
    return next(inside, "id"), _text(complaint)


def _twice(
    entries: Sequence[tuple[Row, Mapping[str, Any]]], complaint: str, main: Row
) -> tuple[Row, str]:
    """The last of the entries that are the same."""
    match = complaint.values.get("match") if isinstance(complaint, Message) else None
    for row, entry in reversed(entries):
        for column in ("id", "type", "control"):
            if column in entry and match in (
                entry[column],
                f"{entry[column]} {entry.get('version')}",
                f"{entry[column]} on {entry.get('host')}",
            ):
                return row, column
    return main, "id"


def _bare(place: str) -> str:
    return re.sub(r"\[[0-9]+\]", "", place)


def _text(complaint: str) -> Text:
    about = said(reworded(complaint))
    if isinstance(complaint, Message) and complaint.code == "stands_twice":
        zh = about.zh
        for word, names in CHOICES.items():
            zh = zh.replace(f"{word} ", f"{names[0]} ")
        return Text(zh, about.en)
    return about
