"""logging.logins: who came, from where, when they went: for six months, in records left whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.access.sshd_effective import listeners
from collector.facts.logs.files import log_files
from collector.facts.logs.last_logins import logins
from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.model.shapes import LogFiles, LoginFile
from collector.facts.logs.retention import Retention, retention
from collector.facts.system.services import services
from collector.i18n.message import msg
from collector.judges import taken_up
from collector.judges.login_lines import still_written
from collector.judges.retention import SETTLING, Observed, observed
from collector.model import (
    Clock,
    Facts,
    Method,
    Parameters,
    Quote,
    Result,
    Scalar,
    Value,
    Verdict,
)

_UTMP = re.compile(r"/wtmp$")
_TEXT = re.compile(r"/(auth\.log|secure)$")
_WTMP, _WTMPDB, _JOURNAL = "/var/log/wtmp", "/var/lib/wtmpdb/wtmp.db", "/var/log/journal"


# a message may wait on its way from sshd into a file
_LATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Store:
    """One place that holds login records: how many of each kind stand in it.

    `sure`: none but root wrote them.
    """

    log: LogKept
    logins: int
    logouts: int
    addressed: int
    sure: bool = True

    @property
    def by_syslog(self) -> bool:
        """Is it of what sshd says to syslog? wtmp and wtmpdb are written without it."""
        return self.log.path != _WTMPDB and not _UTMP.search(self.log.path)

    @property
    def complete(self) -> bool:
        # sshd has an address for each login; where most have none, somebody takes them out
        masked = self.by_syslog and self.addressed * 2 < self.logins
        return min(self.logins, self.logouts, self.addressed) > 0 and not masked

    @property
    def shown(self) -> str:
        since = f"{self.log.oldest:%Y-%m-%d}" if self.log.oldest else "-"
        counts = f"login {self.logins}, logout {self.logouts}, address {self.addressed}"
        return f"{self.log.path} {since} ({counts})"


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Any one store that is complete and old enough will do; tampering in any of them will not."""
    seen, known = facts.get(log_files), facts.get(retention)
    if not seen.detailed:
        raise CouldNotLook("log_files.times", msg("captured_form_holds_no"))
    stores = _stores(facts, seen, known)
    evidence = _evidence(stores, seen)
    if tampered := [_wrong(r) for r in seen.records.values() if r.zeroed or r.torn]:
        return _verdict(Result.FAIL, "tampered", evidence, files=tampered)
    if _emptied(facts, seen):
        return _verdict(Result.FAIL, "emptied", evidence, path=_WTMP)
    if not stores:
        return Verdict(Result.FAIL, "none", Method.OBSERVED)
    now, months = clock.now, parameters.integer("months")
    whole = [(s, o) for s in stores if s.complete and (o := observed([s.log], known, now, months))]
    held = [(s, o) for s, o in whole if o.result is Result.PASS]
    if held and all(s.by_syslog for s, _ in held) and (level := _quiet(facts)):
        shown = [s.shown for s, _ in held]
        quote = Quote("sshd.effective", (f"loglevel {level}",))
        return _verdict(Result.FAIL, "quiet", (*evidence, quote), level=level, stores=shown)
    ended = [s for s, _ in held if _ended(facts, s)]
    if ended and len(ended) == len(held):
        return _stopped(facts, ended, evidence)
    held = [(s, o) for s, o in held if s not in ended]
    cut = _cut(stores, known) if _writes(facts) else None
    if cut is not None and not any(s.log.path != _WTMP for s, _ in held):
        return cut
    back = [
        f"{r.path} {a:%Y-%m-%d %H:%M}Z > {b:%Y-%m-%d %H:%M}Z"
        for r in seen.records.values()
        for a, b in r.backwards
        if a - b > timedelta(days=1)
    ]
    if held and back:
        return _verdict(Result.PARTIAL, "backwards", evidence, places=back[:6])
    if held and cut is not None:
        return Verdict(Result.PARTIAL, "cut", Method.OBSERVED, cut.values, evidence)
    if held and not any(s.logins for s in stores if s.sure) and not facts.get(logins).last:
        stores_ = ", ".join(s.shown for s, _ in held)
        raise NotUnderstood("logins.last", msg("logins_by_syslog_alone", stores=stores_))
    texts = [s for s, _ in held if _TEXT.search(s.log.path)]
    alone = bool(texts) and len(texts) == len(held)
    if alone and not any(still_written(facts, s.log.path) for s in texts):
        return _verdict(Result.FAIL, "left", evidence, stores=[s.shown for s in texts])
    if held:
        return _verdict(Result.PASS, "kept", evidence, stores=[s.shown for s, _ in held])
    return _short(stores, whole, evidence, (known, now, months))


def _short(
    stores: list[_Store],
    whole: list[tuple[_Store, Observed]],
    evidence: tuple[Quote, ...],
    by: tuple[Retention, datetime, int],
) -> Verdict:
    """No store is both complete and old enough."""
    known, now, months = by
    young = [(s, o) for s, o in whole if o.result is Result.PARTIAL and o.full is not None]
    if young:
        full = min(o.full for _, o in young if o.full is not None)
        shown = [s.shown for s, _ in young]
        return _verdict(Result.PARTIAL, "young", evidence, stores=shown, date=f"{full:%Y-%m-%d}")
    every = [s.shown for s in stores]
    if whole:
        unknown = all(o.result is Result.ERROR for _, o in whole)
        reason = (Result.ERROR, "not_understood") if unknown else (Result.FAIL, "too_short")
        return _verdict(*reason, evidence, stores=every)
    begun = known.since is not None and now - known.since <= timedelta(days=1)
    if begun and any(s.logins and s.addressed and not s.logouts for s in stores):
        return _verdict(Result.PARTIAL, "still_in", evidence, stores=every)
    if any(s.logins for s in stores):
        return _verdict(Result.FAIL, "incomplete", evidence, stores=every)
    results = {o.result for s in stores if (o := observed([s.log], known, now, months))}
    if results & {Result.PASS, Result.PARTIAL}:
        return _verdict(Result.PARTIAL, "no_login", evidence, stores=every)
    if Result.FAIL in results:
        return _verdict(Result.FAIL, "too_short", evidence, stores=every)
    return _verdict(Result.ERROR, "not_understood", evidence, stores=every)


def _ended(facts: Facts, store: _Store) -> bool:
    """Has sshd told the journal of logins since the last that reached this store?

    A login without a terminal is none for wtmp; where nothing writes wtmp any more at all (Debian
    13), what lies there is of before. Raises NotUnderstood where no login of the log was read.
    """
    known = facts.get(logins)
    if known.heard is None or not known.sure:
        return False
    if store.log.path == _WTMP:
        newest = store.log.newest
        return newest is not None and not _writes(facts) and known.heard - newest > _LATE
    if not _TEXT.search(store.log.path):
        return False
    if not known.told:
        said = msg("no_login_read_of_log", path=store.log.path)
        raise NotUnderstood("logins.last", said)
    return known.heard - max(known.told.values()) > _LATE


def _stopped(facts: Facts, ended: list[_Store], evidence: tuple[Quote, ...]) -> Verdict:
    known = facts.get(logins)
    last = max(known.told.values(), default=None)
    return _verdict(
        Result.FAIL,
        "stopped",
        evidence,
        stores=[s.shown for s in ended],
        last=f"{last:%Y-%m-%d %H:%M}Z" if last else "-",
        heard=f"{known.heard:%Y-%m-%d %H:%M}Z",
    )


def _quiet(facts: Facts) -> str:
    """The LogLevel by which no sshd says who comes in (sshd_config(5): from INFO on it does).

    Raises FactError where it cannot be told with which one they run.
    """
    servers = facts.get(listeners)
    for server in servers:
        taken_up.refuse_stale("sshd.effective", server.taken, f"{server.exe} (pid {server.pid})")
    levels = [server.first("loglevel") for server in servers]
    quiet = [level for level in levels if level.upper() in ("QUIET", "FATAL", "ERROR")]
    return quiet[0] if quiet and len(quiet) == len(levels) else ""


def _stores(facts: Facts, seen: LogFiles, known: Retention) -> list[_Store]:
    stores = []
    for log in known.logs:
        if not log.written:
            continue
        paths = {file.path for file in log.files}
        if _UTMP.search(log.path):
            of = [r for path, r in seen.records.items() if path in paths]
            stores.append(_of_records(log, of))
        elif log.path == _WTMPDB:
            stores.append(_of_records(log, [r for p, r in seen.records.items() if p == log.path]))
        elif _TEXT.search(log.path):
            told = [n for path, n in seen.lines.items() if path in paths]
            stores.append(
                _Store(
                    log,
                    sum(n.accepted for n in told),
                    sum(n.closed for n in told),
                    sum(n.addressed for n in told),
                    sure=False,
                )
            )
        elif log.path == _JOURNAL and log.least != 0:
            last = facts.get(logins)
            if (journal := last.journal) is not None:
                counts = (journal.accepted, journal.closed, journal.addressed)
                stores.append(_Store(log, *counts, last.sure))
    return stores


def _of_records(log: LogKept, records: list[LoginFile]) -> _Store:
    return _Store(
        log,
        sum(r.logins for r in records),
        sum(r.logouts for r in records),
        sum(r.addressed for r in records),
    )


def _belongs(path: str, log: str) -> bool:
    return path == log or path.startswith((f"{log}.", f"{log}-"))


def _wrong(record: LoginFile) -> str:
    said = [f"{record.zeroed} zeroed"] if record.zeroed else []
    said += ["torn"] if record.torn else []
    return f"{record.path} ({', '.join(said)})"


def _emptied(facts: Facts, seen: LogFiles) -> bool:
    """Is wtmp empty where each boot is written into it?"""
    wtmp = seen.files.get(_WTMP)
    if wtmp is None or wtmp.size or any(_belongs(path, _WTMP) for path in seen.records):
        return False
    return _writes(facts)


def _writes(facts: Facts) -> bool:
    """Does systemd write each boot into wtmp? On Debian 13 it no longer does."""
    return facts.get(services).unit("systemd-update-utmp").known


def _cut(stores: list[_Store], known: Retention) -> Verdict | None:
    """Does wtmp begin long after the host did, though nothing was ever rotated away?"""
    log = next((s.log for s in stores if s.log.path == _WTMP), None)
    if log is None or log.oldest is None or known.since is None or log.removed:
        return None
    if log.oldest - known.since <= SETTLING:
        return None
    values: dict[str, Value] = {
        "path": log.path,
        "first": f"{log.oldest:%Y-%m-%d}",
        "since": f"{known.since:%Y-%m-%d}",
    }
    quote = Quote("log_files.times", (log.raw,), log.held)
    return Verdict(Result.FAIL, "cut", Method.OBSERVED, values, (quote,))


def _verdict(
    result: Result, reason: str, evidence: Iterable[Quote], **values: str | list[str]
) -> Verdict:
    filled: dict[str, Value] = {}
    for name, value in values.items():
        listed: list[Scalar] = [*value] if isinstance(value, list) else []
        filled[name] = value if isinstance(value, str) else listed
    return Verdict(result, reason, Method.OBSERVED, filled, tuple(evidence))


def _evidence(stores: list[_Store], seen: LogFiles) -> tuple[Quote, ...]:
    quotes = []
    for store in stores:
        read = "journald.held" if store.log.path == _JOURNAL else "log_files.times"
        quotes.append(Quote(read, (store.log.raw, store.shown), store.log.held or store.log.path))
    for record in seen.records.values():
        if record.zeroed or record.torn or record.backwards:
            quotes.append(Quote("log_files.times", (_wrong(record),), record.path))
    return tuple(quotes)
