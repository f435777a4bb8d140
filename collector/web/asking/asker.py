"""One request: who asks, from where, in which language; and the answers that it can get."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from collector.errors import CollectorError
from collector.model import Lang
from collector.pledges.database.transactions import DatabaseSaysError
from collector.report.render.sheets import Rows as Sheet
from collector.report.render.sheets import as_csv, as_xlsx
from collector.web.asking.cookies import cookies_of
from collector.web.asking.drawing import draw
from collector.web.keeping.accounts import WIDE, Account, Accounts, Role
from collector.web.keeping.given import given
from collector.web.keeping.sessions import Session, Sessions
from collector.web.reading.asked import number, page_of
from collector.web.reading.customer import said_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from collector.web.asking.oidc import Provider
    from collector.web.asking.settings import Settings
    from collector.web.keeping.access import Access
    from collector.web.keeping.state import State
    from collector.web.keeping.throttle import Throttle
    from collector.web.reading.asked import Rows
    from collector.web.reading.customer import Customer
    from collector.web.reading.index import Index
    from collector.web.reading.library import Library
    from collector.web.reading.waiting import Waiting

LANGS: tuple[Lang, ...] = ("zh", "en")
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class House:
    """What all requests of this process share."""

    settings: Settings
    state: State
    accounts: Accounts
    sessions: Sessions
    throttle: Throttle
    access: Access
    library: Library
    index: Index
    rows: Rows
    customer: Customer
    waiting: Waiting
    provider: Provider | None = None

    def vouches(self, account: Account) -> bool:
        """Would whoever it is get in today as what the account says: by the settings of now."""
        if account.local:
            return True
        if account.by_provider:
            return self.provider is not None and account.ground in self.provider.grounds
        return bool(self.settings.user_header)


class NotFoundError(Exception):
    """There is no such thing, or it is not for whoever asks: nobody is told which."""


class TurnedAwayError(Exception):
    """The request itself is not in order; `why` is a key of the pages' words."""

    def __init__(self, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.why, self.status = why, status


@dataclass(slots=True)
class Asker:
    """`by_proxy`: a proxy says who it is, and nothing else does. `form` is what was sent; `note`

    goes to the log of access, whose line has no query where `path_only` says so.
    """

    request: Request
    house: House
    session: Session | None
    lang: Lang
    address: str
    secure: bool
    by_proxy: bool = False
    form: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    path_only: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    cookies: list[tuple[str, str | None, int | None]] = field(default_factory=list)
    theirs: frozenset[str] | None = None
    begun: Mapping[str, datetime] = field(default_factory=dict)
    _query: Mapping[str, str] | None = None

    @property
    def account(self) -> Account:
        if self.session is None:
            raise NotFoundError
        return self.session.account

    @property
    def only(self) -> frozenset[str] | None:
        """The ids that may be seen; None for all.

        Not one that was somebody else's when the account was given: a register that was restored
        knows nothing of that, and gives an id to the next customer.
        """
        if self.session is None:
            raise NotFoundError
        pledges = self.session.account.pledges
        if pledges is None:
            return None
        if self.theirs is None:
            until = given(self.house.state, self.session)
            with self.house.library.open() as register:
                self.begun = register.begun(pledges)
            self.theirs = frozenset(
                id
                for id in pledges
                if id not in self.begun or (until is not None and self.begun[id] <= until)
            )
        return self.theirs

    @property
    def made(self) -> bool:
        """Are the rows of the lists of the very records that are theirs?"""
        if (only := self.only) is None:
            return True
        now = {id: at.isoformat() for id, at in self.begun.items() if id in only}
        # a row of what is on record no more may be another customer's, too
        return self.house.rows.begun(only) == now

    def sees(self, pledge: str) -> bool:
        return self.only is None or pledge in self.only

    @property
    def query(self) -> Mapping[str, str]:
        if self._query is None:
            self._query = {whole(n): whole(v) for n, v in self.request.query_params.items()}
        return self._query

    @property
    def parts(self) -> Mapping[str, str]:
        """What stands in the address, by its names in the route."""
        return {name: whole(str(value)) for name, value in self.request.path_params.items()}

    def must_be_in(self, connection: Connection) -> None:
        """Within a write: raises TurnedAwayError where the session that asks has ended."""
        token = self.session.token if self.session is not None else ""
        if not self.house.sessions.holds(connection, token):
            raise TurnedAwayError("turned_signed_out", 403)

    def sign_out(self) -> None:
        """Ends the session of this browser, whoever's it is."""
        if held := self.cookie("session"):
            self.house.sessions.end(held)
            self.set_cookie("session", None)
        self.session = None

    def must_be(self, *roles: Role) -> None:
        if self.account.role not in roles:
            self.note = "denied"
            raise NotFoundError

    def must_see(self, pledge: str) -> None:
        """Raises NotFoundError for a pledge that is not there, and for one that is not theirs."""
        if not self.sees(pledge):
            self.note = "denied"
            raise NotFoundError
        with self.house.library.open() as register:
            if not register.has(pledge):
                raise NotFoundError

    def told(self, text: str) -> str:
        """`text` without the folders of this machine, for who is not of the house."""
        if self.session is not None and self.session.account.role in WIDE:
            return text
        for place in (*self.house.library.folders, self.house.state.where):
            text = text.replace(place, "…")
        return text

    def why(self, problem: CollectorError) -> str:
        """What went wrong, as far as who asks may know it; empty where that is nothing.

        What a database says is for who is of the house alone: it names it, and its own innards.
        """
        if self.session is None:
            return ""
        if isinstance(problem, DatabaseSaysError) and self.session.account.role not in WIDE:
            return ""
        return self.told(said_of(problem, self.lang))

    @property
    def next(self) -> str:
        """Where they wanted to go."""
        return local(self.query.get("next", ""))

    def with_next(self, path: str) -> str:
        """An address on the way there."""
        return path if self.next == "/" else f"{path}?{urlencode({'next': self.next})}"

    def with_query(self, **changes: object) -> str:
        """This address with other words in its query; None and empty ones leave it."""
        words = {**self.query, **{k: "" if v is None else str(v) for k, v in changes.items()}}
        left = {k: v for k, v in words.items() if v != ""}
        return f"{self.path}{'?' + urlencode(left) if left else ''}"

    @property
    def path(self) -> str:
        """Of this address, as a link may have it: of `//name` a browser would make another site."""
        return "/" + self.request.url.path.lstrip("/\\")

    def page(self, template: str, status: int = 200, **given: Any) -> Response:
        text = draw(
            f"web-{template}.html.j2",
            self.lang,
            who=self.session.account if self.session else None,
            csrf=self.session.csrf if self.session else "",
            path=self.path,
            with_query=self.with_query,
            with_next=self.with_next,
            query=self.query,
            oidc=self.house.settings.oidc is not None,
            no_trust=self.session is not None and self.house.library.trusts_nobody,
            **given,
        )
        return HTMLResponse(text, status)

    def sheet(
        self, form: str, name: str, title: str, titles: Mapping[str, str], rows: Sheet
    ) -> Response:
        """A list as a file: `csv` or `xlsx`."""
        if form == "csv":
            data: bytes = as_csv(list(titles), rows).encode()
            kind = "text/csv; charset=utf-8"
        elif form == "xlsx":
            data = as_xlsx(title, titles, rows, self.lang)
            kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        else:
            raise NotFoundError
        return Response(data, media_type=kind, headers=attached(f"{name}.{form}"))

    def go(self, path: str) -> Response:
        return RedirectResponse(path, 303)

    def set_cookie(self, name: str, value: str | None, seconds: int | None = None) -> None:
        """With the answer; None takes it away."""
        self.cookies.append((self.cookie_name(name), value, seconds))

    def cookie(self, name: str) -> str:
        return self._sent.get(self.cookie_name(name), "")

    def cookies_of(self, form: re.Pattern[str]) -> list[str]:
        """The names, as `cookie` takes them, of what the browser holds that are of that form."""
        own = self.cookie_name("")
        names = [name.removeprefix(own) for name in self._sent if name.startswith(own)]
        return [name for name in names if form.fullmatch(name)]

    @property
    def _sent(self) -> Mapping[str, str]:
        return cookies_of(self.request.headers.getlist("cookie"))

    def cookie_name(self, name: str) -> str:
        # a name that browsers take from this host alone, and over TLS alone
        return f"__Host-hostpledge-{name}" if self.secure else f"hostpledge-{name}"

    def form_token(self) -> str:
        """For forms of who has not signed in: bound to a cookie of this browser."""
        held = self.cookie("form")
        if len(held) < 20:
            held = secrets.token_urlsafe(24)
            self.set_cookie("form", held)
        return self._bound(held)

    def _bound(self, held: str) -> str:
        return hmac.digest(self.house.state.secret, f"form {held}".encode(), "sha256").hex()

    def check_form(self, *, door: bool = False) -> None:
        """Raises TurnedAwayError for a form that another site, or another session, made.

        `door`: it is of who had not signed in, and may have done so in another tab since.
        """
        given = self.form.get("csrf", "").encode("utf-8", "replace")
        wanted = [self.session.csrf] if self.session is not None else []
        held = self.cookie("form")
        if held and (door or self.session is None):
            wanted.append(self._bound(held))
        if not any(hmac.compare_digest(given, one.encode()) for one in wanted if one):
            self.note = "csrf"
            raise TurnedAwayError("turned_form", 403)


def whole(text: str) -> str:
    """Without what a database has no word for: a name with it in it is nobody's."""
    return text.replace("\0", "\ufffd")


def local(path: str) -> str:
    """A path of this site and nothing else; `/` for whatever else it is."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain and path.isprintable() and "\\" not in path else "/"


def attached(name: str) -> dict[str, str]:
    """The header by which a browser keeps what it is given as a file; `name` is ASCII."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


def pages(found: int, size: int, at: int) -> dict[str, int]:
    """What a template needs to lead from page to page."""
    last, here = page_of(found, size, found + 1), page_of(found, size, at)
    return {"found": found, "at": here, "last": last}


def page(rows: Sequence[_Row], size: int, at: int) -> tuple[Sequence[_Row], dict[str, int]]:
    """The rows of that page, and what leads to the others."""
    paging = pages(len(rows), size, at)
    return rows[(paging["at"] - 1) * size :][:size], paging


# hand-ins on one page
WAITING = 20


def waiting(asker: Asker, only: frozenset[str] | None) -> dict[str, Any]:
    """What waits to be taken in of these pledges (None: of all), a page of it, for templates."""
    found = asker.house.waiting.of(only)
    rows, paging = page(found, WAITING, number(asker.query.get("waiting", "")))
    lost = asker.house.waiting.lost(only)
    return {
        "waiting": rows, "waiting_paging": paging, "lost": lost[:WAITING], "lost_count": len(lost),
        "of_before": asker.house.waiting.of_before((*rows, *lost[:WAITING])),
    }  # fmt: skip


Handler = Callable[[Asker], Response]
