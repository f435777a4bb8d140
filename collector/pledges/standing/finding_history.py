"""What became of a pledge's findings, read from the bundles that the register keeps of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from collector.errors import CollectorError
from collector.model import HostStatus, Result, Severity, Text
from collector.pledges.database.rows import Evidence, current
from collector.pledges.database.transactions import DatabaseAwayError
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.times import waiver_end
from collector.pledges.register.register import Register
from collector.pledges.standing.ended_documents import lost
from collector.pledges.status.brief import Brief
from collector.pledges.status.findings import Life, Unproven, lives, looked_at
from collector.pledges.status.latest_bundle import Newest
from collector.scope import of_evidence

# so many bundles more are read for what a look in full could not see: a year of months
_BEYOND = 12


def all_lives(
    record: PledgeRecord, evidence: Sequence[Evidence], now: datetime
) -> tuple[Life, ...]:
    """Through all of the bundles; raises BadInput where one is not there, or was changed."""
    found = lives(record, _read(evidence), now, _unproven(record, now))
    return _on_record(found, record, evidence)


def last_lives(
    record: PledgeRecord,
    evidence: Sequence[Evidence],
    now: datetime,
    newest: Newest | None = None,
) -> tuple[Life, ...]:
    """What is open by the newest look at each host, and as far back as a follow-up needs it.

    One bundle of one host, or of a few controls, says nothing of the others: so it goes back until
    each declared host was looked at in full, and beyond that for what is grave and could not be
    seen then: it may have failed before. When a finding was opened is not told by it.
    `newest`: one of the evidence that is open already. Raises BadInput as `all_lives`.
    """
    if any(later.collected_at < one.collected_at for one, later in pairwise(evidence)):
        # which of them is the newest look of a host, only the bundles say
        found = lives(record, _read(evidence, newest), now, _unproven(record, now, newest))
        return _on_record(found, record, evidence, newest)
    wanted = {entry["control"] for entry in record.document.get("follow_ups", ())}
    left = set(record.hosts)
    unseen, more = set[tuple[str, str]](), _BEYOND
    back: list[tuple[Evidence, Mapping[str, Any]]] = []
    before = made_before(tuple(reversed(evidence)))
    for row, document in _read(tuple(reversed(evidence)), newest):
        back.append((row, document))
        if not row.refused:
            wanted -= document["controls"].keys()
        if unseen:
            unseen, more = unseen - _told(row, document), more - 1
        full = left & looked_at_in_full(row, document, before[row.sequence])
        left -= full
        unseen |= _unseen(document, full)
        if not (wanted or left or (unseen and more)):
            break
    found = lives(record, reversed(back), now, _unproven(record, now, newest))
    return _on_record(found, record, evidence, newest)


def _unseen(document: Mapping[str, Any], hosts: Iterable[str]) -> set[tuple[str, str]]:
    """Grave controls, by host, of which a look in full could not tell how they are."""
    return {
        (finding["control"], host)
        for host in hosts
        for finding in document["hosts"][host]["findings"]
        if finding["verdict"] == Result.ERROR and _is_grave(document, finding)
    }


def _is_grave(document: Mapping[str, Any], finding: Mapping[str, Any]) -> bool:
    about = document["controls"][finding["control"]]
    return bool(about["veto"]) or finding.get("severity") == Severity.HIGH


def _told(row: Evidence, document: Mapping[str, Any]) -> set[tuple[str, str]]:
    """What an earlier bundle could tell of, by host."""
    return (
        set()
        if row.refused
        else {
            (finding["control"], host)
            for host, entry in document["hosts"].items()
            if entry["status"] == HostStatus.COMPLETE
            for finding in entry["findings"]
            if finding["verdict"] not in (Result.ERROR, Result.NOTCHECKED)
        }
    )


def _on_record(
    found: tuple[Life, ...],
    record: PledgeRecord,
    evidence: Sequence[Evidence],
    opened: Newest | None = None,
) -> tuple[Life, ...]:
    """Without what is open on hosts that were taken off the record: nobody owes that any more.

    As in `newest_looks`, a host stands that is declared, or that the newest evidence looked at:
    its clauses are told of that host too.
    """
    declared, last = frozenset(record.hosts), current(evidence)
    if last is None or all(life.state == "closed" or life.host in declared for life in found):
        return found
    ((_, document),) = _read((last,), opened)
    stand = declared | document["hosts"].keys()
    return tuple(life for life in found if life.state == "closed" or life.host in stand)


def made_before(newest_first: Sequence[Evidence]) -> dict[int, datetime | None]:
    """By its number, when the last of those that follow here was made; None where none does."""
    found: dict[int, datetime | None] = {}
    last: datetime | None = None
    for row in reversed(newest_first):
        found[row.sequence] = last
        last = row.made_at if last is None else max(last, row.made_at)
    return found


def looked_at_in_full(
    row: Evidence, document: Mapping[str, Any], before: datetime | None
) -> set[str]:
    """The hosts that answered, where all controls of the grade were judged; else none.

    Nor are those of which a bundle that was made up to `before` may hold a later look.
    """
    if row.refused or not judged_in_full(replace(row, scope=row.scope or of_evidence(document))):
        return set()
    return {
        host
        for host, entry in document["hosts"].items()
        if entry["status"] == HostStatus.COMPLETE
        and (before is None or looked_at(entry, row) > before)
    }


def judged_in_full(row: Evidence) -> bool:
    """All controls of its grade, whichever hosts are in it. Of old rows nobody knows: they are."""
    return row.scope is None or all(part.whole for part in row.scope.clauses.values())


def failing_before(record: PledgeRecord, found: Iterable[Life], sequence: int) -> tuple[Life, ...]:
    """Those of `found` that failed in the newest look at a declared host, and that bundle is

    not the one of that number: what it is silent about has not been mended.
    """
    hosts = frozenset(record.hosts)
    return tuple(
        life for life in found if life.fails and life.failed != sequence and life.host in hosts
    )


def lives_where_due(
    register: Register, known: PledgeRecord | Brief, now: datetime, until: datetime
) -> tuple[Life, ...] | None:
    """For `due`: read only where a follow-up falls due until then; None where none does.

    None, too, where the bundles cannot be read: then what falls due says so.
    """
    ends = (e["due"] for e in known.document.get("follow_ups", ()) if "due" in e)
    if not any(waiver_end(end) <= until for end in ends):
        return None
    try:
        return last_lives(register.get(known.id), register.evidence(known.id), now)
    except DatabaseAwayError:
        raise
    except CollectorError:
        return None


def lives_of_all(
    register: Register, records: Iterable[PledgeRecord | Brief], now: datetime, until: datetime
) -> dict[str, tuple[Life, ...]]:
    """By id, of those that a follow-up falls due of until then, as `lives_where_due` has it."""
    found = {record.id: lives_where_due(register, record, now, until) for record in records}
    return {id: lives for id, lives in found.items() if lives is not None}


def _unproven(record: PledgeRecord, now: datetime, opened: Newest | None = None) -> Unproven:
    """What of a bundle rests on documents that the record does not bear out `now`."""

    def of(row: Evidence) -> Mapping[tuple[str, str], Text]:
        known = opened is not None and opened.digest == row.digest
        bundle = opened if opened is not None and known else Newest(row)
        found = lost(record, bundle, now)
        return {(one.control, host): one.reason for one in found for host in one.hosts}

    return of


def _read(
    evidence: Sequence[Evidence], opened: Newest | None = None
) -> Iterator[tuple[Evidence, Mapping[str, Any]]]:
    for row in evidence:
        known = opened is not None and opened.digest == row.digest
        yield row, (opened if opened is not None and known else Newest(row)).evidence
