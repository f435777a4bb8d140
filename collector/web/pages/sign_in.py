"""Signing in and out, and a password of one's own."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from collector.errors import BadInput
from collector.handin.senders import networks
from collector.pledges.database.transactions import DatabaseAwayError
from collector.web.asking.asker import Asker, NotFoundError, TurnedAwayError
from collector.web.keeping import passwords, throttle
from collector.web.keeping.accounts import Account
from collector.web.keeping.sessions import LONGEST

_DEVICE_SECONDS = 180 * 86400
# seconds after which who found no place may try again
_AGAIN = 5


def page(asker: Asker) -> Response:
    """The form; who has signed in is led on."""
    if asker.session is not None:
        return asker.go(asker.next)
    return _form(asker)


def sign_in(asker: Asker) -> Response:
    """A session of a new token, or the form again with one sentence that fits every cause."""
    name = asker.form.get("name", "").strip().casefold()
    device = asker.cookie("device")
    known = device if device and asker.house.sessions.knows_device(device, name) else None
    buckets = throttle.buckets(name, asker.address, known)
    # first of all: who is heard no more takes no place
    tried = own = asker.house.throttle.take(buckets)
    if tried.wait and known is None:
        # others may have used up the tries of a name: not those of this address
        own = asker.house.throttle.take(buckets[:-1])
    if own.wait:
        return _later(asker, tried)
    places = passwords.STRANGERS if known is None else passwords.KNOWN
    try:
        with places.one(*networks(asker.address)):
            account = asker.house.accounts.known(name, asker.form.get("password", ""), asker.now)
    except passwords.BusyError:
        # nothing was tried, and nothing counts
        asker.house.throttle.right(own, ())
        asker.note = "busy"
        response = _form(asker, status=503, busy=True)
        response.headers["Retry-After"] = str(_AGAIN)
        return response
    if tried.wait and (account is None or not account.must_change):
        return _later(asker, tried)
    return _let_in(asker, name, account, own, buckets, known)


def _later(asker: Asker, tried: throttle.Try) -> Response:
    asker.note = "throttled"
    response = _form(asker, status=429, wait=(tried.wait + 59) // 60)
    response.headers["Retry-After"] = str(tried.wait)
    return response


def _let_in(
    asker: Asker,
    name: str,
    account: Account | None,
    tried: throttle.Try,
    buckets: Sequence[tuple[str, int]],
    known: str | None,
) -> Response:
    """`known`: what a browser holds in which that account has signed in before."""
    house = asker.house
    if account is None or not begin(asker, account, new_here=known is None):
        # what is no name may be a password in the wrong field
        asker.note = f"failed: {name}" if house.accounts.find(name) else "failed: no such name"
        return _form(asker, status=401, failed=True)
    house.throttle.right(tried, buckets[:1])
    return asker.go(asker.with_next("/password") if account.must_change else asker.next)


def begin(asker: Asker, account: Account, *, new_here: bool = False) -> bool:
    """A session of a token that nobody had before; the one that was there ends.

    False, and nothing else, where the account is no more as it was known. `new_here`: its browser
    is one of its own from now on.
    """
    sessions, before = asker.house.sessions, asker.cookie("session")
    token = sessions.begin(account)
    if token is None:
        return False
    if before:
        sessions.end(before)
    asker.set_cookie("session", token, int(LONGEST))
    if new_here and (device := sessions.trust_device(account)) is not None:
        asker.set_cookie("device", device, _DEVICE_SECONDS)
    # the line of the log is that of who signs in
    asker.session = sessions.find(token)
    asker.house.accounts.mark(account.name, "signed_in")
    asker.note = f"signed in: {account.name}"
    return True


def sign_out(asker: Asker) -> Response:
    if asker.session is not None:
        asker.house.sessions.end(asker.session.token)
    asker.set_cookie("session", None)
    asker.note = "signed out"
    return asker.go("/sign-in")


def password_page(asker: Asker) -> Response:
    if not asker.account.local:
        raise NotFoundError
    return asker.page("password", complaint="", said="")


def password(asker: Asker) -> Response:
    """Ends all sessions of the account, and begins one anew."""
    account, form = asker.account, asker.form
    if not account.local:
        raise NotFoundError
    try:
        with passwords.KNOWN.one(account.name):
            words, was = _unlike(asker, account)
            if words or was is None:
                asker.note = words
                return asker.page("password", 400, complaint=words, said="")
            now = asker.house.accounts.change_password(account.name, form.get("new", ""), was=was)
    except passwords.BusyError:
        asker.note = "busy"
        return asker.page("password", 503, complaint="password_busy", said="")
    except DatabaseAwayError:
        raise
    except BadInput as problem:
        return asker.page("password", 400, complaint="", said=asker.why(problem))
    if now is None or not begin(asker, now, new_here=True):
        # somebody else has changed it meanwhile, and ended the session that asks
        raise TurnedAwayError("turned_signed_out", 403)
    asker.note = "password changed"
    return asker.go(asker.next)


def _unlike(asker: Asker, account: Account) -> tuple[str, Account | None]:
    """Why the form cannot be followed; else the account by the password that it was."""
    form, bucket = asker.form, [(f"password {account.name}", throttle.DEVICE)]
    tried = asker.house.throttle.take(bucket)
    if tried.wait:
        return "password_wait", None
    was = asker.house.accounts.known(account.name, form.get("old", ""), asker.now)
    if was is None:
        return "password_wrong", None
    asker.house.throttle.right(tried, ())
    if form.get("new", "") != form.get("again", ""):
        return "password_twice", None
    if form.get("new", "") == form.get("old", ""):
        return "password_same", None
    return "", was


def _form(
    asker: Asker, *, status: int = 200, failed: bool = False, wait: int = 0, busy: bool = False
) -> Response:
    token = asker.form_token()
    return asker.page("sign-in", status, failed=failed, wait=wait, busy=busy, token=token)
