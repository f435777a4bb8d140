"""One pledge as it stands, or as it was proven at the end of a day, with what its pages show."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from collector.errors import CollectorError
from collector.i18n.message import in_chinese
from collector.model import Lang, Result
from collector.pledges.database.rows import Evidence, Version, current, past_ones
from collector.pledges.database.sightings import Twin
from collector.pledges.database.transactions import DatabaseSaysError
from collector.pledges.due.deadlines import Due
from collector.pledges.due.lifecycle import WORDS as LIVES
from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.standing.due import too_old
from collector.pledges.standing.found_now import FoundNow, lives_at
from collector.pledges.standing.listing import Listed
from collector.pledges.standing.newest_looks import Looks, looks_of
from collector.pledges.standing.standing import CHECKED
from collector.pledges.standing.status import Status, status
from collector.pledges.standing.then import GoneError, NotThenError, Then, as_it_was
from collector.pledges.status.brief import Brief
from collector.pledges.status.declared_resources import Shown
from collector.pledges.status.findings import Life
from collector.pledges.status.latest_bundle import Newest
from collector.pledges.status.on_disk import stands
from collector.web.reading.asked import Rows
from collector.web.reading.library import Library
from collector.web.reading.remembered import Remembered
from collector.web.reading.standings import standing_of
from collector.web.reading.turns import EachInTurn

__all__ = ["LIVES", "Customer", "Dossier", "GoneError", "NotThenError"]

# what is kept of all pledges, and of one: findings, squares of a matrix, hosts
_FINDINGS, _CELLS, _HOSTS = (60_000, 12_000), (144_000, 24_000), (20_000, 4_000)


@dataclass(frozen=True, slots=True)
class Dossier:
    """`at`: the day (of China) that was asked for; None for now. `moment`: when it stood so.

    `compared`: are `twins` of its status all that there are? `renewed`: another record
    continues it.
    `void`: evidence that counts for nothing, by its number what the record says of it, and `every`
    what was attached by then, void or not.
    """

    record: PledgeRecord
    version: Version
    versions: int
    evidence: Sequence[Evidence]
    status: Status
    moment: datetime
    at: date | None
    compared: bool
    renewed: bool
    renewed_by: tuple[str, ...]
    every: Sequence[Evidence] = ()
    void: Mapping[int, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def last(self) -> Evidence | None:
        return current(self.evidence)

    @property
    def past(self) -> frozenset[int]:
        return past_ones(self.evidence)

    def found_now(self) -> FoundNow:
        """What its findings come to."""
        old = self._too_old()
        return FoundNow(self.evidence, self.status.lost, [old] if old else [], self.status.lives)

    def listed(self) -> Listed:
        """As a row of a list, for what a list says of its clauses."""
        brief = Brief(self.record.document, (), self.moment)
        stale = self._too_old() is not None
        return Listed(brief, self.evidence, self.status.state, (), stale=stale)

    def _too_old(self) -> Due | None:
        return too_old(self.record, self.evidence, self.moment, renewed=self.renewed)

    def verdict_of(self, one: Evidence, clause: str) -> str:
        """What it proved, however long ago, of those that were declared then."""
        then = [replace(one, hosts=None)]
        return replace(self.listed(), evidence=then, stale=False).verdict(clause)

    @property
    def standing(self) -> str:
        if self.status.unread:
            return "unverified"
        if self.failing:
            return "broken"
        found = standing_of(self.listed())
        if found == "partly" and self.unverified:
            return "unverified"
        return "unverified" if found == "kept" and self.unproven else found

    @property
    def failing(self) -> frozenset[str]:
        """The clauses of the controls that fail by the newest look at some host."""
        return self._of(Result.FAIL)

    @property
    def unproven(self) -> frozenset[str]:
        """Those that are not kept by the status, whatever the row of a bundle says."""
        return self._of(*(r for r in Result if r not in (Result.PASS, Result.NOTAPPLICABLE)))

    @property
    def unverified(self) -> frozenset[str]:
        return self._of(Result.ERROR)

    def _of(self, *results: Result) -> frozenset[str]:
        found = {c.clause.id for c in self.status.clauses if c.verdict in results}
        return frozenset(CHECKED[id][0] for id in found if id in CHECKED and len(CHECKED[id]) == 1)


class Customer:
    """Reads pledges, and remembers a few of what takes long to read.

    The register is held for its own reads alone: bundles are read while others have it.
    """

    def __init__(self, library: Library, rows: Rows) -> None:
        self._library, self._rows = library, rows
        # who draws a page: those of one customer leave the processor to the others
        self.turns = EachInTurn()
        # who waits for the register: of one pledge one at a time, before all others wait for it
        self._asking = EachInTurn()
        self._shown: Remembered[tuple[Shown, ...]] = Remembered(*_HOSTS, len)
        self._looks: Remembered[Looks] = Remembered(*_CELLS, lambda one: len(one.seen))
        self._lives: Remembered[tuple[Life, ...]] = Remembered(*_FINDINGS, len)
        self._statuses: Remembered[Status] = Remembered(*_FINDINGS, lambda one: len(one.lives))

    def dossier(self, id: str, now: datetime, at: date | None, lang: Lang) -> Dossier:
        """Raises BadInput where there is no such pledge, Disagrees where nothing is proven of it,

        NotThenError where it was not on record at the end of that day, GoneError where that is
        destroyed.
        """
        with self._asking.one(id), self._library.open() as register:
            then = as_it_was(register, id, now, at, self._rows.renewed_by(id))
            twins, whole = register.twins_known(id) if at is None else ((), False)
            known = _strange(twins, self._kin(id)) if twins else ()
        found = self._status(register, then, known, lang)
        return Dossier(
            then.record,
            then.history[-1],
            len(then.history),
            then.evidence,
            found,
            # what is remembered of this minute, and all that is reckoned beside it, is of one time
            found.at,
            at,
            whole,
            bool(then.renewed_by),
            then.renewed_by,
            then.every,
            then.void,
        )

    def lives(self, known: Dossier) -> tuple[Sequence[Life], CollectorError | None]:
        """Every finding there ever was, as it counts; and why not, where a bundle is gone.

        Then those are there that the newest bundle tells of.
        """
        record, evidence, moment = known.record, known.evidence, known.moment
        key = _key(record, evidence, _minute(moment), str(known.renewed))
        try:
            found = self._lives.get(
                record.id,
                key,
                lambda: lives_at(record, evidence, moment, renewed=known.renewed),
            )
        except CollectorError as problem:
            return known.status.lives, problem
        return found, None

    def looks(self, known: Dossier) -> Looks:
        """The newest look at each host; raises BadInput where a bundle cannot be read."""
        record, evidence = known.record, known.evidence
        return self._looks.get(
            record.id, _key(record, evidence), lambda: looks_of(record.hosts, evidence)
        )

    def _status(
        self, register: ReadOnlyRegister, then: Then, twins: Sequence[Twin], lang: Lang
    ) -> Status:
        """As the rows say that were read; what the database says of its own trouble is raised."""
        away: list[DatabaseSaysError] = []

        def shown(newest: Newest) -> tuple[Shown, ...]:
            try:
                return self._look(register, newest)
            except DatabaseSaysError as problem:
                # no bundle is unread for that
                away.append(problem)
                raise

        def reckoned() -> Status:
            found = status(
                then.record,
                then.evidence,
                then.moment,
                renewed=then.renewed,
                shown=shown,
                twins=twins,
                lang=lang,
            )
            if away:
                raise away[0]
            return found

        said = (_minute(then.moment), str(then.renewed), lang, repr(twins))
        key = _key(then.record, then.evidence, *said)
        # what could not be read may be there again in a moment
        return self._statuses.get(then.record.id, key, reckoned, lambda one: not one.unread)

    def _kin(self, id: str) -> set[str]:
        """The records that this one continues, or that continue it, over any number of years."""
        found: set[str] = set()
        asked = {id}
        while asked:
            one = asked.pop()
            found.add(one)
            row = self._rows.one(one)
            nearest = {*self._rows.renewed_by(one), str(row["renews"]) if row else ""}
            asked |= nearest - found - {""}
        return found

    def _look(self, register: ReadOnlyRegister, newest: Newest) -> tuple[Shown, ...]:
        newest.hold_captures()
        return self._shown.get(newest.pledge, newest.digest, lambda: register.shown(newest))


def _minute(moment: datetime) -> str:
    """A document, or a waiver, may end at any time of the day."""
    return f"{moment:%Y-%m-%dT%H:%M}"


def _key(record: PledgeRecord, evidence: Sequence[Evidence], *more: str) -> str:
    """Of all that counts there, as the register has it and as it lies on the disk.

    A row may be another than it was, on any day: declared void, refused, or tampered with. Captures
    are read of the newest alone.
    """
    last = current(evidence)
    files = (told for one in evidence for told in stands(one, captures=one is last))
    told = (record.digest, *more, *map(repr, evidence), *files)
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()


def _strange(twins: Sequence[Twin], kin: set[str]) -> tuple[Twin, ...]:
    """Without those that are to be expected: the same host of a record that continues another."""
    return tuple(t for t in twins if t.host != t.other or t.pledge not in kin)


def finding_of(document: Mapping[str, Any], host: str, control: str) -> Mapping[str, Any] | None:
    """What an evidence.json says of one control on one host."""
    entry = document["hosts"].get(host)
    if entry is None:
        return None
    found: Mapping[str, Any] | None = next(
        (f for f in entry["findings"] if f["control"] == control), None
    )
    return found


def said_of(problem: CollectorError, lang: Lang) -> str:
    """What an error says, in that language."""
    return str(in_chinese(problem.said)) if lang == "zh" else str(problem)
