"""Which controls rest on what the record does not say any more.

An attestation that ended, was withdrawn or replaced since the newest evidence was made proves
nothing from then on; nor does a data inventory, or a ledger. `attach` refuses new evidence that
bears such a document, and here what was attached before is held to the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.captures import digest
from collector.catalog import described
from collector.facts.data.inventory import DOCUMENT as INVENTORY
from collector.facts.data.inventory_signature import KEYS
from collector.facts.monitoring.event_ledger import DOCUMENT as LEDGER
from collector.judges.predicates import ATTESTATIONS, attestation_end
from collector.model import Method, Result, Text
from collector.pledges.record.form import PledgeRecord, attached_documents
from collector.pledges.status.latest_bundle import Newest

# by document, which controls read it: of an attestation, the one that it names
BY_DOCUMENT: Mapping[str, frozenset[str]] = {
    INVENTORY: frozenset(
        {
            "classification.discovered",
            "classification.inventory",
            "encryption.storage",
            "encryption.backups",
            *(
                f"backup.{name}"
                for name in ("fresh", "jobs", "offsite", "restore_test", "verified", "versions")
            ),
        }
    ),
    LEDGER: frozenset({"monitoring.event_ledger"}),
}
# controls that a document is the whole of
_OWN: Mapping[str, frozenset[str]] = {
    INVENTORY: frozenset({"classification.inventory"}),
    LEDGER: frozenset({"monitoring.event_ledger"}),
}
_NAMES = {
    INVENTORY: Text("数据清单", "the data inventory"),
    LEDGER: Text("事件台账", "the event ledger"),
    ATTESTATIONS: Text("书面声明", "an attestation"),
}
# whose findings do not say that an attestation carried them
_SILENT = frozenset({"intrusion.patches"})
# what a document that is gone can have carried
_CARRIED = (Result.PASS, Result.NOTAPPLICABLE, Result.PARTIAL)


@dataclass(frozen=True, slots=True)
class Lost:
    """A control that rested on `document` on these hosts."""

    control: str
    document: str
    hosts: tuple[str, ...]

    @property
    def clause(self) -> str:
        """Such as `2.4`; empty for a control that nobody here knows."""
        known = described().get(self.control)
        return known.clause if known else ""

    @property
    def reason(self) -> Text:
        known, named = described()[self.control], _NAMES[self.document]
        return Text(
            f"{known.number} {known.title.zh}所依据的{named.zh}此后已到期、撤回或更改",
            f"{named.en} that {known.number} {known.title.en} rests on has ended since, or was "
            "withdrawn or changed",
        )


def lost(record: PledgeRecord, newest: Newest, now: datetime) -> tuple[Lost, ...]:
    """What the newest bundle rests on and the record, as it is `now`, does not bear out.

    Raises BadInput where the bundle cannot be read.
    """
    borne = {one["name"]: one["sha256"] for one in newest.evidence.get("attached", ())}
    known = attached_documents(record)
    gone: dict[str, str] = {}
    if _is_changed(INVENTORY, borne, known):
        gone |= dict.fromkeys(BY_DOCUMENT[INVENTORY], INVENTORY)
    if LEDGER in borne and digest(known.get(LEDGER, b"")) != borne[LEDGER]:
        gone |= dict.fromkeys(BY_DOCUMENT[LEDGER], LEDGER)
    if ATTESTATIONS in borne:
        said = json.loads(newest.attached(ATTESTATIONS))
        still = json.loads(known.get(ATTESTATIONS, b"[]"))
        gone |= dict.fromkeys(_unattested(said, still, now, newest.made_at), ATTESTATIONS)
    found: dict[tuple[str, str], set[str]] = {}
    for control, document in gone.items():
        found.setdefault((control, document), set()).update(
            _carried(newest.evidence, control, document)
        )
    for control, document, host in _over(newest.evidence, now):
        found.setdefault((control, document), set()).add(host)
    return tuple(
        Lost(control, document, tuple(sorted(hosts)))
        for (control, document), hosts in sorted(found.items())
        if hosts and control in described()
    )


def ends(newest: Newest) -> dict[str, datetime]:
    """By clause when the first of the documents that carried something of it ends by itself.

    Raises BadInput where the bundle cannot be read.
    """
    found: dict[str, datetime] = {}

    def add(control: str, end: datetime) -> None:
        known = described().get(control)
        if known is not None:
            found[known.clause] = min(end, found.get(known.clause, end))

    for _, finding, end in _carried_until(newest.evidence):
        add(str(finding["control"]), end)
    if any(one["name"] == ATTESTATIONS for one in newest.evidence.get("attached", ())):
        for one in json.loads(newest.attached(ATTESTATIONS)):
            if "control" in one and attestation_end(one) > newest.made_at:
                add(str(one["control"]), attestation_end(one))
    return found


def _is_changed(name: str, borne: Mapping[str, str], known: Mapping[str, bytes]) -> bool:
    """An inventory that is held to the owners' keys of the record needs not stand in it."""
    keys = borne.get(KEYS)
    same_keys = keys is not None and KEYS in known and digest(known[KEYS]) == keys
    if keys is not None and not same_keys:
        return True
    if name not in borne or (same_keys and name not in known):
        return False
    return name not in known or digest(known[name]) != borne[name]


def _unattested(
    said: Sequence[Mapping[str, Any]],
    still: Sequence[Mapping[str, Any]],
    now: datetime,
    made_at: datetime,
) -> Iterator[str]:
    """The controls for which one that held when the bundle was made holds no more.

    What another one says of the same hosts, which was there then as well, counts on.
    """
    then = [one for one in said if attestation_end(one) > made_at]
    holding = [_about(one) for one in then if one in still and attestation_end(one) > now]
    for one in then:
        if _about(one) not in holding:
            yield str(one["control"])


def _over(evidence: Mapping[str, Any], now: datetime) -> Iterator[tuple[str, str, str]]:
    """What a document carried up to a day that is over: it was to be reviewed by then."""
    for host, finding, end in _carried_until(evidence):
        if end <= now:
            control = str(finding["control"])
            document = next((d for d, of in _OWN.items() if control in of), ATTESTATIONS)
            yield control, document, host


def _carried_until(
    evidence: Mapping[str, Any],
) -> Iterator[tuple[str, Mapping[str, Any], datetime]]:
    """Host, finding and end (aware) of what a document carried for a time."""
    for host, entry in evidence["hosts"].items():
        for finding in entry["findings"]:
            until, carried = finding.get("until"), Result(finding["verdict"]) in _CARRIED
            if carried and until and finding["method"] == Method.ATTESTED:
                yield host, finding, datetime.fromisoformat(until)


def _about(entry: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    return str(entry["control"]), tuple(sorted(entry.get("hosts", ())))


def _carried(evidence: Mapping[str, Any], control: str, document: str) -> Iterator[str]:
    """The hosts on which it carried that control."""
    for host, entry in evidence["hosts"].items():
        for finding in entry["findings"]:
            if finding["control"] != control or Result(finding["verdict"]) not in _CARRIED:
                continue
            told = finding["method"] == Method.ATTESTED or control in _SILENT
            if told or document != ATTESTATIONS:
                yield host


def reasons(found: Sequence[Lost]) -> dict[str, tuple[Text, ...]]:
    """By clause why it is not verified."""
    told: dict[str, tuple[Text, ...]] = {}
    for one in found:
        told[one.clause] = (*told.get(one.clause, ()), one.reason)
    return told
