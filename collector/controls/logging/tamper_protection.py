"""logging.tamper_protection: nobody but root, and the daemon that writes it, may change a log."""

from __future__ import annotations

from collections.abc import Iterable

from collector.errors import FactError
from collector.facts.logs.audit.status import audit
from collector.facts.logs.permissions import Guard, Guarded, log_guard
from collector.facts.system.processes import processes
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_READ = "log_guard.modes"
_CRITICAL = ("login", "audit", "syslog", "firewall", "journal")
_OPEN = (*_CRITICAL, "web", "database", "vpn", "dns", "mail", "bastion")
_PEOPLE = 1000  # accounts of people begin here (login.defs(5): UID_MIN)


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """The worst that is found decides: writable, owned by a person, readable, without a seal."""
    guard = facts.get(log_guard)
    writers, most = _writers(facts), _most(parameters)
    writable = [e for e in guard.entries if _writable(e)]
    if writable:
        return _fail("writable", writable)
    owned = [e for e in guard.entries if _strange(e, writers)]
    if owned:
        return _fail("owner", owned)
    wide = [e for e in guard.entries if e.family in _OPEN and _wide(e, most)]
    critical = [e for e in wide if e.family in _CRITICAL]
    if critical:
        return _fail("readable", critical)
    if wide:
        return Verdict(
            Result.PARTIAL, "others_readable", Method.OBSERVED, _named(wide), _quote(wide)
        )
    return _sealed(facts, guard, parameters)


def mends(facts: Facts, parameters: Parameters) -> dict[str, tuple[int, bool]]:
    """By path the mode that each file and folder should have, and whether root should own it.

    Only what `judge` finds fault with. A log of a service that belongs to a person stays theirs:
    the service could not write to it any more.
    """
    writers, most = _writers(facts), _most(parameters)
    wanted = {}
    for entry in facts.get(log_guard).entries:
        mode = entry.mode
        if _writable(entry):
            mode &= ~0o022
        if entry.family in _OPEN and _wide(entry, most):
            mode &= ~0o777 | most.get(entry.family, most[""])
        owned = entry.family in _CRITICAL and _strange(entry, writers)
        if mode != entry.mode or owned:
            wanted[entry.path] = (mode, owned)
    return wanted


def _writers(facts: Facts) -> set[int]:
    return {0} | {p.uid for p in facts.get(processes).named("rsyslogd", "syslog-ng")}


def _most(parameters: Parameters) -> dict[str, int]:
    """The widest mode by family; under the empty name that of all the others."""
    audit_mode, mode = parameters.strings("audit_mode")[0], parameters.strings("mode")[0]
    return {"audit": int(audit_mode, 8), "": int(mode, 8)}


def _sealed(facts: Facts, guard: Guard, parameters: Parameters) -> Verdict:
    seals = []
    quotes = [Quote(_READ, tuple(e.line for e in guard.entries if e.family in _CRITICAL)[:8])]
    if guard.appending:
        seals.append("chattr +a")
        quotes.append(Quote(_READ, guard.appending))
    if guard.seals:
        seals.append("journald FSS")
        quotes.append(Quote(_READ, guard.seals))
    if _locked(facts):
        seals.append("auditctl -e 2")
        quotes.append(Quote("audit.status", ("enabled 2",)))
    values: dict[str, Value] = {
        "count": sum(not e.folder for e in guard.entries),
        "seals_zh": "、".join(seals) or "无",
        "seals_en": ", ".join(seals) or "none",
    }
    if not seals and parameters.integer("seals") > 0:
        return Verdict(Result.PARTIAL, "no_seal", Method.OBSERVED, values, tuple(quotes))
    return Verdict(Result.PASS, "guarded", Method.OBSERVED, values, tuple(quotes))


def _locked(facts: Facts) -> bool:
    """A container, and a host without audit, has no such lock: that is a missing seal at most."""
    try:
        status = facts.get(audit).status
    except FactError:
        return False
    return status is not None and status.enabled == 2


def _writable(entry: Guarded) -> bool:
    """By everybody, or by a group of people; groups of daemons are the distribution's."""
    if entry.mode & 0o002:
        return not (entry.folder and entry.mode & 0o1000 and entry.family == "other")
    return bool(entry.mode & 0o020) and (entry.gid >= _PEOPLE or entry.gid == 100)


def _strange(entry: Guarded, writers: set[int]) -> bool:
    if entry.family in _CRITICAL and not entry.folder:
        return entry.uid not in writers
    return entry.uid >= _PEOPLE


def _wide(entry: Guarded, most: dict[str, int]) -> bool:
    if entry.folder or entry.accounting:
        return False
    allowed = most.get(entry.family, most[""])
    return bool(entry.mode & 0o777 & ~allowed)


def _fail(reason: str, found: list[Guarded]) -> Verdict:
    return Verdict(Result.FAIL, reason, Method.OBSERVED, _named(found), _quote(found))


def _named(found: Iterable[Guarded]) -> dict[str, Value]:
    return {"paths": [f"{e.path} ({e.mode:04o}, uid {e.uid})" for e in list(found)[:12]]}


def _quote(found: Iterable[Guarded]) -> tuple[Quote, ...]:
    return (Quote(_READ, tuple(e.line for e in found)[:12]),)
