"""logging.retention_observed: the records themselves go back six calendar months."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collector.facts.logs.gaps import strangers
from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.model.families import NAMES
from collector.facts.logs.model.file_names import age_rank
from collector.facts.logs.model.shapes import Look
from collector.facts.logs.retention import Retention, retention
from collector.facts.logs.written.kept import kept_logs
from collector.judges.predicates import months_after
from collector.judges.retention import Observed, observed
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

# a log that was written to this lately is in use
_LIVE = timedelta(days=31)
# what libwtmpdb writes on Debian 13 whether or not the program that reads it is installed
_WTMPDB = re.compile(r"/wtmp\.db$")


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the records of one family show, and the files that decide it, if some do."""

    found: Observed
    paths: tuple[str, ...] = ()


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """By the times inside the records; the times of files are never believed."""
    months, wanted = parameters.integer("months"), parameters.strings("families")
    short = _judged(facts.get(retention), wanted, clock, months)
    if short.result is Result.FAIL and short.reason.startswith("too_short"):
        # so it is whoever writes it
        return short
    return _judged(facts.get(kept_logs), wanted, clock, months)


def _judged(known: Retention, wanted: Sequence[str], clock: Clock, months: int) -> Verdict:
    asked = [log for log in known.logs if log.family in wanted and not log.copy]
    families: dict[str, list[LogKept]] = {}
    for log in asked:
        if not log.unseen and not log.holder:
            families.setdefault(log.family, []).append(log)
    seen: dict[str, _Seen] = {}
    unlooked: dict[str, _Seen] = {}
    renamed: dict[str, _Seen] = {}
    for family, logs in families.items():
        told = _family(logs, known, clock.now, months)
        if told is None:
            continue
        seen[family] = told
        if told.found.result in (Result.FAIL, Result.PARTIAL) and (hidden := _hidden(logs)):
            unlooked[family] = replace(told, paths=hidden)
        if told.found.result is Result.PASS and (files := _renamed(logs, known, clock.now, months)):
            renamed[family] = replace(told, paths=files)
    if not seen:
        return Verdict(Result.FAIL, "no_records", Method.OBSERVED)
    evidence = _quotes(families)
    last = max((n for logs in families.values() for log in logs if (n := log.newest)), default=None)
    if last is not None and months_after(last, months + 1) < clock.now:
        # of the last six months nothing is there at all, however far back the rest goes
        values = {**_values(seen, known), "last": f"{last:%Y-%m-%d}"}
        return Verdict(Result.ERROR, "stopped", Method.OBSERVED, values, evidence)
    sure = {name: s for name, s in seen.items() if name not in unlooked}
    for result in (Result.FAIL, Result.ERROR):
        if told_of := {n: s for n, s in sure.items() if s.found.result is result}:
            reason = "no_time_found"
            if result is Result.FAIL:
                reason = "too_short" if known.since else "too_short_age_unknown"
            values = _values(told_of, known)
            return Verdict(result, reason, Method.OBSERVED, values, evidence)
    if unlooked:
        return _not_looked(unlooked, known, evidence)
    if doubtful := [log for log in asked if _doubtful(log, known, clock.now, months)]:
        return _unexamined(doubtful)
    if renamed:
        values = _values(renamed, known)
        return Verdict(Result.PARTIAL, "another_name", Method.OBSERVED, values, evidence)
    if young := {n: s for n, s in sure.items() if s.found.result is Result.PARTIAL}:
        full = max(s.found.full for s in young.values() if s.found.full is not None)
        values = {**_values(young, known), "date": f"{full:%Y-%m-%d}"}
        return Verdict(Result.PARTIAL, "young", Method.OBSERVED, values, evidence)
    return Verdict(Result.PASS, "six_months", Method.OBSERVED, _values(seen, known), evidence)


def _not_looked(
    unlooked: dict[str, _Seen], known: Retention, evidence: tuple[Quote, ...]
) -> Verdict:
    of_wtmpdb = all(_WTMPDB.search(p) for s in unlooked.values() for p in s.paths)
    reason = "wtmpdb_not_read" if of_wtmpdb else "not_looked_at"
    return Verdict(Result.ERROR, reason, Method.OBSERVED, _values(unlooked, known), evidence)


def _doubtful(log: LogKept, known: Retention, now: datetime, months: int) -> bool:
    """Nobody looked at it; or a program has it that nobody knows, and it does not go back."""
    if not log.holder:
        return log.unseen
    seen = observed([log], known, now, months)
    young = seen is not None and seen.result is Result.PARTIAL and log.known
    return seen is None or not (young or seen.result is Result.PASS)


def _unexamined(logs: list[LogKept]) -> Verdict:
    values: dict[str, Value] = {
        "logs": [f"{log.path} ({log.why.en})" for log in logs],
        "logs_zh": [f"{log.path}（{log.why.zh}）" for log in logs],
        "unexamined": [log.path for log in logs],
    }
    quotes = tuple(Quote(read, (line,), path) for log in logs for read, line, path in log.quotes)
    return Verdict(Result.ERROR, "unexamined", Method.OBSERVED, values, quotes)


def _family(logs: list[LogKept], known: Retention, now: datetime, months: int) -> _Seen | None:
    """All logs of the family together; one that is in use and was surely cut short counts alone."""
    found = observed(logs, known, now, months)
    if found is None or found.result is not Result.PASS:
        return None if found is None else _Seen(found)
    for log in logs:
        alone = observed([log], known, now, months)
        live = log.newest is not None and now - log.newest <= _LIVE
        if log.removed and live and alone is not None and alone.result is Result.FAIL:
            return _Seen(alone, (log.path,))
    return _Seen(found)


def _hidden(logs: Sequence[LogKept]) -> tuple[str, ...]:
    """Files that nobody looked into and that may be older than what was seen of their log."""
    hidden = []
    for log in logs:
        ranks = [age_rank(f.path) for f in log.files if f.first is not None]
        for file in log.files:
            closed = file.look is Look.NONE and file.size > 0
            if closed and (not ranks or age_rank(file.path) >= max(ranks)):
                hidden.append(file.path)
    return tuple(hidden)


def _renamed(
    logs: Sequence[LogKept], known: Retention, now: datetime, months: int
) -> tuple[str, ...]:
    """The files of another host's name without which the family would not go back six months."""
    named, without = list[str](), list[LogKept]()
    for log in logs:
        others = strangers(log.files)[0]
        firsts = [f.first for f in log.files if f.first and f.path not in others]
        named += others
        without.append(replace(log, oldest=min(firsts, default=None)) if others else log)
    if not named:
        return ()
    left = observed(without, known, now, months)
    return () if left is not None and left.result is Result.PASS else tuple(named)


def _values(told: dict[str, _Seen], known: Retention) -> dict[str, Value]:
    return {
        "families": [_shown(name, s, "no record") for name, s in told.items()],
        "families_zh": [_shown(NAMES.get(name, name), s, "无记录") for name, s in told.items()],
        "since": f"{known.since:%Y-%m-%d}" if known.since else "?",
        "evidence": known.evidence,
        "evidence_zh": known.evidence_zh,
    }


def _shown(family: str, seen: _Seen, nothing: str) -> str:
    oldest = seen.found.oldest
    paths = f" ({', '.join(seen.paths[:6])}{' …' if len(seen.paths) > 6 else ''})"
    return f"{family} {f'{oldest:%Y-%m-%d}' if oldest else nothing}{paths if seen.paths else ''}"


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
