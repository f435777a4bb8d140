"""The register's log: an RFC 9162 Merkle log of what was attached, in the register's database.

An entry is written in the transaction that writes the evidence's row: a kill leaves both or
neither. Whoever keeps a checkpoint can tell later that entries were removed, changed or moved;
that rows and log agree, and that times go forward, shows without one.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import rfc8785
from sqlalchemy import Connection, func, select

from collector.attest.log import logged
from collector.attest.log.checkpoint import Checkpoint, is_origin, parse
from collector.attest.log.logged import Log
from collector.errors import BadInput, VerifyFailed
from collector.i18n.message import msg
from collector.pledges.database import bound_versions, tables
from collector.pledges.database.kept_checkpoints import Growth

_FIELDS = (
    "pledge", "sequence", "digest", "previous", "collected_at", "made_at", "attached_at",
)  # fmt: skip
# how far the clocks of those who attach may be apart
SKEW = timedelta(minutes=5)


def begin(connection: Connection) -> None:
    """Gives the register a log of its own name, and takes in what was attached before it had one.

    Such entries stand in the order of `attached_at`, and their `logged_at` is now: that they
    were there earlier is what the register says, not what its log shows.
    """
    connection.execute(
        tables.log_head.insert().values(origin=f"hostpledge-register/{secrets.token_hex(16)}")
    )
    rows = connection.execute(select(tables.evidence)).mappings().all()
    now = datetime.now(UTC)
    for number, row in enumerate(sorted(rows, key=_since)):
        _insert(connection, number, logged.entry_bytes(_fields(row), now))


def _since(row: Mapping[Any, Any]) -> tuple[datetime, str, int]:
    return datetime.fromisoformat(row["attached_at"]), row["pledge"], row["sequence"]


def append(connection: Connection, row: Mapping[str, Any], now: datetime, *, where: str) -> None:
    """Logs a row of `evidence`, in the transaction that writes it.

    Where the clock of whoever attached last was ahead, the time of that entry is taken: the log
    is append-only, and what it says once it says for good.
    """
    _origin(connection, where)
    table = tables.log_entries
    last = connection.execute(select(table).order_by(table.c.number.desc()).limit(1)).first()
    number = 0 if last is None else last.number + 1
    if last is not None:
        before = logged.entry(last.leaf.encode(), where=where)["logged_at"]
        now = max(now, datetime.fromisoformat(before))
    leaf = logged.entry_bytes(_fields(row), now)
    _insert(connection, number, leaf)
    written = connection.execute(select(table.c.leaf).where(table.c.number == number)).scalar()
    if written != leaf.decode():
        raise BadInput(msg("kept_is_changed_by_database"), where=where)


def _insert(connection: Connection, number: int, leaf: bytes) -> None:
    connection.execute(tables.log_entries.insert().values(number=number, leaf=leaf.decode()))


def _fields(row: Mapping[Any, Any]) -> dict[str, Any]:
    """What the leaf says of it; what older evidence does not say, it says not."""
    more = {name: json.loads(row[name]) for name in ("scope", "record") if row[name]}
    more |= {"seen": row["seen"]} if row["seen"] else {}
    return {name: row[name] for name in _FIELDS} | {"verdicts": json.loads(row["verdicts"])} | more


def _read(row: Mapping[Any, Any], where: str) -> dict[str, Any]:
    try:
        return _fields(row)
    except (ValueError, TypeError, RecursionError):
        raise VerifyFailed(
            msg("row_not_as_written", sequence=row["sequence"], pledge=row["pledge"]), where=where
        ) from None


def hold(connection: Connection, *, where: str) -> None:
    """Until the transaction ends nobody else attaches anything, to whichever record."""
    _origin(connection, where)


def _origin(connection: Connection, where: str) -> str:
    """The log's name; until the transaction ends no other process appends.

    A snapshot sees one moment in any case, and holds nobody up.
    """
    query = select(tables.log_head.c.origin)
    if not connection.get_execution_options().get("snapshot"):
        query = query.with_for_update()
    found = connection.execute(query).scalars().all()
    if len(found) != 1:
        raise BadInput(msg("register_s_log_gone"), where=where, mend=msg("restore_backup"))
    origin = str(found[0])
    if not is_origin(origin):
        # a checkpoint of it would say more than the log does
        raise BadInput(msg("not_checkpoint_no_name"), where=where, mend=msg("restore_backup"))
    return origin


def extent(connection: Connection) -> tuple[str, int]:
    """Which log there is (empty: none yet), and how many entries it has."""
    origin = connection.execute(select(tables.log_head.c.origin).limit(1)).scalar()
    last = connection.execute(select(func.max(tables.log_entries.c.number))).scalar()
    return str(origin or ""), 0 if last is None else last + 1


def read(connection: Connection, *, where: str, known: Checkpoint | None = None) -> Log:
    """The whole log; raises VerifyFailed, with the first cause, when it and the rows differ,

    or when it did not grow out of every checkpoint that the register has of it, or of `known`.
    """
    kept, growth = tables.checkpoints, Growth(known)
    # before the entries, which only become more
    growth.expect(connection)
    rows = connection.execute(select(tables.evidence)).mappings().all()
    found = whole(
        _origin(connection, where),
        (
            (number, leaf)
            for number, leaf in connection.execute(
                select(tables.log_entries).order_by(tables.log_entries.c.number)
            )
        ),
        rows,
        connection.execute(select(kept.c.note).order_by(kept.c.number.desc()).limit(1)).scalar(),
        where=where,
    )
    for leaf in found.leaves:
        growth.add(leaf.decode())
    if (why := growth.broken()) is not None:
        raise VerifyFailed(why, where=where)
    for why in bound_versions.altered(connection, rows).values():
        raise VerifyFailed(why, where=where)
    return found


def whole(
    origin: str,
    numbered: Iterable[tuple[int, str]],
    rows: Iterable[Mapping[Any, Any]],
    newest: str | None,
    *,
    where: str,
) -> Log:
    """The log of these entries in order (number, leaf); raises VerifyFailed as `read`.

    `rows` are those of the evidence, `newest` the checkpoint that was signed last.
    """
    numbered = list(numbered)
    for expected, (number, _) in enumerate(numbered):
        if number != expected:
            raise VerifyFailed(msg("entry_log_missing", expected=expected), where=where)
    log = Log(origin, tuple(leaf.encode() for _, leaf in numbered))
    check_rows(log, rows, where=where)
    if newest is not None:
        # C2SP tlog-checkpoint: a log must not sign two that are inconsistent
        log.check_begins_with(parse(newest.encode(), where=where).checkpoint, where=where)
    return log


def check_rows(log: Log, rows: Iterable[Mapping[Any, Any]], *, where: str) -> None:
    """Raises VerifyFailed, with the first cause, unless there is one entry for each row.

    Also where an entry is dated more than `SKEW` before one that stands ahead of it, unless that
    is when its evidence was attached, or the time of the entry before: then a clock was ahead once,
    and `stepped_back` names it.
    """
    known = {(row["pledge"], row["sequence"]): _read(row, where) for row in rows}
    latest: datetime | None = None
    ahead = ""
    for number, leaf in enumerate(log.leaves):
        document = _look(leaf, known) or logged.entry(
            leaf, where=f"{where}: entry {number} of the log"
        )
        named = f"evidence {document['sequence']} of {document['pledge']}"
        row = known.pop((document["pledge"], document["sequence"]), None)
        if row is None:
            raise VerifyFailed(
                msg("entry_log_not_register", number=number, named=named),
                where=where,
            )
        for name, value in {"scope": None, "record": None, "seen": None, **row}.items():
            if document.get(name) != value:
                raise VerifyFailed(
                    msg("register_says_another_entry", name=name, named=named, number=number),
                    where=where,
                )
        at = datetime.fromisoformat(document["logged_at"])
        late = latest is not None and at < latest - SKEW
        # the times that `append` gives
        given = document["logged_at"] in (document["attached_at"], ahead)
        ahead = document["logged_at"]
        if latest is not None and late and not given:
            raise VerifyFailed(
                msg(
                    "entry_log_dated_before",
                    number=number,
                    named=named,
                    at=at.isoformat(),
                    latest=latest.isoformat(),
                ),
                where=where,
            )
        latest = at if latest is None else max(latest, at)
    for pledge, sequence in known:
        raise VerifyFailed(msg("evidence_not_log", sequence=sequence, pledge=pledge), where=where)


def stepped_back(log: Log) -> Iterator[tuple[int, str, str]]:
    """Entries dated more than `SKEW` before one ahead of them: number, its time, and that one's.

    From before entries took the time of the one ahead: by a clock that was ahead, or back-dated.
    """
    latest: datetime | None = None
    for number, leaf in enumerate(log.leaves):
        at = datetime.fromisoformat(json.loads(leaf)["logged_at"])
        if latest is not None and at < latest - SKEW:
            yield number, at.isoformat(), latest.isoformat()
        latest = at if latest is None else max(latest, at)


def _look(leaf: bytes, known: Mapping[tuple[str, int], Mapping[str, Any]]) -> dict[str, Any] | None:
    """The entry, where it is byte for byte the one that a row makes.

    Without the schema, which would take a minute for a log of 100,000.
    """
    try:
        document: dict[str, Any] = json.loads(leaf)
        row = known[document["pledge"], document["sequence"]]
        datetime.fromisoformat(document["logged_at"])
        same = rfc8785.dumps({**document, **row, "schema": logged.SCHEMA}) == leaf
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return document if same and len(document) == len(row) + 2 else None


def check_since(log: Log, size: int, kept_at: datetime, *, where: str) -> None:
    """Raises VerifyFailed where an entry past the first `size` is dated before `kept_at`,

    the time at which somebody had the checkpoint of that size.
    """
    for number, leaf in enumerate(log.leaves[size:], size):
        document = logged.entry(leaf, where=where)
        at = datetime.fromisoformat(document["logged_at"])
        if at < kept_at - SKEW:
            raise VerifyFailed(
                msg(
                    "entry_log_dated_not",
                    number=number,
                    at=at.isoformat(),
                    kept_at=kept_at.isoformat(),
                ),
                where=where,
            )


def checkpoint_over(connection: Connection, digest: str, *, where: str) -> str | None:
    """The first kept checkpoint that is over the entry of the bundle of that digest."""
    for number, leaf in connection.execute(
        select(tables.log_entries).order_by(tables.log_entries.c.number)
    ):
        if digest in leaf and logged.entry(leaf.encode(), where=where)["digest"] == digest:
            table = tables.checkpoints
            note = connection.execute(
                select(table.c.note).where(table.c.size > number).order_by(table.c.number).limit(1)
            ).scalar()
            return None if note is None else str(note)
    return None
