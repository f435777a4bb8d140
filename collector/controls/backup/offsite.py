"""backup.offsite: a copy of each important store reaches another host, lately."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from collector.facts.backup.commands.dump_servers import of_the_one
from collector.facts.backup.commands.jobs import engine_of
from collector.facts.backup.coverage import Cover, cover, nothing_hidden
from collector.facts.backup.freshness import Bounds
from collector.facts.backup.offsite import Copy, copies
from collector.facts.backup.offsite_freshness import Sent, claims, sent
from collector.facts.backup.wal_destinations import rolled_forward
from collector.facts.data.inventory import Store, inventory
from collector.facts.data.replication import Replica, replication
from collector.facts.scheduling.jobs import called
from collector.facts.system.host_names import is_here
from collector.facts.system.processes import processes
from collector.judges.predicates import holds_until
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_Reason = Literal[
    "offsite", "realtime", "reported", "attested",
    "no_copy", "same_disk", "same_host", "stale", "lagging", "batch_only", "untold", "lag_unseen",
]  # fmt: skip
_GOOD: tuple[_Reason, ...] = ("offsite", "realtime", "reported", "attested")
_OPEN: tuple[_Reason, ...] = ("untold", "lag_unseen")


@dataclass(frozen=True, slots=True)
class _Answer:
    reason: _Reason
    said: str
    quotes: tuple[Quote, ...] = ()
    until: datetime | None = None
    said_zh: str = ""
    every: timedelta | None = None


# crontab(5), and the normal form of systemd.time(7): a job that starts every so many minutes
_OFTEN = re.compile(r"\*(?:/(\d{1,2}))? \* \* \* \*|OnCalendar=\*-\*-\* \*:(?:\*|00/(\d{1,2})):00")


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """One store without such a copy fails the host, even beside others that cannot be told."""
    known = inventory(facts)
    if known is None:
        return Verdict(Result.NOTCHECKED, "no_inventory")
    wanted = [s for s in known.stores if s.offsite_wanted]
    if not wanted:
        return Verdict(Result.NOTAPPLICABLE, "none_wanted", Method.ATTESTED)
    answers = [(s, _store(facts, s, parameters, clock)) for s in wanted]
    shown = tuple(dict.fromkeys(q for _, a in answers for q in a.quotes))
    failed = [(s, a) for s, a in answers if a.reason not in (*_GOOD, *_OPEN)]
    if failed:
        if any(a.reason == "no_copy" for _, a in failed):
            nothing_hidden(facts.get(called), facts.get(processes))
        reasons = {a.reason for _, a in failed}
        reason = reasons.pop() if len(reasons) == 1 else "several"
        return Verdict(Result.FAIL, reason, Method.OBSERVED, _values(failed, parameters), shown)
    untold = [(s, a) for s, a in answers if a.reason in _OPEN]
    if untold:
        reason = max(a.reason for _, a in untold)
        return Verdict(Result.ERROR, reason, Method.OBSERVED, _values(untold, parameters), shown)
    weakest = max((a.reason for _, a in answers), key=_GOOD.index)
    method = Method.ATTESTED if weakest in ("reported", "attested") else Method.OBSERVED
    until = min((a.until for _, a in answers if a.until is not None), default=None)
    return Verdict(Result.PASS, weakest, method, _values(answers, parameters), shown, until)


def _values(answers: Sequence[tuple[Store, _Answer]], parameters: Parameters) -> dict[str, Value]:
    return {
        "count": len(answers),
        "stores": [f"{s.label}: {a.said}" if a.said else s.label for s, a in answers],
        "stores_zh": [
            f"{s.label}（{a.said_zh or a.said}）" if a.said else s.label for s, a in answers
        ],
        "hours": parameters.integer("hours"),
        "minutes": parameters.integer("minutes"),
    }


def _store(facts: Facts, store: Store, parameters: Parameters, clock: Clock) -> _Answer:
    batch = _batch(facts, store, parameters, clock)
    lag = timedelta(minutes=parameters.integer("minutes"))
    if batch.reason == "attested" or (clock.grade < 3 and batch.reason in _GOOD):
        return batch
    followed = _followed(facts, store, lag)
    if followed.reason == "realtime":
        return followed
    if clock.grade >= 3 and batch.reason in ("offsite", "reported"):
        # one that starts as often as that, and did, is as good; a nightly one just over is not
        late = batch.until is None or batch.until - _hours(parameters) + lag < clock.now
        often = batch.every is not None and batch.every <= lag
        return batch if often and not late else followed
    return batch


def _every(when: str) -> timedelta | None:
    match = _OFTEN.fullmatch(when)
    if match is None:
        return None
    return timedelta(minutes=int(match[1] or match[2] or 1))


def _hours(parameters: Parameters) -> timedelta:
    return timedelta(hours=parameters.integer("hours"))


def _batch(facts: Facts, store: Store, parameters: Parameters, clock: Clock) -> _Answer:
    """The best that jobs, reports and attestations show; what is open outranks a failure."""
    known = cover(facts, store)
    every = copies(facts, known)
    bounds = Bounds(clock.now, _hours(parameters), 0)
    away = [(c, sent(facts, known, c, every, bounds)) for c in every if c.place == "elsewhere"]
    fresh = [(c, s) for c, s in away if s.state == "fresh" and s.when is not None]
    if fresh:
        copy, best = max(fresh, key=lambda x: x[1].when or clock.now)
        every_ = _every(copy.way.job.when)
        until = _until(best, bounds)
        return _Answer("offsite", _said(copy, best), best.quotes, until, every=every_)
    for copy, s in away:
        found = rolled_forward(facts, known, copy, s.when) if s.when else None
        if found and found.when and bounds.now - found.when <= bounds.age:
            said = f"{copy.label} + WAL {found.when:%Y-%m-%dT%H:%MZ}"
            return _Answer("offsite", said, found.quotes, found.when + bounds.age)
    claimed = claims(facts, known, every, bounds)
    if claimed:
        last = max(claimed, key=lambda r: r.finished)
        line = f"{last.job} finished {last.finished.isoformat()} offsite=true {last.repository}"
        quote = Quote("backup.reports", (line.rstrip(),), last.file)
        until = last.finished + bounds.age
        return _Answer("reported", f"{last.repository or last.job}", (quote,), until)
    ends = _attested_until(store, parameters.integer("months"), clock)
    if ends is not None and clock.now <= ends:
        return _Answer("attested", store.attested["backup"].by, (), ends)
    return _missing(known, every, away)


def _missing(known: Cover, every: Sequence[Copy], away: Sequence[tuple[Copy, Sent]]) -> _Answer:
    quotes = [Quote(c.way.job.read, (c.way.job.line,), c.way.job.path) for c in every]
    untold = [_said(c, s) for c, s in away if s.state == "untold"]
    untold += [c.label for c in every if c.place == "unclear"]
    if not away:
        untold += [*known.agents, *(j.label for j in known.perhaps)]
    if untold:
        return _Answer("untold", ", ".join(dict.fromkeys(untold)), tuple(quotes))
    if away:
        said = "; ".join(dict.fromkeys(_said(c, s) for c, s in away))
        return _Answer("stale", said, tuple(q for _, s in away for q in s.quotes))
    if not every:
        why, why_zh = (
            "; ".join(r.en for r in known.reasons),
            "；".join(r.zh for r in known.reasons),
        )
        return _Answer("no_copy", why, said_zh=why_zh)
    reason: _Reason = "same_disk" if all(c.place == "disk" for c in every) else "same_host"
    return _Answer(reason, ", ".join(dict.fromkeys(c.label for c in every)), tuple(quotes))


def _said(copy: Copy, last: Sent) -> str:
    if last.when is None:
        return copy.label
    return f"{copy.label} {last.when.strftime('%Y-%m-%dT%H:%MZ')}"


def _until(last: Sent, bounds: Bounds) -> datetime | None:
    return last.when + bounds.age if last.when is not None else None


def _followed(facts: Facts, store: Store, lag: timedelta) -> _Answer:
    """Does a replica on another host follow the database within `lag`?"""
    engine = engine_of(store) if store.kind == "database" else ""
    if engine not in ("postgresql", "mysql"):
        return _Answer("lag_unseen", engine or store.kind)
    servers = [s for s in facts.get(replication) if s.engine == engine]
    quotes = tuple(
        Quote("replication.state", (s.line, *(r.line for r in s.replicas))) for s in servers
    )
    mine = len(servers) == 1 and of_the_one(facts, engine, store, store.path)
    if not mine or not servers[0].answered:
        return _Answer("lag_unseen", ", ".join(s.line for s in servers) or engine, quotes)
    away = [r for r in servers[0].replicas if is_here(facts.capture, r.host) is False]
    for replica in away:
        if replica.streaming and _close(replica, lag):
            said = f"{replica.host} ({_behind(replica)})"
            return _Answer("realtime", said, quotes)
    if away:
        said = ", ".join(f"{r.host} ({_behind(r)})" for r in away)
        unsure = any(r.streaming and r.behind is None for r in away)
        return _Answer("lag_unseen" if unsure else "lagging", said, quotes)
    if any(is_here(facts.capture, r.host) is None for r in servers[0].replicas if r.host):
        return _Answer("lag_unseen", ", ".join(r.line for r in servers[0].replicas), quotes)
    return _Answer("batch_only", engine, quotes)


def _close(replica: Replica, lag: timedelta) -> bool:
    told = replica.behind is not None and timedelta(seconds=replica.behind) <= lag
    return replica.caught_up or told


def _behind(replica: Replica) -> str:
    if replica.caught_up:
        return "0 s"
    return "?" if replica.behind is None else f"{replica.behind} s"


def _attested_until(store: Store, months: int, clock: Clock) -> datetime | None:
    attestation = store.attested.get("backup")
    if attestation is None:
        return None
    return holds_until(attestation.date, months, clock)
