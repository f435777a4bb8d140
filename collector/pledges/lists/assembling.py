"""One pledge: its row of the main sheet and its rows of the others, made into a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from collector.errors import BadInput
from collector.model import Text
from collector.pledges.lists.complaints import Fault, Row, placed
from collector.pledges.lists.forms import Wrong
from collector.pledges.lists.places import MAIN, PLEDGE, SIGNED, resolved, schema, tables
from collector.pledges.lists.scans import Scans
from collector.pledges.lists.words import CHOICES, reworded, said
from collector.pledges.record import validation
from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.record.times import CHINA
from collector.schema import validator

_EMPTY = Text("为空", "is empty")
_NOBODY = Text(
    "为空：单位填统一社会信用代码，个人填证件号码",
    "is empty: a unit has a credit code, a person the number of a paper",
)
_KINDS = ("responsibility", "pledge")
# in the place of what is at fault already, so that the rest of a record can be looked at
_STAND_IN: Mapping[str, Any] = {
    "id": "x", "customer": {"name": "x", "kind": "person", "identity_masked": "1****"},
    "grade": 2, "documents": [],
}  # fmt: skip
_Entries = dict[str, list[tuple[Row, dict[str, Any]]]]


class Pledge:
    """`record` is there once `faults` found none."""

    record: PledgeRecord | None = None

    def __init__(self, row: Row, lists: Mapping[str, Sequence[Row]]) -> None:
        self._row, self._lists = row, lists
        self._document: dict[str, Any] = {}
        self._entries: _Entries = {}

    def faults(self, scans: Scans | None, today: date | None) -> Iterator[Fault]:
        """Everything that is wrong with it, each at its cell."""
        wrong = bool(self._row.wrong)
        for part in (self._fields(), self._listed(scans), self._signed(scans), self._missing()):
            for fault in part:
                wrong = True
                yield fault
        if any(row.wrong for rows in self._lists.values() for row in rows):
            wrong = True
        if wrong:
            yield from self._of_the_rest(today)
            return
        document = self._whole()
        try:
            self.record = from_document(document, where="", today=today)
        except BadInput as problem:
            found = list(self._complaints(document, today))
            yield from found
            if not found:
                yield self._row.fault("id", said(reworded(problem.what)))

    def _fields(self) -> Iterator[Fault]:
        for column, value in self._row.values.items():
            if column.startswith(f"{SIGNED}.") or (column == "draft" and value is False):
                continue
            _put(self._document, column, value)
        customer = self._document.setdefault("customer", {})
        if "grade" not in self._row.wrong:
            self._document.setdefault("grade", 2)
        papers = {"credit_code", "identity_masked"} & customer.keys()
        of_papers = {"customer.credit_code", "customer.identity_masked", "customer.kind"}
        if not of_papers & self._row.wrong:
            person = customer.get("kind") == "person"
            customer.setdefault("kind", "unit" if "credit_code" in customer else "person")
            if not papers:
                column = "identity_masked" if person else "credit_code"
                yield self._row.fault(f"customer.{column}", _NOBODY)
            elif customer["kind"] == "unit" and "credit_code" not in customer:
                yield self._row.fault("customer.credit_code", _EMPTY)

    def _listed(self, scans: Scans | None) -> Iterator[Fault]:
        """The rows of the further sheets, each an entry of its list."""
        for listed, rows in self._lists.items():
            held = self._entries.setdefault(listed, [])
            for row in rows:
                values = row.values
                by_name = listed == "documents" and scans is not None and "type" in values
                if by_name and not {"sha256"} & (values.keys() | row.wrong):
                    yield from self._looked_up(scans, row, "sha256", values["type"])
                for column in row.sheet.table.columns.values():
                    needed = column.required and column.field != PLEDGE
                    if needed and column.field not in values and column.field not in row.wrong:
                        yield row.fault(column.field, _EMPTY)
                if not row.wrong:
                    entry: dict[str, Any] = {}
                    for name, value in values.items():
                        _put(entry, name, value)
                    held.append((row, entry))
            if rows:
                _put(self._document, listed, [entry for _, entry in held])

    def _signed(self, scans: Scans | None) -> Iterator[Fault]:
        """The two documents, as far as the main sheet tells of them."""
        told = {
            name.removeprefix(f"{SIGNED}."): value
            for name, value in self._row.values.items()
            if name.startswith(f"{SIGNED}.")
        }
        day = told.get("signed_on")
        given = self._lists.get("documents", ())
        held: list[tuple[Row, dict[str, Any]]] = []
        for kind in _KINDS:
            column = f"{SIGNED}.{kind}"
            listed = any(
                (row.values.get("type"), row.values.get("signed_on")) == (kind, day)
                for row in given
            )
            empty = kind not in told and column not in self._row.wrong
            if scans is not None and day is not None and empty and not listed:
                yield from self._looked_up(scans, self._row, column, kind)
                if column in self._row.values:
                    told[kind] = self._row.values[column]
            if kind in told and day is not None:
                entry = {
                    "type": kind,
                    "version": told.get("version", day[:4]),
                    "sha256": told[kind],
                    "signed_on": day,
                }
                for ours, theirs in (("representative",) * 2, ("sealed",) * 2):
                    if theirs in told:
                        entry[ours] = told[theirs]
                held.append((self._row, entry))
        documents = [*held, *self._entries.get("documents", [])]
        self._entries["documents"] = documents
        self._document["documents"] = [entry for _, entry in documents]

    def _looked_up(self, scans: Scans | None, row: Row, column: str, kind: str) -> Iterator[Fault]:
        """The scan of a document by the name of its file."""
        id = self._row.values.get("id")
        if scans is None or id is None:
            return
        try:
            found = scans.signed(id, kind)
        except Wrong as problem:
            yield row.fault(column, problem.text)
            return
        if found is not None:
            row.values[column] = found
        elif column == "sha256":
            title = CHOICES[kind][0]
            yield row.fault(
                column,
                Text(
                    f"为空，扫描件目录中也没有以 {id} 开头、名称含“{title}”的文件",
                    f"is empty, and no file of scans begins with {id} and has {kind} in its name",
                ),
            )

    def _missing(self) -> Iterator[Fault]:
        """What an object of the record cannot be without, once there is something of it."""
        columns = tables()[MAIN].columns
        for path, beside in list(_required(schema(), self._document, "")):
            if path in columns and path not in self._row.wrong:
                reason, other = _EMPTY, self._told_of(beside)
                if other and beside not in schema()["required"]:
                    reason = Text(
                        f"为空：填写了“{other}”，此列必填",
                        f"is empty, and {other!r} is filled in",
                    )
                yield self._row.fault(path, reason)

    def _told_of(self, part: str) -> str:
        """By which column or sheet there is something of a part of the record."""
        for name in self._row.values:
            if part and name.startswith(f"{part}."):
                return self._row.sheet.named(name)
        for listed, rows in self._lists.items():
            if part and listed.startswith(f"{part}.") and rows:
                return rows[0].sheet.title
        return ""

    def _whole(self) -> dict[str, Any]:
        document = self._document
        told_no = self._row.values.get("draft") is False
        if not document["documents"] and not told_no:
            document["draft"] = True
        return document

    def _of_the_rest(self, today: date | None) -> Iterator[Fault]:
        """What is wrong beside the faults that were found: without the parts that hold them."""
        bad = {column.partition(".")[0] for column in self._row.wrong}
        good = {
            name: part
            for name, part in self._document.items()
            if name not in bad and (part or name == "documents")
        }
        for listed in self._entries:
            outer = listed.partition(".")[0]
            if outer in bad and outer in good:
                del good[outer]
        rest = {**_STAND_IN, **good}
        rest.pop("draft", None)
        if not rest["documents"]:
            rest["draft"] = True
        if validator("pledge-record").is_valid(rest):
            yield from self._complaints(rest, today)

    def _complaints(self, document: dict[str, Any], today: date | None) -> Iterator[Fault]:
        if validator("pledge-record").is_valid(document):
            found = validation.faults(document, today or datetime.now(CHINA).date())
            yield from placed(self._row, self._entries, list(found))


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    inner = document
    for word in outer:
        inner = inner.setdefault(word, {})
    inner[last] = value


def _required(
    node: Mapping[str, Any], document: Mapping[str, Any], path: str
) -> Iterator[tuple[str, str]]:
    """(field that is missing, the object that it is missing in) below an object, in its order."""
    for name, inner in node["properties"].items():
        field = f"{path}.{name}" if path else name
        whole = resolved(inner)
        if whole.get("type") != "object" or "properties" not in whole:
            if name in node.get("required", ()) and name not in document:
                yield field, path
        elif name in document:
            yield from _required(whole, document[name], field)
