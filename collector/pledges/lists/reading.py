"""Lists of pledges as providers keep them (CSV, XLSX), read into records row by row.

What a cell cannot mean is a fault with its row and column; nothing is guessed.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Text
from collector.pledges.lists import cells, sheets
from collector.pledges.lists.assembling import Pledge
from collector.pledges.lists.blanks import Blanks
from collector.pledges.lists.complaints import Fault, Row
from collector.pledges.lists.forms import Unread, Wrong, seen
from collector.pledges.lists.headings import meant, told_once
from collector.pledges.lists.places import MAIN, PLEDGE, SIGNED, tables
from collector.pledges.lists.scans import Scans
from collector.pledges.lists.sheets import Headed
from collector.pledges.lists.xlsx import Rows, Sheet
from collector.pledges.record.form import PledgeRecord

# a list of so many faults is not read to its end
MOST_FAULTS = 10_000
_COMPARED = 20
_NEAREST_OF = 3000
_REMEMBERED = 50_000
_SIGNED_ON = f"{SIGNED}.signed_on"
# without that day
_OF_NO_USE = frozenset((f"{SIGNED}.responsibility", f"{SIGNED}.pledge"))
_TIMES = frozenset(("day", "time", "day_or_time"))


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list holds. `drafts`: ids without the digests and day of signed documents.

    `unknown`: headings of columns, and names of sheets, that no field takes; `notes`: what else
    there is to say; `near`: what some headings may have been meant for. `cut`: there are
    MOST_FAULTS, and may be more. `told`: the fields it has a column (as `headings`) or sheet for.
    """

    records: tuple[PledgeRecord, ...]
    faults: tuple[Fault, ...]
    drafts: tuple[str, ...]
    unknown: tuple[str, ...]
    notes: tuple[Text, ...] = ()
    near: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    told: frozenset[str] = frozenset()
    headings: Mapping[str, str] = field(default_factory=dict)


class _FullError(Exception):
    """There are as many faults as are told."""


@dataclass(slots=True)
class _Faults:
    found: list[Fault] = field(default_factory=list)

    def add(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.found.append(fault)
            if len(self.found) >= MOST_FAULTS:
                raise _FullError


def read(
    path: Path,
    *,
    today: date | None = None,
    scans: Path | None = None,
    known: Mapping[str, PledgeRecord] | None = None,
) -> Listed:
    """The records of a list; raises BadInput where the file cannot be read as one.

    `scans` is a folder whose files may be named where the digest of a document is wanted. `known`:
    the records, by id, that the list is to make new versions of; what it has no column for stays.
    """
    found = Scans(scans) if scans is not None else None
    return _Reading(path, today, found, known or {}).listed()


class _Reading:
    def __init__(
        self,
        path: Path,
        today: date | None,
        scans: Scans | None,
        known: Mapping[str, PledgeRecord],
    ) -> None:
        self._path, self._today, self._scans, self._known = path, today, scans, known
        self._source = sheets.opened(path)
        self._faults = _Faults()
        self._meant: dict[tuple[str, str, str], str | int] = {}
        self._records: dict[str, PledgeRecord] = {}
        self._ungraded = set[str]()
        self._unused = Counter[str]()
        self._unended, self._blanks = list[Text](), Blanks()
        several = bool(self._source.lists)
        main = self._source.main
        self._main = self._headed(MAIN, main, main.title if several else "")
        self._lists: dict[str, Headed] = {}
        for listed, sheet in self._source.lists.items():
            if (found := self._headed(listed, sheet, sheet.title)) is not None:
                self._lists[listed] = found

    def listed(self) -> Listed:
        main = self._main
        assert main is not None  # noqa: S101 - `headed` raises for a main sheet without headings
        seen: dict[str, int] = {}
        try:
            entries = self._entries()
            self._pledges(main, entries, seen)
            self._strangers(entries, seen, main)
        except _FullError:
            pass
        if not seen and not self._faults.found:
            name = main.title or self._path.name
            mend = msg("no_row_to_fill", sheet=name)
            raise BadInput(msg("no_row"), where=str(self._path), mend=mend)
        order = {MAIN: 0, **{sheet.title: n for n, sheet in enumerate(self._lists.values(), 1)}}
        every = told_once(self._faults.found, (main, *self._lists.values()))
        found = sorted(every, key=lambda f: (order.get(f.sheet, 0), f.row))
        drafts = tuple(r.id for r in self._records.values() if r.document.get("draft"))
        unknown = [*main.unknown, *self._source.unknown]
        for sheet in self._lists.values():
            unknown += [f"{sheet.title}: {name}" for name in sheet.unknown]
        records = tuple(self._records.values())
        of_rows = () if found else (*self._no_grade(main), *self._of_papers(main))
        notes = (*self._source.notes, *of_rows, *self._unended, *self._blanks.notes())
        near = {
            f"{sheet.title}: {heading}" if sheet is not main else heading: column
            for sheet in (main, *self._lists.values())
            for heading, column in meant(sheet)
        }
        cut = len(self._faults.found) >= MOST_FAULTS
        known, head = self._told(), self._main.headings if self._main else {}
        return Listed(records, tuple(found), drafts, tuple(unknown), notes, near, cut, known, head)

    def _told(self) -> frozenset[str]:
        return frozenset((*(self._main.at if self._main else ()), *self._lists))

    def _of_papers(self, main: Headed) -> Iterator[Text]:
        """What cells say of papers that no record has: it is in no record either."""
        for column, count in sorted(self._unused.items()):
            name = main.named(column)
            yield Text(
                f"“{name}”列有 {count} 行未取用：这些行没有签署日期与扫描件，登记中尚无所签的文件；"
                "签署时以 pledge sign 写明（签署人为 --representative），"
                "或补齐后以同一清单 import --update --scans",
                f"{name!r} of {count} row(s) was not taken: they have no day or no scans of what "
                "was signed, and the record no paper that it would be of; say it to `pledge sign` "
                "(who signed: --representative), or fill the rows in and `import --update --scans`",
            )

    def _no_grade(self, main: Headed) -> Iterator[Text]:
        """A grade that nobody wrote is the lower one, by which fewer controls are judged."""
        count, every = len(self._ungraded), len(self._records)
        if not count:
            return
        name = main.named("grade")
        zh = f"“{name}”列有 {count} 行为空" if "grade" in main.at else f"没有“{name}”列"
        en = f"{count} without {name!r}" if "grade" in main.at else f"no column {name!r}"
        yield Text(
            f"{zh}：共 {every} 份登记，其中 {count} 份按二级登记",
            f"{en}: {count} of {every} records take grade 2",
        )

    def _headed(self, listed: str, sheet: Sheet, title: str) -> Headed | None:
        return sheets.headed(sheet, tables()[listed], title, self._path)

    def _rows(self, sheet: Headed) -> Iterator[Row]:
        """The rows that hold something, with what their cells mean."""
        numbers: list[int] = []
        for number, texts in self._whole_rows(sheet):
            given = {
                column: text
                for column, at in sheet.at.items()
                if at < len(texts) and (text := seen(texts[at])).strip()
            }
            if not given:
                continue
            numbers.append(number)
            row = Row(sheet, number)
            for column, text in given.items():
                try:
                    value = self._value(sheet, column, text)
                except Wrong as problem:
                    if column in _OF_NO_USE and _SIGNED_ON not in given and self._scans is None:
                        # of what is not signed: 待签
                        continue
                    self._faults.add([row.fault(column, problem.text)])
                    continue
                if value is not None:
                    row.values[column] = value
                    self._blanks.look(row, column, text)
            yield row
        self._faults.add(_merged(sheet, numbers))

    def _whole_rows(self, sheet: Headed) -> Rows:
        """The rows; the last one of a file that ends within it is a fault of its own too.

        What a cut took away reads as cells that nobody filled in.
        """
        last: tuple[int, Sequence[str]] | None = None
        for last in sheet.rows:
            yield last
        if last is None or not sheet.sheet.unended:
            return
        number, texts = last
        have = len(texts)
        if not any(map(str.strip, texts)):
            return
        if have >= sheet.width:
            # it may be whole, or cut within its last cell: nobody can tell but who wrote it
            self._unended.append(_may_be_cut(number, texts))
            return
        beyond = [column for column, at in sheet.at.items() if at >= have]
        column = min(beyond or sheet.at, key=lambda name: sheet.at[name])
        reason = Text(
            f"文件在此行中断：表头有 {sheet.width} 列，此行只有 {have} 列，末尾也没有换行；"
            "请换成完整的文件，确属完整的则补上此行末尾的空列",
            f"the file ends within this row: {have} cells below {sheet.width} headings, and no "
            "newline; take the whole file, or fill the row up with empty cells where it is whole",
        )
        self._faults.add([Row(sheet, number).fault(column, reason)])

    def _value(self, sheet: Headed, name: str, text: str) -> Any:
        column = sheet.table.columns[name]
        if sheet.sheet.since_1904 and column.kind in _TIMES and text.partition(".")[0].isdigit():
            raise Wrong(
                f"“{text}”：本工作簿的日期自 1904 年起算，请把单元格设为日期格式",
                f"{text!r}: this workbook counts days from 1904; format the cell as a date",
            )
        if isinstance(text, Unread):
            raise Wrong(text.reason.zh, text.reason.en)
        key = (sheet.table.field, name, text)
        if key in self._meant:
            return self._meant[key]
        value = cells.value(column, text.strip(), self._scans)
        # thousands of pledges share their days, words and people
        if isinstance(value, str | int) and len(self._meant) < _REMEMBERED:
            self._meant[key] = value
        return value

    def _entries(self) -> dict[str, dict[str, list[Row]]]:
        """The rows of the further sheets: by the pledge's id, by list."""
        found: dict[str, dict[str, list[Row]]] = {}
        for listed, sheet in self._lists.items():
            for row in self._rows(sheet):
                id = row.values.pop(PLEDGE, None)
                if id is not None:
                    found.setdefault(id, {}).setdefault(listed, []).append(row)
                elif PLEDGE not in row.wrong:
                    reason = Text(
                        "为空：每一行都要写登记编号（合并的单元格只有第一行有值）",
                        "is empty: every row needs the pledge's id (of merged cells only the "
                        "first holds a value)",
                    )
                    self._faults.add([row.fault(PLEDGE, reason)])
        return found

    def _pledges(
        self,
        main: Headed,
        entries: Mapping[str, Mapping[str, list[Row]]],
        seen: dict[str, int],
    ) -> None:
        rows: Iterable[Row] = self._rows(main)
        if self._scans is not None:
            # whose a file is shows only when all ids are known
            rows = list(rows)
            self._scans.of_pledges([row.values["id"] for row in rows if "id" in row.values])
        for row in rows:
            id = row.values.get("id")
            if id in seen:
                before = seen[id]
                reason = Text(f"{id} 已在第 {before} 行", f"{id} stands in row {before} already")
                self._faults.add([row.fault("id", reason)])
                continue
            if id is not None:
                seen[id] = row.number
            else:
                # it is a row nevertheless: the list is not empty
                seen.setdefault("", row.number)
            old = self._known.get(id) if id is not None else None
            held = old.document if old is not None else None
            of_sheets = entries.get(id, {}) if id is not None else {}
            pledge = Pledge(row, of_sheets, held, self._told())
            faults = list(pledge.faults(self._scans, self._today))
            self._faults.add(faults)
            if pledge.record is not None and not faults:
                self._records[pledge.record.id] = pledge.record
                if "grade" not in row.values and held is None:
                    self._ungraded.add(pledge.record.id)
                self._unused.update(pledge.unused)

    def _strangers(
        self,
        entries: Mapping[str, Mapping[str, list[Row]]],
        seen: Mapping[str, int],
        main: Headed,
    ) -> None:
        """Rows of further sheets whose pledge is not on the main sheet."""
        known = sorted(filter(None, seen))[:_NEAREST_OF]
        for turn, id in enumerate(id for id in entries if id not in seen):
            near = difflib.get_close_matches(id, known, 3, 0.6) if turn < _COMPARED else []
            zh = f"；相近的有 {', '.join(sorted(near))}" if near else ""
            en = f"; there is {', '.join(sorted(near))}" if near else ""
            title = main.sheet.title or self._path.name
            reason = Text(f"“{title}”中没有登记 {id}{zh}", f"there is no {id} in {title!r}{en}")
            for rows in entries[id].values():
                self._faults.add(row.fault(PLEDGE, reason) for row in rows)


def _may_be_cut(number: int, texts: Sequence[str]) -> Text:
    last = next(text for text in reversed(texts) if text.strip())
    return Text(
        f"请核对第 {number} 行是否完整：文件末尾没有换行，此行最后一格是“{last[:40]}”，或许被截断",
        f"look whether row {number} is whole: the file ends without a newline, after "
        f"{last[:40]!r}; it may be cut there",
    )


def _merged(sheet: Headed, numbers: list[int]) -> Iterator[Fault]:
    """Cells that are one over several rows: only the first of these rows has the value."""
    for top, bottom, left, right in sheet.sheet.merged:
        first = bisect_left(numbers, max(top, sheet.row + 1))
        if bisect_right(numbers, bottom) - first < 2:
            continue
        for column, at in sheet.at.items():
            if left <= at <= right:
                reason = Text(
                    f"第 {top} 至 {bottom} 行的单元格合并为一格，只有第一行有值："
                    "请取消合并，逐行填写",
                    f"the cells of the rows {top} to {bottom} are merged, only the first holds a "
                    "value: undo that and fill in each row",
                )
                yield Row(sheet, numbers[first]).fault(column, reason)
