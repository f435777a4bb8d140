"""Are six months kept? By configuration, and by the records themselves.

Months are calendar months, ending on the corresponding day (民法典 200–202).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.retention import Retention
from collector.judges.predicates import months_after
from collector.model import Result, Text

# a host's first records may come this long after its first use
SETTLING = timedelta(days=7)


def days(log: LogKept) -> int | None:
    """The days that are sure, or that cannot be exceeded; None where nothing bounds them."""
    known = [n for n in (log.least if log.known else log.most, log.sure) if n is not None]
    return min(known, default=None)


def surely(log: LogKept) -> int | None:
    """The days that are kept at the least; None where nothing is ever removed."""
    return days(log) if log.known else log.floor


def configured(log: LogKept, need: int) -> Result:
    """PASS, FAIL, or ERROR where size decides and even the fastest growth does not settle it."""
    bound = days(log)
    if bound is not None and bound < need:
        return Result.FAIL
    enough = log.known or log.floor is None or log.floor >= need
    return Result.PASS if enough else Result.ERROR


def unexamined(log: LogKept, need: int, now: datetime) -> bool:
    """Can it not be told for how long the log is kept, for who writes it removes it by itself?

    What its own records go back to shows it all the same.
    """
    if log.unseen:
        return True
    if not log.holder or configured(log, need) is Result.PASS:
        return False
    return log.oldest is None or now - log.oldest < timedelta(days=need)


@dataclass(frozen=True, slots=True)
class Observed:
    """What the records show; `full` is when a PARTIAL will have six months."""

    result: Result
    oldest: datetime | None = None
    full: datetime | None = None


def observed(
    logs: Iterable[LogKept], known: Retention, now: datetime, months: int
) -> Observed | None:
    """Do these logs together go back six months? None where nothing was ever written.

    PARTIAL where the host, or the folder of these logs, is younger than that, and its records
    begin with it; ERROR where there are records but no time in them was understood.
    """
    logs = [log for log in logs if log.written]
    if not logs:
        return None
    dated = [log.oldest for log in logs if log.oldest is not None and log.least != 0]
    if not dated:
        lost = all(log.least == 0 for log in logs)
        return Observed(Result.FAIL if lost else Result.ERROR)
    oldest = min(dated)
    if oldest.date() <= months_after(now, -months).date():
        return Observed(Result.PASS, oldest)
    starts = [log.started for log in logs]
    folder = min((s for s in starts if s is not None), default=None) if all(starts) else None
    began = max((s for s in (known.since, folder) if s is not None), default=None)
    if began is None or began.date() <= months_after(now, -months).date():
        return Observed(Result.FAIL, oldest)
    if oldest - began > SETTLING and any(log.removed for log in logs):
        return Observed(Result.FAIL, oldest)
    # a folder that is younger than the records in it was copied: it excuses nothing
    if oldest < began and known.since and oldest - known.since > SETTLING and _filled(logs, now):
        return Observed(Result.FAIL, oldest)
    return Observed(Result.PARTIAL, oldest, months_after(oldest, months))


def _filled(logs: Iterable[LogKept], now: datetime) -> bool:
    """Does one of them go back as far as its rule lets it, and no further?"""
    return any(
        log.removed
        and log.oldest is not None
        and log.least is not None
        and now - log.oldest >= timedelta(days=log.least - 1)
        for log in logs
    )


def both(
    log: LogKept, known: Retention, now: datetime, need: int, months: int
) -> tuple[Result, Text]:
    """One log by its rule (`need` days) and by its records (`months`), with the reason."""
    rule, seen = configured(log, need), observed([log], known, now, months)
    why = log.why
    if rule is Result.FAIL:
        bound = days(log)
        why = Text(
            f"{why.zh}：至多保证 {bound} 天，须不少于 {need} 天",
            f"{why.en}: {bound} days are sure, {need} are needed",
        )
    if log.copy:
        # `retention_configured` leaves such a log out, and asks for the files
        same = Text(
            "同样的记录另存于日志文件，故不作要求，只看那些文件",
            "the same records are kept in files: not asked for, the files are",
        )
        why = Text(f"{why.zh}（{same.zh}）", f"{why.en} ({same.en})")
    if rule is Result.FAIL:
        return rule, why
    log = replace(log, why=why)
    if seen is None:
        return Result.PARTIAL, Text(f"{log.why.zh}；尚无记录", f"{log.why.en}; no record so far")
    if seen.result is Result.ERROR:
        return seen.result, Text(
            f"{log.why.zh}；未能识别其中记录的时间", f"{log.why.en}; no time in it was understood"
        )
    if seen.result is Result.FAIL:
        return seen.result, Text(
            f"{log.why.zh}；主机早于此启用，最早记录却不足六个月",
            f"{log.why.en}; the host is older, but its records do not go back six months",
        )
    if rule is Result.ERROR:
        result = Result.PARTIAL if seen.result is Result.PASS else Result.ERROR
        return result, Text(
            f"{log.why.zh}；无法推算天数",
            f"{log.why.en}; how many days that is cannot be told",
        )
    if seen.result is Result.PARTIAL and seen.full is not None:
        return seen.result, Text(
            f"{log.why.zh}；自启用起连续，至 {seen.full.date()} 满六个月",
            f"{log.why.en}; unbroken since first use, six months on {seen.full.date()}",
        )
    return seen.result, log.why
