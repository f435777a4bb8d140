"""intrusion.password_age: the passwords of existing accounts are changed, and must be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from collector.facts.system.accounts import Account, accounts
from collector.model import Clock, Facts, Method, Parameters, Quote, Result, Verdict

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def judge(facts: Facts, parameters: Parameters, clock: Clock) -> Verdict:
    """Only shadow(5) counts: login.defs holds for accounts that are made later."""
    days = parameters.integer("days")
    known = [
        a
        for a in facts.get(accounts)
        if a.login and a.usable and not a.empty and not a.expired(clock.now)
    ]
    if not known:
        return Verdict(Result.NOTAPPLICABLE, "no_passwords", Method.OBSERVED)
    today = (clock.now - _EPOCH).days
    endless = [a for a in known if a.maximum is None or not 0 <= a.maximum <= days]
    # 0 stands for "must be changed at the next login"
    old = [a for a in known if a.changed is None or (a.changed and today - a.changed > days)]
    future = [a for a in known if a.changed is not None and a.changed > today + 1]
    for reason, wrong in (("future", future), ("old", old), ("endless", endless)):
        if wrong:
            return Verdict(
                Result.FAIL,
                reason,
                Method.OBSERVED,
                {"accounts": [_shown(a, today) for a in wrong], "days": days},
                (_quote(wrong),),
            )
    first = min((a.changed for a in known if a.changed), default=None)
    return Verdict(
        Result.PASS,
        "changed",
        Method.OBSERVED,
        {"accounts": [a.name for a in known], "days": days},
        (_quote(known),),
        None if first is None else _EPOCH + timedelta(days=first + days + 1),
    )


def _shown(account: Account, today: int) -> str:
    changed = "?" if account.changed is None else f"{today - account.changed} d"
    longest = "-" if account.maximum is None else str(account.maximum)
    return f"{account.name} ({changed}, max {longest})"


def _quote(wrong: list[Account]) -> Quote:
    lines = tuple(
        f"{a.name}:{a.password}:{'' if a.changed is None else a.changed}::"
        f"{'' if a.maximum is None else a.maximum}"
        for a in wrong
    )
    return Quote("accounts.shadow", lines, "/etc/shadow")
