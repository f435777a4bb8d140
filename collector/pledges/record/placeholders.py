"""Which blanks of the two documents are filled in, as the record has it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collector.pledges.record.documents import Blank, blanks
from collector.pledges.record.form import PledgeRecord


@dataclass(frozen=True, slots=True)
class Filled:
    """A blank, and what was written there; empty where nothing was."""

    blank: Blank
    value: str


def filled(record: PledgeRecord) -> tuple[Filled, ...]:
    """Every blank of both documents, in their order, each of its newest signed version."""
    newest: dict[str, Mapping[str, Any]] = {}
    for signed in sorted(record.document["documents"], key=lambda d: d["signed_on"]):
        newest[signed["type"]] = signed
    person = record.document["customer"]["kind"] == "person"
    return tuple(
        Filled(blank, _written(record.document, newest.get(blank.document, {}), blank, person))
        for blank in blanks()
    )


def _written(
    document: Mapping[str, Any], signed: Mapping[str, Any], blank: Blank, person: bool
) -> str:
    outer, _, inner = blank.field.partition(".")
    if outer == "documents[]":
        value = signed.get(inner)
        if inner == "sealed" and not value and person:
            # a person signs where a unit seals
            value = signed.get("representative")
        if inner == "representative" and not value and person and signed.get("sealed"):
            value = document["customer"]["name"]
        return str(value) if value else ""
    return str(document.get(outer, {}).get(inner, ""))
