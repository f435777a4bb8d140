"""intrusion.rootkit_scan: somebody looked for rootkits lately, and nothing is left unexplained."""

from __future__ import annotations

from datetime import timedelta

from collector.errors import CouldNotLook
from collector.facts.security.rootkits import RootkitScan, rootkits
from collector.i18n.message import msg
from collector.judges.predicates import past
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What any tool found lately outweighs what another did not see; old looks say nothing."""
    scans = facts.get(rootkits)
    if not scans:
        return Verdict(Result.FAIL, "none", Method.OBSERVED, evidence=(Quote("detectors.state"),))
    days = timedelta(days=parameters.integer("days"))
    recent = [s for s in scans if clock.now - past(s.ended, clock, "detectors.state") <= days]
    if not recent:
        return _verdict(Result.FAIL, "stale", max(scans, key=lambda s: s.ended), clock)
    infected = [s for s in recent if s.hits]
    if infected:
        return _verdict(Result.FAIL, "found", infected[0], clock)
    warned = [s for s in recent if s.warnings]
    if warned:
        return _verdict(Result.PARTIAL, "warnings", warned[0], clock)
    accepted = [s for s in recent if s.accepted]
    if accepted:
        return _verdict(Result.PARTIAL, "accepted", accepted[0], clock)
    known = [s for s in recent if s.hits is not None]
    if not known:
        return _verdict(Result.PARTIAL, "manager", recent[0], clock)
    whole = [s for s in known if s.tests_off == ()]
    if not whole:
        last = max(known, key=lambda s: s.ended)
        if last.tests_off is None:
            raise CouldNotLook("detectors.state", msg("not_collected_tests", path=last.path))
        return _verdict(Result.FAIL, "tests_off", last, clock)
    last = max(whole, key=lambda s: s.ended)
    return _verdict(Result.PASS, "clean", last, clock, days)


def _verdict(
    result: Result, reason: str, scan: RootkitScan, clock: Clock, days: timedelta | None = None
) -> Verdict:
    warnings = scan.warnings or scan.accepted
    values: dict[str, Value] = {
        "tool": scan.tool,
        "ended": scan.ended.strftime("%Y-%m-%d %H:%M UTC"),
        "days": max(0, (clock.now - scan.ended).days),
        "found": scan.hits or 0,
        "count": len(warnings),
        "tests": [*(scan.tests_off or ())],
        "first": warnings[0] if warnings else "",
    }
    evidence = (Quote("detectors.state", (scan.line, *warnings), scan.path),)
    until = scan.ended + days if days else None
    return Verdict(result, reason, Method.OBSERVED, values, evidence, until)
