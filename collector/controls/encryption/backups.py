"""encryption.backups: copies are encrypted where they must be, and nobody else gets at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from collector.facts.backup.artefacts.reports import Report
from collector.facts.backup.coverage import Cover, cover, nothing_hidden
from collector.facts.backup.offsite import Copy, copies
from collector.facts.backup.offsite_freshness import said_encrypted
from collector.facts.backup.protection import (
    Held,
    beneath,
    held,
    keys,
    keys_beside,
    readable,
    waits,
)
from collector.facts.backup.wal_destinations import WalCopy, wal_copies
from collector.facts.backup.wal_destinations import held as wal_held
from collector.facts.backup.wal_destinations import readable as wal_readable
from collector.facts.data.inventory import Store, inventory
from collector.facts.scheduling.jobs import called
from collector.facts.system.processes import processes
from collector.judges.predicates import holds_until
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_Kind = Literal["key_readable", "key_beside", "readable", "plain"]


@dataclass(slots=True)
class _Seen:
    """What was found over all stores."""

    bad: dict[_Kind, list[str]] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    good: list[str] = field(default_factory=list)
    claimed: list[str] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    until: list[datetime] = field(default_factory=list)

    def add(self, kind: _Kind, what: str, *quotes: Quote) -> None:
        self.bad.setdefault(kind, []).append(what)
        self.quotes += quotes

    def claim(self, what: str, report: Report) -> None:
        self.claimed.append(what)
        line = f"{report.job} finished {report.finished.isoformat()} encrypted=true"
        self.quotes.append(Quote("backup.reports", (line,), report.file))


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """One copy that lies open fails the host, even beside others that cannot be told."""
    known = inventory(facts)
    if known is None:
        return Verdict(Result.NOTCHECKED, "no_inventory")
    wanted = [s for s in known.stores if s.backup_wanted]
    if not wanted:
        return Verdict(Result.NOTAPPLICABLE, "none_wanted", Method.ATTESTED)
    seen = _Seen()
    for store in wanted:
        _store(facts, store, parameters, clock, seen)
    shown = tuple(dict.fromkeys(seen.quotes))
    if seen.bad:
        if len(seen.bad) == 1:
            reason, found = next(iter(seen.bad)), _of(seen, *seen.bad)
            return Verdict(Result.FAIL, reason, Method.OBSERVED, {"found": [*found]}, shown)
        open_to, plain = _of(seen, "key_readable", "key_beside", "readable"), _of(seen, "plain")
        both: dict[str, Value] = {
            "found": [*open_to, *(f"{x}: not encrypted" for x in plain)],
            "found_zh": [*open_to, *(f"{x}：未加密" for x in plain)],
        }
        return Verdict(Result.FAIL, "several", Method.OBSERVED, both, shown)
    if seen.untold or seen.unseen:
        values: dict[str, Value] = {"found": [*dict.fromkeys((*seen.unseen, *seen.untold))]}
        how = "untold" if seen.untold else "unseen"
        return Verdict(Result.ERROR, how, Method.OBSERVED, values, shown)
    if not seen.good and not seen.claimed:
        nothing_hidden(facts.get(called), facts.get(processes))
        return Verdict(Result.NOTAPPLICABLE, "no_copies", Method.CONFIGURED)
    until = min(seen.until, default=None)
    if seen.claimed:
        named: dict[str, Value] = {"found": [*dict.fromkeys(seen.claimed)]}
        return Verdict(Result.PASS, "attested", Method.ATTESTED, named, shown, until)
    values = {"found": [*dict.fromkeys(seen.good)]}
    return Verdict(Result.PASS, "protected", Method.OBSERVED, values, shown)


def _of(seen: _Seen, *kinds: _Kind) -> list[str]:
    return list(dict.fromkeys(x for kind in kinds for x in seen.bad.get(kind, ())))


def _store(facts: Facts, store: Store, parameters: Parameters, clock: Clock, seen: _Seen) -> None:
    known = cover(facts, store)
    every = copies(facts, known)
    months = parameters.integer("months")
    must = store.encryption_wanted or store.important or store.personal
    for wal in wal_copies(facts, known):
        quotes = wal_held(facts, wal).quotes
        if what := wal_readable(facts, wal):
            seen.add("readable", what, *quotes)
        if must and not wal.kept:
            _wal_encrypted(facts, store, wal, months, clock, seen)
        elif not must:
            seen.good.append(wal.label)
    if not every:
        names = [*known.agents, *dict.fromkeys(j.label for j in known.perhaps)]
        report = said_encrypted(facts, known, None, every)
        if report is not None:
            seen.claim(f"{store.label}: {report.job}", report)
        elif names and not _attested(store, ("backup", "encryption"), months, clock, seen):
            seen.untold.append(f"{store.label}: {', '.join(names)}")
        return
    for copy in every:
        open_to = readable(facts, copy)
        if open_to is None:
            seen.unseen.append(copy.label)
        for what, quote in open_to or ():
            seen.add("readable", what, quote)
        if must and not waits(facts, copy, every):
            _encrypted(facts, known, copy, every, months, clock, seen)
        elif not must:
            seen.good.append(copy.label)
    for what, quote in keys(facts, every):
        seen.add("key_readable", what, quote)
    for what, quote in keys_beside(facts, every):
        seen.add("key_beside", what, quote)


def _encrypted(
    facts: Facts,
    known: Cover,
    copy: Copy,
    every: Sequence[Copy],
    months: int,
    clock: Clock,
    seen: _Seen,
) -> None:
    found = held(facts, copy)
    local = copy.to.kind == "path" and copy.place in ("disk", "host")
    under = beneath(facts, copy) if found.encrypted != "yes" and local else found
    if "yes" in (found.encrypted, under.encrypted):
        best: Held = found if found.encrypted == "yes" else under
        seen.good.append(f"{copy.label}: {best.why}")
        seen.quotes += best.quotes
        return
    # what a cloud encrypts below the host's disks holds for what lies on the same disk
    if copy.place == "disk" and _attested(known.store, ("encryption",), months, clock, seen):
        return
    report = said_encrypted(facts, known, copy, every)
    if report is not None and not (local and found.encrypted == "no"):
        seen.claim(f"{copy.label}: {report.job}", report)
    elif found.encrypted == "no" and (not local or under.encrypted == "no"):
        seen.add("plain", found.why, *found.quotes)
    else:
        seen.untold.append(found.why if found.encrypted == "unknown" else under.why)
        seen.quotes += [*found.quotes, *under.quotes]


def _wal_encrypted(
    facts: Facts, store: Store, wal: WalCopy, months: int, clock: Clock, seen: _Seen
) -> None:
    found = wal_held(facts, wal)
    if found.encrypted == "yes":
        seen.good.append(f"{wal.label}: {found.why}")
        seen.quotes += found.quotes
    elif wal.place == "disk" and _attested(store, ("encryption",), months, clock, seen):
        return
    elif found.encrypted == "no":
        seen.add("plain", found.why, *found.quotes)
    else:
        seen.untold.append(found.why)
        seen.quotes += found.quotes


def _attested(store: Store, what: Sequence[str], months: int, clock: Clock, seen: _Seen) -> bool:
    """Are all of `what` attested, and do the attestations still hold?"""
    told = [store.attested[w].date for w in what if w in store.attested]
    ends = [x for d in told if (x := holds_until(d, months, clock)) is not None]
    if len(ends) < len(what) or min(ends) < clock.now:
        return False
    seen.claimed.append(f"{store.label}: {store.attested[what[-1]].by}")
    seen.until += ends
    return True
