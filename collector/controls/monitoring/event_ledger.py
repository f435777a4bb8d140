"""monitoring.event_ledger: every security event is written down, dealt with and reported."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta

from collector.facts.monitoring.event_ledger import CONSIDERABLE, DOCUMENT, Event, Ledger, ledger
from collector.i18n.message import msg
from collector.judges.predicates import attested, months_after
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_CONTROL = "monitoring.event_ledger"
# a day ends last at UTC-12
_AHEAD = timedelta(hours=14)


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What is missing outweighs what came late: a late report cannot be mended any more."""
    found = ledger(facts)
    if found is None:
        attestation = attested(facts, _CONTROL, clock)
        if attestation is None:
            return Verdict(Result.NOTCHECKED, "none", Method.ATTESTED)
        said: dict[str, Value] = {"by": attestation.by, "statement": attestation.statement}
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED, said, (attestation.quote,), attestation.until
        )
    months = parameters.integer("months")
    start = datetime.combine(found.reviewed, time(), UTC)
    until = months_after(start, months)
    date = found.reviewed.isoformat()
    if start - clock.now > _AHEAD or any(e.found > clock.now + _AHEAD for e in found.events):
        return _verdict(Result.FAIL, "future", found, {"date": date})
    if clock.now > until:
        return _verdict(Result.FAIL, "stale", found, {"date": date, "months": months})
    verdict = _events(found, parameters, clock)
    if verdict is not None:
        return verdict
    if not found.guarded:
        return _verdict(Result.PARTIAL, "unguarded", found, {"path": found.path})
    if not found.alerts:
        return _verdict(Result.PARTIAL, "no_alerts", found, {})
    values: dict[str, Value] = {"count": len(found.events), "date": date, "since": f"{found.since}"}
    reason = "kept" if found.events else "no_events"
    return _verdict(Result.PASS, reason, found, values, until=until)


def _events(found: Ledger, parameters: Parameters, clock: Clock) -> Verdict | None:
    """What speaks against the events themselves."""
    days, hours = parameters.integer("days"), parameters.integer("hours")
    police = parameters.integer("police_hours")
    day = timedelta(days=1)
    stuck = [e for e in found.events if not e.handled and clock.now - e.found > days * day]
    if stuck:
        return _verdict(Result.FAIL, "unhandled", found, {"days": days}, stuck)
    overdue = [
        e
        for e in found.events
        if (not e.reported and clock.now - e.found > _allowed(e, hours))
        or (e.level >= CONSIDERABLE and not e.police and clock.now - e.found > _hours(police))
    ]
    if overdue:
        return _verdict(Result.FAIL, "unreported", found, {}, overdue)
    late = [
        e
        for e in found.events
        if e.level >= CONSIDERABLE
        and (
            (e.reported is not None and e.reported - e.found > _hours(hours))
            or (e.police is not None and e.police - e.found > _hours(police))
        )
    ]
    if late:
        values: dict[str, Value] = {"hours": hours, "police_hours": police}
        return _verdict(Result.PARTIAL, "late", found, values, late)
    waiting = [e for e in found.events if not e.handled or not e.reported]
    if waiting:
        return _verdict(Result.PARTIAL, "open", found, {"days": days}, waiting)
    return None


def _hours(number: int) -> timedelta:
    return timedelta(hours=number)


def _allowed(event: Event, hours: int) -> timedelta:
    """How long it may take to report: an ordinary one has a day to reach who answers for it."""
    return _hours(hours) if event.level >= CONSIDERABLE else timedelta(days=1)


def _verdict(
    result: Result,
    reason: str,
    found: Ledger,
    values: dict[str, Value],
    events: Iterable[Event] = (),
    *,
    until: datetime | None = None,
) -> Verdict:
    named = list(events)
    if named:
        values["events"] = [e.id for e in named[:10]]
    lines = (f"owner: {found.owner}", f"from: {found.since}", f"reviewed: {found.reviewed}")
    shown = tuple(e.line for e in (named or found.events)[:12])
    quote = Quote(
        "ledger.document",
        (*lines, *shown, *found.alerts[:4]),
        found.path or msg("pledge_record", document=DOCUMENT),
    )
    return Verdict(result, reason, Method.ATTESTED, values, (quote,), until)
