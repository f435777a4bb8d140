"""classification.inventory: there is a data inventory, whole, signed and reviewed lately."""

from __future__ import annotations

from datetime import UTC, datetime, time

from collector.facts.inventory import DOCUMENT, inventory, signature_files
from collector.judges import months_after
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """A signature beside the file counts for nothing until it has been verified.

    What comes with the pledge record lies under the signature of the bundle.
    """
    found = inventory(facts)
    if found is None:
        return Verdict(Result.FAIL, "none", Method.OBSERVED)
    lines = (f"owner: {found.owner}", f"reviewed: {found.reviewed}", f"stores: {found.total}")
    quote = (Quote("inventory.document", lines, found.path or f"pledge record: {DOCUMENT}"),)
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
    if found.attached:
        values = {"count": found.total, "date": date}
        return Verdict(Result.PASS, "reviewed", Method.ATTESTED, values, quote, until)
    named: dict[str, Value] = {"count": found.total, "date": date, "path": found.path}
    signatures = signature_files(facts.capture)
    if not signatures:
        return Verdict(Result.PARTIAL, "unsigned", Method.ATTESTED, named, quote)
    more = (*quote, Quote("inventory.signature", signatures))
    return Verdict(
        Result.PARTIAL,
        "signature_not_checked",
        Method.ATTESTED,
        {**named, "files": list(signatures)},
        more,
    )
