"""What a probe recorded: a read `probe.NAME` of a capture of the kind `probe` (ADR 59).

Text of lines `KEY VALUE`, written by the control node. What the host itself said stands behind the
key `host`, so nothing that it prints passes for a line of the control node's.

    hostpledge-probe 1
    probe NAME · nonce HEX · begun TIME      always
    undone REASON TEXT                       nothing, or not all of it, was done, and why
    left PATH                                what it put there and could not take away again
    host KEY VALUE                           a line of the host's
    ended TIME
    == end
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from collector.errors import NotUnderstood
from collector.i18n.message import msg
from collector.model import Capture, ReadStatus

PREFIX: Final = "probe."
FORM: Final = "hostpledge-probe 1"
END: Final = "== end"
# in the order of the design, and of `probe --list`
NAMES: Final = (
    "log_arrival", "failed_login", "malware_stream", "restore", "outside_ports", "integrity",
    "time", "ban",
)  # fmt: skip
_KEY = re.compile(r"[a-z][a-z0-9_]{0,40}")
_NONCE = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording. `own` are the control node's (key, value), `host` those of the host."""

    name: str
    nonce: str
    begun: datetime
    own: tuple[tuple[str, str], ...]
    host: tuple[tuple[str, str], ...]

    @property
    def read(self) -> str:
        return PREFIX + self.name

    def all(self, key: str) -> tuple[str, ...]:
        """What the control node recorded under a key."""
        return tuple(value for known, value in self.own if known == key)

    def said(self, key: str) -> tuple[str, ...]:
        """What the host said under a key."""
        return tuple(value for known, value in self.host if known == key)

    @property
    def left(self) -> tuple[str, ...]:
        """What is left on the host, as either side knows."""
        return tuple(dict.fromkeys((*self.all("left"), *self.said("left"))))

    @property
    def undone(self) -> str:
        """Why it was not done, or not to its end: `REASON TEXT`; empty where it was."""
        return next(iter((*self.all("undone"), *self.said("undone"))), "")

    def number(self, key: str) -> int | None:
        """The host's number under a key; None where it said none, or no number."""
        found = self.said(key)
        return int(found[0]) if found and re.fullmatch(r"[0-9]{1,12}", found[0]) else None


def is_ours(read: str) -> bool:
    """Is it a read that the control node alone can have made?"""
    return read.startswith(PREFIX)


def recorded(capture: Capture) -> tuple[str, ...]:
    """The names of the probes that the capture holds a recording of."""
    return tuple(name for name in NAMES if PREFIX + name in capture.reads)


def recording(capture: Capture, name: str) -> Recording | None:
    """The recording of a probe; None where there is none. Raises FactError for one in no form."""
    result = capture.read(PREFIX + name)
    if result.status is ReadStatus.LOST and PREFIX + name not in capture.reads:
        return None
    lines = result.text().split("\n")
    if lines[0] != FORM or END not in lines:
        raise NotUnderstood(result.id, msg("probe_no_recording"))
    own: list[tuple[str, str]] = []
    host: list[tuple[str, str]] = []
    for line in lines[1 : lines.index(END)]:
        key, _, value = line.partition(" ")
        if key == "host":
            key, _, value = value.partition(" ")
            host.append((key, value))
        elif _KEY.fullmatch(key):
            own.append((key, value))
        else:
            raise NotUnderstood(result.id, msg("probe_no_recording"))
    told = dict(reversed(own))
    begun = _time(told.get("begun", ""))
    if told.get("probe") != name or begun is None or not _NONCE.fullmatch(told.get("nonce", "")):
        raise NotUnderstood(result.id, msg("probe_no_recording"))
    return Recording(name, told["nonce"], begun, tuple(own), tuple(host))


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None
