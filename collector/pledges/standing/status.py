"""How one pledge record stands, put together from the register and its newest bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from collector.catalog import described
from collector.errors import CollectorError
from collector.i18n.message import in_chinese
from collector.model import Lang, Result, Text
from collector.pledges.database.held import Disagrees
from collector.pledges.database.rows import Evidence, current, past_ones
from collector.pledges.database.sightings import Another, Twin
from collector.pledges.due import lifecycle
from collector.pledges.due.deadlines import Due
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.placeholders import Filled, filled
from collector.pledges.record.times import CHINA
from collector.pledges.standing.due import due
from collector.pledges.standing.ended_documents import Lost, lost, reasons
from collector.pledges.standing.finding_history import failing_before, last_lives
from collector.pledges.standing.found_now import FoundNow, found_at
from collector.pledges.standing.newest_looks import looks_of
from collector.pledges.standing.standing import CHECKED, Standing, standing
from collector.pledges.status.arranged import waiver_holds
from collector.pledges.status.declared_resources import Shown, Undeclared, undeclared
from collector.pledges.status.findings import Life
from collector.pledges.status.latest_bundle import MOST_NAMED, Failing, Newest
from collector.scope import Scope, of_evidence

_CLAUSES = ("2.2", "2.3", "2.4")
_UNREAD = Text("最近一份证据未能读取", "the newest evidence could not be read")


@dataclass(frozen=True, slots=True)
class Status:
    """`unread`: why the newest evidence could not be read from the store; empty where it was.

    `dues` is what is overdue, and of which for that nobody could look whether it is.

    `evidence` is the newest, `past` the numbers of those that were attached after it, and looked
    earlier. `handed_in` are the hosts of which something that stands now rests on what nobody
    collected, `twins` where else the machines of the evidence were seen, `lost` what the newest
    rests on and has ended since, `others` the hosts that are another machine than they were.
    """

    record: PledgeRecord
    state: lifecycle.State
    kept_until: date | None
    clauses: tuple[Standing, ...]
    blanks: tuple[Filled, ...]
    undeclared: tuple[Undeclared, ...]
    dues: tuple[Due, ...]
    lives: tuple[Life, ...]
    evidence: Evidence | None
    scope: Scope | None
    unread: str
    at: datetime
    handed_in: tuple[str, ...] = ()
    past: tuple[int, ...] = ()
    twins: tuple[Twin, ...] = ()
    lost: tuple[Lost, ...] = ()
    others: tuple[Another, ...] = ()

    @property
    def overdue(self) -> tuple[Due, ...]:
        return tuple(one for one in self.dues if not one.unread)

    @property
    def untold(self) -> tuple[Due, ...]:
        return tuple(one for one in self.dues if one.unread)

    @property
    def satisfied(self) -> bool:
        return (
            all(entry.satisfied for entry in self.clauses)
            and all(blank.value for blank in self.blanks)
            and not self.overdue
            and not self.unread
        )


def status(
    record: PledgeRecord,
    evidence: Sequence[Evidence],
    now: datetime,
    *,
    renewed: bool,
    shown: Callable[[Newest], Iterable[Shown]],
    twins: Sequence[Twin] = (),
    lang: Lang = "en",
) -> Status:
    """Reads the newest bundle from the store, and puts together how the record stands.

    `shown` and `twins`: of a register. Raises Disagrees where its row is not what was signed.
    """
    failing: Mapping[str, Sequence[Failing]] = {}
    found, lives, gone = tuple[Undeclared, ...](), tuple[Life, ...](), tuple[Lost, ...]()
    absent, given, unread = tuple[str, ...](), tuple[str, ...](), ""
    scope: Scope | None = None
    if (last := current(evidence)) is not None:
        try:
            newest = _held(last)
            found, scope = undeclared(record, shown(newest)), of_evidence(newest.evidence)
            given, gone = _given(record, evidence, newest), lost(record, newest, now)
            lives, counts = _lives(record, evidence, newest, now, gone, renewed=renewed)
            failing = _failing(newest, record, now, lives, counts)
            absent = tuple(host for host in record.hosts if host not in newest.evidence["hosts"])
        except Disagrees:
            raise
        except CollectorError as problem:
            unread = in_chinese(problem.said) if lang == "zh" else str(problem)
    known = None if unread else lives
    clauses = standing(
        record,
        evidence,
        now,
        failing=failing,
        **_apart(found),
        absent=absent,
        scope=scope,
        lapsed=reasons(gone),
        renewed=renewed,
    )
    return Status(
        record,
        lifecycle.state(record, now.astimezone(CHINA).date(), renewed=renewed),
        lifecycle.kept_until(record, evidence, renewed=renewed),
        tuple(_not_looked_at(o) if unread else _with_waived(o, lives) for o in clauses),
        filled(record),
        found,
        due(record, evidence, now, within=timedelta(0), renewed=renewed, lives=known),
        lives,
        last,
        (last.scope or scope) if last else None,
        unread,
        now,
        given,
        _past(evidence),
        tuple(twins),
        gone,
    )


def _lives(
    record: PledgeRecord,
    evidence: Sequence[Evidence],
    newest: Newest,
    now: datetime,
    gone: Sequence[Lost],
    *,
    renewed: bool,
) -> tuple[tuple[Life, ...], FoundNow]:
    """Each finding as it counts now, and by what it does."""
    lives = last_lives(record, evidence, now, newest)
    counts = found_at(record, evidence, now, gone, lives, renewed=renewed)
    return counts.lives(lives), counts


def _apart(found: Iterable[Undeclared]) -> dict[str, list[Text]]:
    known: dict[str, list[Text]] = {"undeclared": [], "unseen": []}
    for one in found:
        known["unseen" if one.kind == "unseen" else "undeclared"].append(one.text)
    return known


def _held(last: Evidence) -> Newest:
    newest = Newest(last)
    newest.hold_row()
    return newest


def _given(record: PledgeRecord, evidence: Sequence[Evidence], newest: Newest) -> tuple[str, ...]:
    return tuple(sorted(looks_of(record.hosts, evidence, newest).handed_in))


def _not_looked_at(one: Standing) -> Standing:
    """What the register's row says of evidence that cannot be read is no verdict of today."""
    if one.clause.id not in CHECKED or one.verdict is None:
        return one
    return replace(one, verdict=Result.ERROR, reasons=(_UNREAD, *one.reasons))


def _with_waived(one: Standing, lives: Sequence[Life]) -> Standing:
    """Waived is not kept: a clause that is short for it alone says for what."""
    known = described()
    numbers = sorted(
        {
            life.number
            for life in lives
            if life.state == "waived"
            and life.control in known
            and known[life.control].clause in CHECKED.get(one.clause.id, ())
        }
    )
    if not numbers:
        return one
    said = Text(f"不符合而在豁免期内：{'、'.join(numbers)}", f"fail, waived: {', '.join(numbers)}")
    return replace(one, reasons=(said, *one.reasons))


def _failing(
    newest: Newest, record: PledgeRecord, now: datetime, lives: Sequence[Life], counts: FoundNow
) -> dict[str, Sequence[Failing]]:
    """By clause, what the newest look at each host holds against it: what fails before the rest."""
    known, before = described(), failing_before(record, lives, newest.sequence)
    found: dict[str, Sequence[Failing]] = {}

    def holds(control: str, host: str) -> bool:
        return waiver_holds(record, control, host, now)

    def told(control: str, host: str, result: Result) -> Result:
        return counts.told(control, host, newest.sequence, result)[0]

    for clause in _CLAUSES:
        older: dict[str, list[Life]] = {}
        for life in before:
            if life.control in known and known[life.control].clause == clause:
                older.setdefault(life.control, []).append(life)
        every = (*newest.open(clause, holds, told), *map(_of_lives, older.values()))
        # a few are named: those that fail before those that nobody could look at
        found[clause] = sorted(every, key=lambda one: one.result is not Result.FAIL)
    return found


def _of_lives(found: Sequence[Life]) -> Failing:
    one, hosts = found[0], sorted(life.host for life in found)
    named = tuple(hosts[:MOST_NAMED])
    return Failing(one.number, one.title, Result.FAIL, one.veto, named, len(hosts), one.breaks)


def _past(evidence: Sequence[Evidence]) -> tuple[int, ...]:
    """The numbers of those that were attached last, and say nothing of the present."""
    last = current(evidence)
    return tuple(sorted(n for n in past_ones(evidence) if last and n > last.sequence))


def counted(found: Status) -> dict[str, int]:
    """How many findings are open, overdue, nobody's and waived."""
    still = [life for life in found.lives if life.state == "open"]
    return {
        "open": len(still),
        "overdue": sum(life.overdue(found.at) for life in still),
        "unowned": sum(not life.owner for life in still),
        "waived": sum(life.state == "waived" for life in found.lives),
        "waiver_without_effect": sum(life.idle_waiver is not None for life in found.lives),
    }
