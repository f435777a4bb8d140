"""intrusion.idle_accounts: no account that could log in lies unused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collector.errors import NotUnderstood
from collector.facts.access.keys_elsewhere import keys_elsewhere
from collector.facts.access.login_keys import key_holders
from collector.facts.access.sshd_effective import refused
from collector.facts.logs.last_logins import Logins, logins
from collector.facts.system.accounts import Account, accounts
from collector.i18n.message import msg
from collector.judges import ssh_servers
from collector.judges.predicates import past
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Value, Verdict

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """All but root: that nobody logs in as root is as it should be."""
    days = parameters.integer("days")
    keys = facts.get(key_holders)
    there = [
        a
        for a in facts.get(accounts)
        if a.uid and a.login and not refused(facts.capture, a, clock.now)
    ]
    open_ = [a for a in there if a.usable or a.name in keys]
    doubtful = [a for a in there if a not in open_] if facts.get(keys_elsewhere) else []
    if not open_ and not doubtful:
        return Verdict(Result.NOTAPPLICABLE, "none", Method.OBSERVED)
    seen = facts.get(logins)
    now = facts.capture.collected_at or clock.now
    since = now - timedelta(days=days)
    for account in open_:
        past(_last(account, seen), clock, "logins.last")
    idle = [a for a in open_ if not _used(a, seen, since)]
    values: dict[str, Value] = {"days": days}
    if not idle:
        for account in doubtful:
            if not _used(account, seen, since):
                where = facts.get(keys_elsewhere)
                raise NotUnderstood("sshd.keys", msg("whether_key", name=account.name, where=where))
        if not open_:
            return Verdict(Result.NOTAPPLICABLE, "none", Method.OBSERVED)
        values["accounts"] = [f"{a.name} {_shown(a, seen)}" for a in open_]
        # what sshd refuses another server may take
        ssh_servers.refuse_others(facts, parameters.strings("other_servers"))
        ends = min(_last(a, seen) for a in open_) + timedelta(days=days)
        return Verdict(Result.PASS, "used", Method.OBSERVED, values, _quotes(open_, seen), ends)
    values["accounts"] = [f"{a.name} {_shown(a, seen)}" for a in idle]
    if not seen.kept and any(a.name not in seen.last for a in idle):
        raise NotUnderstood("logins.last", msg("host_keeps_no_record"))
    if told := [a.name for a in idle if seen.told.get(a.name, _EPOCH) >= since]:
        idle = [a for a in idle if a.name not in told]
        values["accounts"] = [f"{a.name} {_shown(a, seen)}" for a in idle]
        if not idle:
            raise NotUnderstood("logins.last", msg("login_by_syslog_alone", names=", ".join(told)))
    return Verdict(Result.FAIL, "idle", Method.OBSERVED, values, _quotes(idle, seen))


def _last(account: Account, seen: Logins) -> datetime:
    """The last sign of life: a login, or the day on which its password was set."""
    changed = _EPOCH + timedelta(days=min(max(account.changed or 0, 0), 100_000))
    return max(seen.last.get(account.name, _EPOCH), changed)


def _used(account: Account, seen: Logins, since: datetime) -> bool:
    return _last(account, seen) >= since


def _shown(account: Account, seen: Logins) -> str:
    last = seen.last.get(account.name)
    return "-" if last is None else last.date().isoformat()


def _quotes(known: list[Account], seen: Logins) -> tuple[Quote, ...]:
    lines = tuple(seen.lines[a.name] for a in known if a.name in seen.lines)
    return (
        Quote("accounts.passwd", tuple(a.line for a in known), "/etc/passwd"),
        Quote("logins.last", lines),
    )
