"""Do the rows of evidence say what the register's log says? Fast enough to ask for each list.

Whoever can write the database can rewrite a row, or take one away. What the log says of evidence is
then known still, and nothing of that pledge is proven until the register is as it was. Where the
log was rewritten as well, it is not the one that a checkpoint was signed of, and nothing is proven.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select

from collector.attest.log import logged
from collector.attest.log.checkpoint import Checkpoint
from collector.errors import VerifyFailed
from collector.i18n.message import msg
from collector.model import Result
from collector.pledges.database import bound_versions, tables
from collector.pledges.database.held import Disagrees
from collector.pledges.database.kept_checkpoints import Growth

_TEXTS = ("verdicts", "scope", "record")
_FIELDS = ("digest", "previous", "collected_at", "made_at", "attached_at", "seen")
# a leaf is canonical JSON (RFC 8785), so that its names stand in this order; what is no such leaf
# has no seal, and the row it is of is looked at closely
_LEAF = re.compile(
    r'(\{"attached_at":.*?)"logged_at":"[^"]*",'
    r'("made_at":"[^"]*","pledge":"([^"\\]+)".*"sequence":([0-9]+),"verdicts":\{[^{}]*\}\})'
)
_TWICE = b""
# of a leaf: a few hundred characters, and some for each host that was not looked at
_LONGEST = 1 << 14


@dataclass(frozen=True, slots=True)
class Doubt:
    """Of a pledge: the first cause, and its entries as rows that prove nothing, in sequence."""

    why: Disagrees
    rows: tuple[Mapping[str, Any], ...]


class AgainstLog:
    """Of each entry a digest is kept: the log only grows, and a process reads it once."""

    def __init__(self, known: Checkpoint | None = None) -> None:
        """`known` is the log as the user knew it before this register was read."""
        self._known = known
        # how many entries the user has seen to be what was signed
        self._mark = None if known is None else known.size
        self._begin()

    def _begin(self) -> None:
        self._next = 0
        # pledge → sequence → digest of the leaf without the time at which it was logged
        self._seals: dict[str, dict[int, bytes]] = {}
        self._growth = Growth(self._known)
        self._since: set[tuple[str, int]] = set()
        self._gap: str | None = None

    def broken(self, connection: Connection, *, where: str) -> Disagrees | None:
        """Why the log as a whole is not the one of which checkpoints were signed."""
        self._grow(connection)
        why = self._why()
        if why is None:
            return None
        by_memory = self._growth.is_by_memory
        mend = msg("restored_by_others") if by_memory else msg("restore_backup")
        return Disagrees(why, where=where, mend=mend)

    def now(self, connection: Connection) -> Checkpoint | None:
        """The log as it is, unsigned; None where it is not the one that was signed."""
        self._grow(connection)
        if self._why() is not None:
            return None
        origin = connection.execute(select(tables.log_head.c.origin).limit(1)).scalar()
        return Checkpoint(str(origin), self._growth.size, self._growth.root())

    @property
    def unknown(self) -> bool:
        """Nothing is remembered of the log: the user has not used this register before."""
        return self._mark is None

    def since(self, connection: Connection) -> Collection[tuple[str, int]]:
        """Pledge and sequence of what was logged after the log that the user knew."""
        self._grow(connection)
        return self._since

    def remember(self, now: Checkpoint) -> None:
        """The user knows the log as it is `now`."""
        self._mark = now.size
        self._since.clear()

    def agrees(self, connection: Connection, id: str, rows: Collection[Mapping[Any, Any]]) -> bool:
        """`rows` are all that the register has of the pledge."""
        self._grow(connection)
        found = {r["sequence"]: _seal(_body(*_columns(r))) for r in rows}
        same = found == self._seals.get(id, {}) and self._why() is None
        return same and not bound_versions.altered(connection, rows, id)

    def differing(self, connection: Connection) -> frozenset[str]:
        """The pledges of which rows and log, or versions and log, differ."""
        self._grow(connection)
        table = tables.evidence
        columns = [table.c[name] for name in ("pledge", "sequence", *_FIELDS, *_TEXTS)]
        found: dict[str, dict[int, bytes]] = {}
        rows = connection.execute(select(*columns)).mappings().all()
        for row in rows:
            found.setdefault(row["pledge"], {})[row["sequence"]] = _seal(_body(*row.values()))
        ids = found.keys() | self._seals.keys()
        altered = bound_versions.altered(connection, rows)
        return frozenset(id for id in ids if found.get(id) != self._seals.get(id)) | altered.keys()

    def _why(self) -> str | None:
        return self._growth.broken() or self._gap

    def _grow(self, connection: Connection) -> None:
        # before the entries, which only become more
        if not self._growth.expect(connection):
            self._begin()
            self._growth.expect(connection)
        table = tables.log_entries
        query = select(table).where(table.c.number >= self._next).order_by(table.c.number)
        for number, leaf in connection.execute(query):
            if number != self._growth.size and self._gap is None:
                self._gap = msg("entry_log_missing", expected=self._growth.size)
            self._next = number + 1
            self._growth.add(leaf)
            read = _LEAF.fullmatch(leaf) if len(leaf) <= _LONGEST else None
            if self._mark is not None and number >= self._mark:
                self._since |= _place(leaf)
            if read is not None:
                known = self._seals.setdefault(read[3], {})
                sequence = int(read[4])
                known[sequence] = _TWICE if sequence in known else _seal(read[1] + read[2])


def doubts(connection: Connection, ids: Collection[str], *, where: str) -> dict[str, Doubt]:
    """Of these pledges those of which rows and log differ; the connection sees one moment."""
    entries = _entries(connection, ids)
    table = tables.evidence
    rows: dict[str, dict[int, Mapping[Any, Any]]] = {}
    for row in connection.execute(select(table).order_by(table.c.sequence)).mappings():
        if row["pledge"] in ids:
            rows.setdefault(row["pledge"], {})[row["sequence"]] = row
    found = {}
    for id in sorted(ids):
        of = rows.get(id, {})
        why = _why(id, entries.get(id, []), of)
        why = why or bound_versions.altered(connection, of.values(), id).get(id)
        if why is not None:
            left = {document["sequence"]: document for _, document in entries.get(id, [])}
            found[id] = Doubt(
                Disagrees(why, where=where, mend=msg("restore_backup")),
                tuple(_unproven(left[sequence]) for sequence in sorted(left)),
            )
    return found


def _entries(
    connection: Connection, ids: Collection[str]
) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    """By pledge its entries and their numbers."""
    table = tables.log_entries
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, leaf in connection.execute(select(table).order_by(table.c.number)):
        try:
            if json.loads(leaf)["pledge"] not in ids:
                continue
            document = logged.entry(leaf.encode(), where="")
        except (ValueError, TypeError, KeyError, RecursionError, VerifyFailed):
            continue  # no entry: `log.read` tells that of the log as a whole
        found.setdefault(document["pledge"], []).append((number, document))
    return found


def _why(
    id: str, entries: Iterable[tuple[int, Mapping[str, Any]]], rows: Mapping[int, Mapping[Any, Any]]
) -> str | None:
    left = dict(rows)
    for number, document in entries:
        named = f"evidence {document['sequence']} of {id}"
        row = left.pop(document["sequence"], None)
        if row is None:
            return msg("entry_log_not_register", number=number, named=named)
        name = next((n for n in (*_FIELDS, *_TEXTS) if _said(row, n) != document.get(n)), None)
        if name is not None:
            return msg("register_says_another_entry", name=name, named=named, number=number)
    for sequence in left:
        return msg("evidence_not_log", sequence=sequence, pledge=id)
    return None


def _said(row: Mapping[Any, Any], name: str) -> Any:
    if name not in _TEXTS or row[name] is None:
        return row[name]
    try:
        return json.loads(row[name])
    except (ValueError, RecursionError):
        return row[name]


def unproven(rows: Iterable[Mapping[Any, Any]]) -> Iterator[dict[str, Any]]:
    """Rows that prove nothing, of a log that proves nothing; those that cannot be read are out."""
    for row in rows:
        try:
            for name in ("collected_at", "made_at", "attached_at"):
                datetime.fromisoformat(row[name])
            clauses = dict.fromkeys(json.loads(row["verdicts"]), Result.ERROR)
        except (ValueError, TypeError, RecursionError):
            continue
        yield {**row, "scope": None, "record": None, "seen": None, "verdicts": json.dumps(clauses)}


def _unproven(document: Mapping[str, Any]) -> dict[str, Any]:
    scope = document.get("scope")
    return {
        **document,
        "scope": json.dumps(scope) if scope else None,
        "record": None,
        "seen": None,
        "verdicts": json.dumps(dict.fromkeys(document["verdicts"], Result.ERROR)),
    }


def _place(leaf: str) -> set[tuple[str, int]]:
    try:
        document = json.loads(leaf)
        return {(str(document["pledge"]), int(document["sequence"]))}
    except (ValueError, TypeError, KeyError, RecursionError):
        return set()  # no entry: its row is told by what the log lacks


def _columns(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("pledge", "sequence", *_FIELDS, *_TEXTS))


def _body(
    pledge: str,
    sequence: int,
    digest: str,
    previous: str | None,
    collected_at: str,
    made_at: str,
    attached_at: str,
    seen: str | None,
    verdicts: str,
    scope: str | None,
    record: str | None,
) -> str:
    """The leaf of a row, without the time at which it was logged."""
    before = "null" if previous is None else f'"{previous}"'
    judged = f'"scope":{_compact(scope)},' if scope else ""
    marked = f'"seen":"{seen}",' if seen else ""
    held = f'"record":{_compact(record)},' if record else ""
    return (
        f'{{"attached_at":"{attached_at}","collected_at":"{collected_at}","digest":"{digest}",'
        f'"made_at":"{made_at}","pledge":"{pledge}","previous":{before},'
        f'{held}"schema":"{logged.SCHEMA}",{judged}{marked}"sequence":{sequence},"verdicts":{_compact(verdicts)}}}'
    )


@lru_cache(4096)
def _compact(text: str) -> str:
    """As RFC 8785 has what rows hold, which is whole numbers and words of ASCII."""
    try:
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return ""


def _seal(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
