"""What managers alone see: who may look, and who looked at what."""

from __future__ import annotations

import secrets
from datetime import date

from starlette.responses import Response

from collector.errors import BadInput
from collector.pledges.database.transactions import DatabaseAwayError
from collector.web.asking.asker import Asker, TurnedAwayError
from collector.web.keeping.accounts import ROLES, What
from collector.web.keeping.changes import given
from collector.web.keeping.names import is_same
from collector.web.reading.asked import number
from collector.web.reading.customer import said_of

_LINES = 100
# as large as a number of a line can be
_MOST = 2**53


def accounts(asker: Asker) -> Response:
    asker.must_be("manager")
    return _accounts(asker)


def add(asker: Asker) -> Response:
    """A new account with a one-time password, which this answer alone shows."""
    asker.must_be("manager")
    form = asker.form
    role = next((one for one in ROLES if one == form.get("role")), None)
    if role is None:
        raise TurnedAwayError("turned_form")
    pledges = form.get("pledges", "").replace(",", " ").replace("，", " ").split()
    name = form.get("name", "").strip().casefold()
    password = secrets.token_urlsafe(12)
    try:
        until = date.fromisoformat(form["until"]) if form.get("until") else None
        with asker.house.library.open() as register:
            for pledge in pledges:
                register.get(pledge)
        asker.house.accounts.add(
            given(name, role, pledges, until, local=True),
            password,
            by=asker.account.name,
            held=asker.must_be_in,
        )
    except ValueError:
        raise TurnedAwayError("turned_day") from None
    except DatabaseAwayError:
        raise
    except BadInput as problem:
        return _accounts(asker, status=400, said=said_of(problem, asker.lang))
    asker.note = f"account added: {name} {role}"
    return _accounts(asker, made=(name, password))


def change(asker: Asker) -> Response:
    """Stops an account, lets it be used again, or gives it a new one-time password."""
    asker.must_be("manager")
    name, act = asker.form.get("name", ""), asker.form.get("act", "")
    made = None
    try:
        if act == "password":
            made = (name, secrets.token_urlsafe(12))
            asker.house.accounts.change_password(
                name, made[1], must_change=True, held=asker.must_be_in
            )
        elif act in ("disable", "enable") and not is_same(name, asker.account.name):
            asker.house.accounts.disable(name, back=act == "enable", held=asker.must_be_in)
        else:
            raise TurnedAwayError("turned_form")
    except DatabaseAwayError:
        raise
    except BadInput as problem:
        return _accounts(asker, status=400, said=said_of(problem, asker.lang))
    what: What = "password" if act == "password" else "stopped"
    if act != "enable":
        asker.house.accounts.mark(name, what, asker.account.name)
    asker.note = f"account {act}: {name}"
    return _accounts(asker, made=made)


def log(asker: Asker) -> Response:
    asker.must_be("manager")
    before = number(asker.query.get("before", ""), otherwise=0, most=_MOST)
    lines = asker.house.access.newest(_LINES, before or None)
    older = lines[-1][0] if len(lines) == _LINES else None
    return asker.page("log", lines=lines, older=older, first=not before)


def _accounts(
    asker: Asker, *, status: int = 200, said: str = "", made: tuple[str, str] | None = None
) -> Response:
    return asker.page(
        "accounts",
        status,
        accounts=asker.house.accounts.every(),
        marks=asker.house.accounts.marks(),
        roles=ROLES,
        said=said,
        made=made,
        now=asker.now,
        vouched=asker.house.vouches,
    )
