"""backup.restore_test: each important store was restored from its backup, and compared."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from collector.facts.backup.artefacts.restore_tests import RestoreTest, restore_tests
from collector.facts.data.inventory import Store, inventory
from collector.judges.predicates import months_after
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Text, Value, Verdict

_SKEW = timedelta(hours=1)
_WORDS = {
    "future": Text("时间尚未到来", "yet to come"),
    "failed": Text("恢复失败", "failed"),
    "old": Text("已过期", "too long ago"),
    "missing": Text("没有记录", "no record"),
}


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """The newest record of each store decides: a restore that failed undoes an older good one."""
    known = inventory(facts)
    if known is None:
        return Verdict(Result.NOTCHECKED, "no_inventory")
    wanted = [
        s
        for s in known.stores
        if s.important or (s.backup_wanted and s.restore_test_months is not None)
    ]
    if not wanted:
        return Verdict(Result.NOTAPPLICABLE, "none_important", Method.ATTESTED)
    records = restore_tests(facts)
    said: dict[str, list[Text]] = {}
    quotes: list[Quote] = []
    until: list[datetime] = []
    for store in wanted:
        own = [r for r in records if r.store == store.name]
        if not own:
            said.setdefault("missing", []).append(Text(store.label, store.label))
            continue
        months = _months(store, parameters)
        newest = _deciding(store, own, clock, months)
        quotes.append(newest.quote)
        ends = months_after(newest.tested, months)
        state = _state(newest, clock, ends)
        if state in ("restored", "unguarded") and _of_another(newest, store, known.stores):
            state = "of_another"
        if state in ("restored", "unguarded") and store.kind == "database" and newest.of_files:
            state = "by_files"
        said.setdefault(state, []).append(_say(store.label, newest, clock))
        until.append(ends)
    shown = tuple(quotes)
    values: dict[str, Value] = {"months": parameters.integer("months")}
    failed = [s for s in ("future", "failed", "old", "missing") if s in said]
    if failed:
        words = _WORDS if len(failed) > 1 else {}
        values |= _named([_after(words.get(s), n) for s in failed for n in said[s]])
        reason = failed[0] if len(failed) == 1 else "several"
        return Verdict(Result.FAIL, reason, Method.ATTESTED, values, shown)
    if "of_another" in said:
        values |= _named(said["of_another"])
        return Verdict(Result.ERROR, "of_another", Method.ATTESTED, values, shown)
    for part in ("by_files", "unguarded"):
        if part in said:
            values |= _named(said[part])
            return Verdict(Result.PARTIAL, part, Method.ATTESTED, values, shown)
    values |= {**_named(said["restored"]), "count": len(wanted)}
    return Verdict(Result.PASS, "restored", Method.ATTESTED, values, shown, min(until))


def _deciding(store: Store, own: list[RestoreTest], clock: Clock, months: int) -> RestoreTest:
    """The newest one; of a database the newest that made one, while it is in time.

    Files that are compared each week undo no restore of the quarter, and do not stand for one.
    """
    newest = own[-1]
    if store.kind != "database" or not newest.ok or not newest.of_files:
        return newest
    made = [r for r in own if not r.of_files]
    in_time = bool(made) and clock.now <= months_after(made[-1].tested, months)
    return made[-1] if in_time else newest


def _of_another(newest: RestoreTest, store: Store, every: Iterable[Store]) -> bool:
    """Is the file that was restored called after another store, and nothing on its path after it?

    What a snapshot holds its id does not tell.
    """
    path = newest.source.casefold()
    if not path.startswith("/") or any(_holds(path, n) for n in _names(store)):
        return False
    name = path.rpartition("/")[2]
    return any(_holds(name, other.name.casefold()) for other in every if other.name != store.name)


def _names(store: Store) -> set[str]:
    last = store.path.rstrip("/").rpartition("/")[2]
    return {x.casefold() for x in (store.name, last, store.engine) if x}


def _holds(text: str, name: str) -> bool:
    return re.search(rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])", text) is not None


def _after(word: Text | None, name: Text) -> Text:
    return Text(f"{word.zh}：{name.zh}", f"{word.en}: {name.en}") if word else name


def _named(names: list[Text]) -> dict[str, Value]:
    return {"stores": [n.en for n in names], "stores_zh": [n.zh for n in names]}


def _say(label: str, newest: RestoreTest, clock: Clock) -> Text:
    days = (clock.now - newest.tested).days
    what = f"{newest.tested:%Y-%m-%d} {newest.by}"
    return Text(
        f"{label}（{what}，{newest.source}，距今 {days} 天）",
        f"{label}: {what}, {newest.source}, {days} days ago",
    )


def _months(store: Store, parameters: Parameters) -> int:
    """The inventory can only ask for more."""
    most = parameters.integer("months")
    return min(most, store.restore_test_months or most)


def _state(newest: RestoreTest, clock: Clock, ends: datetime) -> str:
    if newest.tested > clock.now + _SKEW:
        return "future"
    if not newest.ok:
        return "failed"
    if clock.now > ends:
        return "old"
    return "restored" if newest.guarded else "unguarded"
