"""What is said to who hands in: a page for a browser, else lines; in both languages."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from collector.captures import file_name
from collector.errors import escaped, one_line
from collector.handin.links import Link
from collector.handin.multipart import FIELD
from collector.handin.quarantine import Receipt
from collector.i18n.message import in_chinese, told
from collector.resources import package_text

_STATES = {"waiting": "待收用 waiting", "accepted": "已收用 taken in", "refused": "已拒收 refused"}
_CHINA = timezone(timedelta(hours=8))


def page(request: Request, link: Link, address: str, largest: int) -> Response:
    """What to do; `address` is the link's own. Who asks by curl gets what to type, as text."""
    name = file_name(link.host).removesuffix(".gz")
    at, file = shlex.quote(address), shlex.quote(f"./{name}")
    commands = (
        f"curl -fsS -o collect.sh {shlex.quote(address + '/collect.sh')}",
        f"(umask 077; sudo sh collect.sh > {file})",
        f"curl -T {file} {at}",
    )
    instead = f"wget -qO- --post-file={file} {at}"
    until = _here(link.ends_at)
    if not _wants(request, "text/html"):
        host = escaped(one_line(link.host))
        lines = [f"# {link.pledge} {host} ({until})", *commands, "# 无 curl / without curl:"]
        return secured(PlainTextResponse("\n".join([*lines, f"# {instead}"]) + "\n"))
    return _html(
        200,
        link=link,
        until=until,
        commands=commands,
        instead=instead,
        field=FIELD,
        most=largest >> 20,
    )


def receipt_told(
    request: Request,
    one: Receipt,
    status: int,
    decided: Mapping[str, Any] | None = None,
    *,
    gone: bool = False,
) -> Response:
    """`decided`: what became of it, None while it waits; `gone`: its host is declared no more."""
    verdict = str(decided["verdict"]) if decided else "waiting"
    if _wants(request, "application/json"):
        fields = _fields(one) | {"state": verdict, "declared": not gone}
        text = json.dumps({"receipt": fields}, indent=1) + "\n"
        return secured(Response(text, status, media_type="application/json"))
    if _wants(request, "text/html"):
        return _html(status, receipt=one, verdict=verdict, gone=gone)
    rows = [*_labelled(one, gone=gone), ("状态 state", _STATES[verdict])]
    lines = [f"{label}: {escaped(one_line(value))}" for label, value in rows]
    return secured(PlainTextResponse("\n".join(lines) + "\n", status))


def refusal(request: Request, problem: Exception, status: int) -> Response:
    """A line of each language; nothing of the link or of what was sent stands in it."""
    said = told(problem)
    lines = [one_line(in_chinese(said)), one_line(said)]
    if _wants(request, "text/html"):
        return _html(status, lines=lines)
    return secured(PlainTextResponse("\n".join(lines) + "\n", status))


def secured(response: Response) -> Response:
    """Nobody keeps it, frames it, or is told of its address by a browser: that is the key."""
    response.headers.update(
        {
            "Cache-Control": "no-store",
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'sha256-{_style_digest()}'; form-action 'self'; "
                "frame-ancestors 'none'; base-uri 'none'"
            ),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Robots-Tag": "noindex",
        }
    )
    return response


def _wants(request: Request, kind: str) -> bool:
    return kind in request.headers.get("accept", "")


def _fields(one: Receipt) -> dict[str, str | int]:
    return {
        "id": one.id,
        "pledge": one.pledge,
        "host": one.host,
        "sha256": one.sha256,
        "size": one.size,
        "received_at": one.received_at.isoformat(timespec="seconds"),
        "looked_at": one.looked_at,
    }


def _labelled(one: Receipt, *, gone: bool) -> list[tuple[str, str]]:
    return [
        ("收据 receipt", one.id),
        ("登记 pledge", one.pledge),
        ("主机 host", f"{one.host}（已不在登记中 no longer declared）" if gone else one.host),
        ("SHA-256", one.sha256),
        ("字节 bytes", str(one.size)),
        ("收到 received", _here(one.received_at)),
        ("采集 collected", _here(datetime.fromisoformat(one.looked_at)) if one.looked_at else "?"),
    ]


def _here(at: datetime) -> str:
    """As the clock on the wall has it in China, with its offset."""
    return at.astimezone(_CHINA).isoformat(timespec="seconds")


def _html(status: int, **shown: object) -> Response:
    receipt = shown.get("receipt")
    gone = bool(shown.pop("gone", False))
    rows = _labelled(receipt, gone=gone) if isinstance(receipt, Receipt) else []
    known = {
        "link": None,
        "lines": [],
        "rows": rows,
        "style": _style(),
        **shown,
    }
    known.setdefault("verdict", "waiting")
    return secured(HTMLResponse(_template().render(known), status))


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(package_text("handin/page.html.j2"))


@cache
def _style() -> str:
    return package_text("handin/page.css")


@cache
def _style_digest() -> str:
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
