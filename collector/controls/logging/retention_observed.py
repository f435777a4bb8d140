"""logging.retention_observed: the records themselves go back six calendar months."""

from __future__ import annotations

from collector.controls.logging.keeping import Observed, observed
from collector.facts.log_families import NAMES
from collector.facts.log_kept import LogKept
from collector.facts.retention import retention
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """By the times inside the records; the times of files are never believed."""
    known, months = facts.get(retention), parameters.integer("months")
    seen: dict[str, Observed] = {}
    families: dict[str, list[LogKept]] = {}
    for log in known.logs:
        if log.family in parameters.strings("families") and not log.copy:
            families.setdefault(log.family, []).append(log)
    for family, logs in families.items():
        if found := observed(logs, known, clock.now, months):
            seen[family] = found
    worst = _first(seen, Result.FAIL) or _first(seen, Result.ERROR) or _first(seen, Result.PARTIAL)
    if not seen:
        return Verdict(Result.FAIL, "no_records", Method.OBSERVED)
    told = {name: o for name, o in seen.items() if worst in (None, o.result)}
    values: dict[str, Value] = {
        "families": [_shown(name, o, "no record") for name, o in told.items()],
        "families_zh": [_shown(NAMES.get(name, name), o, "无记录") for name, o in told.items()],
        "since": f"{known.since:%Y-%m-%d}" if known.since else "?",
        "evidence": known.evidence,
        "evidence_zh": known.evidence_zh,
    }
    evidence = _quotes(families)
    if worst is Result.FAIL:
        reason = "too_short" if known.since else "too_short_age_unknown"
        return Verdict(worst, reason, Method.OBSERVED, values, evidence)
    if worst is Result.ERROR:
        return Verdict(worst, "no_time_found", Method.OBSERVED, values, evidence)
    if worst is Result.PARTIAL:
        full = max(o.full for o in seen.values() if o.full is not None)
        values["date"] = f"{full:%Y-%m-%d}"
        return Verdict(worst, "young", Method.OBSERVED, values, evidence)
    return Verdict(Result.PASS, "six_months", Method.OBSERVED, values, evidence)


def _first(seen: dict[str, Observed], result: Result) -> Result | None:
    return result if any(o.result is result for o in seen.values()) else None


def _shown(family: str, found: Observed, nothing: str) -> str:
    return f"{family} {found.oldest:%Y-%m-%d}" if found.oldest else f"{family} {nothing}"


def _quotes(families: dict[str, list[LogKept]]) -> tuple[Quote, ...]:
    """The oldest record of each family, as it stands in its file."""
    quotes = []
    for logs in families.values():
        dated = [(log.oldest, log.held, log.raw) for log in logs if log.oldest]
        if dated:
            _, path, raw = min(dated)
            read = "journald.held" if path == "/var/log/journal" else "log_files.times"
            quotes.append(Quote(read, (raw,), path))
    return tuple(quotes)
