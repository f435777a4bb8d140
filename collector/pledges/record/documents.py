"""The clauses of the two signed documents, and where each has its place in a pledge record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from collector.model import Text
from collector.resources import package_text
from collector.schema import load_own

PLACES = ("checked", "attested", "acknowledged", "clock", "resource")


@dataclass(frozen=True, slots=True)
class Duty:
    """A part of a clause with a place of its own.

    `text` is verbatim, `place` one of PLACES, `field` where the record holds it (`a.b`, `a[]` for
    each of a list), `clocks` the kinds of `due.Due` that run for it. `optional`: nothing on record
    means that nothing happened, or that it lies elsewhere, not that something is missing.
    """

    text: str
    place: str
    field: str
    clocks: tuple[str, ...]
    optional: bool


@dataclass(frozen=True, slots=True)
class Blank:
    """A place of a document that is filled in by hand, and the field that holds it."""

    document: str
    text: Text
    field: str


@dataclass(frozen=True, slots=True)
class DocumentClause:
    """One numbered clause.

    `id` is e.g. `responsibility.2.1` or `pledge.6.3`, `number` what the document prints.
    `places`: checked (on hosts), attested (a document's digest or a statement), acknowledged
    (by the signature, or by itself), clock (a term that runs), resource (declared).
    `fields` are the fields of the pledge record that hold it; `duties` its parts, where it has
    any that the signature alone does not do for.
    """

    id: str
    document: str
    number: str
    title: Text
    places: tuple[str, ...]
    fields: tuple[str, ...]
    duties: tuple[Duty, ...] = ()


@cache
def titles() -> Mapping[str, Text]:
    """The names of the two documents, by the word the record uses for each."""
    return MappingProxyType({name: _text(entry["title"]) for name, entry in _catalog().items()})


@cache
def clauses() -> Mapping[str, DocumentClause]:
    """Every numbered clause of both documents by id, in their order."""
    found: dict[str, DocumentClause] = {}
    for document, entry in _catalog().items():
        for number, clause in entry["clauses"].items():
            id = f"{document}.{number}"
            found[id] = DocumentClause(
                id,
                document,
                clause["number"],
                _text(clause["title"]),
                tuple(clause["places"]),
                tuple(clause["fields"]),
                tuple(_duty(duty) for duty in clause.get("duties", ())),
            )
    return MappingProxyType(found)


@cache
def blanks() -> tuple[Blank, ...]:
    """Every blank of both documents, in their order."""
    return tuple(
        Blank(document, Text(blank["text"], blank["en"]), blank["field"])
        for document, entry in _catalog().items()
        for blank in entry["blanks"]
    )


@cache
def unnumbered() -> Mapping[str, tuple[str, ...]]:
    """The sentences of each document that have no number: the signature acknowledges them."""
    return MappingProxyType(
        {document: tuple(entry["unnumbered"]) for document, entry in _catalog().items()}
    )


def named(id: str) -> Text:
    """What a clause is called when people speak of it: its document and its printed number."""
    clause = clauses()[id]
    title = titles()[clause.document]
    return Text(f"《{title.zh}》{clause.number}", f"{title.en}, {clause.number}")


@cache
def fields() -> Mapping[str, Text]:
    """What each field that holds a clause is called."""
    name = "catalogs/pledge-fields.yml"
    document: dict[str, Any] = load_own(package_text(name), where=name)
    return MappingProxyType({field: _text(entry) for field, entry in document.items()})


def _duty(entry: Mapping[str, Any]) -> Duty:
    return Duty(
        entry["text"],
        entry["place"],
        entry["field"],
        tuple(entry.get("clocks", ())),
        entry.get("optional", False),
    )


@cache
def _catalog() -> dict[str, Any]:
    name = "catalogs/documents.yml"
    document: dict[str, Any] = load_own(package_text(name), where=name)
    return document


def _text(entry: Mapping[str, str]) -> Text:
    return Text(entry["zh"], entry["en"])
