"""One probe at one host, while it is at work: how the host is asked, and what is written down."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from collector.errors import one_line
from collector.facts.probed.recording import END, FORM, PREFIX
from collector.model import Capture, ReadResult, ReadStatus
from collector.run.probing import texts

# what a host answers to a text within so many seconds; None where the connection did not last
Ask = Callable[[str, float], str | None]
_PAUSE = 5.0
# seconds that an act may take, that one may that only looks, and all of them at one host together
_ACT, _LOOK, SECONDS = 900.0, 120.0, 2700.0
# seconds that a host may need to come back; fewer where nobody waits for what it says
_PATIENCE, _BRIEF = 240.0, 30.0
MOST_LINES, LONGEST = 400, 1000


class Undone(Exception):
    """The probe is not done (any further): a word for why, and a text."""


@dataclass
class Site:
    """`ask` runs a text on the host as root, `plainly` as whoever logs in; `given` are settings."""

    name: str
    capture: Capture
    ask: Ask
    plainly: Ask
    given: Mapping[str, Any]
    nonce: str = field(default_factory=lambda: secrets.token_hex(8))
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))
    own: list[tuple[str, str]] = field(default_factory=list)
    host: list[str] = field(default_factory=list)
    halt: Callable[[], str] = lambda: ""
    gone: Callable[[], bool] = lambda: False
    # a host that does not answer, or not soon, keeps no other one waiting
    until: float = field(default_factory=lambda: time.monotonic() + SECONDS)
    silent: bool = False

    def go_on(self) -> None:
        """Raises Undone where probes were stopped, or the window is over: asked before each act."""
        if why := self.halt():
            reason, _, text = why.partition(" ")
            raise Undone(reason, text)
        if time.monotonic() > self.until:
            raise Undone("late", "")

    def note(self, key: str, value: object) -> None:
        """Writes a line of the control node's down."""
        self.own.append((key, one_line(str(value), LONGEST)))

    def act(self, name: str, **given: str) -> list[str]:
        """Runs an act on the host, and writes down what it said, line by line.

        Where the connection is lost it goes on there to its end, so whether something is left is
        asked once more. Raises Undone.
        """
        self.go_on()
        most = _LOOK if name in texts.BRIEF else _ACT
        left = max(_LOOK, min(most, self.until - time.monotonic()))
        said = self.ask(texts.act(name, self.nonce, given), left)
        lines = said.split("\n") if said is not None else []
        if END not in lines:
            self.host += [line for line in lines if line.strip()]
            if name in texts.WITHOUT_LOCK:
                self.silent = True
            else:
                self._swept()
            raise Undone("lost", "")
        found = [line for line in lines[: lines.index(END)] if line.strip()]
        self.host += found
        for line in found:
            if line.startswith("undone "):
                reason, _, text = line.removeprefix("undone ").partition(" ")
                raise Undone(reason, text)
        return found

    def back(self, name: str, left: str, **given: str) -> None:
        """Takes back what an act did: nothing stops that, and a lost connection is tried again.

        Where it cannot be done `left` says what stays. Raises Undone then.
        """
        lines = self._at_last(texts.act(name, self.nonce, given))
        if lines is None:
            self.silent = True
            self.note("left", left)
            raise Undone("lost", "")
        self.host += [line for line in lines if line.strip()]

    def plain(self, text: str) -> str:
        """What a text prints that is run as whoever logs in; empty where the host is silent."""
        return self.plainly(text, _LOOK) or ""

    def _swept(self) -> None:
        lines = self._at_last(texts.act("swept", self.nonce, {}))
        if lines is None:
            self.silent = True
            self.note("left", "not known: the host does not answer any more")
        for line in lines or ():
            if line.startswith("left "):
                self.note("left", line.removeprefix("left "))

    def _at_last(self, text: str) -> list[str] | None:
        """What a host says that may have to come back first; None where it does not."""
        begun = time.monotonic()
        while True:
            lines = (self.ask(text, _LOOK) or "").split("\n")
            if END in lines and not any(line.startswith("undone busy") for line in lines):
                return lines[: lines.index(END)]
            if time.monotonic() - begun > (_BRIEF if self.gone() else _PATIENCE):
                return None
            time.sleep(_PAUSE)

    def recorded(self) -> ReadResult:
        """The read of the capture that this was."""
        head: Sequence[tuple[str, str]] = [
            ("probe", self.name),
            ("nonce", self.nonce),
            ("begun", self.begun.isoformat(timespec="milliseconds")),
        ]
        ended = [("ended", datetime.now(UTC).isoformat(timespec="milliseconds"))]
        lines = [FORM, *(f"{k} {v}" for k, v in (*head, *self.own, *ended))]
        lines += [f"host {one_line(x, LONGEST)}" for x in self.host[:MOST_LINES]]
        if len(self.host) > MOST_LINES:
            lines.append("undone half")
        text = "\n".join([*lines, END, ""]).encode("utf-8", "replace")
        seconds = round((datetime.now(UTC) - self.begun).total_seconds())
        return ReadResult(PREFIX + self.name, ReadStatus.OK, 0, max(seconds, 0), text)
