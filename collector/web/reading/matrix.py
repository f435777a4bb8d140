"""Hosts × controls of one bundle, a page of hosts at a time. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.catalog import clause_number
from collector.model import HostStatus, Lang, Result
from collector.pledges.standing.newest_looks import Looks
from collector.report.model.criteria import controls
from collector.report.model.view import ORDER, SIGNS

HOSTS = 50
Cell = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One host; `cells` are (control, class, sign), empty ones where it was not judged.

    `sequence`: the newest evidence that it is in.
    """

    host: str
    status: HostStatus
    handed_in: bool
    cells: Sequence[Cell]
    sequence: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """`clauses`: number and how many columns of each; `controls`: their id, number and title.

    `unseen` hosts are declared, and were never looked at; `newest` is the newest evidence.
    """

    clauses: Sequence[tuple[str, int]]
    controls: Sequence[tuple[str, str, str, bool]]
    rows: Sequence[Row]
    hosts: int
    at: int
    last: int
    unseen: tuple[str, ...]
    newest: int


def of(
    looks: Looks, waived: Collection[tuple[str, str]], lang: Lang, page: int, sought: str
) -> Matrix:
    """The hosts whose names hold `sought`, those first that have the most to mend.

    `waived`: (control, host) of which a waiver holds, by the record and not by what was judged.
    """
    columns = controls(looks.evidence, lang)
    ids = [column["id"] for column in columns]
    found = [
        (host, entry) for host, entry in looks.hosts.items() if sought.casefold() in host.casefold()
    ]
    found.sort(key=lambda one: (_rank(one[1]), one[0]))
    last = max((len(found) + HOSTS - 1) // HOSTS, 1)
    at = min(page, last)
    clauses = Counter(column["clause"] for column in columns)
    edges = {
        column["id"]
        for before, column in zip([None, *columns], columns, strict=False)
        if before is not None and before["clause"] != column["clause"]
    }
    return Matrix(
        [(clause_number(id, lang), count) for id, count in clauses.items()],
        [(c["id"], c["number"], c["title"], c["id"] in edges) for c in columns],
        [
            Row(
                host,
                HostStatus(entry["status"]),
                host in looks.handed_in,
                _cells(entry, ids, {control for control, of in waived if of == host}),
                looks.of[host],
            )
            for host, entry in found[(at - 1) * HOSTS : at * HOSTS]
        ],
        len(found),
        at,
        last,
        tuple(host for host in looks.unseen if sought.casefold() in host.casefold()),
        max(looks.of.values(), default=0),
    )


def _rank(entry: Mapping[str, Any]) -> tuple[int, ...]:
    counts = Counter(finding["verdict"] for finding in entry["findings"])
    return tuple(-counts[str(result)] for result in ORDER[:4])


def _cells(entry: Mapping[str, Any], ids: Sequence[str], waived: Collection[str]) -> list[Cell]:
    by_id = {finding["control"]: finding for finding in entry["findings"]}
    return [_cell(id, by_id.get(id), waived) for id in ids]


def _cell(id: str, finding: Mapping[str, Any] | None, waived: Collection[str]) -> Cell:
    if finding is None:
        return id, "", ""
    if id in waived:
        return id, "waived", "W"
    result = Result(finding["verdict"])
    return id, str(result), SIGNS[result]
