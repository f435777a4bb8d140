"""logging.record_fields: records tell when, who, what, with what result, and from where."""

from __future__ import annotations

from collections import Counter

from collector.facts.logs.records.fields import Checked, checked
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_READ = "record_samples.lines"
_FAMILIES = {
    "login": ("登录", "logins"),
    "audit": ("审计", "audit"),
    "web": ("Web访问", "web access"),
    "syslog": ("系统日志", "syslog"),
}
_FIELDS = {
    "time": ("时间", "time"),
    "subject": ("主体", "subject"),
    "type": ("类型", "type"),
    "result": ("结果", "result"),
    "address": ("来源地址", "source address"),
}
_SHOWN = 2


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Each family by itself: many good records of one do not make up for another's."""
    del clock
    found = facts.get(checked)
    by: dict[str, list[Checked]] = {}
    for record in found:
        by.setdefault(record.family, []).append(record)
    if not by.get("login") and not by.get("audit"):
        return Verdict(Result.ERROR, "no_records", Method.OBSERVED)
    short = {
        name: [r for r in held if r.missing]
        for name, held in by.items()
        if sum(not r.missing for r in held) * 100 < parameters.integer("percent") * len(held)
    }
    if short:
        return _short(by, short)
    values: dict[str, Value] = {
        "counts": ", ".join(f"{_FAMILIES[n][1]} {len(by[n])}" for n in _FAMILIES if n in by),
        "counts_zh": "、".join(f"{_FAMILIES[n][0]}{len(by[n])}条" for n in _FAMILIES if n in by),
    }
    quotes = [
        Quote(_READ, tuple(r.line for r in held[-_SHOWN:]), held[-1].path) for held in by.values()
    ]
    return Verdict(Result.PASS, "complete", Method.OBSERVED, values, tuple(quotes))


def _short(by: dict[str, list[Checked]], short: dict[str, list[Checked]]) -> Verdict:
    zh, en, quotes = [], [], []
    for name, lacking in short.items():
        fields = [f for f, _ in Counter(f for r in lacking for f in r.missing).most_common()]
        total = len(by[name])
        named = "、".join(_FIELDS[f][0] for f in fields)
        zh.append(f"{_FAMILIES[name][0]}{total}条中{len(lacking)}条缺{named}")
        en.append(
            f"{_FAMILIES[name][1]}: {len(lacking)} of {total} lack "
            f"{', '.join(_FIELDS[f][1] for f in fields)}"
        )
        quotes.append(Quote(_READ, tuple(r.line for r in lacking[-_SHOWN:]), lacking[-1].path))
    values: dict[str, Value] = {"lacking_zh": "；".join(zh), "lacking": "; ".join(en)}
    return Verdict(Result.FAIL, "incomplete", Method.OBSERVED, values, tuple(quotes))
