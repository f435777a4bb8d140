"""logging.drops: neither the kernel's audit, nor journald, nor the syslog daemon lost records."""

from __future__ import annotations

from datetime import timedelta

from collector.errors import CouldNotLook
from collector.facts.logs.audit.status import audit
from collector.facts.logs.journald.events import journal_events
from collector.facts.logs.journald.journal import journald
from collector.facts.logs.syslog.losses import Drop, drops, since
from collector.facts.system.os_release import platform
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Text, Value, Verdict

CONTROL = "logging.drops"
_FULL = 90


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """What was lost, by whom; a container's audit is its host's. Attested losses are explained."""
    start = clock.now - timedelta(days=parameters.integer("days"))
    lost: list[Text] = []
    quotes: list[Quote] = []
    _audit(facts, lost, quotes)
    _journal(facts, parameters, clock, lost, quotes)
    found = since(facts.get(drops), start)
    if found:
        lost.append(_syslog(found))
        quotes.append(Quote("drops.syslog", tuple(d.line for d in found[-20:])))
    values: dict[str, Value] = {
        "days": parameters.integer("days"),
        "lost": [text.en for text in lost],
        "lost_zh": [text.zh for text in lost],
    }
    if not lost:
        return Verdict(Result.PASS, "none_lost", Method.OBSERVED, values, tuple(quotes))
    answer = attested(facts, CONTROL, clock)
    if answer is None:
        return Verdict(Result.FAIL, "lost", Method.OBSERVED, values, tuple(quotes))
    values["by"] = f"{answer.by}: {answer.statement}"
    told = (*quotes, answer.quote)
    return Verdict(Result.PASS, "explained", Method.ATTESTED, values, told, answer.until)


def _audit(facts: Facts, lost: list[Text], quotes: list[Quote]) -> None:
    known = facts.get(audit)
    status = known.status
    if status is None:
        if known.tool and not facts.get(platform).container:
            raise CouldNotLook("audit.status", known.refused)
        return
    quotes.append(Quote("audit.status", status.lines))
    if status.lost > 0:
        lost.append(
            Text(f"内核审计启动以来丢失 {status.lost} 条", f"audit: {status.lost} since boot")
        )
    if 0 < status.backlog_limit * _FULL <= status.backlog * 100:
        full = f"{status.backlog}/{status.backlog_limit}"
        lost.append(Text(f"审计积压将满（{full}）", f"audit: the backlog is nearly full ({full})"))
    if known.setting("max_log_file_action", "rotate") == "suspend":
        line = "max_log_file_action = suspend"
        lost.append(Text(f"审计日志写满后停止记录（{line}）", f"audit: stops at its size ({line})"))
        quotes.append(Quote("audit.config", (line,), "/etc/audit/auditd.conf"))


def _journal(
    facts: Facts, parameters: Parameters, clock: Clock, lost: list[Text], quotes: list[Quote]
) -> None:
    start = clock.now - timedelta(days=parameters.integer("days"))
    told = [e for e in facts.get(journal_events) if e.at >= start]
    dropped = [e for e in told if e.kind in ("dropped", "missed")]
    limits = facts.get(journald).limits
    if limits:
        quotes.append(Quote("journald.config", limits))
    if dropped:
        count = sum(max(e.count, 1) for e in dropped)
        lost.append(
            Text(f"journald 丢弃 {count} 条（{len(dropped)} 次）", f"journald: {count} messages")
        )
        quotes.append(Quote("journal.events", tuple(e.line for e in dropped[-20:])))


def _syslog(found: tuple[Drop, ...]) -> Text:
    """Counters only ever grow: of each the highest counts, not the sum."""
    said = sum(d.count for d in found if d.kind == "lost")
    kinds = {(d.path, d.kind) for d in found if d.kind != "lost"}
    count = said + sum(max(d.count for d in found if (d.path, d.kind) == kind) for kind in kinds)
    return Text(f"系统日志进程丢弃 {count} 条", f"syslog daemon: {count} messages")
