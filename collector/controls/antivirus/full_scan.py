"""antivirus.full_scan: the whole host was scanned lately, to the end."""

from __future__ import annotations

from datetime import datetime, timedelta

from collector.errors import CouldNotLook, FactError
from collector.facts.security.defender import defender
from collector.facts.security.products import antimalware
from collector.facts.security.scan_scope import Scope
from collector.facts.security.scans import (
    Scan,
    ScanJob,
    antiy_scan,
    clamav_scans,
    scan_jobs,
    unfinished,
)
from collector.i18n.message import msg
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_LOCAL = ("clamav", "defender", "antiy")
# as far as the clocks of two well-kept hosts may stand apart
_SKEW = timedelta(hours=1)


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What counts is the end of a scan that took everything, never that one is planned."""
    seen = facts.get(antimalware)
    there = [s for s in seen.sightings if s.product.counts in ("yes", "attest")]
    there = [s for s in there if s.engines or s.installed]
    capture = facts.capture
    scans: list[Scan] = []
    failures: list[FactError] = []
    trees = parameters.strings("trees")
    planned: tuple[ScanJob, ...] = ()
    idle: tuple[str, ...] = ()
    try:
        found = scan_jobs(capture, trees)
        planned = tuple(j for j in found if j.job.enabled)
        idle = unfinished(capture, found)
        scans[:], failures[:] = clamav_scans(capture, found)
    except FactError as problem:
        failures.append(problem)
    try:
        scans += _of_products(facts, {s.product.id for s in there})
    except FactError as problem:
        failures.append(problem)
    days = timedelta(days=parameters.integer("days"))
    scans = [s for s in scans if s.ended <= clock.now + _SKEW]
    complete = [s for s in scans if s.scope == "full"]
    if (verdict := _lately(complete, clock, days)) is not None:
        return verdict
    if failures:
        raise failures[0]
    console = [s for s in there if s.engines and s.product.id not in _LOCAL]
    attestation = attested(facts, "antivirus.full_scan", clock)
    if attestation is not None and console:
        return Verdict(
            Result.PASS, "attested", Method.ATTESTED,
            {"by": attestation.by, "statement": attestation.statement},
            (attestation.quote,), attestation.until,
        )  # fmt: skip
    untold = max((s for s in scans if s.scope == "unknown"), key=_rank, default=None)
    if untold is not None and clock.now - untold.ended <= days:
        return _verdict(Result.ERROR, "scope", untold, clock, days)
    if console:
        return Verdict(
            Result.ERROR, "console", Method.OBSERVED,
            {
                "product": ", ".join(s.product.name.en for s in console),
                "product_zh": "、".join(s.product.name.zh for s in console),
            },
        )  # fmt: skip
    if seen.blind:
        raise CouldNotLook("processes.all", msg("only_root_sees_program"))
    if complete:
        return _verdict(Result.FAIL, "stale", max(complete, key=_rank), clock, days)
    empty = max((s for s in scans if s.idle), key=_rank, default=None)
    if empty is not None:
        return _verdict(Result.FAIL, "scanned_nothing", empty, clock, days)
    return _without_a_scan(idle, planned)


def _lately(complete: list[Scan], clock: Clock, days: timedelta) -> Verdict | None:
    """What the last one says that found something or looked into everything; else the last one."""
    # of one scan told twice, the telling that knows of errors
    unread = {s.ended.replace(second=0) for s in complete if s.unread and not s.found}
    sure = (s for s in complete if s.found or s.ended.replace(second=0) not in unread)
    full = max(sure, key=_rank, default=None)
    if full is not None and clock.now - full.ended <= days:
        if full.found:
            return _verdict(Result.PARTIAL, "infected", full, clock, days)
        return _verdict(Result.PASS, "scanned", full, clock, days)
    full = max(complete, key=_rank, default=None)
    if full is not None and clock.now - full.ended <= days:
        return _verdict(Result.PARTIAL, "unread", full, clock, days)
    return None


def _without_a_scan(idle: tuple[str, ...], planned: tuple[ScanJob, ...]) -> Verdict:
    if idle:
        quotes = (Quote("clamav.state", idle),)
        return Verdict(Result.FAIL, "unfinished", Method.OBSERVED, {"logs": [*idle]}, quotes)
    if planned:
        names: Value = [j.job.name for j in planned]
        lines = tuple(Quote(j.job.read, (j.job.line,), j.job.path) for j in planned)
        part = all(j.scope == "part" for j in planned)
        return Verdict(
            Result.FAIL, "part_only" if part else "no_record", Method.OBSERVED, {"jobs": names},
            lines,
        )  # fmt: skip
    return Verdict(Result.FAIL, "never", Method.OBSERVED, evidence=(Quote("clamav.state"),))


def _of_products(facts: Facts, ids: set[str]) -> list[Scan]:
    found = []
    if "antiy" in ids and (scan := antiy_scan(facts.capture)):
        found.append(scan)
    state = facts.get(defender) if "defender" in ids else None
    for one in state.scans if state else ():
        line = f"{'full' if one.full else 'quick'} {one.ended:%Y-%m-%d %H:%M} UTC"
        scope: Scope = "full" if one.full else "part"
        found.append(Scan("defender", one.ended, scope, one.threats, "defender.state", line))
    return found


def _verdict(result: Result, reason: str, scan: Scan, clock: Clock, days: timedelta) -> Verdict:
    values: dict[str, Value] = {
        "ended": scan.ended.strftime("%Y-%m-%d %H:%M UTC"),
        "days": max(0, (clock.now - scan.ended).days),
        "found": scan.found or 0,
        "unread": scan.unread,
        "where": scan.line,
    }
    until = scan.ended + days if result is Result.PASS else None
    return Verdict(
        result, reason, Method.OBSERVED, values, (Quote(scan.read, (scan.line,)),), until
    )


def _rank(scan: Scan) -> tuple[datetime, int, int]:
    """The latest; of one scan told twice, the telling that counts what was found, or not read."""
    return scan.ended.replace(second=0), scan.found or 0, scan.unread
