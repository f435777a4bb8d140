"""Who may look at the register, as what, until when.

A password is kept as argon2 has it. Whether a name is known cannot be told from the answer to a
wrong password, nor from the work that it took.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Literal, cast, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, RowMapping, Select, func, select

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.model import Lang
from collector.pledges.record.times import CHINA
from collector.web.keeping import tables
from collector.web.keeping.state import State

What = Literal["added", "signed_in", "stopped", "password"]
# raises, in the write itself, where who asked for it is no more signed in
Held = Callable[[Connection], None]
Role = Literal["manager", "engineer", "auditor", "customer"]
ROLES: tuple[Role, ...] = get_args(Role)
# who sees every pledge
WIDE: tuple[Role, ...] = ("manager", "engineer")
SHORTEST, LONGEST = 12, 200
_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}")
_ELSEWHERE = re.compile(r"[a-z0-9._@-]{0,40}~[0-9a-f]{16}")
# each takes 64 MiB while it is made
_AT_ONCE = threading.Semaphore(2)
_HASHER = PasswordHasher()


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

    def sees(self, pledge: str) -> bool:
        return self.pledges is None or pledge in self.pledges

    @property
    def by_provider(self) -> bool:
        """Is it of who signs in by OpenID Connect: `~` is in no other name."""
        return "~" in self.name

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
        name = _name(one.name)
        if "~" in name:
            raise BadInput(msg("web_account_name", name=name))
        if one.role not in WIDE and not one.pledges:
            raise BadInput(msg("web_pledges_wanted", role=one.role), where="--pledge")
        if one.role == "auditor" and one.ends is None:
            raise BadInput(msg("web_end_wanted"), where="--until")
        if password is not None:
            check(password)
        hashed = _hash(password) if password is not None else None
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
        """One that signs in elsewhere, as it was told this time; None where it was stopped here.

        Its name holds `~`, which no name of `add` does: nobody becomes another's account.
        """
        new: dict[str, object] = {"password": None, "must_change": 0, "disabled": 0, "lang": None}
        new["added_at"] = datetime.now(UTC).isoformat()
        row = {
            "name": one.name,
            "role": one.role,
            "pledges": json.dumps(sorted(one.pledges or ())),
            "ends": one.ends.isoformat() if one.ends else None,
            **new,
        }
        with self._state.write() as connection:
            self._state.upsert(connection, tables.accounts, row, *new)
            ground = {"account": one.name, "ground": one.ground}
            self._state.upsert(connection, tables.grounds, ground)
        found = self.find(one.name)
        return found if found is not None and found.holds(datetime.now(UTC)) else None

    def untold(self, name: str) -> None:
        """One of elsewhere that may look no more: its sessions end, and its row stays as it was."""
        with self._state.write() as connection:
            for table in (tables.grounds, tables.sessions):
                connection.execute(table.delete().where(table.c.account == name))

    def every(self) -> tuple[Account, ...]:
        with self._state.read() as connection:
            rows = connection.execute(_every().order_by(tables.accounts.c.name))
            return tuple(_account(row) for row in rows.mappings())

    def any(self) -> bool:
        with self._state.read() as connection:
            return bool(
                connection.execute(select(func.count()).select_from(tables.accounts)).scalar()
            )

    def find(self, name: str) -> Account | None:
        with self._state.read() as connection:
            query = _every().where(tables.accounts.c.name == name.casefold())
            row = connection.execute(query).mappings().first()
        return _account(row) if row is not None else None

    def known(self, name: str, password: str, now: datetime) -> Account | None:
        """The account, where the password is its own and it may be used; the same work if not."""
        with self._state.read() as connection:
            query = select(tables.accounts).where(tables.accounts.c.name == name.casefold()[:64])
            row = connection.execute(query).mappings().first()
        hashed = row["password"] if row is not None and row["password"] else _nobodys()
        right = _verified(hashed, password[:LONGEST])
        if row is None or not row["password"] or not right:
            return None
        found = _account(row)
        return found if found.holds(now) else None

    def change_password(
        self,
        name: str,
        password: str,
        *,
        must_change: bool = False,
        was: Account | None = None,
        held: Held = lambda _: None,
    ) -> Account | None:
        """All its sessions end. Raises BadInput for a password that cannot be one.

        The account as it is then; None where it is no more as it `was`, and nothing is changed.
        """
        check(password)
        hashed = _hash(password)
        table = tables.accounts
        with self._state.write() as connection:
            held(connection)
            if was is not None and not is_still(connection, was):
                return None
            done = connection.execute(
                table.update()
                .where(table.c.name == _name(name))
                .values(password=hashed, must_change=int(must_change))
            )
            if not done.rowcount:
                raise BadInput(msg("web_no_account", name=name))
            for other in (tables.sessions, tables.devices):
                connection.execute(other.delete().where(other.c.account == name))
            row = connection.execute(select(table).where(table.c.name == name)).mappings().one()
        return _account(row)

    def disable(self, name: str, *, back: bool = False, held: Held = lambda _: None) -> None:
        """At once: its sessions end. With `back` it may be used again."""
        table = tables.accounts
        with self._state.write() as connection:
            held(connection)
            done = connection.execute(
                table.update().where(table.c.name == _name(name)).values(disabled=int(not back))
            )
            if not done.rowcount:
                raise BadInput(msg("web_no_account", name=name))
            for other in (tables.sessions, tables.devices):
                connection.execute(other.delete().where(other.c.account == name))

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


def given(
    name: str, role: Role, pledges: Collection[str], ends: date | None, *, local: bool
) -> Account:
    """An account as an operator asks for it.

    Raises BadInput for pledges of who sees them all, and for an end that is over.
    """
    if ends is not None and ends < datetime.now(UTC).astimezone(CHINA).date():
        raise BadInput(msg("web_end_past", day=ends.isoformat()), where="--until")
    if role in WIDE and pledges:
        raise BadInput(msg("web_pledges_for_nothing", role=role), where="--pledge")
    seen = None if role in WIDE else frozenset(pledges)
    return replace(Account(name.casefold(), role, seen, ends), must_change=local)


def check(password: str) -> None:
    """Raises BadInput for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(msg("web_password_length", least=SHORTEST, most=LONGEST))


def _name(name: str) -> str:
    if not _NAME.fullmatch(name) and not _ELSEWHERE.fullmatch(name):
        raise BadInput(msg("web_account_name", name=name))
    return name


def _hash(password: str) -> str:
    with _AT_ONCE:
        return _HASHER.hash(password)


@cache
def _nobodys() -> str:
    """What an unknown name's password is held against: the same work, and never right."""
    return _hash(secrets.token_urlsafe(32))


def _verified(hashed: str, password: str) -> bool:
    with _AT_ONCE:
        try:
            return _HASHER.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False


def _every() -> Select[Any]:
    """All accounts, each with its ground."""
    mine = tables.grounds.c.account == tables.accounts.c.name
    joined = tables.accounts.outerjoin(tables.grounds, mine)
    return select(tables.accounts, tables.grounds.c.ground).select_from(joined)


def _account(row: RowMapping) -> Account:
    role = cast("Role", row["role"])
    return Account(
        str(row["name"]),
        role,
        None if role in WIDE else frozenset(json.loads(row["pledges"])),
        date.fromisoformat(row["ends"]) if row["ends"] else None,
        bool(row["must_change"]),
        bool(row["disabled"]),
        cast("Lang | None", row["lang"]),
        row["password"] is not None,
        hashlib.sha256(row["password"].encode()).hexdigest() if row["password"] else "",
        row.get("ground") or "",
    )
