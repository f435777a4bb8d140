"""The rows of `pledge list`, kept so that a page can ask for fifty of thousands in SQL.

They are made by the same code as the list (`standing.listing`), anew once the register or the day
has changed, and whole or not at all. What pages say of one pledge never comes from here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from collector import __version__
from collector.errors import CollectorError
from collector.handin.gone import tell
from collector.handin.places import Places
from collector.i18n.message import in_chinese
from collector.model import Lang
from collector.pledges.due.lifecycle import hosts_asked
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.masking import masked
from collector.pledges.record.networks import spans
from collector.pledges.record.people import plain_name
from collector.pledges.record.sought import plain
from collector.pledges.record.times import CHINA, to_the_end
from collector.pledges.register.over_keys import trusted
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.standing import listing
from collector.pledges.standing.finding_history import lives_of_all
from collector.pledges.standing.listing import Listed
from collector.pledges.standing.renewals import renews
from collector.pledges.standing.since import Since
from collector.report.model import listed as columns
from collector.web.keeping import tables
from collector.web.keeping.state import State
from collector.web.reading.asked import AHEAD
from collector.web.reading.broken import Broken
from collector.web.reading.cells import to_json
from collector.web.reading.library import Library
from collector.web.reading.monthly import Monthly
from collector.web.reading.standings import standing_of

_AHEAD = timedelta(days=AHEAD)
# a change that no count of rows tells of shows after so many seconds; a large register's later
_AT_LEAST = 60.0
_SHARE = 20
_LOOK = 2.0
# another number once more is kept of a record
_FORM = 10
# rows of another form are none: their pages could not be drawn
_AT = f"at {_FORM}"
# any constant of our own: of several processes one puts its rows down at a time
_LOCK = 0x77656278
_LANGS: tuple[Lang, ...] = ("zh", "en")
_log = logging.getLogger(__name__)


class Index:
    """Kept in the page's own state; any number of processes may make it."""

    def __init__(self, library: Library, state: State, handed: Places | None = None) -> None:
        self._library, self._state, self._handed = library, state, handed
        self._making = threading.Lock()
        self._made_at, self._took = 0.0, 0.0
        self._ended = threading.Event()
        self._broken = Broken()
        self._since = Since()
        self._monthly = Monthly()
        self._freed = False

    def begin(self) -> None:
        """Looks after it from now on, in a thread of its own, up to `end`."""
        threading.Thread(target=self._keep, name="index", daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def _keep(self) -> None:
        said = ""
        while not self._ended.wait(_LOOK):
            try:
                self.renew()
                said = ""
            except CollectorError as problem:
                # a database that is away for an hour says so once
                if said != str(problem):
                    _log.warning("index: %s", problem)
                said = str(problem)
            except Exception:  # noqa: BLE001 - or pages would stay as they are, and nobody know
                # it is made anew at the next look
                _log.exception("index")

    def renew(self, *, quick: bool = False) -> None:
        """Makes it where it is of another day or register; `quick`: only where that is soon done.

        Of a register that changed under our reading the next look makes it once more.
        """
        if quick and self._took > 0.15:
            return
        if not self._making.acquire(blocking=not quick):
            return
        try:
            self._renew(quick=quick)
            if self._freed and not quick:
                self._freed = not self._state.forget()
        finally:
            self._making.release()

    def _renew(self, *, quick: bool) -> None:
        now = datetime.now(UTC)
        with self._library.open() as register:
            mark = _mark(register, now)
            old = time.monotonic() - self._made_at > max(_AT_LEAST, _SHARE * self._took)
            if self._state.value("mark") == mark and not (old and not quick):
                return
            begun = time.thread_time()
            self._make(register, now, mark)
        self._made_at, self._took = time.monotonic(), time.thread_time() - begun

    def _make(self, register: ReadOnlyRegister, now: datetime, mark: str) -> None:
        attached, doubts = register.newest_and_doubts()
        attached = self._since.counted(register, attached, now)
        ahead = to_the_end(_AHEAD, now)
        briefs = register.briefs(now + ahead)
        lives = lives_of_all(register, briefs, now, now + ahead)
        every = listing.listed(briefs, attached, now, ahead, lives)
        digests = {id: _version(digest) for id, digest in register.digests().items()}
        table = tables.listed
        with self._state.read() as connection:
            query = select(table.c.id, table.c.seal, table.c.record, table.c.sought)
            before = {row.id: row for row in connection.execute(query)}
        changed = [
            one.record.id
            for one in every
            if (kept := before.get(one.record.id)) is None
            or kept.record != digests.get(one.record.id)
        ]
        sought, networks = _sought(register, changed)
        rows_of, courses = register.all_evidence(), register.waiver_courses()
        broken: dict[str, bool] = {}
        rows = []
        for one in every:
            id = one.record.id
            text = sought[id] if id in sought else str(before[id].sought)
            record = digests.get(id, "")
            broken[id] = self._broken.is_broken(
                register, one, record, rows_of.get(id, ()), now, courses.get(id)
            )
            row = _row(one, text, record, now, broken=broken[id])
            if id not in before or before[id].seal != row["seal"]:
                rows.append((row, one))
        gone = before.keys() - {one.record.id for one in every}
        begun = register.begun()
        said = {
            "mark": mark,
            _AT: now.isoformat(),
            # of each pledge the same would be said, and every page says it
            "doubts": json.dumps(_said([] if register.trusts_nobody else doubts[:20])),
            "months": json.dumps(self._monthly.months(register, every, rows_of, now, broken)),
        }
        with self._state.write() as connection:
            self._state.alone(connection, _LOCK)
            _replace(connection, rows, gone)
            _replace_begun(connection, begun)
            _replace_networks(connection, networks, gone)
            for name, value in said.items():
                self._state.put(connection, name, value)
        if self._handed is not None:
            # what strangers reach reads no register, and is told which hosts there are
            with suppress(CollectorError, OSError):
                declared = {one.record.id: _asked_of(one) for one in every}
                tell(self._handed, declared, begun, now)
        # its hosts and addresses are not to stay with us
        self._freed = self._freed or any(row["life"] == "disposed" for row, _ in rows)

    def said(self, name: str, otherwise: Any = None) -> Any:
        """What was kept beside the rows: `at` as it is, the others as JSON."""
        found = self._state.value(_AT if name == "at" else name)
        if found is None:
            return otherwise
        return found if name == "at" else json.loads(found)


def _said(doubts: Iterable[CollectorError]) -> list[list[str]]:
    return [[in_chinese(one.said), str(one.said)] for one in doubts]


def _mark(register: ReadOnlyRegister, now: datetime) -> str:
    """Of the register, the release, the day and the trust that rows are made of."""
    day = now.astimezone(CHINA).date().isoformat()
    trust = hashlib.sha256("\n".join(trusted()).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{register.where} {__version__} {_FORM} {register.mark()} {day} {trust}"


def _asked_of(one: Listed) -> Sequence[str]:
    """The hosts that anything may be handed in of."""
    return hosts_asked(one.record, one.state)


def _sought(
    register: ReadOnlyRegister, ids: Sequence[str]
) -> tuple[dict[str, str], dict[str, set[tuple[str, str]]]]:
    """What a search looks in, of each of these records: its words, and its addresses."""
    if len(ids) > 200:
        wanted = set(ids)
        records: Iterable[PledgeRecord] = (r for r in register.list() if r.id in wanted)
    else:
        records = map(register.get, ids)
    words, networks = {}, {}
    for record in records:
        words[record.id] = _text(record.document)
        resources = record.document.get("resources", {})
        networks[record.id] = set(spans([*resources.get("addresses", ()), *record.hosts]))
    return words, networks


def _text(document: Mapping[str, Any]) -> str:
    customer, resources = document["customer"], document.get("resources", {})
    # what is masked on pages is not to be found out digit by digit
    parts = [document["id"], str(masked(customer["name"])), customer.get("credit_code", "")]
    for field in ("hosts", "addresses", "domains"):
        parts += [str(entry) for entry in resources.get(field, ())]
    return plain("\n".join(parts))


def _version(digest: str) -> str:
    """Of a record and of the form in which it is kept here."""
    return hashlib.sha256(f"{_FORM} {digest}".encode()).hexdigest()


def _row(one: Listed, sought: str, record: str, now: datetime, *, broken: bool) -> dict[str, Any]:
    clauses = {f"c{n.replace('.', '')}": one.verdict(n) for n in listing.CLAUSES}
    row: dict[str, Any] = {
        "id": one.record.id,
        "record": record,
        "name": str(masked(one.record.customer)),
        "sought": sought,
        "life": one.state,
        "standing": "broken" if broken else standing_of(one),
        "grade": one.record.grade,
        **clauses,
        "until": one.until,
        "collected": one.last.collected_at.astimezone(UTC).isoformat() if one.last else "",
        "overdue": sum(d.overdue(now) for d in one.dues),
        "due": len(one.dues),
        "renews": ""
        if one.record.document.get("draft")
        else str(one.record.document.get("renews", "")),
        "cells": json.dumps(
            {lang: to_json(columns.row(one, lang)) for lang in _LANGS}
            | {"contact": columns.contact(one), "renews": renews(one)}
        ),
    }
    owners = sorted(listing.owners(one.record))
    dues = [[d.at.isoformat(), d.kind, d.owner, d.unread] for d in one.dues]
    told = json.dumps([row, owners, dues], default=str)
    return row | {"seal": hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()}


def _replace_networks(
    connection: Connection,
    networks: Mapping[str, Iterable[tuple[str, str]]],
    gone: Iterable[str],
) -> None:
    stale, table = [*gone, *networks], tables.networks
    for at in range(0, len(stale), 500):
        connection.execute(table.delete().where(table.c.id.in_(stale[at : at + 500])))
    rows = [
        {"id": id, "low": low, "high": high}
        for id, found in networks.items()
        for low, high in sorted(found)
    ]
    if rows:
        connection.execute(table.insert(), rows)


def _replace_begun(connection: Connection, begun: Mapping[str, datetime]) -> None:
    table = tables.listed_begun
    known = {row.id: row.begun for row in connection.execute(select(table))}
    now = {id: at.isoformat() for id, at in begun.items()}
    stale = [id for id in known.keys() | now.keys() if known.get(id) != now.get(id)]
    for at in range(0, len(stale), 500):
        connection.execute(table.delete().where(table.c.id.in_(stale[at : at + 500])))
    rows = [{"id": id, "begun": now[id]} for id in stale if id in now]
    if rows:
        connection.execute(table.insert(), rows)


def _owner(text: str) -> str:
    """As it is sought for: what is masked on pages is not to be found out digit by digit."""
    return plain_name(str(masked(text)))[:200]


def _replace(
    connection: Connection, rows: Sequence[tuple[dict[str, Any], Listed]], gone: Iterable[str]
) -> None:
    stale = [*gone, *(row["id"] for row, _ in rows)]
    for table in (tables.listed, tables.owners, tables.dues, tables.unread_dues):
        for at in range(0, len(stale), 500):
            connection.execute(table.delete().where(table.c.id.in_(stale[at : at + 500])))
    if rows:
        connection.execute(tables.listed.insert(), [row for row, _ in rows])
    owners = [
        {"id": one.record.id, "owner": owner}
        for _, one in rows
        for owner in sorted({_owner(o) for o in listing.owners(one.record)})
    ]
    dues = [
        {
            "id": one.record.id,
            "place": place,
            "at": due.at.astimezone(UTC).isoformat(),
            "kind": due.kind,
            "owner": str(masked(due.owner))[:200],
            "zh": str(masked(due.text.zh)),
            "en": str(masked(due.text.en)),
        }
        for _, one in rows
        for place, due in enumerate(one.dues)
    ]
    if owners:
        connection.execute(tables.owners.insert(), owners)
    if dues:
        connection.execute(tables.dues.insert(), dues)
    unread = [
        {"id": one.record.id, "place": place}
        for _, one in rows
        for place, due in enumerate(one.dues)
        if due.unread
    ]
    if unread:
        connection.execute(tables.unread_dues.insert(), unread)
