"""logging.tamper_protection: nobody but root, and the daemon that writes it, may change a log."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

from collector.errors import CouldNotLook, FactError
from collector.facts.logs.audit.status import audit
from collector.facts.logs.destinations import JOURNALD, log_stores
from collector.facts.logs.permissions import Guard, Guarded, log_guard
from collector.facts.system.accounts import accounts, groups
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.judges import taken_up
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_READ = "log_guard.modes"
_CRITICAL = ("login", "audit", "syslog", "firewall", "journal")
_OPEN = (*_CRITICAL, "web", "database", "vpn", "dns", "mail", "bastion")
_PEOPLE = 1000  # accounts of people begin here (login.defs(5): UID_MIN)


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """The worst that is found decides: writable, owned by a person, readable, without a seal."""
    guard = facts.get(log_guard)
    writers, most = _writers(facts), _most(parameters)
    people = _People(facts, writers)
    writable = [e for e in guard.entries if people.write(e)]
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
    _looked_at_all(facts, guard)
    if joined := [e for e in guard.entries if people.join(e)]:
        return _fail("writable", joined)
    return _sealed(facts, guard, parameters)


def _looked_at_all(facts: Facts, guard: Guard) -> None:
    """Raises CouldNotLook where a log that is written, or who else may write to one, was not seen.

    Below /var/log all that is there was.
    """
    for store in facts.get(log_stores).syslog:
        if store.active and store.taker != JOURNALD:
            # one that runs with other files writes elsewhere
            taken_up.refuse_stale("syslog.running", store.taken, store.taker)
        for path in (*store.logins, *store.general) if store.active else ():
            if not path.startswith("/var/log/") and not guard.has(path):
                raise CouldNotLook(_READ, msg("not_collected_log", path=path))
    if not guard.asked:
        raise CouldNotLook(_READ, msg("not_collected_access_lists"))


def mends(facts: Facts, parameters: Parameters) -> dict[str, tuple[int, bool]]:
    """By path the mode that each file and folder should have, and whether root should own it.

    Only what `judge` finds fault with. A log of a service that belongs to a person stays theirs:
    the service could not write to it any more.
    """
    writers, most = _writers(facts), _most(parameters)
    people = _People(facts, writers)
    wanted = {}
    for entry in facts.get(log_guard).entries:
        mode = entry.mode
        if people.write(entry) or _surely(people.join, entry):
            mode &= ~0o022
        if entry.family in _OPEN and _wide(entry, most):
            mode &= ~0o777 | most.get(entry.family, most[""])
        owned = entry.family in _CRITICAL and _strange(entry, writers)
        if mode != entry.mode or owned:
            wanted[entry.path] = (mode, owned)
    return wanted


def _surely(test: Callable[[Guarded], bool], entry: Guarded) -> bool:
    """Is it so, as far as it can be told? On what cannot nothing is changed."""
    try:
        return test(entry)
    except FactError:
        return False


def _writers(facts: Facts) -> set[int]:
    known = facts.get(processes)
    return {0} | {p.uid for p in known.of_the_system("rsyslogd", "syslog-ng")}


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
        if guard.unknown_seals:
            raise CouldNotLook(_READ, msg("not_collected_seals"))
        return Verdict(Result.PARTIAL, "no_seal", Method.OBSERVED, values, tuple(quotes))
    return Verdict(Result.PASS, "guarded", Method.OBSERVED, values, tuple(quotes))


def _locked(facts: Facts) -> bool:
    """A container, and a host without audit, has no such lock: that is a missing seal at most."""
    try:
        status = facts.get(audit).status
    except FactError:
        return False
    return status is not None and status.enabled == 2


class _People:
    """Who is no daemon, and so may not write to logs."""

    def __init__(self, facts: Facts, writers: set[int]) -> None:
        self._facts, self._writers = facts, writers

    @cached_property
    def _groups(self) -> frozenset[int]:
        """Groups in which somebody is who can log in. Raises FactError."""
        people = [a for a in self._facts.get(accounts) if a.uid >= _PEOPLE and a.login]
        names = {a.name for a in people}
        listed = {g.gid for g in self._facts.get(groups) if not names.isdisjoint(g.members)}
        return frozenset(listed | {a.gid for a in people})

    def write(self, entry: Guarded) -> bool:
        """May everybody write to it, or a person, by a group or an access list?"""
        if entry.mode & 0o002 and not (
            entry.folder and entry.mode & 0o1000 and entry.family == "other"
        ):
            return True
        if any(uid not in self._writers for uid in entry.users):
            return True
        return any(gid >= _PEOPLE or gid == 100 for gid in entry.writing_groups)

    def join(self, entry: Guarded) -> bool:
        """May a group write to it that is a daemon's, and in which somebody is who can log in?"""
        written = [gid for gid in entry.writing_groups if gid]
        return bool(written) and not self._groups.isdisjoint(written)


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
    return {
        "paths": [
            f"{e.path} ({', '.join((f'{e.mode:04o}', f'uid {e.uid}', f'gid {e.gid}', *e.listed))})"
            for e in list(found)[:12]
        ]
    }


def _quote(found: Iterable[Guarded]) -> tuple[Quote, ...]:
    return (Quote(_READ, tuple(e.line for e in found)[:12]),)
