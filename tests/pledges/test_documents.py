"""The catalog against the two documents themselves, line by line."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from collector import catalog
from collector.catalog import clauses as checked_clauses
from collector.pledges.due.deadlines import KINDS
from collector.pledges.record import documents
from collector.pledges.record.documents import (
    PLACES,
    Duty,
    blanks,
    clauses,
    fields,
    titles,
    unnumbered,
)
from collector.resources import package_text, shared

_NUMBERS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一"]
_CLAUSE = re.compile(r"^(十一|[一二三四五六七八九十])、(.*)$")
_PART = re.compile(r"^(?:\((十一|[一二三四五六七八九十])\)|([1-9])、)\s*(.*)$")
# a label and its colon, where somebody writes; a year, month and day beside it belong to the date
_BLANK = re.compile(r"([^\s：:]+)\s*[：:](?:\s*年\s*月\s*日)?")
_LINES = package_text("catalogs/pledge-documents.zh.txt").splitlines()
# what an attestation says: who, when, which file, until when
_ATTESTED = {"by", "date", "sha256", "expires"}


def _lines() -> Iterator[tuple[str, str, str, str]]:
    """(document, kind, id or empty, text) of every line that is not empty, in order."""
    document, clause = "", 0
    by_title = {title.zh: name for name, title in titles().items()}
    for line in _LINES:
        text = line.strip()
        if not text:
            continue
        if text in by_title:
            document = by_title[text]
            yield document, "title", "", text
        elif top := _CLAUSE.match(text):
            clause = _NUMBERS.index(top[1]) + 1
            yield document, "clause", f"{document}.{clause}", top[2]
        elif part := _PART.match(text):
            number = _NUMBERS.index(part[1]) + 1 if part[1] else int(part[2])
            yield document, "clause", f"{document}.{clause}.{number}", part[3]
        elif text in unnumbered()[document]:
            yield document, "sentence", "", text
        else:
            yield document, "blanks", "", text


@cache
def _schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        shared("schemas", "pledge-record.schema.json").read_text("utf-8")
    )
    return found


def _place(path: str) -> dict[str, Any]:
    """The part of the schema that a path such as `filings.icp[]` leads to."""
    node = _schema()
    for word in path.split("."):
        node = _followed(node)["properties"][word.removesuffix("[]")]
        if word.endswith("[]"):
            node = _followed(node)["items"]
    return _followed(node)


def _followed(node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        node = _schema()["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node


def _clause_lines() -> dict[str, str]:
    return {id: text for _, kind, id, text in _lines() if kind == "clause"}


def test_every_line_of_the_documents_has_a_place() -> None:
    found = list(_lines())
    assert [id for _, kind, id, _ in found if kind == "clause"] == list(clauses())
    assert len(clauses()) == 46
    sentences = [(d, text) for d, kind, _, text in found if kind == "sentence"]
    assert sentences == [(d, text) for d, texts in unnumbered().items() for text in texts]
    written = [
        (document, label)
        for document, kind, _, text in found
        if kind == "blanks"
        for label in _BLANK.findall(text)
    ]
    assert written == [(blank.document, blank.text.zh) for blank in blanks()]
    for _, kind, _, text in found:
        if kind == "blanks":
            assert not _BLANK.sub("", text).strip(), f"neither a clause nor a blank: {text}"


def test_the_walk_knows_a_blank_and_a_clause() -> None:
    assert _BLANK.findall("经办人：                    联系电话:") == ["经办人", "联系电话"]
    assert _BLANK.sub("", "用户应每年审计一次。").strip()
    assert _CLAUSE.match("八、用户应每年审计一次。")


@pytest.mark.parametrize("id", clauses())
def test_a_clause_in_its_own_words(id: str) -> None:
    clause, text = clauses()[id], _clause_lines()[id]
    numbers = id.split(".")[1:]
    top = _NUMBERS[int(numbers[0]) - 1]
    inner = ""
    if len(numbers) > 1:
        last = int(numbers[1])
        inner = f"({_NUMBERS[last - 1]})" if clause.document == "responsibility" else f"、{last}"
    assert clause.number == top + inner
    assert clause.title.zh in text
    assert clause.title.en
    assert clause.places
    assert set(clause.places) <= set(PLACES)
    if set(clause.places) - {"acknowledged"}:
        assert clause.duties, "what the signature alone does not do for names its parts"
    if clause.duties:
        covered = text
        for duty in clause.duties:
            assert duty.text in text
            covered = covered.replace(duty.text, "")
        assert not re.sub(r"[，,、；。\s]", "", covered), f"no place for: {covered}"
        assert {duty.place for duty in clause.duties} <= set(clause.places)


_DUTIES = [(id, n) for id, clause in clauses().items() for n in range(len(clause.duties))]


@pytest.mark.parametrize(("id", "number"), _DUTIES)
def test_a_duty_has_a_place_in_the_schema(id: str, number: int) -> None:
    duty: Duty = clauses()[id].duties[number]
    place = _place(duty.field)
    assert duty.field.split(".")[0].removesuffix("[]") in {*clauses()[id].fields, "attestations"}
    assert set(duty.clocks) <= set(KINDS)
    if duty.place == "checked":
        assert any(
            f"responsibility.{c.clause}" == id or id == "pledge.4"
            for c in catalog.controls().values()
        )
    if duty.place == "attested":
        # who, when, which file, until when: in the field itself, or in an attestation of the clause
        said = set(place.get("properties", {}))
        assert said >= _ATTESTED or "sha256" in said or "method" in said
        assert set(_place("attestations[]")["properties"]) >= _ATTESTED
    if duty.place == "clock":
        assert duty.clocks
    if duty.place == "acknowledged" and not duty.optional:
        assert duty.field.startswith(("documents", "no_transfer"))


@pytest.mark.parametrize("blank", blanks(), ids=lambda blank: f"{blank.document}-{blank.text.zh}")
def test_a_blank_has_a_field(blank: Any) -> None:
    assert _place(blank.field)["type"] in ("string", "boolean")
    assert blank.text.en


def test_what_is_checked_on_hosts_is_what_controls_are_for() -> None:
    checked = {c.id for c in clauses().values() if "checked" in c.places}
    assert checked == {f"responsibility.{n}" for n in checked_clauses()} | {"pledge.4"}


def test_every_field_that_holds_a_clause_is_in_the_record_and_the_other_way_round() -> None:
    named = {field for clause in clauses().values() for field in clause.fields}
    about_the_record = {"schema", "id", "title", "grade", "draft", "retention", "attestations"}
    about_the_record.add("taken_back")
    blank = {b.field.split(".")[0].removesuffix("[]") for b in blanks()}
    assert named | about_the_record | blank | {"data_owner_keys"} == set(_schema()["properties"])
    assert named == set(fields())


def test_every_clock_stands_under_a_clause() -> None:
    run = {kind for clause in clauses().values() for duty in clause.duties for kind in duty.clocks}
    assert run == set(KINDS)


def _walk() -> None:
    test_every_line_of_the_documents_has_a_place()
    for id, clause in clauses().items():
        test_a_clause_in_its_own_words(id)
        for number in range(len(clause.duties)):
            test_a_duty_has_a_place_in_the_schema(id, number)
    for blank in blanks():
        test_a_blank_has_a_field(blank)
    test_what_is_checked_on_hosts_is_what_controls_are_for()
    test_every_field_that_holds_a_clause_is_in_the_record_and_the_other_way_round()
    test_every_clock_stands_under_a_clause()


def _pieces(catalog: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(name, list or mapping, key in it) of every clause, duty, blank and sentence."""
    for document, entry in catalog.items():
        for number, clause in entry["clauses"].items():
            yield f"{document}.{number}", entry["clauses"], number
            for at in range(len(clause.get("duties", ()))):
                yield f"{document}.{number}, part {at}", clause["duties"], at
        for kind in ("blanks", "unnumbered"):
            for at in range(len(entry[kind])):
                yield f"{document}, {kind} {at}", entry[kind], at


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The catalog, to take something away from; nothing of it is left afterwards."""
    catalog = copy.deepcopy(documents._catalog())
    made = (titles, clauses, blanks, unnumbered)
    monkeypatch.setattr(documents, "_catalog", lambda: catalog)
    for one in made:
        one.cache_clear()
    yield catalog
    monkeypatch.undo()
    for one in made:
        one.cache_clear()


def test_whatever_loses_its_place_is_noticed(pieces: dict[str, Any]) -> None:
    _walk()
    unnoticed = []
    for name, held, key in list(_pieces(pieces)):
        before = copy.copy(held)
        del held[key]
        for one in (titles, clauses, blanks, unnumbered):
            one.cache_clear()
        try:
            _walk()
            unnoticed.append(name)
        except (AssertionError, KeyError, IndexError):
            pass
        held.clear()
        held.update(before) if isinstance(held, dict) else held.extend(before)
    assert not unnoticed


def test_a_line_of_the_documents_that_is_gone_is_noticed() -> None:
    for at, line in enumerate(list(_LINES)):
        if line.strip():
            gone = _LINES.pop(at)
            try:
                with pytest.raises((AssertionError, KeyError)):
                    _walk()
            finally:
                _LINES.insert(at, gone)
