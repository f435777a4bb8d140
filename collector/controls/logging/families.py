"""logging.families: every service that runs has its log, and something was written there lately."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector.errors import CouldNotLook, FactError, NotUnderstood
from collector.facts.logs.destinations import JOURNALD, Stores, log_stores
from collector.facts.logs.files import LogFiles, log_files
from collector.facts.logs.model.families import NAMES, family_of
from collector.facts.logs.service_logs import Writer, writers
from collector.i18n.message import msg
from collector.judges import taken_up
from collector.judges.predicates import past
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Text, Value, Verdict

_TIMES, _OPEN = "log_files.times", "service_logs.open"


@dataclass(slots=True)
class _Found:
    """What is said of each service, and the lines it rests on."""

    live: list[str] = field(default_factory=list)
    quiet: list[str] = field(default_factory=list)
    missing: list[Text] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    stale: FactError | None = None


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """A log counts by the time inside it; what hands its records to syslog is as live as syslog."""
    stores, files = facts.get(log_stores), facts.get(log_files)
    hours = timedelta(hours=parameters.integer("hours"))
    found = _Found()
    heard = _general(stores, files, clock, hours, found)
    for writer in facts.get(writers):
        _service(writer, files, clock, hours, heard, found)
    values: dict[str, Value] = {"live": [*found.live], "hours": parameters.integer("hours")}
    evidence = tuple(found.quotes)
    if found.gone:
        values["services"] = [*found.gone]
        return Verdict(Result.FAIL, "gone", Method.OBSERVED, values, evidence)
    if found.missing:
        values["services"] = [name.en for name in found.missing]
        values["services_zh"] = [name.zh for name in found.missing]
        return Verdict(Result.FAIL, "missing", Method.OBSERVED, values, evidence)
    if found.silent:
        raise CouldNotLook(_OPEN, msg("only_dev_null", names=", ".join(found.silent)))
    if found.unseen:
        raise CouldNotLook(_TIMES, msg("not_looked_into", names=", ".join(found.unseen)))
    if found.quiet:
        values["services"] = [*found.quiet]
        return Verdict(Result.PARTIAL, "quiet", Method.OBSERVED, values, evidence)
    if found.stale is not None:
        raise found.stale
    until = clock.now + hours
    return Verdict(Result.PASS, "live", Method.OBSERVED, values, evidence, until)


def _general(
    stores: Stores, files: LogFiles, clock: Clock, hours: timedelta, found: _Found
) -> bool:
    """System messages and logins, which every host has: are they written, and where?

    Logins go the same way: that nobody logged in for a day is no fault of the log.
    """
    store = stores.running
    kept = [*store.general, *store.logins] if store else []
    times = [(t, p) for p in kept if (t := _last(files, p)) is not None]
    journal = [h.last for h in stores.journal.held if h.last is not None]
    newest = [(past(t, clock, _TIMES), p) for t, p in times]
    newest += [(past(t, clock, "journald.held"), "journald") for t in journal]
    try:
        _refuse_old(stores, max(newest, default=None))
    except FactError as doubt:
        found.stale = doubt
    if not newest:
        where = f" ({', '.join(kept)})" if kept else ""
        found.missing.append(Text(f"系统日志{where}", f"syslog{where}"))
        return False
    when, where = max(newest)
    read = "journald.held" if where == "journald" else _TIMES
    found.quotes.append(Quote(read, (f"{where}: {when:%Y-%m-%d %H:%M:%S} UTC",)))
    live = clock.now - when <= hours
    (found.live if live else found.quiet).append(f"syslog → {where}")
    if not live:
        return False
    if store is None and not stores.journal_runs:
        found.missing.append(Text("登录日志", "logins"))
        return False
    found.live.append(f"login → {store.logins[0] if store else 'journald'}")
    return True


def _refuse_old(stores: Stores, newest: tuple[datetime, str] | None) -> None:
    """A record from before the files were changed does not show that one is written now.

    Raises FactError where the daemon has not taken up what makes it look as if.
    """
    store, journal = stores.running, stores.journal
    taken, taker = (store.taken, store.taker) if store else (journal.taken, JOURNALD)
    if newest is None or taken.holds(newest[0]):
        return
    read = "journald.held" if taker == JOURNALD else "syslog.running"
    taken_up.refuse_unasked(read, taken, taker)
    raise NotUnderstood(read, msg("taken_up_not", program=taker, path=taken.path))


def _service(
    writer: Writer, files: LogFiles, clock: Clock, hours: timedelta, heard: bool, found: _Found
) -> None:
    service = writer.service
    kind = NAMES.get(service.family, service.family)
    name = Text(f"{service.id}（{kind}）", f"{service.id} ({service.family})")
    found.quotes.append(Quote(_OPEN, (writer.line,)))
    if writer.gone:
        found.gone.append(f"{service.id}: {writer.gone[0]}")
        return
    logs = list(writer.logs)
    if service.family == "web":
        logs = [p for p in logs if "err" not in p.rsplit("/", 1)[-1]]
    elif not logs:
        # some open their log for each record alone
        logs = [p for p in files.files if family_of(p) == service.family and service.id[:4] in p]
    if not logs:
        if service.file:
            found.missing.append(name)
        elif writer.nowhere and service.family == "database":
            # they have to be told to use syslog, daemons of other kinds do by themselves
            found.silent.append(service.id)
        elif heard:
            found.live.append(f"{service.id} → syslog")
        else:
            found.missing.append(name)
        return
    times = [(t, p) for p in logs if (t := _last(files, p)) is not None]
    if not service.steady:
        # open and in its place: that nothing happened for a day is no fault of the log
        found.live.append(f"{service.id} → {logs[0]}")
    elif times and clock.now - past(max(times)[0], clock, _TIMES) <= hours:
        when, path = max(times)
        found.live.append(f"{service.id} → {path}")
        found.quotes.append(Quote(_TIMES, (f"{path}: {when:%Y-%m-%d %H:%M:%S} UTC",)))
    elif not any(p in files.files for p in logs):
        found.unseen.append(logs[0])
    else:
        told = f", {max(times)[0]:%Y-%m-%d}" if times else ""
        found.quiet.append(f"{service.id}: {logs[0]}{told}")


def _last(files: LogFiles, path: str) -> datetime | None:
    file = files.files.get(path)
    return file.last if file else None
