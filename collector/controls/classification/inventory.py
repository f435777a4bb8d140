"""classification.inventory: there is a data inventory, whole, signed and reviewed lately."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time

from collector.facts.data.inventory import DOCUMENT, as_found
from collector.facts.data.inventory_signature import State, owner_signature
from collector.i18n.message import msg
from collector.judges.predicates import months_after
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_SAID: Mapping[State, tuple[Result, str]] = {
    "good": (Result.PASS, "signed"),
    "altered": (Result.FAIL, "altered"),
    "stranger": (Result.FAIL, "stranger"),
    "missing": (Result.FAIL, "signature_missing"),
    "namespace": (Result.PARTIAL, "namespace"),
    "no_keys": (Result.PARTIAL, "no_keys"),
    "form": (Result.PARTIAL, "form"),
}


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """A signature beside the file counts once it is by a key that the pledge record knows.

    What comes with the pledge record lies under the signature of the bundle.
    """
    found = as_found(facts)
    if found is None:
        return Verdict(Result.FAIL, "none", Method.OBSERVED)
    lines = (f"owner: {found.owner}", f"reviewed: {found.reviewed}", f"stores: {found.total}")
    quote = (
        Quote("inventory.document", lines, found.path or msg("pledge_record", document=DOCUMENT)),
    )
    date = found.reviewed.isoformat()
    # a day ends last at UTC-12: whoever reviewed it there today has not written a future date
    start = datetime.combine(found.reviewed, time(), UTC)
    if (start - clock.now).total_seconds() > 14 * 3600:
        return Verdict(Result.FAIL, "future", Method.ATTESTED, {"date": date}, quote)
    months = parameters.integer("months")
    until = months_after(start, months)
    if clock.now > until:
        values: dict[str, Value] = {"date": date, "months": months}
        return Verdict(Result.FAIL, "stale", Method.ATTESTED, values, quote)
    if found.path and not found.stores:
        values = {"path": found.path, "count": found.total, "host": facts.capture.host}
        return Verdict(Result.FAIL, "of_others", Method.ATTESTED, values, quote)
    signed = owner_signature(facts, found)
    named: dict[str, Value] = {
        "count": found.total,
        "date": date,
        "path": found.path or DOCUMENT,
        "owner": found.owner,
        "file": signed.path,
        "keyid": signed.keyid,
        "name": signed.name,
    }
    if signed.state == "none":
        if found.attached:
            return Verdict(Result.PASS, "reviewed", Method.ATTESTED, named, quote, until)
        return Verdict(Result.PARTIAL, "unsigned", Method.ATTESTED, named, quote)
    said = f"{signed.path}: {signed.keyid or 'not read'}"
    more = (*quote, Quote("inventory.signature", (said,), signed.path))
    result, reason = _SAID[signed.state]
    if signed.state == "stranger" and signed.name:
        reason = "another_owner"
    ends = until if result is Result.PASS else None
    return Verdict(result, reason, Method.ATTESTED, named, more, ends)
