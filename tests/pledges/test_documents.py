"""The catalog against the two documents themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from collector.catalog import clauses as checked_clauses
from collector.pledges.documents import PLACES, clauses, fields, titles
from collector.resources import package_text, shared

_NUMBERS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一"]
_CLAUSE = re.compile(r"^(十一|[一二三四五六七八九十])、(.*)$")
_PART = re.compile(r"^(?:\((十一|[一二三四五六七八九十])\)|([1-9])、)\s*(.*)$")


def _numbered() -> Iterator[tuple[str, str, str]]:
    """(id, printed number, text) of every numbered line of the documents, in order."""
    document, clause, printed = "", 0, ""
    by_title = {title.zh: name for name, title in titles().items()}
    for line in package_text("catalogs/pledge-documents.zh.txt").splitlines():
        if line.strip() in by_title:
            document = by_title[line.strip()]
        elif top := _CLAUSE.match(line):
            clause, printed = _NUMBERS.index(top[1]) + 1, top[1]
            yield f"{document}.{clause}", printed, top[2]
        elif part := _PART.match(line):
            number = _NUMBERS.index(part[1]) + 1 if part[1] else int(part[2])
            shown = f"{printed}({part[1]})" if part[1] else f"{printed}、{number}"
            yield f"{document}.{clause}.{number}", shown, part[3]


def test_every_numbered_clause_has_its_place_and_its_own_words() -> None:
    found = list(_numbered())
    assert [id for id, _, _ in found] == list(clauses())
    assert len(found) == 46
    for id, printed, text in found:
        clause = clauses()[id]
        assert clause.number == printed
        assert clause.title.zh in text, id
        assert clause.title.en
        assert clause.places
        assert set(clause.places) <= set(PLACES)


def test_what_is_checked_on_hosts_is_what_controls_are_for() -> None:
    checked = {c.id for c in clauses().values() if "checked" in c.places}
    assert checked == {f"responsibility.{n}" for n in checked_clauses()} | {"pledge.4"}


def test_every_field_that_holds_a_clause_is_in_the_record_and_the_other_way_round() -> None:
    schema = json.loads(shared("schemas", "pledge-record.schema.json").read_text("utf-8"))
    named = {field for clause in clauses().values() for field in clause.fields}
    about_the_record = {"schema", "id", "title", "grade", "customer", "retention", "attestations"}
    signature_lines = {"safety_contact"}
    assert named | about_the_record | signature_lines == set(schema["properties"])
    assert named == set(fields())
