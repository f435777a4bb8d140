"""Pledge records: what a customer signed and declared, read strictly.

The schema (`schemas/pledge-record.schema.json`) says what fields there are. What a schema cannot
say is checked here: the check character of the credit code, the order of dates, addresses,
domains, clauses and controls by name, and that no text hides control characters.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

import rfc8785

from collector import private
from collector.errors import BadInput
from collector.facts.data.inventory_signature import KEYS, NAMESPACE
from collector.facts.monitoring.event_ledger import DOCUMENT as LEDGER
from collector.facts.monitoring.event_ledger import check_ledger
from collector.i18n.message import msg, of_system
from collector.model import Waiver
from collector.pledges.record import validation as faults
from collector.pledges.record.clause_names import misnamed
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA, waiver_end
from collector.resources import shared
from collector.schema import check, load_json, load_yaml

LARGEST = 4 * 1024 * 1024


class Documented:
    """What a pledge record and its brief both tell of `document`."""

    __slots__ = ()
    document: Mapping[str, Any]

    @property
    def id(self) -> str:
        return cast("str", self.document["id"])

    @property
    def grade(self) -> int:
        """The MLPS grade, 2 or 3, that hosts are judged at."""
        return cast("int", self.document["grade"])

    @property
    def customer(self) -> str:
        return cast("str", self.document["customer"]["name"])

    @property
    def hosts(self) -> tuple[str, ...]:
        """The inventory's names of the hosts declared under clause 五."""
        return tuple(self.document.get("resources", {}).get("hosts", ()))


@dataclass(frozen=True, slots=True)
class PledgeRecord(Documented):
    """One pledge record. `document` is in the form of the schema and must not be changed."""

    document: Mapping[str, Any]

    @property
    def data_inventory(self) -> Mapping[str, Any] | None:
        return cast("Mapping[str, Any] | None", self.document.get("data_inventory"))

    @property
    def signed_on(self) -> date | None:
        """The day the first of the documents was signed; None for a draft with none signed yet."""
        days = (date.fromisoformat(d["signed_on"]) for d in self.document["documents"])
        return min(days, default=None)

    def canonical(self) -> bytes:
        """The record as RFC 8785 JSON: what is stored, and what its digest is taken over."""
        return rfc8785.dumps(cast("Any", self.document))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()


def load(path: Path, *, today: date | None = None) -> PledgeRecord:
    """The record in a YAML or JSON file; raises BadInput with one line that says what is wrong."""
    try:
        with private.opened(path) as source:
            data = source.read(LARGEST + 1)
    except OSError as problem:
        raise BadInput(of_system(problem, "cannot_read"), where=str(path)) from None
    except ValueError:
        raise BadInput(msg("no_file_can_name"), where=repr(str(path))) from None
    return from_bytes(data, where=str(path), today=today)


def from_bytes(data: bytes, *, where: str, today: date | None = None) -> PledgeRecord:
    """As `load`, from bytes; `where` names them in messages."""
    if len(data) > LARGEST:
        raise BadInput(msg("larger_mib_no_pledge", largest=LARGEST >> 20), where=where)
    if b"\0" in data:
        raise BadInput(msg("holds_nul_byte_not"), where=where)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadInput(
            msg("not_utf_8_byte", start=problem.start), where=where, mend=msg("save_file_utf_8")
        ) from None
    if not text.strip():
        raise BadInput(msg("empty_no_pledge_record"), where=where)
    if text.lstrip().startswith("{"):
        document = load_json(text, where=where)
    else:
        document = load_yaml(text, where=where)
    return from_document(document, where=where, today=today)


LEDGER_FIELD = "event_ledger"


def from_document(document: Any, *, where: str, today: date | None = None) -> PledgeRecord:
    """A record out of what JSON or YAML gave; raises BadInput naming the first fault.

    `today` is the day that no signature may lie after; without it, today in China.
    """
    wrong = next(misnamed(document), None)
    if wrong is not None:
        raise BadInput(msg("at", where=wrong[0], what=wrong[1]), where=where)
    check(document, "pledge-record", where=where)
    try:
        rfc8785.dumps(document)
    except (rfc8785.CanonicalizationError, TypeError, ValueError, RecursionError) as problem:
        raise BadInput(msg("holds_json_cannot", problem=problem), where=where) from None
    found = faults.faults(document, today or datetime.now(CHINA).date())
    fault = next(found, None)
    if fault is not None:
        place, what = fault
        raise BadInput(msg("at", where=place, what=what), where=where)
    inventory = document.get("data_inventory")
    if inventory is not None and shared("schemas", "data-inventory.schema.json").is_file():
        check(inventory, "data-inventory", where=f"{where}: data_inventory")
    events = document.get(LEDGER_FIELD)
    if events is not None:
        check_ledger(events, where=f"{where}: {LEDGER_FIELD}")
    return PledgeRecord(document)


def stored(text: str, *, sha256: str, where: str) -> PledgeRecord:
    """A record out of the register: checked when it was added, and held to its digest since.

    The digest is taken over the text as it stands: thousands of records are read in a second.
    """
    if hashlib.sha256(text.encode()).hexdigest() != sha256:
        raise BadInput(msg("record_not_match_digest"), where=where)
    return PledgeRecord(json.loads(text))


def waivers(record: PledgeRecord) -> tuple[Waiver, ...]:
    """The record's waivers; one that names a day lasts until that day ends in China.

    What they say goes into bundles, reports and exports: numbers of people are masked here.
    """
    return tuple(
        Waiver(
            w["control"],
            w["host"],
            masked(w["reason"]),
            masked(w["approver"]),
            waiver_end(w["expires"]),
        )
        for w in record.document.get("waivers", ())
    )


# documents of `attached_documents`: what people answer for, and controls are decided by
ANSWERED_FOR = ("data-inventory", LEDGER, "attestations", KEYS)


def attached_documents(record: PledgeRecord) -> dict[str, bytes]:
    """Documents of the record that judges may use.

    `data-inventory`, `event-ledger`, and `attestations` (those that name a control), as RFC 8785
    JSON;
    `data-owner-keys` as an allowed signers file, which ssh-keygen -Y verify takes as it is.
    """
    found: dict[str, Any] = {}
    if record.data_inventory is not None:
        found["data-inventory"] = record.data_inventory
    if LEDGER_FIELD in record.document:
        found[LEDGER] = record.document[LEDGER_FIELD]
    attested = [a for a in record.document.get("attestations", ()) if "control" in a]
    if attested:
        found["attestations"] = masked(attested)
    documents = {name: rfc8785.dumps(cast("Any", document)) for name, document in found.items()}
    keys = record.document.get("data_owner_keys", ())
    if keys:
        lines = (f'"{k["name"]}" namespaces="{NAMESPACE}" {k["key"]}\n' for k in keys)
        documents[KEYS] = "".join(lines).encode()
    return documents
