"""One pledge as it stands, or as it was proven at the end of a day, with what its pages show."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from collector.attest.bundle import evidence as documents
from collector.attest.envelope import dsse as envelope
from collector.errors import CollectorError
from collector.i18n.message import in_chinese
from collector.model import Lang, Result
from collector.pledges.database.rows import Evidence, Version, current, past_ones
from collector.pledges.database.sightings import Twin
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
from collector.pledges.standing.then import GoneError, NotThenError, as_it_was
from collector.pledges.status.brief import Brief
from collector.pledges.status.declared_resources import Shown
from collector.pledges.status.findings import Life
from collector.pledges.status.latest_bundle import Newest
from collector.web.reading.asked import Rows
from collector.web.reading.library import Library
from collector.web.reading.standings import standing_of

__all__ = ["LIVES", "Customer", "Dossier", "GoneError", "NotThenError"]

# what was read of captures, and of bundles, for so many pledges
_MOST = 24
# squares of a matrix that are kept of one pledge
_CELLS = 6000


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
    """Reads pledges, and remembers a few of what takes long to read."""

    def __init__(self, library: Library, rows: Rows) -> None:
        self._library, self._rows = library, rows
        self._shown: OrderedDict[str, tuple[Shown, ...]] = OrderedDict()
        self._looks: OrderedDict[tuple[str, ...], Looks] = OrderedDict()
        self._lives: OrderedDict[tuple[str, ...], tuple[Life, ...]] = OrderedDict()

    def dossier(self, id: str, now: datetime, at: date | None, lang: Lang) -> Dossier:
        """Raises BadInput where there is no such pledge, Disagrees where nothing is proven of it,

        NotThenError where it was not on record at the end of that day, GoneError where that is
        destroyed.
        """
        with self._library.open() as register:
            then = as_it_was(register, id, now, at, self._rows.renewed_by(id))
            record = then.record
            twins, whole = register.twins_known(id) if at is None else ((), False)
            found = status(
                record,
                then.evidence,
                then.moment,
                renewed=then.renewed,
                shown=lambda newest: self._look(register, newest),
                twins=_strange(twins, self._kin(id)) if twins else (),
                lang=lang,
            )
        return Dossier(
            record,
            then.history[-1],
            len(then.history),
            then.evidence,
            found,
            then.moment,
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
        evidence = known.evidence
        # a document, or a waiver, may end at any time of the day
        key = (*_key(known), f"{known.moment:%Y-%m-%dT%H:%M}", *_files(evidence))
        with self._library.open():
            found = self._lives.get(key)
            if found is None:
                try:
                    found = lives_at(known.record, evidence, known.moment, renewed=known.renewed)
                except CollectorError as problem:
                    return known.status.lives, problem
                _keep(self._lives, key, found)
        return found, None

    def looks(self, known: Dossier) -> Looks:
        """The newest look at each host; raises BadInput where a bundle cannot be read."""
        key = (*_key(known), *_files(known.evidence))
        found = self._looks.get(key)
        if found is None:
            found = looks_of(known.record.hosts, known.evidence)
            if len(found.seen) <= _CELLS:
                _keep(self._looks, key, found)
        return found

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
        found = self._shown.get(newest.digest)
        if found is None:
            found = register.shown(newest)
            _keep(self._shown, newest.digest, found)
        return found


def _key(known: Dossier) -> tuple[str, ...]:
    """Of all that counts there: what is void may be another than it was, on any day."""
    digests = (f"{one.sequence} {one.digest} {one.refused} {one.past}" for one in known.evidence)
    return (known.record.id, known.record.digest, *digests)


def _files(evidence: Sequence[Evidence]) -> Iterator[str]:
    """Of what was read of each bundle, by which the disk tells that it was written to since.

    What was read once and kept says nothing of a bundle that was changed, or taken away.
    """
    for one in evidence:
        for name in (envelope.FILE, documents.FILE):
            try:
                told = (one.path / "data" / name).stat()
            except OSError as problem:
                yield f"{problem.errno}"
            else:
                yield f"{told.st_ino} {told.st_size} {told.st_mtime_ns} {told.st_ctime_ns}"


def _keep(cache: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    cache[key] = value
    while len(cache) > _MOST:
        cache.popitem(last=False)


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
