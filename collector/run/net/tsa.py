"""Asks a timestamp authority over HTTP (RFC 3161, section 3.4)."""

from __future__ import annotations

import http.client
import re
import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from collector.attest.envelope.timestamp import LARGEST, Request
from collector.errors import BadInput
from collector.i18n.message import msg

_SECONDS = 30


def shown(url: str) -> str:
    """The address without what may be secret in it: a user, a password, a query."""
    return re.sub(r"[?#].*", "", re.sub(r"//.*@", "//", url))


def check_url(url: str, *, where: str = "--tsa") -> None:
    """Raises BadInput for what is no http:// or https:// address, or has a user in it, whom

    nobody would tell to the other side.
    """
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()
        # reading it raises ValueError for what is no port
        fine = fine and parts.port != 0 and " " not in url
    except ValueError:
        fine = False
    if not fine:
        raise BadInput(msg("not_http_https_address", url=shown(url)), where=where)
    if "@" in parts.netloc:
        raise BadInput(msg("address_with_a_user", url=shown(url)), where=where)


def stamp(url: str, signature: bytes) -> bytes:
    """A timestamp over `signature`, as the authority at `url` gave it.

    Raises BadInput when none can be had there within half a minute.
    """
    check_url(url)
    question = Request(signature)
    asked = urllib.request.Request(  # noqa: S310 - `check_url` has seen the scheme
        url,
        data=question.bytes,
        headers={
            "Content-Type": "application/timestamp-query",
            "Accept": "application/timestamp-reply",
        },
    )
    answers: list[bytes | BadInput] = []
    # a time limit of a socket begins anew with each byte; whoever sends one a second never ends
    asking = threading.Thread(target=lambda: answers.append(_answer(asked, url)), daemon=True)
    asking.start()
    asking.join(_SECONDS)
    if not answers:
        raise BadInput(msg("timestamp_authority_gave_no", seconds=_SECONDS), where=shown(url))
    if isinstance(answers[0], BadInput):
        raise answers[0]
    return question.accept(answers[0], where=shown(url))


def _answer(asked: urllib.request.Request, url: str) -> bytes | BadInput:
    try:
        with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310
            data: bytes = answer.read(LARGEST + 1)
            return data
    except urllib.error.HTTPError as problem:
        return BadInput(
            msg("timestamp_authority_answered", number=problem.code, reason=problem.reason),
            where=shown(url),
        )
    except (OSError, http.client.HTTPException) as problem:
        reason = getattr(problem, "reason", problem)
        return BadInput(msg("timestamp_authority_cannot_asked", reason=reason), where=shown(url))
