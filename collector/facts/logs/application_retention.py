"""A log after what its own program does with old files, whatever logrotate would keep."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from collector.facts.logs.applications.models import AppRule
from collector.facts.logs.files import LogFile
from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.size_limits import at_rate
from collector.model import Text

_DAY = 86400
# a text log is packed to a tenth of its size, or less
_PACKING = 10


def rule_of(path: str, rules: Iterable[AppRule]) -> AppRule | None:
    """The first rule that has the file."""
    return next((rule for rule in rules if rule.has(path)), None)


def name_of(rule: AppRule, present: Collection[str]) -> str:
    """What the log is called: its live file where that is there, else the glob of its files."""
    bare = rule.log.removesuffix("*")
    return next((name for name in (bare, bare.rstrip(".-_")) if name in present), rule.log)


def ruled(log: LogKept, rule: AppRule, files: Sequence[LogFile], now: datetime) -> LogKept:
    """The log under both its own program's rule and what was known before."""
    size = sum(max(f.size, 0) for f in files)
    by_size = at_rate(rule.room, size, log.oldest, now) if rule.room is not None else None
    if rule.room == 0:
        by_size = 0
    known = rule.known and (rule.room is None or by_size is not None)
    known = known and _fits(rule, files, size, log.oldest, now)
    limits = [n for n in (rule.days, by_size) if n is not None]
    family = rule.family if rule.family == "other" or log.family == "other" else log.family
    changed = replace(
        log,
        family=family or log.family,
        quotes=(*log.quotes, (rule.read, rule.line, rule.path)),
        removed=log.removed or bool(limits) or not known,
    )
    before = log.least if log.known else log.most
    if known and not limits:
        # the program itself removes nothing: what else does decides
        why = rule.why if log.known and log.least is None and not log.removed else log.why
        return replace(changed, why=why)
    least = min((n for n in (*limits, before) if n is not None), default=None)
    tighter = before is None or (least is not None and least < before) or not known
    why = rule.why if tighter else log.why
    if not known:
        why = Text(f"{why.zh}，由大小决定或无法推算", f"{why.en}: size decides, or it is not clear")
        return replace(changed, least=None, known=False, most=least, floor=0, why=why)
    if by_size is not None and least == by_size:
        why = Text(f"{why.zh}，按观察到的增长速度", f"{why.en}, at the rate observed")
    if log.known:
        return replace(changed, least=least, why=why)
    floor = min((n for n in (*limits, log.floor) if n is not None), default=None)
    return replace(changed, most=least, floor=floor, why=why)


def _fits(
    rule: AppRule, files: Sequence[LogFile], size: int, oldest: datetime | None, now: datetime
) -> bool:
    """Does what is written in one period stay below what it is overwritten at?"""
    if rule.window is None:
        return True
    days = (now - oldest).total_seconds() / _DAY if oldest else 0.0
    if days < 1:
        return False
    packing = _PACKING if any(f.packed for f in files) else 1
    return size / days * rule.period * packing < rule.window


def held_open(log: LogKept, files: Sequence[LogFile], opened: Collection[str]) -> LogKept:
    """A log that a Java program writes, of whose own rotation nothing was found: not known."""
    if not any(f.path in opened for f in files) or not log.known or log.least is not None:
        return log
    why = Text(
        f"{log.why.zh}，但由 Java 程序写入，未找到其自身的轮转配置（可能在 jar 内）",
        f"{log.why.en}, but a Java program writes it, whose own rotation was not found"
        " (it may lie inside a jar)",
    )
    return replace(log, known=False, why=why)
