"""Who may look at the register, as what, until when.

Whether a name is known cannot be told from the answer to a wrong password. Of whom a provider
vouches for, the name is for show: who it is says the digest behind its `~`, whatever they are
called today.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal, cast, get_args

from sqlalchemy import Connection, RowMapping, Select, select

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Lang
from collector.pledges.record.times import CHINA
from collector.web.keeping import managers, one_time, passwords, tables
from collector.web.keeping.names import folded, same, valid
from collector.web.keeping.state import State

# `given`: the pledges that it may see were named
What = Literal["added", "signed_in", "stopped", "password", "changed", "given"]
# raises, in the write itself, where who asked for it is no more signed in
Held = Callable[[Connection], None]
Role = Literal["manager", "engineer", "auditor", "customer"]
ROLES: tuple[Role, ...] = get_args(Role)
# who sees every pledge
WIDE: tuple[Role, ...] = ("manager", "engineer")
# any constant of our own: of two sign-ins of one person the second sees the first
_LOCK = 0x77656261


@dataclass(frozen=True, slots=True)
class Account:
    """`pledges`: the ids that it may see; None for all. `ends`: the last day of its use.

    `seal`: of the password that it had when it was read. `ground`: by which word of the settings
    one of elsewhere may look; empty where by none.
    """

    name: str
    role: Role
    pledges: frozenset[str] | None = None
    ends: date | None = None
    must_change: bool = False
    disabled: bool = False
    lang: Lang | None = None
    local: bool = True
    seal: str = field(default="", repr=False, compare=False)
    ground: str = field(default="", compare=False)

    @property
    def by_provider(self) -> bool:
        """Is it of who signs in by OpenID Connect: `~` is in no other name."""
        return "~" in self.name

    @property
    def sharing(self) -> tuple[str, ...]:
        """Under which names it has places: all accounts of one customer have those of one."""
        mine = sorted(self.pledges or ()) if self.role == "customer" else []
        return (self.name, *(f"pledge {id}" for id in mine))

    def holds(self, now: datetime) -> bool:
        """May it be used at that time (aware)?"""
        return not self.disabled and (
            self.ends is None or now.astimezone(CHINA).date() <= self.ends
        )


class Accounts:
    """Those of a state."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(
        self, one: Account, password: str | None, *, by: str = "", held: Held = lambda _: None
    ) -> None:
        """Raises BadInput where the name is taken or cannot be one, or more has to be said.

        `by`: who adds it.
        """
        name = valid(one.name)
        if "~" in name:
            raise BadInput(msg("web_account_name", name=name))
        complete(one)
        if password is not None:
            passwords.check(password)
        hashed = passwords.hashed(password) if password is not None else None
        with self._state.write() as connection:
            held(connection)
            known = select(tables.accounts.c.name).where(tables.accounts.c.name == name)
            if connection.execute(known).first() is not None:
                raise BadInput(msg("web_account_taken", name=name))
            connection.execute(
                tables.accounts.insert().values(
                    name=name,
                    role=one.role,
                    pledges=json.dumps(sorted(one.pledges or ())),
                    ends=one.ends.isoformat() if one.ends else None,
                    password=hashed,
                    must_change=int(one.must_change),
                    disabled=0,
                    lang=one.lang,
                    added_at=datetime.now(UTC).isoformat(),
                )
            )
            self._mark(connection, name, "added", by)

    def mark(self, name: str, what: What, by: str = "") -> None:
        """That it happened now, and by whom; the one before is not kept."""
        with self._state.write() as connection:
            self._mark(connection, name, what, by)

    def _mark(self, connection: Connection, name: str, what: What, by: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        row = {"account": name, "what": what, "at": at, "by": by[:64]}
        self._state.upsert(connection, tables.marks, row)

    def marks(self) -> Mapping[str, Mapping[str, tuple[datetime, str]]]:
        """By account, when each thing happened last, and by whom (empty: nobody said so)."""
        found: dict[str, dict[str, tuple[datetime, str]]] = {}
        added = select(tables.accounts.c.name, tables.accounts.c.added_at)
        with self._state.read() as connection:
            for name, at in connection.execute(added):
                found[name] = {"added": (datetime.fromisoformat(at), "")}
            for row in connection.execute(select(tables.marks)):
                at = datetime.fromisoformat(row.at)
                found.setdefault(row.account, {})[row.what] = (at, row.by)
        return found

    def told(self, one: Account) -> Account | None:
        """One of a provider, as it was told this time; None where it was stopped here.

        Its name holds `~`, which no name of `add` does: nobody becomes another's account. Who has
        been here by another name keeps the account, and the name, that they have.
        """
        new = {"disabled": 0, "lang": None, "added_at": datetime.now(UTC).isoformat()}
        table = tables.accounts
        with self._state.write() as connection:
            self._state.alone(connection, _LOCK)
            known = connection.execute(
                select(table.c.name, table.c.disabled)
                .where(same(one.name))
                .order_by(table.c.added_at, table.c.name)
            ).all()
            if any(other.disabled for other in known):
                _out(connection, [other.name for other in known])
                return None
            name = known[0].name if known else one.name
            row = {
                "name": name,
                "role": one.role,
                "pledges": json.dumps(sorted(one.pledges or ())),
                "ends": one.ends.isoformat() if one.ends else None,
                "password": None,
                "must_change": 0,
                **new,
            }
            self._state.upsert(connection, table, row, *new)
            _out(connection, [other.name for other in known[1:]])
            ground = {"account": name, "ground": one.ground}
            self._state.upsert(connection, tables.grounds, ground)
        found = self.find(name)
        return found if found is not None and found.holds(datetime.now(UTC)) else None

    def untold(self, name: str) -> None:
        """One of a provider that may look no more: its sessions end, its row stays as it was."""
        with self._state.write() as connection:
            every = select(tables.accounts.c.name).where(same(name))
            _out(connection, list(connection.execute(every).scalars()))

    def every(self) -> tuple[Account, ...]:
        with self._state.read() as connection:
            rows = connection.execute(_every().order_by(tables.accounts.c.name))
            return tuple(_account(row) for row in rows.mappings())

    def any(self) -> bool:
        with self._state.read() as connection:
            return connection.execute(select(tables.accounts.c.name).limit(1)).first() is not None

    def find(self, name: str) -> Account | None:
        with self._state.read() as connection:
            query = _every().where(tables.accounts.c.name == folded(name))
            row = connection.execute(query).mappings().first()
        return _account(row) if row is not None else None

    @staticmethod
    def held(connection: Connection, name: str) -> Account | None:
        """As `find`, within a write: until its end nobody else changes the account."""
        mine = tables.accounts.c.name == folded(name)
        connection.execute(select(tables.accounts).where(mine).with_for_update())
        row = connection.execute(_every().where(mine)).mappings().first()
        return _account(row) if row is not None else None

    def known(self, name: str, password: str, now: datetime) -> Account | None:
        """The account, where the password is its own and it may be used; the same work if not."""
        with self._state.read() as connection:
            query = select(tables.accounts).where(tables.accounts.c.name == folded(name)[:64])
            row = connection.execute(query).mappings().first()
            over = row is not None and one_time.is_over(connection, row["name"], now)
        found = _account(row) if row is not None else None
        own = row["password"] if row is not None and found is not None and found.local else ""
        right = passwords.verified(own or passwords.nobodys(), password)
        if found is None or not own or not right or not found.holds(now):
            return None
        return None if found.must_change and over else found

    def change_password(
        self,
        name: str,
        password: str,
        *,
        must_change: bool = False,
        was: Account | None = None,
        held: Held = lambda _: None,
    ) -> Account | None:
        """All its sessions end. Raises BadInput for a password that cannot be one, and for an

        account that has none: who vouches for it elsewhere would be asked no more.

        The account as it is then; None where it is no more as it `was`, and nothing is changed.
        """
        passwords.check(password)
        hashed = passwords.hashed(password)
        table = tables.accounts
        mine = select(table).where(table.c.name == valid(name))
        with self._state.write() as connection:
            held(connection)
            if was is not None and not is_still(connection, was):
                return None
            row = connection.execute(mine.with_for_update()).mappings().first()
            if row is None:
                raise BadInput(msg("web_no_account", name=name))
            if not _account(row).local:
                raise BadInput(msg("web_password_elsewhere", name=name))
            connection.execute(
                table.update()
                .where(table.c.name == name)
                .values(password=hashed, must_change=int(must_change))
            )
            if must_change:
                self._mark(connection, name, "password", "")
            for other in (tables.sessions, tables.devices):
                connection.execute(other.delete().where(other.c.account == name))
            now = connection.execute(mine).mappings().one()
        return _account(now)

    def disable(self, name: str, *, back: bool = False, held: Held = lambda _: None) -> None:
        """At once: its sessions end. With `back` it may be used again."""
        table = tables.accounts
        with self._state.write() as connection:
            held(connection)
            with managers.kept(self._state, connection, name):
                mine = table.update().where(same(valid(name)))
                done = connection.execute(mine.values(disabled=int(not back)))
            if not done.rowcount:
                raise BadInput(msg("web_no_account", name=name))
            every = select(table.c.name).where(same(name))
            for other in (tables.sessions, tables.devices):
                connection.execute(other.delete().where(other.c.account.in_(every)))

    def speak(self, name: str, lang: Lang) -> None:
        """In which language its pages are from now on."""
        table = tables.accounts
        with self._state.write() as connection:
            connection.execute(table.update().where(table.c.name == name).values(lang=lang))

    def first(self) -> str | None:
        """The one-time password of a manager, made where there is no account yet."""
        if self.any():
            return None
        password = secrets.token_urlsafe(15)
        try:
            self.add(Account("manager", "manager", must_change=True), password)
        except BadInput:  # another process was quicker
            return None
        return password


def is_still(connection: Connection, account: Account) -> bool:
    """Is its password the one that it was read with, and may it be used: up to the end of a write.

    Whoever is slow between reading and writing (a password takes its time) may come after somebody
    who changed it for a reason.
    """
    table = tables.accounts
    query = select(table).where(table.c.name == account.name).with_for_update()
    row = connection.execute(query).mappings().first()
    now = _account(row) if row is not None else None
    return now is not None and now.seal == account.seal and now.holds(datetime.now(UTC))


def complete(one: Account) -> None:
    """Raises BadInput where more has to be said of one of its role."""
    if one.role not in WIDE and not one.pledges:
        raise BadInput(msg("web_pledges_wanted", role=one.role), where="--pledge")
    if one.role == "auditor" and one.ends is None:
        raise BadInput(msg("web_end_wanted"), where="--until")


def _out(connection: Connection, names: Collection[str]) -> None:
    for table in (tables.grounds, tables.sessions):
        connection.execute(table.delete().where(table.c.account.in_(names)))


def _every() -> Select[Any]:
    """All accounts, each with its ground."""
    mine = tables.grounds.c.account == tables.accounts.c.name
    joined = tables.accounts.outerjoin(tables.grounds, mine)
    return select(tables.accounts, tables.grounds.c.ground).select_from(joined)


def _account(row: RowMapping) -> Account:
    role, name = cast("Role", row["role"]), str(row["name"])
    # one of a provider has no password, whatever was written there
    password = row["password"] if "~" not in name else None
    return Account(
        name,
        role,
        None if role in WIDE else frozenset(json.loads(row["pledges"])),
        date.fromisoformat(row["ends"]) if row["ends"] else None,
        bool(row["must_change"]),
        bool(row["disabled"]),
        cast("Lang | None", row["lang"]),
        password is not None,
        hashlib.sha256(password.encode()).hexdigest() if password else "",
        row.get("ground") or "",
    )
