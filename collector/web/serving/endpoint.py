"""Around each page: who asks is found out, the answer is logged, and nothing else gets out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from collector.errors import CollectorError
from collector.model import Lang
from collector.web.asking.asker import (
    LANGS,
    Asker,
    Handler,
    House,
    NotFoundError,
    TurnedAwayError,
)
from collector.web.keeping.access import NOBODY, Line
from collector.web.keeping.sessions import Session
from collector.web.reading.customer import said_of
from collector.web.serving.guard import PEER
from collector.web.serving.told import told

_FORM, _SLOW = 64 * 1024, 30
# the same for everybody, and asked for with each page
_UNTOLD = ("/web.css", "/icon.svg")
_YEAR = 365 * 86400
_log = logging.getLogger("hostpledge.web")

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A page, its route, and whether it is for who has not signed in as well."""

    handler: Handler
    route: str
    open_to_all: bool


def endpoint(handler: Handler, route: str, *, open_to_all: bool = False) -> Endpoint:
    """The handler as Starlette takes it; unless it is `open_to_all`, who asks has signed in.

    `route`: its path, with the names of what stands in it; empty for what is none.
    """

    async def answer(request: Request) -> Response:
        house: House = request.app.state.house
        form: dict[str, str] = {}
        if request.method == "POST":
            try:
                form = await asyncio.wait_for(_form(request), _SLOW)
            except (ClientDisconnect, ValueError, TimeoutError):
                return Response(status_code=400)
        asked = Asked(handler, route, open_to_all)
        return await run_in_threadpool(_answer, request, house, asked, form)

    return answer


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
    asker = Asker(request, house, None, "zh", address, secure, form)
    try:
        asker.session = _session(asker)
        asker.lang = _lang(asker)
        if asker.query.get("lang", "") == asker.lang:
            asker.set_cookie("lang", asker.lang, _YEAR)
        response = _handled(asker, asked.handler, asked.open_to_all)
    except CollectorError as problem:
        asker.note = "error"
        response = asker.page("stopped", 500, why=asker.told(said_of(problem, asker.lang)))
    except Exception:  # noqa: BLE001 - nobody is to read a traceback, and the log has it
        _log.exception("%s", asked.route)
        asker.note = "defect"
        response = asker.page("stopped", 500, why="")
    _cookies(asker, response)
    if request.url.path not in _UNTOLD:
        _write_down(asker, asked.route, response)
    return response


def _handled(asker: Asker, handler: Handler, open_to_all: bool) -> Response:
    """The page; what is not there or not theirs is the same page; who is nobody signs in."""
    try:
        if asker.session is None and not open_to_all:
            if asker.request.method == "GET":
                return asker.go(_sign_in(asker))
            raise TurnedAwayError("turned_signed_out", 403)
        if asker.request.method == "POST":
            _same_site(asker)
            asker.check_form()
        waits = asker.session is not None and asker.session.account.must_change
        if waits and asker.request.url.path not in ("/password", "/sign-out"):
            return asker.go("/password")
        return handler(asker)
    except NotFoundError:
        return asker.page("nothing", 404)
    except TurnedAwayError as problem:
        asker.note = asker.note or problem.why
        return asker.page("turned", problem.status, why=problem.why)


def _sign_in(asker: Asker) -> str:
    path = asker.request.url.path
    query = f"?{asker.request.url.query}" if asker.request.url.query else ""
    return "/sign-in" + ("" if path == "/" else f"?{urlencode({'next': path + query})}")


def _session(asker: Asker) -> Session | None:
    header = asker.house.settings.user_header
    peer = str(asker.request.scope.get(PEER, ""))
    token = asker.cookie("session")
    found = asker.house.sessions.find(token) if token else None
    if header and asker.house.settings.trusts(peer):
        names = asker.request.headers.getlist(header)
        if len(names) != 1 or not names[0]:
            asker.note = "proxy" if names else asker.note
            return None
        named = names[0].casefold()
        if found is not None and found.account.name == named:
            return found
        account = asker.house.accounts.find(named)
        # one with a password of its own is opened by that alone
        if account is None or account.local or not account.holds(datetime.now(UTC)):
            asker.note = "proxy"
            return None
        made = asker.house.sessions.begin(account)
        asker.set_cookie("session", made)
        return asker.house.sessions.find(made)
    return found


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
