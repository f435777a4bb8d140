"""What holds for every answer: by which name it was asked, and what a browser may do with it."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.handin.paths import PREFIX
from collector.web.asking.settings import Settings
from collector.web.keeping.access import NOBODY, Line
from collector.web.serving.told import told

# who connected, where that was a proxy: what follows has the address that asked
PEER = "hostpledge.peer"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


_log = logging.getLogger("hostpledge.web")


class Guard:
    """Around the application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("Cache-Control", "no-store")
                if self._settings.certificate is not None:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        # one name alone: with two, others might read another one than we did
        given = Headers(scope=scope)
        names = given.getlist("host")
        if len(names) != 1 or not self._settings.knows_host(names[0]):
            refused = PlainTextResponse("not known by this name\n", 421)
            await self._refused(refused, scope, receive, guarded)
            return
        peer = (scope.get("client") or ("", 0))[0]
        if self._settings.by_proxy_alone and not self._settings.trusts(peer):
            refused = PlainTextResponse("by the proxy alone\n", 403)
            await self._refused(refused, scope, receive, guarded)
            return
        if "transfer-encoding" in given and "content-length" in given:
            # a proxy before us may have taken another end of it than we do, RFC 9112 6.1
            refused = PlainTextResponse("one length alone\n", 400, {"Connection": "close"})
            await self._refused(refused, scope, receive, guarded)
            return
        if "transfer-encoding" in given and not scope["path"].startswith(f"{PREFIX}/"):
            # no form of a browser needs it, and each part of such a body costs as much as a form
            refused = PlainTextResponse("say its length\n", 411, {"Connection": "close"})
            await self._refused(refused, scope, receive, guarded)
            return
        address, secure = came(peer, Headers(scope=scope), self._settings)
        scope["client"], scope["scheme"] = (address, 0), "https" if secure else "http"
        scope[PEER] = peer
        await self._app(scope, receive, guarded)

    async def _refused(
        self, answer: PlainTextResponse, scope: Scope, receive: Receive, send: Send
    ) -> None:
        await run_in_threadpool(self._written, scope, answer)
        await answer(scope, receive, send)

    def _written(self, scope: Scope, answer: PlainTextResponse) -> None:
        """Of what was never asked of a page: nobody's, from whoever connected."""
        line = Line(
            datetime.now(UTC),
            NOBODY,
            str((scope.get("client") or ("", 0))[0]) or "-",
            scope["method"],
            told("", {}, scope["path"], ""),
            answer.status_code,
            bytes(answer.body).decode().strip(),
        )
        try:
            scope["app"].state.house.access.put(line)
        except Exception:  # noqa: BLE001 - it is refused all the same
            _log.warning("%s %s: no line was written", line.status, line.address)


def came(peer: str, headers: Headers, settings: Settings) -> tuple[str, bool]:
    """The address that asks, and whether it came over TLS; a proxy's word counts if it is ours."""
    if not settings.trusts(peer):
        return peer, settings.certificate is not None
    # of several lines the last is what the proxy itself added
    told = ",".join(headers.getlist("x-forwarded-for"))
    # from the right: what stands left of the first stranger is the stranger's own word
    for part in reversed([p.strip() for p in told.split(",") if p.strip()][-20:]):
        try:
            peer = str(ipaddress.ip_address(_without_port(part)))
        except ValueError:
            break
        if not settings.trusts(peer):
            break
    return peer, headers.get("x-forwarded-proto", "") == "https"


def _without_port(part: str) -> str:
    """`192.0.2.7:443` and `[2001:db8::1]:443`, as some proxies write them."""
    if part.startswith("["):
        return part[1:].partition("]")[0]
    return part.partition(":")[0] if part.count(":") == 1 else part
