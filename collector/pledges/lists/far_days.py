"""Days of a record that lie so far off that a year was likely mistyped: 1926 or 2206. Pure.

What happened under a pledge, or is to happen, lies within some years of today: such a day is
refused. A rule may be of 2003, and a filing of 2001: of those it is said. No record that is on
the register already is held to it, or nobody could change anything else of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.terms import months_on
from collector.pledges.record.times import today_in_china

# no lease may run longer (民法典 705), and no pledge was signed before there were networks
YEARS = 20
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt][0-9:.]+(?:[Zz]|[+-][0-9:]+))?")
_NUMBER = re.compile(r"\[[0-9]+\]")
_KEYS = frozenset({"date", "from", "until", "expires", "due", "last", "mend_by"})
# of what a pledge itself is about, and nothing that may have been there long before it
_OWN = frozenset(
    {
        *("documents", "period", "suspensions", "ended", "disposed", "probes", "training"),
        *("self_check", "vulnerabilities", "harmful_content", "inspections", "incidents"),
        *("acknowledgements", "attestations", "waivers", "follow_ups", "notices"),
        *("voided", "taken_back"),
    }
)
# what people write for an end that there is none of
_NO_END = frozenset({"2099-12-31", "9999-12-31"})
# what has its own form, and tells of other things than the pledge
_OTHERS = frozenset({"data_inventory", "event_ledger"})


def far(day: date, today: date) -> str | None:
    """What is to be said of a day that is more than so many years off; None for others."""
    if day < months_on(today, -12 * YEARS):
        return msg("day_years_ago", day=day.isoformat(), years=YEARS)
    if day > months_on(today, 12 * YEARS):
        return msg("day_years_ahead", day=day.isoformat(), years=YEARS)
    return None


def faults(
    document: Mapping[str, Any], today: date, held: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, str]]:
    """(place, what is wrong) of days that cannot be; `held` is the record as it stands, if any."""
    for place, what in _far(document, today, held):
        if _is_own(place):
            yield place, what


def refuse(new: PledgeRecord, old: PledgeRecord | None = None, *, where: str) -> None:
    """Raises BadInput with the first of `faults`; `old` is the record as it stands."""
    held = old.document if old is not None else None
    for place, what in faults(new.document, today_in_china(), held):
        raise BadInput(msg("at", where=place, what=what), where=where)


def odd(
    document: Mapping[str, Any], today: date, held: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, str]]:
    """As `faults`, of days that may be right all the same."""
    for place, what in _far(document, today, held):
        if not _is_own(place):
            yield place, what


def _is_own(place: str) -> bool:
    return re.split(r"[.\[]", place)[0] in _OWN


def _far(
    document: Mapping[str, Any], today: date, held: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    known = {(_NUMBER.sub("", place), day) for place, day in _days(held or {}, "")}
    for place, day in _days(document, ""):
        endless = day in _NO_END and place.endswith(("until", "expires"))
        if endless or place == "period.until" or (_NUMBER.sub("", place), day) in known:
            # how long a period runs is said elsewhere
            continue
        if (what := far(date.fromisoformat(day), today)) is not None:
            yield place, what


def _days(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """(place, day as ISO has it) of every day and time in it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if place or name not in _OTHERS:
                yield from _days(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _days(inner, f"{place}[{number}]")
    elif isinstance(value, str):
        key = place.rpartition(".")[2]
        found = _DAY.fullmatch(value) if key in _KEYS or key.endswith(("_on", "_at")) else None
        if found is not None:
            yield place, found[1]
