"""What an operator asks for of an account: a new one, or another role, other pledges, a new end."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from datetime import date

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.pledges.record.times import today_in_china
from collector.web.keeping import managers, passwords, tables
from collector.web.keeping.accounts import WIDE, Account, Accounts, Role, complete
from collector.web.keeping.names import folded
from collector.web.keeping.state import State


def given(
    name: str, role: Role, pledges: Collection[str], ends: date | None, *, local: bool
) -> Account:
    """An account as an operator asks for it.

    Raises BadInput for pledges of who sees them all, and for an end that is over.
    """
    _not_over(ends)
    if role in WIDE and pledges:
        raise BadInput(msg("web_pledges_for_nothing", role=role), where="--pledge")
    seen = None if role in WIDE else frozenset(pledges)
    return replace(Account(folded(name), role, seen, ends), must_change=local)


def change(
    state: State,
    name: str,
    *,
    role: Role | None = None,
    pledges: Collection[str] = (),
    ends: date | None = None,
    endless: bool = False,
    elsewhere: bool = False,
    password: str | None = None,
    by: str = "",
) -> Account:
    """What is given, in place of what it had; its sessions end. The account as it is then.

    `endless`: its end is taken away. `elsewhere`: a proxy says who it is from now on, and its
    password is gone; `password`: that is its one-time password, where a proxy said so before.

    Raises BadInput where it cannot be so, and for one of a provider: the settings say what it may.
    And where nobody could manage any more.
    """
    _not_over(ends)
    known, table = Accounts(state), tables.accounts
    hashed = passwords.hashed(password) if password is not None else None
    with state.write() as connection:
        # by what it is now: of two changes at once none puts back what the other one took away
        old = known.held(connection, name)
        if old is None:
            raise BadInput(msg("web_no_account", name=name))
        new = _changed(old, role, pledges, ends, endless=endless)
        values: dict[str, object] = {
            "role": new.role,
            "pledges": json.dumps(sorted(new.pledges or ())),
            "ends": new.ends.isoformat() if new.ends else None,
        }
        if elsewhere:
            values |= {"password": None, "must_change": 0}
        if hashed is not None:
            if old.local:
                raise BadInput(
                    msg("web_has_password", name=old.name), mend=msg("web_has_password_mend")
                )
            values |= {"password": hashed, "must_change": 1}
        with managers.kept(state, connection, old.name):
            connection.execute(table.update().where(table.c.name == old.name).values(**values))
        for other in (tables.sessions, *([tables.devices] if elsewhere else [])):
            connection.execute(other.delete().where(other.c.account == old.name))
    known.mark(old.name, "changed", by)
    if pledges:
        known.mark(old.name, "given", by)
    if hashed is not None:
        known.mark(old.name, "password", by)
    return new


def _changed(
    old: Account,
    role: Role | None,
    pledges: Collection[str],
    ends: date | None,
    *,
    endless: bool,
) -> Account:
    if old.by_provider:
        raise BadInput(msg("web_change_elsewhere", name=old.name))
    now = role or old.role
    if now in WIDE and pledges:
        raise BadInput(msg("web_pledges_for_nothing", role=now), where="--pledge")
    seen = None if now in WIDE else frozenset(pledges) or old.pledges
    new = replace(old, role=now, pledges=seen, ends=None if endless else ends or old.ends)
    complete(new)
    return new


def _not_over(ends: date | None) -> None:
    if ends is not None and ends < today_in_china():
        raise BadInput(msg("web_end_past", day=ends.isoformat()), where="--until")
