"""What became of a message, by what went over the wire: apprise says yes or no, and that is less.

It takes an HTTP 200 that says "refused" inside for a yes (WeCom, DingTalk), and says no alike of a
server that nobody reached and of one that fell silent when it had the whole message.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import requests
from urllib3.connection import HTTPConnection

Outcome = Literal["sent", "refused", "unsure"]
# a server between may have passed it on before it gave up
_BETWEEN = (502, 504)
# by what each of them says how it went, in every answer of its own: 0 is yes
_ANSWERS = {
    "wecombot": ("errcode",), "dingtalk": ("errcode",), "feishu": ("code", "StatusCode"),
}  # fmt: skip


@dataclass(slots=True)
class Wire:
    """`begun` and `taken` count messages that were handed over, and those that were confirmed.

    `refused`: somebody who answered said no.
    """

    begun: int = 0
    taken: int = 0
    answered: int = 0
    refused: bool = False

    def outcome(self, said: bool) -> Outcome:
        """`said`: what apprise says."""
        if self.taken and said and not self.refused:
            return "sent"
        if self.taken or self.begun > self.answered:
            return "unsure"
        return "refused"


@contextmanager
def watched(scheme: str) -> Iterator[Wire]:
    """Of one message to a channel of such an address; not to be entered by two threads at once."""
    wire = Wire()
    data, send = smtplib.SMTP.data, requests.Session.send
    ask, asked, within = HTTPConnection.request, [0], [0]

    def mailed(smtp: smtplib.SMTP, message: Any) -> Any:
        wire.begun += 1
        try:
            answer = data(smtp, message)
        except smtplib.SMTPDataError:
            wire.answered += 1
            raise
        wire.answered += 1
        _count(wire, answer[0] == 250)
        return answer

    def asking(link: HTTPConnection, *given: Any, **named: Any) -> None:
        # the handshake is over: from here on words of the message are on their way
        asked[0] += 1
        ask(link, *given, **named)

    def posted(session: requests.Session, request: Any, **more: Any) -> Any:
        if within[0]:
            # where it is sent on to: what comes of that comes back as the answer to the first
            return send(session, request, **more)
        within[0] += 1
        try:
            return first(session, request, **more)
        finally:
            within[0] -= 1

    def first(session: requests.Session, request: Any, **more: Any) -> Any:
        wire.begun += 1
        before = asked[0]
        try:
            response = send(session, request, **more)
        except requests.RequestException as problem:
            wire.answered += _never_reached(problem, asked=asked[0] > before)
            raise
        if (taken := _taken(scheme, response)) is not None:
            wire.answered += 1
            _count(wire, taken)
        return response

    smtplib.SMTP.data, requests.Session.send = mailed, posted  # type: ignore[method-assign, assignment]
    HTTPConnection.request = asking  # type: ignore[method-assign, assignment]
    try:
        yield wire
    finally:
        smtplib.SMTP.data, requests.Session.send = data, send  # type: ignore[method-assign]
        HTTPConnection.request = ask  # type: ignore[method-assign]


def _count(wire: Wire, taken: bool) -> None:
    wire.taken += taken
    wire.refused |= not taken


def _never_reached(problem: requests.RequestException, *, asked: bool) -> bool:
    """Did no byte of the message leave? `asked`: a connection was there, and was spoken to.

    TLS may break before that, and after it as well.
    """
    if isinstance(problem, requests.exceptions.ConnectTimeout):
        return True
    if isinstance(problem, requests.exceptions.SSLError):
        return not asked
    text = repr(problem)
    return "NewConnectionError" in text or "NameResolutionError" in text


def _taken(scheme: str, response: requests.Response) -> bool | None:
    """None where whoever answered may be none of the service's: a portal, a gateway's page."""
    if response.status_code in _BETWEEN:
        return None
    names = _ANSWERS.get(scheme)
    if names is None or response.status_code != 200:
        return response.status_code == 200 and not _says_no(response)
    said = _object(response)
    if response.history or not any(name in said for name in names):
        return None
    return all(said.get(name, 0) == 0 for name in names)


def _says_no(response: requests.Response) -> bool:
    said = _object(response)
    return bool(said.get("errcode") or said.get("code"))


def _object(response: requests.Response) -> dict[str, Any]:
    try:
        said = response.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
