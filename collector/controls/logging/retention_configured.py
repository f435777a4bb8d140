"""logging.retention_configured: what is configured keeps every log family six months."""

from __future__ import annotations

from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.retention import retention
from collector.facts.logs.written.kept import kept_logs
from collector.judges.retention import configured, days, surely, unexamined
from collector.model import Clock, Facts, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Logs that no rule removes are kept; so are all of them where nothing runs logrotate."""
    need, wanted = parameters.integer("days"), parameters.strings("families")
    # what is too short is so whoever writes it
    for known in (facts.get(retention), facts.get(kept_logs)):
        logs = [log for log in known.logs if log.family in wanted and not log.copy]
        short = [x for x in logs if configured(x, need) is Result.FAIL and not x.holder]
        if short:
            return _short(short, need)
    if not logs:
        return Verdict(Result.FAIL, "no_logs")
    doubtful = [log for log in logs if unexamined(log, need, clock.now)]
    unknown = [x for x in logs if configured(x, need) is Result.ERROR and not _foreign(x)]
    for reason, those in (("size_decides", unknown), ("unexamined", doubtful)):
        if those:
            return _doubt(reason, those)
    bounded = [n for n in map(surely, logs) if n is not None]
    if known.idle:
        last = f"{known.last_run:%Y-%m-%d}" if known.last_run else ""
        values: dict[str, Value] = {
            "count": len(logs),
            "runner": known.runner,
            "last": last or "never",
            "last_zh": last or "从未运行",
        }
        return Verdict(Result.PASS, "not_run", values=values, evidence=_quotes(logs))
    if not bounded:
        reason = "never_removed" if known.runner else "nothing_rotates"
        return Verdict(Result.PASS, reason, values={"count": len(logs)}, evidence=_quotes(logs))
    return Verdict(
        Result.PASS,
        "kept",
        values={"count": len(logs), "least": min(bounded), "need": need},
        evidence=_quotes(logs),
    )


def _short(short: list[LogKept], need: int) -> Verdict:
    shown = sorted(short, key=lambda log: days(log) or 0)
    values: dict[str, Value] = {
        "logs": [f"{log.path} ({days(log)} d)" for log in shown],
        "logs_zh": [f"{log.path}（{days(log)} 天）" for log in shown],
        "need": need,
    }
    return Verdict(Result.FAIL, "short", values=values, evidence=_quotes(shown))


def _doubt(reason: str, logs: list[LogKept]) -> Verdict:
    values: dict[str, Value] = {
        "logs": [f"{log.path} ({log.why.en})" for log in logs],
        "logs_zh": [f"{log.path}（{log.why.zh}）" for log in logs],
    }
    if reason == "unexamined":
        values["unexamined"] = [log.path for log in logs]
    return Verdict(Result.ERROR, reason, values=values, evidence=_quotes(logs))


def _foreign(log: LogKept) -> bool:
    return log.unseen or bool(log.holder)


def _quotes(logs: list[LogKept]) -> tuple[Quote, ...]:
    """Each place once, with its lines."""
    lines: dict[tuple[str, str], list[str]] = {}
    for log in logs:
        for read, line, path in log.quotes:
            found = lines.setdefault((read, path), [])
            if line not in found:
                found.append(line)
    return tuple(Quote(read, tuple(found), path) for (read, path), found in lines.items())
