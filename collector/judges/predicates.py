"""Predicates that several controls share."""

from __future__ import annotations

import calendar
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from collector.errors import NotUnderstood
from collector.i18n.message import msg
from collector.model import Clock, Facts, Quote

ATTESTATIONS = "attestations"
_MONTHS = 12
# as far as the clocks of two well-kept hosts may stand apart
_SKEW = timedelta(hours=1)


def months_after(start: datetime, months: int) -> datetime:
    """The same day `months` calendar months later, or the last of that month when it is shorter."""
    years, month = divmod(start.month - 1 + months, 12)
    year, month = start.year + years, month + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return start.replace(year=year, month=month, day=day)


def holds_until(said: date, months: int, clock: Clock) -> datetime | None:
    """Until when what was attested on a day holds; None for a day that is yet to come.

    A day begins first at UTC+14.
    """
    start = datetime.combine(said, time(), UTC)
    return None if start - clock.now > timedelta(hours=14) else months_after(start, months)


def past(when: datetime, clock: Clock, read: str) -> datetime:
    """`when`, a time that `read` told of; raises NotUnderstood when that time is yet to come.

    A date in the future would be younger than any limit for as long as nobody looks at it.
    """
    if when > clock.now + _SKEW:
        raise NotUnderstood(read, msg("utc_yet_come_look", when=when))
    return when


@dataclass(frozen=True, slots=True)
class Attestation:
    """What somebody answers for in the pledge record: who said it, when, until when it holds."""

    statement: str
    by: str
    date: date
    until: datetime

    @property
    def quote(self) -> Quote:
        lines = (f"{self.date}: {self.by}: {self.statement}",)
        return Quote(ATTESTATIONS, lines, msg("pledge_record", document=ATTESTATIONS))


def attested(facts: Facts, control: str, clock: Clock) -> Attestation | None:
    """The attestation that names this control and this host (or no host) and holds longest now.

    It holds until it expires, or for a year. None without one; raises NotUnderstood when the
    document is not a list of attestations.
    """
    document = facts.attached.get(ATTESTATIONS)
    if document is None:
        return None
    try:
        entries: list[dict[str, Any]] = json.loads(document)
        found = [
            _attestation(entry)
            for entry in entries
            if entry.get("control") == control
            and facts.capture.host in entry.get("hosts", [facts.capture.host])
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise NotUnderstood(
            ATTESTATIONS, msg("at", where=type(problem).__name__, what=problem)
        ) from None
    holding = [a for a in found if a.until > clock.now and a.date <= clock.now.date()]
    return max(holding, key=lambda a: a.until, default=None)


def attestation_end(entry: Mapping[str, Any]) -> datetime:
    """When it holds no more."""
    if "expires" in entry:
        return datetime.combine(date.fromisoformat(entry["expires"]), time(), UTC)
    said = datetime.combine(date.fromisoformat(entry["date"]), time(), UTC)
    return months_after(said, _MONTHS)


def _attestation(entry: dict[str, Any]) -> Attestation:
    said, until = date.fromisoformat(entry["date"]), attestation_end(entry)
    return Attestation(entry["statement"], entry["by"], said, until)
