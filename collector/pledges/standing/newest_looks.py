"""The newest look at each host, out of as many bundles as that takes: what a matrix shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from collector.attest.bundle.provenance import is_collected
from collector.model import HostStatus
from collector.pledges.database.rows import Evidence, past_ones
from collector.pledges.standing.finding_history import (
    judged_in_full,
    looked_at_in_full,
    made_before,
)
from collector.pledges.status.findings import looked_at
from collector.pledges.status.latest_bundle import Newest

# of a finding, what a matrix shows of it: thousands of them are kept
_SHOWN = ("control", "clause", "verdict")


@dataclass(frozen=True, slots=True)
class Looks:
    """`hosts` and `controls` are of evidence.json, each host with what was found of it last.

    `seen`: by host and control the number of the bundle that says so; `of`: by host that of the
    newest bundle that it is in. Of `handed_in` something that is shown rests on what nobody
    collected. `unseen` are in none.
    """

    hosts: Mapping[str, Mapping[str, Any]]
    controls: Mapping[str, Any]
    seen: Mapping[tuple[str, str], int]
    of: Mapping[str, int]
    handed_in: frozenset[str]
    unseen: tuple[str, ...]

    @property
    def evidence(self) -> dict[str, Any]:
        return {"hosts": self.hosts, "controls": self.controls}


def newest_looks(
    documents: Iterable[tuple[int, Mapping[str, Any], bool]], declared: tuple[str, ...]
) -> Looks:
    """`documents`: number, evidence.json and "were all controls judged?", the newest look first.

    No more of them are asked for than it takes until each declared host was looked at in full.
    """
    hosts: dict[str, dict[str, Any]] = {}
    controls: dict[str, Any] = {}
    seen: dict[tuple[str, str], int] = {}
    of: dict[str, int] = {}
    handed_in: set[str] = set()
    left = set(declared)
    for place, (number, document, whole) in enumerate(documents):
        controls = {**document["controls"], **controls}
        for host, entry in document["hosts"].items():
            if place and host not in declared:
                # it was on record once
                continue
            if host not in hosts:
                hosts[host] = {"status": entry["status"], "findings": []}
                of[host] = number
                shown = True
            else:
                # an older look counts as far as something of it is shown still
                shown = any((host, f["control"]) not in seen for f in entry["findings"])
            if shown and not is_collected(entry["origin"], document["run"]):
                handed_in.add(host)
            for finding in entry["findings"]:
                key = host, finding["control"]
                if key not in seen:
                    seen[key] = number
                    hosts[host]["findings"].append({name: finding[name] for name in _SHOWN})
            if whole and entry["status"] == HostStatus.COMPLETE:
                left.discard(host)
        if not left:
            break
    unseen = tuple(host for host in declared if host not in hosts)
    return Looks(hosts, controls, seen, of, frozenset(handed_in), unseen)


def looks_of(
    declared: Sequence[str], evidence: Sequence[Evidence], newest: Newest | None = None
) -> Looks:
    """Of those hosts, by all the evidence of their record; `newest`: one that is open already.

    The newest look at a host is that by its own time, in whichever bundle it was attached. Raises
    BadInput where a bundle that it takes cannot be read.
    """
    past = past_ones(evidence)
    counting = [one for one in reversed(evidence) if one.sequence not in past]
    # what is signed by a key that counts no more covers nothing that counts
    rows = sorted(counting, key=lambda one: bool(one.refused))
    before, left, read = made_before(rows), set(declared), []
    for row in rows:
        opened = newest if newest and newest.digest == row.digest else Newest(row)
        read.append((row, opened.evidence))
        left -= looked_at_in_full(row, opened.evidence, before[row.sequence])
        if not left:
            break
    parts = [
        (row, document, host)
        for number, (row, document) in enumerate(read)
        for host in document["hosts"]
        if host in declared or not number
    ]
    parts.sort(key=lambda part: _rank(*part))
    shown = dict.fromkeys([*declared, *(host for _, _, host in parts)])
    single = (
        (row.sequence, {**document, "hosts": {host: document["hosts"][host]}}, judged_in_full(row))
        for row, document, host in parts
    )
    found = newest_looks(single, tuple(shown))
    order = dict.fromkeys(host for _, document in read for host in document["hosts"])
    return replace(found, hosts={host: found.hosts[host] for host in order if host in found.hosts})


def _rank(row: Evidence, document: Mapping[str, Any], host: str) -> tuple[bool, float, int]:
    at = looked_at(document["hosts"][host], row)
    return bool(row.refused), -at.timestamp(), -row.sequence
