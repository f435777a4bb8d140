"""logging.no_gaps: nothing is missing between the oldest record of six months and now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from collector.facts.logs.gaps import Gap, Gaps, LogGaps, gaps
from collector.judges.predicates import months_after, past
from collector.model import (
    Clock,
    Facts,
    Method,
    Parameters,
    Quote,
    Result,
    Scalar,
    Value,
    Verdict,
)

_DAY = timedelta(days=1)
_SHOWN = 12


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """By the logs that any running host writes to; what was not looked at is never unbroken."""
    known = facts.get(gaps)
    now = facts.capture.collected_at or clock.now
    start = months_after(now, -parameters.integer("months"))
    general = known.general
    if not general:
        return Verdict(Result.FAIL, "no_steady_log", Method.OBSERVED)
    firsts = [log.first for log in general if log.first is not None]
    if not firsts:
        values: dict[str, Value] = {"logs": [log.path for log in general]}
        return Verdict(Result.ERROR, "no_time_found", Method.OBSERVED, values)
    since = max(start, past(min(firsts), Clock(now), "log_files.times"))
    holes = known.holes(general, since, now)
    certain = [*known.certain(general, since, now), *_of_audit(known, start)]
    missing = [(log, g) for log in known.logs.values() for g in log.unexplained if g.missing]
    found = [_span(g) for g in certain if not g.explained_by]
    found += [f"{g.missing} {_span(g)}" for _, g in missing if g.end > start]
    evidence = _quotes([*general, *known.audit])
    if found:
        return Verdict(Result.FAIL, "gaps", Method.OBSERVED, {"gaps": _few(found)}, evidence)
    unlooked = [h for h in holes if not h.explained_by and h not in certain]
    if unlooked:
        paths = dict.fromkeys(p for log in general for u in log.unseen for p in u.paths)
        values = {"stretches": _few(map(_span, unlooked)), "files": _few(paths)}
        return Verdict(Result.ERROR, "not_looked_at", Method.OBSERVED, values, evidence)
    if off := [h for h in holes if h.explained_by == "boot"]:
        values = {"gaps": _few(map(_span, off))}
        return Verdict(Result.PARTIAL, "off_unrecorded", Method.OBSERVED, values, evidence)
    steady = (*general, *known.audit)
    if foreign := [path for log in steady for path in log.foreign]:
        values = {"files": _few(foreign)}
        return Verdict(Result.PARTIAL, "foreign", Method.OBSERVED, values, evidence)
    back = [b for log in steady for b in log.backwards if b[0] - b[1] > _DAY and b[0] > start]
    if back:
        values = {"places": _few(f"{path} {_time(a)} > {_time(b)}" for a, b, path in back)}
        return Verdict(Result.PARTIAL, "out_of_order", Method.OBSERVED, values, evidence)
    explained = _few(map(_span, holes))
    values = {
        "since": f"{since:%Y-%m-%d}",
        "until": f"{now:%Y-%m-%d}",
        "logs": [log.path for log in general if log.spans],
        "explained": explained or ["none"],
        "explained_zh": explained or ["无"],
    }
    return Verdict(Result.PASS, "unbroken", Method.OBSERVED, values, evidence)


def _of_audit(known: Gaps, start: datetime) -> list[Gap]:
    """Holes inside the audit log; that it has stopped is another control's finding."""
    return [g for log in known.audit for g in log.gaps if g.end > start and not g.missing]


def _span(gap: Gap) -> str:
    days = (gap.end - gap.start) / _DAY
    return f"{_time(gap.start)} – {_time(gap.end)} ({days:.1f} d)"


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M}Z"


def _few(shown: Iterable[str]) -> list[Scalar]:
    listed = list(shown)
    rest = [f"… +{len(listed) - _SHOWN}"] if len(listed) > _SHOWN else []
    return [*listed[:_SHOWN], *rest]


def _quotes(logs: Sequence[LogGaps]) -> tuple[Quote, ...]:
    """The stretches of each log that hold together."""
    quotes = []
    for log in logs:
        read = "journal_days.days" if log.family == "journal" else "log_files.times"
        lines = [f"{_time(a)} – {_time(b)}" for a, b in log.spans]
        if lines:
            quotes.append(Quote(read, tuple(lines[-_SHOWN:]), log.path))
    return tuple(quotes)
