"""Which versions of a record stood when evidence was attached: the log's entry binds them all.

Each version has a digest of its own, and whoever can write the database can write that as well.
So an entry of the log says, of its pledge, how many versions there were and one SHA-256 over the
lines `number digest added_at` of them all. What was written after the newest evidence is bound with
the next.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from collector.errors import VerifyFailed
from collector.i18n.message import Message, msg
from collector.pledges.database import tables

_VERSIONS = (
    tables.versions.c.pledge,
    tables.versions.c.version,
    tables.versions.c.sha256,
    tables.versions.c.added_at,
)


def now(connection: Connection, id: str) -> dict[str, Any]:
    """What an entry that is logged now says of the record: `version` and `sha256`."""
    table = tables.versions
    query = select(*_VERSIONS).where(table.c.pledge == id).order_by(table.c.version)
    version, digest = list(_digests(connection.execute(query)))[-1]
    return {"version": version, "sha256": digest}


def altered(
    connection: Connection, rows: Iterable[Mapping[Any, Any]], id: str = ""
) -> dict[str, Message]:
    """By pledge why its versions are not those that a row of `rows` (of evidence) binds.

    Also where one was emptied and no disposal is told. With `id` `rows` are of that pledge alone.
    """
    table = tables.versions
    query = select(*_VERSIONS).order_by(table.c.pledge, table.c.version)
    bound = [row for row in rows if row["record"]]
    found = {
        one: msg("versions_emptied_not_disposed", pledge=one)
        for one in tables.emptied_wrongly(connection)
        if not id or one == id
    }
    if bound:
        every = connection.execute(query.where(table.c.pledge == id) if id else query)
        found |= unlike(bound, every)
    return found


def check(
    rows: Collection[Mapping[Any, Any]],
    versions: Iterable[Any],
    *,
    where: str,
) -> None:
    """Raises VerifyFailed, with the first cause, unless all `rows` bind just these versions.

    Of those: pledge, number, digest and time, in the order of pledges and numbers.
    """
    for why in unlike(rows, versions).values():
        raise VerifyFailed(why, where=where)


def unlike(rows: Iterable[Mapping[Any, Any]], versions: Iterable[Any]) -> dict[str, Message]:
    """As `altered`, of versions that were read already."""
    bound = [(row, _said(row["record"])) for row in rows if row["record"]]
    wanted = {(row["pledge"], said[0]) for row, said in bound}
    found: dict[tuple[str, int], str] = {}
    of = ""
    lines = hashlib.sha256()
    for pledge, version, sha256, added_at in versions:
        if pledge != of:
            of, lines = pledge, hashlib.sha256()
        lines.update(_line(version, sha256, added_at))
        if (pledge, version) in wanted:
            found[pledge, version] = lines.hexdigest()
    told: dict[str, Message] = {}
    for row, (version, digest) in bound:
        pledge, sequence = row["pledge"], row["sequence"]
        if found.get((pledge, version)) != digest and pledge not in told:
            told[pledge] = msg(
                "versions_not_those_attached", version=version, pledge=pledge, sequence=sequence
            )
    return told


def _digests(versions: Iterable[Any]) -> Iterator[tuple[int, str]]:
    lines = hashlib.sha256()
    for _, version, sha256, added_at in versions:
        lines.update(_line(version, sha256, added_at))
        yield version, lines.hexdigest()


def _line(version: int, sha256: str, added_at: str) -> bytes:
    return f"{version} {sha256} {added_at}\n".encode("utf-8", "surrogatepass")


def _said(text: str) -> tuple[int, str]:
    try:
        record = json.loads(text)
        return int(record["version"]), str(record["sha256"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0, ""
