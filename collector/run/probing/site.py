"""One probe at one host, while it is at work: how the host is asked, and what is written down."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from collector.errors import FactError, one_line
from collector.facts.base.intervals import address
from collector.facts.network.interfaces import network_of
from collector.facts.probed.recording import END, FORM, PREFIX
from collector.model import Capture, ReadResult, ReadStatus
from collector.run.probing import texts

# what a host answers: its lines, or None where the connection did not last
Ask = Callable[[str], str | None]
_PAUSE = 5.0
# seconds that a host may need to come back; fewer where nobody waits for what it says
_PATIENCE, _BRIEF = 240.0, 30.0
_MOST_LINES, _LONGEST = 400, 1000


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

    def go_on(self) -> None:
        """Raises Undone where probes were stopped, or the window is over: asked before each act."""
        if why := self.halt():
            reason, _, text = why.partition(" ")
            raise Undone(reason, text)

    def note(self, key: str, value: object) -> None:
        """Writes a line of the control node's down."""
        self.own.append((key, one_line(str(value), _LONGEST)))

    def act(self, name: str, **given: str) -> list[str]:
        """Runs an act on the host, and writes down what it said, line by line.

        Where the connection is lost it goes on there to its end, so whether something is left is
        asked once more. Raises Undone.
        """
        self.go_on()
        said = self.ask(texts.act(name, self.nonce, given))
        lines = said.split("\n") if said is not None else []
        if END not in lines:
            self.host += [line for line in lines if line.strip()]
            if name not in texts.WITHOUT_LOCK:
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
            self.note("left", left)
            raise Undone("lost", "")
        self.host += [line for line in lines if line.strip()]

    def _swept(self) -> None:
        lines = self._at_last(texts.act("swept", self.nonce, {}))
        if lines is None:
            self.note("left", "not known: the host does not answer any more")
        for line in lines or ():
            if line.startswith("left "):
                self.note("left", line.removeprefix("left "))

    def _at_last(self, text: str) -> list[str] | None:
        """What a host says that may have to come back first; None where it does not."""
        begun = time.monotonic()
        while True:
            lines = (self.ask(text) or "").split("\n")
            if END in lines and not any(line.startswith("undone busy") for line in lines):
                return lines[: lines.index(END)]
            if time.monotonic() - begun > (_BRIEF if self.gone() else _PATIENCE):
                return None
            time.sleep(_PAUSE)

    def target(self) -> tuple[str, int]:
        """The host's own address and port of SSH. Raises Undone where it may be another's."""
        origin = self.capture.origin
        where, port = str(origin.get("address", "")), int(origin.get("port", 22) or 22)
        try:
            family, number = address(where)
            own = [n for _, n in network_of(self.capture).global_addresses(family)]
        except (ValueError, FactError):
            raise Undone("not_direct", where) from None
        if number not in own:
            raise Undone("not_direct", where)
        return where, port

    def recorded(self) -> ReadResult:
        """The read of the capture that this was."""
        head: Sequence[tuple[str, str]] = [
            ("probe", self.name),
            ("nonce", self.nonce),
            ("begun", self.begun.isoformat(timespec="milliseconds")),
        ]
        ended = [("ended", datetime.now(UTC).isoformat(timespec="milliseconds"))]
        lines = [FORM, *(f"{k} {v}" for k, v in (*head, *self.own, *ended))]
        lines += [f"host {one_line(x, _LONGEST)}" for x in self.host[:_MOST_LINES]]
        if len(self.host) > _MOST_LINES:
            lines.append("undone half")
        text = "\n".join([*lines, END, ""]).encode("utf-8", "replace")
        seconds = round((datetime.now(UTC) - self.begun).total_seconds())
        return ReadResult(PREFIX + self.name, ReadStatus.OK, 0, max(seconds, 0), text)
