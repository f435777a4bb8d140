"""backup.versions: each important store has several versions that reach back, one out of reach."""

from __future__ import annotations

from collector.facts.backup.coverage import cover, nothing_hidden
from collector.facts.backup.versions import Versions, Wanted, versions
from collector.facts.data.inventory import Store, inventory
from collector.facts.scheduling.jobs import called
from collector.facts.system.processes import processes
from collector.judges.file_cleaners import cleaners
from collector.judges.predicates import Attestation, attested
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Text, Value, Verdict

_CONTROL = "backup.versions"
_FAILS = ("pruned", "single", "few", "no_backup")
_PARTLY = ("young", "short", "mutable")
_WORDS = {
    "pruned": Text("保留设置太短", "the settings leave too little"),
    "single": Text("只有一个版本", "one version"),
    "few": Text("版本太少", "too few versions"),
    "no_backup": Text("没有备份", "no backup"),
    "young": Text("建立不久", "young"),
    "short": Text("差一点", "just short"),
    "mutable": Text("没有无法删改的一份", "none out of reach"),
}


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """An attestation stands for the copy that nobody can delete, and for what the host hides."""
    known = inventory(facts)
    if known is None:
        return Verdict(Result.NOTCHECKED, "no_inventory")
    wanted = [
        s for s in known.stores if s.important or (s.backup_wanted and s.keep_days is not None)
    ]
    if not wanted:
        return Verdict(Result.NOTAPPLICABLE, "none_important", Method.ATTESTED)
    attestation = attested(facts, _CONTROL, clock)
    count = parameters.integer("versions")
    said: dict[str, list[Text]] = {}
    quotes: list[Quote] = []
    for store in wanted:
        days = _days(store, parameters)
        found = versions(facts, cover(facts, store), Wanted(count, days, clock.now, cleaners))
        state: str = found.state
        if state == "no_backup" and "backup" in store.attested:
            state = "untold"
        if attestation is not None and state in ("mutable", "untold"):
            state = "attested"
        quotes += found.quotes
        said.setdefault(state, []).append(_say(store.label, found, days))
    if "no_backup" in said:
        nothing_hidden(facts.get(called), facts.get(processes))
    shown = tuple(dict.fromkeys(quotes))
    values: dict[str, Value] = {"versions": count, "days": parameters.integer("days")}
    for result, states in (
        (Result.FAIL, _FAILS),
        (Result.ERROR, ("untold",)),
        (Result.PARTIAL, _PARTLY),
    ):
        met = [s for s in states if s in said]
        if met:
            words = _WORDS if len(met) > 1 else {}
            values |= _named([_after(words.get(s), n) for s in met for n in said[s]])
            reason = met[0] if len(met) == 1 else _several(result)
            return Verdict(result, reason, Method.OBSERVED, values, shown)
    return _pass(said, values, shown, attestation)


def _several(result: Result) -> str:
    return "several" if result is Result.FAIL else "partly"


def _pass(
    said: dict[str, list[Text]],
    values: dict[str, Value],
    shown: tuple[Quote, ...],
    attestation: Attestation | None,
) -> Verdict:
    names = [n for part in said.values() for n in part]
    values |= {**_named(names), "count": len(names)}
    if "attested" in said and attestation is not None:
        values |= {"by": attestation.by, "statement": attestation.statement}
        shown = (*shown, attestation.quote)
        return Verdict(Result.PASS, "attested", Method.ATTESTED, values, shown, attestation.until)
    return Verdict(Result.PASS, "kept", Method.OBSERVED, values, shown)


def _days(store: Store, parameters: Parameters) -> int:
    """The inventory can only ask for more."""
    return max(parameters.integer("days"), store.keep_days or 0)


def _after(word: Text | None, name: Text) -> Text:
    return Text(f"{word.zh}：{name.zh}", f"{word.en}: {name.en}") if word else name


def _named(names: list[Text]) -> dict[str, Value]:
    return {"stores": [n.en for n in names], "stores_zh": [n.zh for n in names]}


def _say(label: str, found: Versions, days: int) -> Text:
    zh, en = ([found.why] if found.why else [] for _ in range(2))
    if found.count is not None:
        zh.append(f"{found.count} 个版本")
        en.append(f"{found.count} version{'' if found.count == 1 else 's'}")
    if found.oldest is not None:
        zh.append(f"最早 {found.oldest:%Y-%m-%d}")
        en.append(f"the oldest of {found.oldest:%Y-%m-%d}")
    if found.date is not None:
        zh.append(f"{found.date:%Y-%m-%d} 起满 {days} 天")
        en.append(f"{days} days on {found.date:%Y-%m-%d}")
    if not found.guard and found.state in ("young", "short"):
        zh.append(_WORDS["mutable"].zh)
        en.append(_WORDS["mutable"].en)
    if found.guard:
        zh.append(found.guard)
        en.append(found.guard)
    return Text(
        f"{label}（{'，'.join(zh)}）" if zh else label, f"{label}: {', '.join(en)}" if en else label
    )
