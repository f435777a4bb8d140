"""Around each page: who asks is found out, the answer is logged, and nothing else gets out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from collector.errors import CollectorError
from collector.model import Lang
from collector.pledges.database.transactions import DatabaseAwayError
from collector.web.asking.asker import (
    LANGS,
    Asker,
    Handler,
    House,
    NotFoundError,
    TurnedAwayError,
    whole,
)
from collector.web.keeping.access import NOBODY, Line
from collector.web.keeping.looks import FILE
from collector.web.keeping.names import folded
from collector.web.keeping.passwords import BusyError, Places
from collector.web.keeping.sessions import Session
from collector.web.serving.guard import PEER
from collector.web.serving.told import told

_FORM, _SLOW = 64 * 1024, 30
# the same for everybody, and asked for with each page
_UNTOLD = ("/web.css", "/icon.svg")
# nor does it begin a session or leave a cookie: what may be kept by others bears nobody's
_SAME = (*_UNTOLD, "/verify")
# how anybody signs in where no proxy says who it is
_DOORS = ("/sign-in", "/oidc", "/oidc/back")
_YEAR = 365 * 86400
_log = logging.getLogger("hostpledge.web")
# what takes seconds for a large pledge goes on though nobody waits for it any more, and all
# threads of a worker are shared: of files fewer are made at once than of pages
# those who see all pledges have as many of their own: no number of customers turns them away
_FILES, _PAGES = (Places(6, 2), Places(6, 2)), (Places(18, 6), Places(18, 6))
# whoever sees some pledges alone leaves threads to all others, whatever it is that takes long
_ANY = Places(32, 8)
_LONG: Mapping[str, tuple[Places, Places]] = {
    "/export.{form:str}": _FILES,
    "/due/export.{form:str}": _FILES,
    "/pledges/{id:str}/findings.{form:str}": _FILES,
    "/pledges/{id:str}/evidence/{sequence:str}.zip": _FILES,
    "/pledges/{id:str}": _PAGES,
    "/pledges/{id:str}/findings/{control:str}/{host:path}": _PAGES,
}
# seconds
_AGAIN, _BACK = 5, 30

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A page, its route, and whether it is for who has not signed in as well.

    `forms`: does it take one; else nothing of a body is looked at.
    """

    handler: Handler
    route: str
    open_to_all: bool
    forms: bool = True


def endpoint(
    handler: Handler, route: str, *, open_to_all: bool = False, forms: bool = True
) -> Endpoint:
    """The handler as Starlette takes it; unless it is `open_to_all`, who asks has signed in.

    `route`: its path, with the names of what stands in it; empty for what is none.
    """
    plain = Asked(handler, route, open_to_all, forms)

    async def answer(request: Request) -> Response:
        house: House = request.app.state.house
        form: dict[str, str] = {}
        asked = plain
        if request.method == "POST" and forms:
            try:
                form = await asyncio.wait_for(_form(request), _SLOW)
            except (ClientDisconnect, ValueError, TimeoutError):
                asked = Asked(_unreadable, route, open_to_all=True, forms=False)
        return await run_in_threadpool(_answer, request, house, asked, form)

    return answer


def _unreadable(asker: Asker) -> Response:
    asker.note = "form"
    raise TurnedAwayError("turned_form")


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM:
            raise ValueError("too long a form")

    return dict(
        parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50)
    )


def _answer(request: Request, house: House, asked: Asked, form: dict[str, str]) -> Response:
    address = request.client.host if request.client else ""
    secure = request.url.scheme == "https"
    peer = str(request.scope.get(PEER, ""))
    by_proxy = bool(house.settings.user_header) and house.settings.trusts(peer)
    given = {whole(name): whole(value) for name, value in form.items()}
    asker = Asker(request, house, None, "zh", address, secure, by_proxy, given)

    def drawn() -> Response:
        # what is said of a trouble below has a language all the same
        asker.lang = _lang(asker)
        if asked.route not in _UNTOLD:
            asker.session = _session(asker, begins=asked.route not in _SAME)
            asker.lang = _lang(asker)
        if asker.query.get("lang", "") == asker.lang:
            asker.set_cookie("lang", asker.lang, _YEAR)
        return _handled(asker, asked)

    said: set[str] = set()
    response = _safely(asker, asked.route, drawn, said)
    if asked.route not in _UNTOLD:

        def written() -> Response:
            _write_down(asker, asked.route, response)
            return response

        # what cannot be written down is not given out
        answer = _safely(asker, asked.route, written, said)
    else:
        answer = response
    if asked.route not in _SAME:
        _cookies(asker, answer)
    return answer


def _safely(asker: Asker, route: str, work: Callable[[], Response], said: set[str]) -> Response:
    """What comes of the work; of a trouble one page, and nothing of its innards.

    `said`: the troubles of this request that the log of the service has already.
    """
    try:
        return work()
    except CollectorError as problem:
        asker.note = "error"
        # those who may not read it there have somebody who reads it here
        if str(problem) not in said:
            said.add(str(problem))
            _log.warning("%s: %s", route or "?", problem)
        if isinstance(problem, DatabaseAwayError):
            # what the one who waits is told is the same for everybody
            answer = asker.page("turned", 503, why="turned_away")
            answer.headers["Retry-After"] = str(_BACK)
            return answer
        return asker.page("stopped", 500, why=asker.why(problem))
    except Exception:  # noqa: BLE001 - nobody is to read a traceback, and the log has it
        _log.exception("%s", route)
        asker.note = "defect"
        return asker.page("stopped", 500, why="")


def _handled(asker: Asker, asked: Asked) -> Response:
    """The page; what is not there or not theirs is the same page; who is nobody signs in."""
    try:
        leads_on = asker.session is not None and asker.request.method == "GET"
        if asker.by_proxy and asked.route in _DOORS and not leads_on:
            # or who signs in here would be sent back to the door, again and again
            asker.note = "proxy"
            raise TurnedAwayError("turned_proxy", 403)
        if asker.session is None and not asked.open_to_all:
            if asker.request.method == "GET":
                return asker.go(_afterwards(asker, "/sign-in"))
            raise TurnedAwayError("turned_signed_out", 403)
        if asker.request.method == "POST" and asked.forms:
            _same_site(asker)
            asker.check_form(door=asked.route in _DOORS)
        waits = asker.session is not None and asker.session.account.must_change
        if waits and asker.request.url.path not in ("/password", "/sign-out"):
            return asker.go(_afterwards(asker, "/password"))
        return _drawn(asker, asked)
    except NotFoundError:
        return asker.page("nothing", 404)
    except TurnedAwayError as problem:
        asker.note = asker.note or problem.why
        answer = asker.page("turned", problem.status, why=problem.why)
        if problem.status == 503:
            answer.headers["Retry-After"] = str(_AGAIN)
        if problem.why == "turned_preparing" and asker.request.method == "GET":
            answer.headers["Refresh"] = str(_AGAIN)
        return answer


def _drawn(asker: Asker, asked: Asked) -> Response:
    """Raises TurnedAwayError where account, or customer, has as much under way as it may."""
    places = _LONG.get(asked.route)
    if asker.session is None:
        return asked.handler(asker)
    account = asker.session.account
    try:
        with ExitStack() as held:
            if account.pledges is not None:
                held.enter_context(_ANY.one(*account.sharing))
            if places is not None:
                held.enter_context(places[account.pledges is None].one(*account.sharing))
            return asked.handler(asker)
    except BusyError:
        asker.note = "busy"
        raise TurnedAwayError("turned_busy", 503) from None


def _afterwards(asker: Asker, door: str) -> str:
    """That address, from which it goes on to what is asked for now."""
    path = asker.request.url.path
    if path in _DOORS:
        return asker.with_next(door)
    query = f"?{asker.request.url.query}" if asker.request.url.query else ""
    page = asker.request.method == "GET" and path != "/"
    return f"{door}?{urlencode({'next': path + query})}" if page else door


def _session(asker: Asker, *, begins: bool) -> Session | None:
    """Of a browser that holds one, as long as who vouched for it would do so today."""
    token = asker.cookie("session")
    found = asker.house.sessions.find(token) if token else None
    if asker.by_proxy:
        return _of_proxy(asker, found, begins=begins)
    if found is None or found.account.local:
        return found
    if found.account.by_provider and asker.house.vouches(found.account):
        return found
    # whom a proxy named is nobody elsewhere; nor is who has lost the word that let them in
    asker.house.sessions.end(token)
    return None


def _of_proxy(asker: Asker, found: Session | None, *, begins: bool) -> Session | None:
    """Of the one whom the proxy names; what the browser holds counts where it is the same."""
    house = asker.house
    names = asker.request.headers.getlist(house.settings.user_header)
    if len(names) != 1 or not names[0]:
        asker.note = "proxy" if names else asker.note
        return None
    named = whole(folded(names[0]))
    account = house.accounts.find(named)
    if account is None or account.by_provider:
        asker.note = "proxy"
        return None
    if found is not None and found.account.name == named:
        return found
    # one with a password of its own is opened by that alone
    if account.local or not account.holds(datetime.now(UTC)):
        asker.note = "proxy"
        return None
    if not begins:
        return Session(account, "", "")
    made = house.sessions.begin(account)
    if made is None:
        asker.note = "proxy"
        return None
    asker.set_cookie("session", made)
    return house.sessions.find(made)


def _lang(asker: Asker) -> Lang:
    """Asked for in the address, in this browser before, by the account; else the browser's own."""
    account = asker.session.account.lang if asker.session else None
    preferred = asker.request.headers.get("accept-language", "").split(",")
    words = [part.strip().casefold()[:2] for part in preferred]
    for one in (asker.query.get("lang", ""), asker.cookie("lang"), account or "", *words):
        found = next((lang for lang in LANGS if lang == one), None)
        if found is not None:
            return found
    return "zh"


def _same_site(asker: Asker) -> None:
    headers = asker.request.headers
    site, origin = headers.get("sec-fetch-site", ""), headers.get("origin", "")
    foreign = site not in ("", "same-origin", "none")
    if origin and origin.partition("://")[2] != headers.get("host", ""):
        foreign = True
    if foreign:
        asker.note = "csrf"
        raise TurnedAwayError("turned_form", 403)


def _cookies(asker: Asker, response: Response) -> None:
    for name, value, seconds in asker.cookies:
        if value is None:
            response.delete_cookie(
                name, path="/", secure=asker.secure, httponly=True, samesite="lax"
            )
        else:
            response.set_cookie(
                name, value, max_age=seconds, path="/", secure=asker.secure, httponly=True,
                samesite="lax",
            )  # fmt: skip


def _write_down(asker: Asker, route: str, response: Response) -> None:
    request = asker.request
    if _LONG.get(route) is _FILES and response.status_code == 200:
        asker.note = asker.note or FILE
    # as it was sent: an address that was taken apart has lost its line ends
    given = request.scope["query_string"].decode("latin-1")
    asker.house.access.put(
        Line(
            datetime.now(UTC),
            asker.session.account.name if asker.session else NOBODY,
            asker.address or "-",
            request.method,
            told(
                route,
                request.path_params,
                request.scope["path"],
                "" if asker.path_only else given,
                there=response.status_code == 200,
            ),
            response.status_code,
            asker.note,
        )
    )
