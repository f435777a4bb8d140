"""One pledge: its row of the main sheet and its rows of the others, made into a record."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from collector.errors import BadInput
from collector.model import Text
from collector.pledges.lists import far_days
from collector.pledges.lists.complaints import Fault, Row, placed
from collector.pledges.lists.forms import Wrong
from collector.pledges.lists.places import MAIN, PLEDGE, SIGNED, resolved, schema, tables
from collector.pledges.lists.scans import Scans
from collector.pledges.lists.words import CHOICES, reworded, said
from collector.pledges.record import validation
from collector.pledges.record.changes import unsaid
from collector.pledges.record.form import PledgeRecord, from_document
from collector.pledges.record.times import CHINA
from collector.schema import validator

_EMPTY = Text("为空", "is empty")
_NOBODY = Text(
    "为空：单位填统一社会信用代码，个人填证件号码",
    "is empty: a unit has a credit code, a person the number of a paper",
)
_KINDS = ("responsibility", "pledge")
# what the main sheet says of both papers beside their day
_OF_PAPER = ("version", "representative", "sealed")
# in the place of what is at fault already, so that the rest of a record can be looked at
_STAND_IN: Mapping[str, Any] = {
    "id": "x", "customer": {"name": "x", "kind": "person", "identity_masked": "1****"},
    "grade": 2, "documents": [],
}  # fmt: skip
_Entries = dict[str, list[tuple[Row, dict[str, Any]]]]


class Pledge:
    """`record` is there once `faults` found none."""

    record: PledgeRecord | None = None

    def __init__(
        self,
        row: Row,
        lists: Mapping[str, Sequence[Row]],
        held: Mapping[str, Any] | None = None,
        told: Collection[str] = frozenset(),
    ) -> None:
        """`held` is what the record is a new version of; what the list has no column or sheet for

        (`told`) stays of it.
        """
        self._row, self._lists = row, lists
        self._held: Mapping[str, Any] = json.loads(json.dumps(held)) if held is not None else {}
        self._told = frozenset(told)
        self._document = unsaid(self._held, {*told, "documents", "draft", "id"}, {})
        self._entries: _Entries = {}
        self.unused: frozenset[str] = frozenset()

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
            return
        if slips := list(self._complaints(document, today)):
            self.record = None
            yield from slips

    def _fields(self) -> Iterator[Fault]:
        for column, value in self._row.values.items():
            if column.startswith(f"{SIGNED}.") or (column == "draft" and value is False):
                continue
            _put(self._document, column, value)
        customer = self._document.setdefault("customer", {})
        if "grade" not in self._row.wrong:
            # a grade that nobody wrote lowers none: at the lower one fewer controls are judged
            self._document.setdefault("grade", self._held.get("grade", 2))
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
                    held.append((row, self._entry(listed, row, entry)))
            if rows:
                _put(self._document, listed, [entry for _, entry in held])

    def _entry(self, listed: str, row: Row, entry: dict[str, Any]) -> dict[str, Any]:
        """With what the entry on record has in columns that the sheet has not.

        It is the one on record that says the same or, where that is but one, is called the same.
        """
        at: Any = self._held
        for word in listed.split("."):
            at = at.get(word, ()) if isinstance(at, Mapping) else ()
        told = {name for name in row.sheet.at if name != PLEDGE}
        named = {c.field for c in row.sheet.table.columns.values() if c.required} & told
        for fields in (told, named):
            same = [o for o in at if all(_at(o, f) == _at(entry, f) for f in fields)]
            if len(same) == 1:
                return unsaid(same[0], told, entry)
        return entry

    def _signed(self, scans: Scans | None) -> Iterator[Fault]:
        """The two documents, as far as the main sheet tells of them."""
        told = {
            name.removeprefix(f"{SIGNED}."): value
            for name, value in self._row.values.items()
            if name.startswith(f"{SIGNED}.")
        }
        filled, used = set(told), set[str]()
        day = told.get("signed_on")
        given = self._lists.get("documents", ())
        made: list[tuple[Row, dict[str, Any]]] = []
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
                used |= {kind, "signed_on", *_OF_PAPER}
                made.append((self._row, self._paper(kind, told)))
        # what a list says of papers that it has not, no record holds
        self.unused = frozenset(f"{SIGNED}.{name}" for name in filled - used)
        documents = [*made, *self._entries.get("documents", [])]
        if "documents" not in self._told:
            documents = self._with_held(documents)
        self._entries["documents"] = documents
        self._document["documents"] = [entry for _, entry in documents]

    def _paper(self, kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
        day = told["signed_on"]
        entry = {"type": kind, "version": day[:4], "sha256": told[kind], "signed_on": day}
        entry |= {name: told[name] for name in _OF_PAPER if name in told}
        columns = {name for name in _OF_PAPER if f"{SIGNED}.{name}" in self._row.sheet.at}
        for held in self._held.get("documents", ()):
            if all(held[name] == entry[name] for name in ("type", "sha256", "signed_on")):
                return unsaid(held, {*columns, "type", "sha256", "signed_on"}, entry)
        return entry

    def _with_held(
        self, made: Sequence[tuple[Row, dict[str, Any]]]
    ) -> list[tuple[Row, dict[str, Any]]]:
        """`made`, and what else is on record of papers, where there is no sheet of them."""
        rest = {(entry["type"], entry["version"]): (row, entry) for row, entry in made}
        every = [
            rest.pop((held["type"], held["version"]), (self._row, held))
            for held in self._held.get("documents", ())
        ]
        return [*every, *rest.values()]

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
                elif not other and beside and _at(self._held, beside):
                    reason = Text(
                        "为空，而登记库中此项还有清单没有列出的内容：此列必填",
                        "is empty, while the record has more of it, for which the list has no "
                        "column",
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
        papers = document["documents"]
        as_held = self._held.get("draft", False) and papers == self._held.get("documents")
        if (not papers or as_held) and not told_no:
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
            day = today or datetime.now(CHINA).date()
            found = [
                *validation.faults(document, day),
                *far_days.faults(document, day, self._held),
            ]
            yield from placed(self._row, self._entries, found)


def _at(document: Any, path: str) -> Any:
    for word in path.split("."):
        document = document.get(word) if isinstance(document, Mapping) else None
    return document


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
