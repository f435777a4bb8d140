"""What is asked of the index: some of its rows, in an order, a page of them, how many there are."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select, true

from collector.pledges.due.deadlines import KINDS
from collector.pledges.due.lifecycle import OWED
from collector.pledges.record.networks import span
from collector.pledges.record.people import plain_name
from collector.pledges.record.sought import plain
from collector.pledges.record.times import CHINA, to_the_end
from collector.pledges.standing import listing
from collector.pledges.standing.renewals import continuing
from collector.report.model.cells import Cell
from collector.web.keeping import tables
from collector.web.keeping.state import State
from collector.web.reading.cells import from_json
from collector.web.reading.standings import PAST, STANDINGS

LIVES = ("draft", "signed", "active", "suspended", "lapsed", "ended", "disposed")
PAGE = 50
# days: the index knows nothing of what falls due later
AHEAD = 30
# what is overdue; what is not yet; and within so many days, with what is overdue
WHEN = ("overdue", "coming", "7", "14")
_CLAUSES = {"2.2": "c22", "2.3": "c23", "2.4": "c24"}
_NOT_KEPT = ("partial", "fail", "error", "notchecked", "none")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, as `pledge list` has it; what is left empty asks for nothing.

    `life`: a state in the life of a record, `all`, or empty for those that are in force or were and
    were not ended. `clauses`: by clause a verdict, or `open` for all but those that are kept.
    `expiring`, `due`: within so many days. `only`: the ids that may be seen, None for all.
    """

    search: str = ""
    standing: str = ""
    life: str = ""
    grade: int | None = None
    clauses: tuple[tuple[str, str], ...] = ()
    owner: str = ""
    expiring: int | None = None
    due: int | None = None
    overdue: bool = False
    sort: str = "id"
    only: frozenset[str] | None = None


def asked_of(query: Mapping[str, str], only: frozenset[str] | None) -> Asked:
    """Out of the query of an address; what is none of the words that there are asks for nothing."""
    clauses = [
        (clause, word)
        for clause in _CLAUSES
        if (word := query.get(f"c{clause}", "")) in (*listing.VERDICTS, "open")
    ]
    return Asked(
        query.get("q", "").strip()[:200],
        _one_of(query.get("standing", ""), STANDINGS),
        _one_of(query.get("life", ""), (*LIVES, "all")),
        {"2": 2, "3": 3}.get(query.get("grade", "")),
        tuple(clauses),
        query.get("owner", "").strip()[:200],
        _days(query.get("expiring", "")),
        _days(query.get("due", ""), AHEAD),
        query.get("overdue", "") == "1",
        _one_of(query.get("sort", ""), listing.ORDERS) or "id",
        only,
    )


def number(text: str, otherwise: int = 1, most: int = 1_000_000) -> int:
    """Of a page, counted from 1."""
    plain = text.isascii() and text.isdigit() and len(text) < 16
    return min(max(int(text), 1), most) if plain else otherwise


def page_of(found: int, size: int, at: int) -> int:
    """The page that is shown where page `at` is asked for: the last one where there is none.

    >>> page_of(51, 50, 2), page_of(50, 50, 2), page_of(0, 50, 7)
    (2, 1, 1)
    """
    return max(min(at, (found + size - 1) // size), 1)


@dataclass(frozen=True, slots=True)
class Falling:
    """What is asked of all that falls due; what is left empty asks for nothing.

    `when`: one of WHEN. `owner`: who sees to it, by the name or all that was written of it.
    """

    kind: str = ""
    owner: str = ""
    when: str = ""

    @property
    def everything(self) -> bool:
        return self == Falling()


def falling_of(query: Mapping[str, str]) -> Falling:
    """Out of the query of an address, as `asked_of`."""
    return Falling(
        _one_of(query.get("kind", ""), KINDS),
        query.get("owner", "").strip()[:200],
        _one_of(query.get("when", ""), WHEN),
    )


def _one_of(word: str, known: Sequence[str]) -> str:
    return word if word in known else ""


def _days(text: str, most: int = 3660) -> int | None:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 6 else None


class Rows:
    """The rows of a state's index."""

    def __init__(self, state: State) -> None:
        self._state = state

    def page(
        self, asked: Asked, now: datetime, at: int, size: int | None
    ) -> tuple[list[Mapping[str, Any]], int]:
        """Of pages of that size (None: of one of all) page `at`, and how many rows there are.

        Of an address that leads past the last page it is the last: nothing would mean none.
        """
        table = tables.listed
        holds = _holds(asked, now)
        query: Select[Any] = select(table).where(holds).order_by(*_order(asked.sort))
        count = select(func.count()).select_from(table).where(holds)
        with self._state.read() as connection:
            every = int(connection.execute(count).scalar() or 0)
            skipped = (page_of(every, size, at) - 1) * size if size else 0
            found = connection.execute(query.offset(skipped).limit(size)).mappings().all()
        return [dict(row) for row in found], every

    def count(self, asked: Asked, now: datetime) -> int:
        query = select(func.count()).select_from(tables.listed).where(_holds(asked, now))
        with self._state.read() as connection:
            return int(connection.execute(query).scalar() or 0)

    def cells(self, asked: Asked, now: datetime, lang: str) -> list[list[Cell]]:
        """Of all of them, as `pledge list` exports them."""
        rows, _ = self.page(asked, now, 1, None)
        newer = self._continuing(asked.only)
        told = ((row["id"], json.loads(row["cells"])) for row in rows)
        return [
            [*from_json(cells[lang]), " ".join(newer.get(id, ())), *cells["contact"]]
            for id, cells in told
        ]

    def _continuing(self, only: frozenset[str] | None) -> dict[str, tuple[str, ...]]:
        """By id, the records that continue it, of those that this person sees; drafts as well."""
        table = tables.listed
        query = select(table.c.id, table.c.cells).where(_seen(only))
        with self._state.read() as connection:
            rows = connection.execute(query).all()
        older = {row[0]: json.loads(row[1])["renews"] for row in rows}
        return continuing({id: old for id, old in older.items() if old})

    def counts(self, asked: Asked, now: datetime) -> dict[str, int]:
        """How many of each standing, of what is asked for without its standing."""
        table = tables.listed
        query = select(table.c.standing, func.count()).where(_holds(asked, now))
        with self._state.read() as connection:
            found = {row[0]: row[1] for row in connection.execute(query.group_by(table.c.standing))}
        return {word: found.get(word, 0) for word in STANDINGS}

    def oldest(self, only: frozenset[str] | None) -> tuple[str, str]:
        """The id and the time of the oldest of the newest evidence; empty where there is none."""
        table = tables.listed
        seen = _seen(only) & (table.c.collected != "") & table.c.life.not_in(PAST)
        query = select(table.c.id, table.c.collected).where(seen).order_by(table.c.collected)
        with self._state.read() as connection:
            row = connection.execute(query.limit(1)).first()
        return (str(row[0]), str(row[1])) if row is not None else ("", "")

    def begun(self, ids: Collection[str]) -> dict[str, str]:
        """Since when these were on record (ISO 8601) when their rows were made."""
        table = tables.listed_begun
        query = select(table.c.id, table.c.begun).where(table.c.id.in_(sorted(ids)))
        with self._state.read() as connection:
            return {str(row.id): str(row.begun) for row in connection.execute(query)}

    def one(self, id: str) -> Mapping[str, Any] | None:
        table = tables.listed
        with self._state.read() as connection:
            row = connection.execute(select(table).where(table.c.id == id)).mappings().first()
        return dict(row) if row is not None else None

    def renewed_by(self, id: str) -> tuple[str, ...]:
        """The records that say they continue this one."""
        table = tables.listed
        with self._state.read() as connection:
            query = select(table.c.id).where(table.c.renews == id).order_by(table.c.id)
            return tuple(connection.execute(query).scalars())

    def dues(
        self,
        only: frozenset[str] | None,
        asked: Falling,
        now: datetime,
        at: int,
        size: int | None,
    ) -> tuple[list[Mapping[str, Any]], int]:
        """What falls due, the earliest first, with name and cells of each customer; how many.

        Pages are as those of `page`.
        """
        table, listed, unread = tables.dues, tables.listed, tables.unread_dues
        same = (unread.c.id == table.c.id) & (unread.c.place == table.c.place)
        seen = _seen(only, table) & _falls(asked, now)
        query = (
            select(table, listed.c.name, listed.c.cells, unread.c.id.is_not(None).label("unread"))
            .join(listed, listed.c.id == table.c.id)
            .outerjoin(unread, same)
            .where(seen)
            .order_by(table.c.at, table.c.id, table.c.place)
        )
        count = select(func.count()).select_from(table).where(seen)
        with self._state.read() as connection:
            every = int(connection.execute(count).scalar() or 0)
            skipped = (page_of(every, size, at) - 1) * size if size else 0
            found = connection.execute(query.offset(skipped).limit(size)).mappings().all()
        return [dict(row) for row in found], every


def _falls(asked: Falling, now: datetime) -> ColumnElement[bool]:
    table = tables.dues
    parts: list[ColumnElement[bool]] = [true()]
    if asked.kind:
        parts.append(table.c.kind == asked.kind)
    if asked.owner:
        named = table.c.owner.startswith(f"{asked.owner} ", autoescape=True)
        parts.append((table.c.owner == asked.owner) | named)
    if asked.when == "coming":
        parts.append(table.c.at > now.astimezone(UTC).isoformat())
    elif asked.when:
        days = int(asked.when) if asked.when.isdigit() else 0
        # a deadline is a day
        until = now + to_the_end(timedelta(days=days), now) if days else now
        parts.append(table.c.at <= until.astimezone(UTC).isoformat())
    return and_(*parts)


def _seen(only: frozenset[str] | None, table: Any = tables.listed) -> ColumnElement[bool]:
    return true() if only is None else table.c.id.in_(sorted(only))


def _holds(asked: Asked, now: datetime) -> ColumnElement[bool]:
    table = tables.listed
    parts = [_seen(asked.only)]
    if asked.life == "":
        parts.append(table.c.life.not_in(PAST))
    elif asked.life != "all":
        parts.append(table.c.life == asked.life)
    if asked.search:
        parts.append(_sought(asked.search))
    if asked.standing:
        parts.append(table.c.standing == asked.standing)
    if asked.grade is not None:
        parts.append(table.c.grade == asked.grade)
    for clause, word in asked.clauses:
        column = table.c[_CLAUSES[clause]]
        parts.append(column.in_(_NOT_KEPT) if word == "open" else column == word)
    if asked.owner:
        column, owner = tables.owners.c.owner, plain_name(asked.owner)
        # all that was written of it, or the name alone, as `_falls` has it
        named = (column == owner) | column.startswith(f"{owner} ", autoescape=True)
        mine = select(tables.owners.c.id).where(named)
        parts.append(table.c.id.in_(mine))
    if asked.expiring is not None:
        last = now.astimezone(CHINA).date() + timedelta(days=asked.expiring)
        in_force = table.c.life.in_(OWED)
        parts.append(and_(in_force, table.c.until != "", table.c.until <= last.isoformat()))
    if asked.overdue:
        parts.append(table.c.overdue > 0)
    if asked.due is not None:
        until = (now + to_the_end(timedelta(days=asked.due), now)).astimezone(UTC).isoformat()
        parts.append(table.c.id.in_(select(tables.dues.c.id).where(tables.dues.c.at <= until)))
    return and_(*parts)


def _sought(text: str) -> ColumnElement[bool]:
    """By the words of a record, or, for an address or a network, by what it has of it."""
    column = tables.listed.c.sought
    # several words in any order, as `pledge list --search` takes them
    each = [column.contains(word, autoescape=True) for word in plain(text).split()]
    words: ColumnElement[bool] = and_(true(), *each)
    within = span(text)
    if within is None:
        return words
    table, (low, high) = tables.networks, within
    mine = select(table.c.id).where((table.c.low <= high) & (table.c.high >= low))
    return words | tables.listed.c.id.in_(mine)


def _order(sort: str) -> list[Any]:
    table = tables.listed
    first: Mapping[str, Any] = {
        "customer": table.c.name,
        "grade": table.c.grade.desc(),
        "until": func.coalesce(func.nullif(table.c.until, ""), "9999"),
        "collected": table.c.collected,
    }
    return [*([first[sort]] if sort in first else []), table.c.id]
