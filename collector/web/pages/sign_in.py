"""Signing in and out, and a password of one's own."""

from __future__ import annotations

from starlette.responses import Response

from collector.errors import BadInput
from collector.web.asking.asker import Asker, NotFoundError
from collector.web.keeping import throttle
from collector.web.keeping.accounts import Account
from collector.web.keeping.sessions import LONGEST
from collector.web.reading.customer import said_of

_DEVICE_SECONDS = 180 * 86400


def page(asker: Asker) -> Response:
    """The form; who has signed in is led on."""
    if asker.session is not None:
        return asker.go("/")
    return _form(asker)


def sign_in(asker: Asker) -> Response:
    """A session of a new token, or the form again with one sentence that fits every cause."""
    house = asker.house
    name = asker.form.get("name", "").strip().casefold()
    device = asker.cookie("device")
    known = device if device and house.sessions.knows_device(device, name) else None
    buckets = throttle.buckets(name, asker.address, known)
    tried, given = house.throttle.take(buckets), asker.form.get("password", "")
    account = None
    if tried.wait and known is None:
        # others may have used up the tries of a name: not those of this address
        own = house.throttle.take(buckets[:2])
        found = house.accounts.known(name, given, asker.now) if not own.wait else None
        if found is not None and found.must_change:
            account, tried = found, own
    elif not tried.wait:
        account = house.accounts.known(name, given, asker.now)
    if tried.wait:
        asker.note = "throttled"
        response = _form(asker, status=429, wait=(tried.wait + 59) // 60)
        response.headers["Retry-After"] = str(tried.wait)
        return response
    if account is None:
        # what is no name may be a password in the wrong field
        asker.note = f"failed: {name}" if house.accounts.find(name) else "failed: no such name"
        return _form(asker, status=401, failed=True)
    house.throttle.right(tried, buckets[:1])
    if known is None:
        asker.set_cookie("device", house.sessions.trust_device(account.name), _DEVICE_SECONDS)
    begin(asker, account)
    return asker.go("/password" if account.must_change else local(asker.query.get("next", "")))


def begin(asker: Asker, account: Account) -> None:
    """A session of a token that nobody had before; the one that was there ends."""
    before = asker.cookie("session")
    if before:
        asker.house.sessions.end(before)
    token = asker.house.sessions.begin(account)
    asker.set_cookie("session", token, int(LONGEST))
    asker.house.accounts.mark(account.name, "signed_in")
    asker.note = f"signed in: {account.name}"


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
    bucket = [(f"password {account.name}", throttle.DEVICE)]
    tried = asker.house.throttle.take(bucket)
    words = "password_wait" if tried.wait else ""
    if not words:
        if asker.house.accounts.known(account.name, form.get("old", ""), asker.now) is None:
            words = "password_wrong"
        else:
            asker.house.throttle.right(tried, ())
    if not words and form.get("new", "") != form.get("again", ""):
        words = "password_twice"
    if not words and form.get("new", "") == form.get("old", ""):
        words = "password_same"
    if words:
        asker.note = words
        return asker.page("password", 400, complaint=words, said="")
    try:
        asker.house.accounts.change_password(account.name, form.get("new", ""))
    except BadInput as problem:
        return asker.page("password", 400, complaint="", said=said_of(problem, asker.lang))
    begin(asker, account)
    asker.set_cookie("device", asker.house.sessions.trust_device(account.name), _DEVICE_SECONDS)
    asker.note = "password changed"
    return asker.go("/")


def local(path: str) -> str:
    """A path of this site and nothing else; `/` for whatever else it is."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain and path.isprintable() and "\\" not in path else "/"


def _form(asker: Asker, *, status: int = 200, failed: bool = False, wait: int = 0) -> Response:
    return asker.page(
        "sign-in", status, failed=failed, wait=wait, token=asker.form_token(),
        next=local(asker.query.get("next", "")),
    )  # fmt: skip
