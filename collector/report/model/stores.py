"""The table of backups that an inspector asks for: one row for each store of data of a host.

Data, level, what backs it up, the last good backup, copies elsewhere, the last restore that was
tried; made anew from the capture and the data inventory, by the facts that the controls use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from collector import catalog
from collector.errors import FactError, PastLimit, one_line
from collector.facts.backup.artefacts.restore_tests import restore_tests
from collector.facts.backup.coverage import cover
from collector.facts.backup.freshness import Bounds, State, freshness
from collector.facts.backup.offsite import copies
from collector.facts.data.inventory import Store, inventory
from collector.i18n.message import in_chinese
from collector.judging.confined import within_limits
from collector.model import Capture, Facts, Lang


@dataclass(frozen=True, slots=True)
class Backup:
    """`state` says how the last good backup, of `last`, stands; `away` are the places of copies

    on another host, `doubtful` those of which that is not clear. `tested` is the newest restore,
    `restored` whether it succeeded. Each of these is None where nobody could look: `troubles`
    says why, by the name of the column.
    """

    name: str
    level: str
    wanted: bool
    jobs: Sequence[str]
    state: State | None
    last: datetime | None
    away: Sequence[str] | None
    doubtful: Sequence[str]
    tested: datetime | None
    restored: bool | None
    troubles: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Backups:
    """`none`: there is no data inventory, so that nobody says what is important."""

    rows: Sequence[Backup] = ()
    none: bool = False
    trouble: str = ""


def backups(capture: Capture, attached: Mapping[str, bytes], grade: int, lang: Lang) -> Backups:
    """Every store of the host that its inventory names, the important ones first."""
    try:
        return within_limits(partial(_backups, capture, attached, grade, lang))
    except PastLimit as problem:
        return Backups(trouble=in_chinese(problem.said) if lang == "zh" else str(problem))


def _backups(capture: Capture, attached: Mapping[str, bytes], grade: int, lang: Lang) -> Backups:
    facts = Facts(capture, attached)
    if capture.collected_at is None:
        return Backups(trouble="-")
    try:
        known = inventory(facts)
    except FactError as problem:
        return Backups(trouble=_said(problem, lang))
    if known is None:
        return Backups(none=True)
    now = capture.collected_at
    rows = [_row(facts, store, now, grade, lang) for store in known.stores]
    rows.sort(key=lambda row: (not row.wanted, ("核心", "重要", "一般").index(row.level), row.name))
    return Backups(tuple(rows))


def _row(facts: Facts, store: Store, now: datetime, grade: int, lang: Lang) -> Backup:
    rule = catalog.control("backup.fresh").for_grade(grade)
    most = rule.integer("important_hours" if store.important else "general_hours")
    age = timedelta(hours=min(most, store.objective_hours or most))
    troubles: dict[str, str] = {}
    jobs: Sequence[str] = ()
    state: State | None = None
    last = None
    away: Sequence[str] | None = None
    doubtful: Sequence[str] = ()
    try:
        covering = cover(facts, store)
        jobs = tuple(dict.fromkeys(job.label for job in covering.sure))
        found = freshness(facts, covering, Bounds(now, age, rule.integer("percent")))
        state, last = found.state, found.when
        every = copies(facts, covering)
        away = tuple(dict.fromkeys(c.to.label for c in every if c.place == "elsewhere"))
        doubtful = tuple(dict.fromkeys(c.to.label for c in every if c.place == "unclear"))
    except FactError as problem:
        troubles["backup"] = _said(problem, lang)
    except (ValueError, OverflowError) as problem:  # a time that no calendar has
        troubles["backup"] = one_line(f"{type(problem).__name__}: {problem}")
    tested = restored = None
    try:
        own = [r for r in restore_tests(facts) if r.store == store.name]
        if own:
            tested, restored = own[-1].tested, own[-1].ok
    except FactError as problem:
        troubles["restore"] = _said(problem, lang)
    except (ValueError, OverflowError) as problem:
        troubles["restore"] = one_line(f"{type(problem).__name__}: {problem}")
    return Backup(
        store.label,
        store.level,
        store.backup_wanted,
        jobs,
        state,
        last,
        away,
        doubtful,
        tested,
        restored,
        troubles,
    )


def _said(problem: FactError, lang: Lang) -> str:
    text = one_line(problem.said)
    return text if lang == "en" else in_chinese(text)
