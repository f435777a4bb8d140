"""intrusion.file_integrity: files are compared with a baseline of strong digests, every day."""

from __future__ import annotations

from datetime import timedelta

from collector.errors import CouldNotLook
from collector.facts.security.file_integrity import Baseline, integrity
from collector.i18n.message import msg
from collector.judges.predicates import past
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_ZH = {"added": "新增", "removed": "删除", "changed": "改动"}
_ORDER = (Result.PASS, Result.PARTIAL, Result.ERROR, Result.FAIL)


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """The best-kept baseline counts; what it found and nobody accepted is told."""
    limit = timedelta(hours=parameters.integer("hours"))
    verdicts = [_of(known, limit, clock) for known in facts.get(integrity)]
    if not verdicts:
        return Verdict(Result.FAIL, "none", Method.OBSERVED, evidence=(Quote("detectors.state"),))
    return min(verdicts, key=lambda v: _ORDER.index(v.result))


def _of(known: Baseline, limit: timedelta, clock: Clock) -> Verdict:
    values: dict[str, Value] = {
        "tool": known.tool,
        "made": known.made.strftime("%Y-%m-%d"),
        "checked": known.checked.strftime("%Y-%m-%d %H:%M UTC") if known.checked else "",
        "changes": known.changes or 0,
    }
    evidence = (Quote("detectors.state", known.lines, known.path),)
    if known.checked is None:
        return Verdict(Result.FAIL, "unchecked", Method.OBSERVED, values, evidence)
    if clock.now - past(known.checked, clock, "detectors.state") > limit:
        return Verdict(Result.FAIL, "stale", Method.OBSERVED, values, evidence)
    if known.renewed:
        values["job"] = known.renewed
        return Verdict(Result.FAIL, "renewed", Method.OBSERVED, values, evidence)
    if known.open_to:
        values["where"] = known.open_to
        return Verdict(Result.FAIL, "open_database", Method.OBSERVED, values, evidence)
    if known.strong is None:
        return Verdict(Result.ERROR, "digest_unknown", Method.OBSERVED, values, evidence)
    if not known.strong:
        return Verdict(Result.PARTIAL, "weak", Method.OBSERVED, values, evidence)
    if known.changes and known.made <= known.checked:
        return Verdict(Result.PARTIAL, "changed", Method.OBSERVED, values, evidence)
    if known.kinds and known.made <= known.checked:
        values |= {"kinds": [*known.kinds], "kinds_zh": [_ZH[kind] for kind in known.kinds]}
        return Verdict(Result.PARTIAL, "differs", Method.OBSERVED, values, evidence)
    if known.left_out is None:
        raise CouldNotLook("detectors.state", msg("not_collected_baseline_holds", path=known.path))
    if known.left_out:
        values["folders"] = [*known.left_out]
        return Verdict(Result.FAIL, "narrow", Method.OBSERVED, values, evidence)
    # a digest of some other rule than the system's proves nothing
    if known.tool == "aide" and (known.modes is None or known.counted is None):
        raise CouldNotLook("detectors.state", msg("not_collected_baseline_modes", path=known.path))
    until = known.checked + limit
    return Verdict(Result.PASS, "checked", Method.OBSERVED, values, evidence, until)
