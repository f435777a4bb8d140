"""The application: its pages, and what they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from collector.handin.places import Places
from collector.pledges.database.location import place as location_of
from collector.web.asking.asker import Asker, Handler, House, NotFoundError, TurnedAwayError
from collector.web.asking.oidc import Provider
from collector.web.asking.settings import Settings
from collector.web.keeping import managers
from collector.web.keeping.access import Access
from collector.web.keeping.accounts import Accounts
from collector.web.keeping.sessions import Sessions
from collector.web.keeping.state import State
from collector.web.keeping.throttle import Throttle
from collector.web.pages import customer, evidence, files, finding, oidc, overview, people, sign_in
from collector.web.reading.asked import Rows
from collector.web.reading.customer import Customer
from collector.web.reading.index import Index
from collector.web.reading.library import Library
from collector.web.reading.waiting import Waiting
from collector.web.serving.endpoint import endpoint
from collector.web.serving.guard import Guard

# path, page, and who sees it without having signed in
_READ: Sequence[tuple[str, Handler]] = (
    ("/", overview.overview),
    ("/export.{form:str}", overview.export),
    ("/due", overview.due),
    ("/due/export.{form:str}", overview.due_export),
    ("/pledges/{id:str}", customer.customer),
    ("/pledges/{id:str}/findings.{form:str}", customer.findings),
    ("/pledges/{id:str}/evidence/{sequence:str}.zip", evidence.bundle),
    ("/pledges/{id:str}/findings/{control:str}/{host:path}", finding.finding),
    ("/password", sign_in.password_page),
    ("/accounts", people.accounts),
    ("/log", people.log),
)
_WRITE: Sequence[tuple[str, Handler]] = (
    ("/sign-out", sign_in.sign_out),
    ("/password", sign_in.password),
    ("/accounts", people.change),
    ("/accounts/new", people.add),
)
_OPEN: Sequence[tuple[str, str, Handler]] = (
    ("/sign-in", "GET", sign_in.page),
    ("/sign-in", "POST", sign_in.sign_in),
    ("/oidc", "GET", oidc.away),
    ("/oidc/back", "GET", oidc.back),
    ("/web.css", "GET", files.css),
    ("/icon.svg", "GET", files.icon),
    ("/verify", "GET", files.verifier),
)


def house(location: str | None, state: State, settings: Settings) -> House:
    """What the requests of one process share.

    Raises BadInput where there is no register, and for the state of another one.
    """
    library, rows = Library(location), Rows(state)
    state.belongs_to(library.name)
    handed = Places(location_of(location).hand_in)
    handed.belongs_to(library.name, library.where, claim=False)
    provider = Provider(settings.oidc, state.secret) if settings.oidc else None
    managers.vouch(state, provider.grounds if provider is not None else ())
    return House(
        settings,
        state,
        Accounts(state),
        Sessions(state),
        Throttle(state),
        Access(state, settings.log_days),
        library,
        # with a register of its own: no page waits while the rows of thousands are made
        Index(Library(location), state, handed),
        rows,
        Customer(library, rows),
        Waiting(handed, library),
        provider,
    )


def application(shared: House, more: Sequence[BaseRoute] = ()) -> Starlette:
    """`more`: routes of other rooms, which guard themselves."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        shared.index.begin()
        yield
        shared.index.end()

    routes: list[BaseRoute] = [
        *(Route(path, endpoint(page, path), methods=["GET"]) for path, page in _READ),
        *(Route(path, endpoint(page, path), methods=["POST"]) for path, page in _WRITE),
        *(
            Route(path, endpoint(page, path, open_to_all=True), methods=[method])
            for path, method, page in _OPEN
        ),
        *(Route(path, _Otherwise(path, known)) for path, known in _methods().items()),
        *more,
        Route("/{path:path}", endpoint(_nothing, ""), methods=["GET", "POST"]),
    ]
    made = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, settings=shared.settings)],
        lifespan=lifespan,
        exception_handlers={404: _unrouted, 405: _unrouted},
    )
    made.state.house = shared
    return made


def _nothing(asker: Asker) -> Response:  # noqa: ARG001 - as every page
    raise NotFoundError


def _methods() -> dict[str, list[str]]:
    """By path of a page, how it may be asked for."""
    found: dict[str, list[str]] = {}
    every = [
        *((path, "GET") for path, _ in _READ),
        *((path, "POST") for path, _ in _WRITE),
        *((path, method) for path, method, _ in _OPEN),
    ]
    for path, method in every:
        found.setdefault(path, []).extend(["GET", "HEAD"] if method == "GET" else [method])
    return found


class _Otherwise:
    """A page that was asked for as it cannot be: refused, and written down as pages are."""

    def __init__(self, path: str, known: Sequence[str]) -> None:
        self._answer, self._known = endpoint(_no_method, path, open_to_all=True, forms=False), known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(Request(scope, receive))
        if answer.status_code == 405:
            answer.headers["Allow"] = ", ".join(self._known)
        await answer(scope, receive, send)


async def _unrouted(request: Request, problem: Exception) -> Response:
    """What is no address of a page or a link, or is asked for as those are not."""
    status = problem.status_code if isinstance(problem, HTTPException) else 404
    page = _nothing if status == 404 else _no_method
    answer = await endpoint(page, "", open_to_all=True, forms=False)(request)
    for name, value in (getattr(problem, "headers", None) or {}).items():
        answer.headers[name] = value
    return answer


def _no_method(asker: Asker) -> Response:  # noqa: ARG001
    raise TurnedAwayError("turned_method", 405)
