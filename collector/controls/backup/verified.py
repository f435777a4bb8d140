"""backup.verified: each important store's backup was found readable not long ago."""

from __future__ import annotations

from datetime import datetime, timedelta

from collector.facts.backup.coverage import cover, nothing_hidden
from collector.facts.backup.verification import Verification, verification
from collector.facts.data.inventory import inventory
from collector.facts.scheduling.jobs import called
from collector.facts.system.processes import processes
from collector.judges.predicates import attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Text, Value, Verdict

_CONTROL = "backup.verified"
# in the order in which one is told before the other
_FAILS = ("failed", "old", "never", "no_backup")
_ERRORS = ("hidden", "untold")
_WORDS = {
    "failed": Text("最近一次校验失败", "the newest check failed"),
    "old": Text("校验已过期", "checked too long ago"),
    "never": Text("从未校验", "never checked"),
    "no_backup": Text("没有备份", "no backup"),
    "hidden": Text("不让失败显露", "written not to show a failure"),
    "untold": Text("看不出结果", "how it ended cannot be told"),
}


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """One store whose backup was not checked fails the host, even beside others."""
    known = inventory(facts)
    if known is None:
        return Verdict(Result.NOTCHECKED, "no_inventory")
    wanted = [s for s in known.stores if s.important]
    if not wanted:
        return Verdict(Result.NOTAPPLICABLE, "none_important", Method.ATTESTED)
    age = timedelta(days=parameters.integer("days"))
    said: dict[str, list[Text]] = {}
    quotes: list[Quote] = []
    values: dict[str, Value]
    until: list[datetime] = []
    for store in wanted:
        found = verification(facts, cover(facts, store), clock.now, age)
        quotes += found.quotes
        # somebody answers for a backup that the host cannot see
        unseen = found.state == "no_backup" and "backup" in store.attested
        state = "untold" if unseen else found.state
        said.setdefault(state, []).append(_say(store.label, found, clock))
        if found.state == "verified" and found.when is not None:
            until.append(found.when + age)
    if {"never", "no_backup"} & set(said):
        nothing_hidden(facts.get(called), facts.get(processes))
    shown = tuple(dict.fromkeys(quotes))
    days = parameters.integer("days")
    for result, states in ((Result.FAIL, _FAILS), (Result.ERROR, _ERRORS)):
        met = [s for s in states if s in said]
        if not met:
            continue
        attestation = attested(facts, _CONTROL, clock) if result is Result.ERROR else None
        if attestation is not None:
            told: dict[str, Value] = {"by": attestation.by, "statement": attestation.statement}
            evidence = (*shown, attestation.quote)
            ends = min([attestation.until, *until])
            return Verdict(Result.PASS, "attested", Method.ATTESTED, told, evidence, ends)
        reason = met[0] if len(met) == 1 or result is Result.ERROR else "several"
        words = _WORDS if len(met) > 1 else {}
        names = [_after(words.get(s), n) for s in met for n in said[s]]
        values = {**_named(names), "days": days}
        return Verdict(result, reason, Method.OBSERVED, values, shown)
    if "unopened" in said:
        values = {**_named(said["unopened"]), "days": days}
        return Verdict(Result.PARTIAL, "unopened", Method.OBSERVED, values, shown)
    values = {**_named(said["verified"]), "count": len(wanted)}
    return Verdict(Result.PASS, "verified", Method.OBSERVED, values, shown, min(until))


def _after(word: Text | None, name: Text) -> Text:
    return Text(f"{word.zh}：{name.zh}", f"{word.en}: {name.en}") if word else name


def _named(names: list[Text]) -> dict[str, Value]:
    return {"stores": [n.en for n in names], "stores_zh": [n.zh for n in names]}


def _say(label: str, found: Verification, clock: Clock) -> Text:
    zh, en = ([x] if x else [] for x in (found.why_zh or found.why, found.why))
    if found.when is not None:
        days = (clock.now - found.when).days
        zh.append(f"{found.when:%Y-%m-%dT%H:%MZ}，距今 {days} 天")
        en.append(f"{found.when:%Y-%m-%dT%H:%MZ}, {days} days ago")
    return Text(
        f"{label}（{'；'.join(zh)}）" if zh else label, f"{label}: {'; '.join(en)}" if en else label
    )
