"""logging.persistent: messages come to rest on a disk, not in memory."""

from __future__ import annotations

from collector.errors import CouldNotLook, FactError, NotUnderstood
from collector.facts.logs.destinations import JOURNALD, Stores, SyslogStore, log_stores
from collector.facts.logs.files import log_files
from collector.i18n.message import msg
from collector.judges import taken_up
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """The journal holds every kind of message; a syslog daemon only those it has a file for."""
    stores = facts.get(log_stores)
    evidence = _evidence(stores)
    running = stores.running
    asked = running is not None and running.nowhere is not None
    if running is not None and running.enabled and asked and _kept(facts, running):
        shown = dict.fromkeys((*running.logins[:2], *running.general[:2]))
        values: dict[str, Value] = {"daemon": running.daemon, "files": list(shown)}
        return Verdict(Result.PASS, "files", Method.CONFIGURED, values, evidence)
    cut = stores.journal.leaves_out("MaxLevelStore")
    if stores.journal_on_disk and not cut:
        return Verdict(
            Result.PASS,
            "journal",
            Method.CONFIGURED,
            {"line": stores.journal.line, "line_zh": stores.journal.line_zh},
            evidence,
        )
    if running is not None and running.enabled and not asked:
        raise CouldNotLook("syslog.running", msg("not_collected_links"))
    if running is not None and running.enabled:
        return taken_up.of_logs(running.taker, running.taken)
    if stores.journal_runs and stores.journal.on_disk and not cut and not stores.journal_mount:
        return taken_up.of_logs(JOURNALD, stores.journal.taken)
    if running is not None:
        return Verdict(
            Result.PARTIAL, "not_at_boot", values={"daemon": running.daemon}, evidence=evidence
        )
    for store in stores.syslog:
        if store.active and store.unclear:
            raise NotUnderstood(store.read, msg("condition_decides", short_form=_short_form(store)))
    kept = any(s.active and s.fed and (s.logins or s.general) for s in stores.syslog)
    on_disk = stores.journal_runs and stores.journal.on_disk and not stores.journal_mount
    if cut and on_disk and not kept:
        return Verdict(Result.FAIL, "journal_leaves_out", values={"line": cut}, evidence=evidence)
    return _short(stores, evidence)


def _kept(facts: Facts, store: SyslogStore) -> bool:
    """Has it taken up what is written, or has it written to its files since that was changed?"""
    if store.taken.holds():
        return True
    try:
        known = facts.get(log_files).files
    except FactError:
        return False
    newest = []
    for paths in (store.general, store.logins):
        times = [known[path].last for path in paths if path in known]
        newest.append(max((t for t in times if t is not None), default=None))
    return store.taken.holds(*newest)


def _short(stores: Stores, evidence: tuple[Quote, ...]) -> Verdict:
    for store in stores.syslog:
        if store.active and not store.fed:
            named: dict[str, Value] = {
                "daemon": store.daemon,
                "line": stores.journal.line,
                "line_zh": stores.journal.line_zh,
            }
            return Verdict(Result.FAIL, "not_fed", values=named, evidence=evidence)
        if store.active and store.nowhere:
            led: dict[str, Value] = {"daemon": store.daemon, "links": [*store.nowhere]}
            return Verdict(Result.FAIL, "files_nowhere", values=led, evidence=evidence)
        if store.active and (store.logins or store.general):
            logins = not store.logins or (store.lost and store.general)
            kind = ("登录", "logins") if logins else ("一般消息", "general messages")
            values: dict[str, Value] = {
                "daemon": store.daemon,
                "kind_zh": kind[0],
                "kind_en": kind[1],
                "lost": ", ".join(store.lost) or "-",
            }
            return Verdict(Result.PARTIAL, "one_kind", values=values, evidence=evidence)
        if store.active and store.memory:
            values = {"files": list(store.memory)}
            return Verdict(Result.FAIL, "files_in_memory", values=values, evidence=evidence)
    if stores.journal_mount:
        return Verdict(
            Result.FAIL,
            "journal_in_memory",
            values={"line": stores.journal.line, "line_zh": stores.journal.line_zh},
            evidence=evidence,
        )
    stopped = [store.daemon for store in stores.syslog if not store.active]
    if stopped:
        values = {
            "daemon": stopped[0],
            "line": stores.journal.line,
            "line_zh": stores.journal.line_zh,
        }
        return Verdict(Result.FAIL, "stopped", values=values, evidence=evidence)
    if stores.others:
        raise NotUnderstood("processes.all", msg("configuration_not_read", others=stores.others[0]))
    if not stores.journal_there:
        return Verdict(Result.FAIL, "nothing", evidence=(Quote("processes.all"),))
    return Verdict(
        Result.FAIL,
        "volatile",
        values={"line": stores.journal.line, "line_zh": stores.journal.line_zh},
        evidence=evidence,
    )


def _evidence(stores: Stores) -> tuple[Quote, ...]:
    quotes = [Quote("journald.config", (stores.journal.line,))]
    if stores.journal_mount:
        quotes.append(Quote("storage.mounts", (stores.journal_mount,)))
    return (*quotes, *(q for store in stores.syslog for q in _of(store)))


def _of(store: SyslogStore) -> tuple[Quote, ...]:
    return (Quote("services.units", (store.line,)), Quote(store.read, store.quotes))


def _short_form(store: SyslogStore) -> str:
    """The condition without the block that hangs on it."""
    return store.unclear[0].partition("{")[0].strip()
