"""The web side of hand-in: what a customer's browser, curl or wget is answered.

    app = Starlette(routes=[*others, *routes(Settings(folder))])

It holds no signing key and reads no register: a link says all that is needed, and what comes by it
lies in the quarantine until an engineer takes it in. Neither token nor address of a link is ever
logged; whoever serves this leaves its paths out of its own log of requests too (`PREFIX`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from collector import catalog
from collector.errors import BadInput, CollectorError, PastLimit, one_line
from collector.handin import links, quarantine
from collector.handin.answers import page, receipt_told, refusal, secured
from collector.handin.gone import is_gone
from collector.handin.guesses import Guesses
from collector.handin.links import Link
from collector.handin.looked import looked
from collector.handin.multipart import OneFile
from collector.handin.paths import PREFIX
from collector.handin.places import Bounds, Places
from collector.handin.quarantine import NoRoomError, Receipt, TooLargeError, Upload, UsedError
from collector.handin.senders import sender
from collector.handin.slots import BusyError, Pace, Slots, SlowError
from collector.i18n.message import msg
from collector.script import collector_script

# what a form has around its file
_AROUND = 1 << 16
# in the scope of a request: it came by a link that there is, and its capture is being received
RECEIVING = "hostpledge.receiving"


@dataclass(frozen=True)
class Settings:
    """`folder` of the hand-ins; `base`: the address of this server as others know it, if told."""

    folder: Path
    base: str = ""
    bounds: Bounds = field(default_factory=Bounds)
    guesses: int = 20


class GoneError(CollectorError):
    """Of a host that is declared no more."""


_STATUS: Sequence[tuple[type[Exception], int]] = (
    (TooLargeError, 413),
    (NoRoomError, 507),
    (UsedError, 409),
    (GoneError, 410),
    (SlowError, 408),
    (BusyError, 503),
    (BadInput, 422),
    (PastLimit, 422),
)


def routes(settings: Settings) -> list[Route]:
    """GET says what to do, PUT and POST hand in, `collect.sh` is the collector script.

    What a server that was killed left half-way is taken away first. A file name behind the token,
    which curl adds where the address ends in a slash, means nothing.
    """
    desk = _Desk(settings)
    quarantine.settle(desk.places)
    token = PREFIX + "/{token}"
    return [
        Route(f"{token}/collect.sh", desk.script, methods=["GET"]),
        Route(token, desk.shown, methods=["GET"]),
        Route(f"{token}/", desk.shown, methods=["GET"]),
        Route(token, desk.handed, methods=["PUT", "POST"]),
        Route(f"{token}/{{name:path}}", desk.handed, methods=["PUT", "POST"]),
    ]


class _Desk:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.places = Places(settings.folder, settings.bounds)
        self._ours = one_line(str(settings.folder))
        self._guesses = Guesses(settings.guesses)
        # by link: who holds one shall not silence what the log says of all the others
        self._refusals = Guesses(settings.guesses, 500)
        self._slots = Slots(settings.bounds)

    async def shown(self, request: Request) -> Response:
        link = await self._link(request)
        if link is None:
            return self._nothing(request)
        try:
            known = await run_in_threadpool(quarantine.receipt, self.places, link.digest)
        except (CollectorError, OSError) as problem:
            return await self._refused(request, link, problem)
        if known is not None:
            return await self._told(request, link, known, 200)
        if is_gone(self.places, link):
            return refusal(request, _gone(), 410)
        return page(request, link, self._address(request), self.places.bounds.largest)

    async def script(self, request: Request) -> Response:
        link = await self._link(request)
        if link is None:
            return self._nothing(request)
        if is_gone(self.places, link):
            return refusal(request, _gone(), 410)
        text = await run_in_threadpool(_script, link.grade)
        told = PlainTextResponse(text, media_type="text/x-shellscript")
        told.headers["Content-Disposition"] = 'attachment; filename="collect.sh"'
        return secured(told)

    async def handed(self, request: Request) -> Response:
        link = await self._link(request)
        if link is None:
            return self._nothing(request)
        try:
            with self._slots.one(link, sender(_came_from(request))):
                request.scope[RECEIVING] = True
                receipt, new = await self._received(request, link)
        except ClientDisconnect:
            if self._refusals.wrong(link.digest):
                await self._logged("broken_off", link, request)
            return secured(Response(status_code=400))
        except (CollectorError, OSError) as problem:
            return await self._refused(request, link, problem)
        return await self._told(request, link, receipt, 201 if new else 200)

    async def _refused(self, request: Request, link: Link, problem: Exception) -> Response:
        status = next((s for kind, s in _STATUS if isinstance(problem, kind)), 500)
        why = str(getattr(getattr(problem, "what", problem.args[0]), "code", "other"))
        if isinstance(problem, BadInput) and problem.where.startswith(self._ours):
            # what is wrong here, and where, is no matter of who holds a link
            status = 500
        if status == 500:
            problem = NoRoomError(msg("hand_in_not_now"))
        # who holds a link shall not fill the log with it
        if self._refusals.wrong(link.digest):
            await self._logged("refused", link, request, why=why)
        told = refusal(request, problem, status)
        if status in (503, 507):
            told.headers["Retry-After"] = "60"
        return told

    async def _told(self, request: Request, link: Link, one: Receipt, status: int) -> Response:
        decided = None if status == 201 else await self._decided(one)
        gone = is_gone(self.places, link)
        return receipt_told(request, one, status, decided, gone=gone)

    async def _decided(self, one: Receipt) -> Mapping[str, Any] | None:
        with suppress(OSError, CollectorError):
            return await run_in_threadpool(quarantine.decision, self.places, one)
        return None

    async def _received(self, request: Request, link: Link) -> tuple[Receipt, bool]:
        """The receipt, and whether it is new."""
        bounds = self.places.bounds
        said = request.headers.get("content-length", "0")
        if not said.isascii() or not said.isdigit() or int(said) > bounds.largest + _AROUND:
            raise TooLargeError(msg("hand_in_too_large", most=bounds.largest >> 20))
        upload = await run_in_threadpool(Upload, self.places, link)
        try:
            try:
                await asyncio.wait_for(self._read(request, upload), bounds.whole)
            except TimeoutError:
                raise SlowError(msg("hand_in_too_slow")) from None
            await run_in_threadpool(upload.sync)
            came_from = _came_from(request)
            known = await run_in_threadpool(quarantine.again, self.places, link, upload.sha256)
            if known is not None:
                return known, False
            if is_gone(self.places, link):
                raise _gone()
            async with self._slots.looking(link):
                looked_at = await looked(upload.path, link.host)
            return await run_in_threadpool(upload.take_in, looked_at, came_from)
        finally:
            upload.close()

    async def _read(self, request: Request, upload: Upload) -> None:
        kind = request.headers.get("content-type", "")
        form = OneFile(kind, upload.write) if kind.lower().startswith("multipart/") else None
        into: Callable[[bytes], None] = form.write if form else upload.write
        stream, pace, came = request.stream(), Pace(self.places.bounds), 0
        while (part := await self._next(stream)) is not None:
            came += len(part)
            if came > self.places.bounds.largest + _AROUND:
                raise TooLargeError(msg("hand_in_too_large", most=self.places.bounds.largest >> 20))
            into(part)
            pace.went_on(len(part))
        if form:
            form.close()

    async def _next(self, stream: object) -> bytes | None:
        with suppress(StopAsyncIteration):
            return await asyncio.wait_for(
                anext(stream),  # type: ignore[call-overload]  # an async iterator of bytes
                self.places.bounds.idle,
            )
        return None

    async def _link(self, request: Request) -> Link | None:
        token = request.path_params["token"]
        try:
            return await run_in_threadpool(links.by_token, self.places, token)
        except (CollectorError, OSError):
            return None

    def _nothing(self, request: Request) -> Response:
        """The same for a link that never was, has ended, or was taken back."""
        within = self._guesses.wrong(sender(_came_from(request)))
        if within:
            with suppress(OSError, CollectorError):
                self.places.stranger("unknown", came_from=_came_from(request))
        told = refusal(request, BadInput(msg("hand_in_no_link")), 404 if within else 429)
        if not within:
            told.headers["Retry-After"] = "60"
        return told

    async def _logged(self, what: str, link: Link, request: Request, **about: str) -> None:
        with suppress(OSError, CollectorError):
            write = partial(self.places.log, what, id=link.id, came_from=_came_from(request))
            await run_in_threadpool(write, **about)

    def _address(self, request: Request) -> str:
        base = self.settings.base or str(request.base_url)
        return f"{base.rstrip('/')}{PREFIX}/{request.path_params['token']}"


def _gone() -> GoneError:
    return GoneError(msg("hand_in_host_gone"))


def _came_from(request: Request) -> str:
    return request.client.host[:64] if request.client else ""


@cache
def _script(grade: int) -> str:
    return collector_script(catalog.reads_for(catalog.select((), grade)).values())
