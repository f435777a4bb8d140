"""What the versions of records said of what evidence rests on, each with when it was written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection, select

from collector.judges.predicates import attestation_end, months_after
from collector.pledges.database import tables
from collector.pledges.record.times import waiver_end

# the documents of a record that judges use
RESTS_ON = ("attestations", "data_inventory", "event_ledger", "data_owner_keys")
# where in its life a record is depends on
LIFE = ("draft", "period", "ended", "disposed", "suspensions")
_DATED = ("data_inventory", "event_ledger")
_DAY = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
# what judges take a day in a document to be good for
_GOOD_FOR = (3, 6, 12)
_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Then:
    """One version, in force from `since` (aware) on.

    `rests` is a digest of its documents that judges use; `ends` (aware) are the times at which a
    waiver or an attestation in it ends, or what a document in it says of some day may end;
    `renews` is the pledge that it continues, empty where it is a draft or continues none; `life` is
    what it says of where in its life it was, None where nothing is told of it; `waivers` are its
    own: control, host and end, as written.
    """

    since: datetime
    grade: int
    hosts: frozenset[str]
    rests: str
    ends: tuple[datetime, ...]
    renews: str = ""
    life: Mapping[str, Any] | None = None
    waivers: tuple[tuple[str, str, str], ...] = ()


Known = dict[tuple[str, int, str, str], Then | None]
"""What was read before, by pledge, version, when it was written and digest: a register that was

restored has others of the same number. None of one that cannot be read, or was emptied.
"""


def versions(connection: Connection, known: Known) -> dict[str, Sequence[Then]]:
    """Of every record, the first version first; what is not in `known` is read, and put there."""
    table = tables.versions
    names = table.c.pledge, table.c.version, table.c.added_at, table.c.sha256
    every = [
        (str(pledge), int(version), str(added_at), str(sha256))
        for pledge, version, added_at, sha256 in connection.execute(
            select(*names).order_by(table.c.pledge, table.c.version)
        )
    ]
    for gone in known.keys() - set(every):
        del known[gone]
    wanted = sorted({key[0] for key in every if key not in known})
    for at in range(0, len(wanted), _AT_ONCE):
        some = table.c.pledge.in_(wanted[at : at + _AT_ONCE])
        for *key, document in connection.execute(select(*names, table.c.document).where(some)):
            pledge, version, added_at, sha256 = key
            known[pledge, version, added_at, sha256] = _then(
                datetime.fromisoformat(added_at), document
            )
    found: dict[str, list[Then]] = {}
    for one in every:
        then = known[one]
        if then is None:
            # nothing is told of it, and what follows keeps its place
            then = Then(datetime.fromisoformat(one[2]), 0, frozenset(), "", ())
        found.setdefault(one[0], []).append(then)
    return dict(found)


def at(every: Sequence[Then], moment: datetime) -> Then | None:
    """The version that was the newest then; None where there was none."""
    return next((one for one in reversed(every) if one.since <= moment), None)


def _dated(rests: Mapping[str, Any]) -> Iterator[datetime]:
    """A day in a document is good for so many months, of which nobody here knows the number."""
    for day in sorted(set(_DAY.findall(json.dumps({n: rests.get(n) for n in _DATED})))):
        with suppress(ValueError):
            start = datetime.combine(date.fromisoformat(day), time(), UTC)
            yield from (months_after(start, months) for months in _GOOD_FOR)


def _then(since: datetime, text: str) -> Then | None:
    try:
        document: Mapping[str, Any] = json.loads(text)
        rests = {name: document[name] for name in RESTS_ON if name in document}
        ends = [waiver_end(entry["expires"]) for entry in document.get("waivers", ())]
        ends += [attestation_end(entry) for entry in document.get("attestations", ())]
        ends += _dated(rests)
        return Then(
            since,
            int(document["grade"]),
            frozenset(document.get("resources", {}).get("hosts", ())),
            hashlib.sha256(json.dumps(rests, sort_keys=True).encode()).hexdigest(),
            tuple(ends),
            "" if document.get("draft") else str(document.get("renews", "")),
            {name: document[name] for name in LIFE if name in document},
            tuple(
                (str(w["control"]), str(w["host"]), str(w["expires"]))
                for w in document.get("waivers", ())
            ),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        # what reads the record tells of it
        return None
