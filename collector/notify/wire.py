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

    `refused`: somebody who answered said no. `why`: by which number, or how far it came; no words
    of others, which may hold the channel.
    """

    begun: int = 0
    taken: int = 0
    answered: int = 0
    refused: bool = False
    why: str = ""

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
            _broken(wire, _never_reached(problem, asked=asked[0] > before))
            raise
        wire.why = "" if _yes(response) else _number(scheme, response)
        if (taken := _taken(scheme, response)) is not None:
            wire.answered += 1
            _count(wire, taken)
        return response

    smtplib.SMTP.data, requests.Session.send = mailed, posted  # type: ignore[method-assign, assignment]
    HTTPConnection.request = asking  # type: ignore[method-assign, assignment]
    try:
        with _replies(wire):
            yield wire
    finally:
        smtplib.SMTP.data, requests.Session.send = data, send  # type: ignore[method-assign]
        HTTPConnection.request = ask  # type: ignore[method-assign]


@contextmanager
def _replies(wire: Wire) -> Iterator[None]:
    """By which number a mail server refuses the login, the sender or who it is for."""
    reply = smtplib.SMTP.getreply

    def heard(smtp: smtplib.SMTP) -> tuple[int, bytes]:
        code, text = reply(smtp)
        if code >= 400:
            wire.why = f"SMTP {code}"
        return code, text

    smtplib.SMTP.getreply = heard  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        smtplib.SMTP.getreply = reply  # type: ignore[method-assign]


def _count(wire: Wire, taken: bool) -> None:
    wire.taken += taken
    wire.refused |= not taken


def _broken(wire: Wire, unreached: bool) -> None:
    wire.answered += unreached
    wire.why = "unreached" if unreached else "broken_off"


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


def _yes(response: requests.Response) -> bool:
    return response.status_code == 200 and not _says_no(response)


def _number(scheme: str, response: requests.Response) -> str:
    """By what number it was refused: the service's own where it gives one, else that of HTTP."""
    said = _object(response) if response.status_code == 200 else {}
    for name in _ANSWERS.get(scheme, ("errcode", "code")):
        if isinstance(code := said.get(name), int) and code:
            return f"{name} {code}"
    return f"HTTP {response.status_code}"


def _taken(scheme: str, response: requests.Response) -> bool | None:
    """None where whoever answered may be none of the service's: a portal, a gateway's page."""
    if response.status_code in _BETWEEN:
        return None
    names = _ANSWERS.get(scheme)
    if names is None or response.status_code != 200:
        return _yes(response)
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
