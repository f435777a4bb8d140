"""The folder of hand-ins, how much it takes, and its log.

links/DIGEST.json       one link: whose, for which host, until when; DIGEST is of its token
links/DIGEST.revoked    it was taken back
incoming/               uploads that are under way, each held by its process
quarantine/DIGEST       what was handed in by that link, byte for byte
receipts/DIGEST.json    that it was: written last, so that a receipt means that all is there
decided/DIGEST.json     what became of it
work/                   what intake is at (`collector.cli.workflows.taking_in`)
address                 of the server, as others know it
log.jsonl               what happened, one line each; put aside as log.jsonl.1 … once it is large
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collector import own_folder, private
from collector.captures import LARGEST, SUFFIX, file_name
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.schema import load_json

# bytes of a log, and how many that are full are kept beside it
LOG, LOGS = 16 << 20, 20
INTAKE = "intake.lock"
_ROOMS = ("links", "incoming", "quarantine", "receipts", "decided", "work")


@dataclass(frozen=True, slots=True)
class Bounds:
    """`largest`: bytes of one capture; `bytes` and `count`: of all that lie in the quarantine.

    `idle` and `whole`: seconds that an upload may pause, and take. `least`: bytes a second that it
    brings, on the average of each `stretch` of seconds: a line of 256 kbit/s brings eight times
    that. `at_once`: uploads of this process; `of_link`, `of_pledge`, `of_sender`: those of one.
    A proxy that is not believed is the sender of all that comes through it: that is why one sender
    has more than one pledge. `share`: how much of what others leave one pledge's may be. `kept`:
    the part of the quarantine, and of the places, for pledges that have nothing there yet.
    """

    largest: int = LARGEST
    bytes: int = 4 << 30
    count: int = 2000
    share: float = 0.5
    kept: float = 0.25
    idle: float = 30
    whole: float = 900
    least: float = 4 << 10
    stretch: float = 30
    at_once: int = 24
    of_link: int = 2
    of_pledge: int = 6
    of_sender: int = 12


class Places:
    """The folder; made for its owner alone when it is first written to."""

    def __init__(self, folder: Path, bounds: Bounds = Bounds()) -> None:
        self.folder = folder
        self.bounds = bounds

    def make(self) -> None:
        for name in _ROOMS:
            private.folder(self.folder / name)

    def room(self, name: str) -> Path:
        return self.folder / name

    def file(self, room: str, digest: str, suffix: str = "") -> Path:
        return self.folder / room / f"{digest}{suffix}"

    def work(self, pledge: str) -> Path:
        """Where intake makes the bundle of a pledge; to be touched by who holds `INTAKE`."""
        return self.room("work") / file_name(pledge).removesuffix(SUFFIX)

    def known_as(self, url: str) -> None:
        """Keeps the address of the server, for those who make links to it."""
        self.make()
        if self.address != url:
            private.write_aside(self.folder / "address", f"{url}\n".encode())

    def belongs_to(self, register: str, where: str, *, claim: bool = True) -> None:
        """From the first time on, to that register alone, which lies there.

        Links and receipts name pledges by their ids. One that was moved, or restored in place of
        what is lost, has it still; a copy beside it has not. Without `claim` nothing is written.
        Raises BadInput for another one.
        """
        if (there := own_folder.other(self.folder, register, where)) is not None:
            raise BadInput(
                msg("hand_in_of_another_register", register=there), where=str(self.folder),
                mend=msg("hand_in_folder_mend"),
            )  # fmt: skip
        if claim:
            with self.held():
                own_folder.claim(self.folder, register, where)

    @property
    def address(self) -> str:
        """Of the server, as its own settings have it; empty where none has told."""
        try:
            return (self.folder / "address").read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return ""

    @contextmanager
    def held(self, name: str = "lock") -> Iterator[None]:
        """Nobody else, of any process, is within at the same time."""
        self.make()
        handle = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, private.OWNER)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def log(self, what: str, /, **about: object) -> None:
        """One line, synced; whatever a stranger sent in it stays on that line."""
        self._line("log.jsonl", LOGS, {"what": what, **about})

    def stranger(self, what: str, /, **about: object) -> None:
        """As `log`, where nobody's lines push out those of links and what came by them."""
        self._line("strangers.jsonl", 1, {"what": what, **about})

    def _line(self, name: str, kept: int, about: Mapping[str, object]) -> None:
        entry = {"at": now().isoformat(timespec="milliseconds"), **about}
        self.make()
        line = json.dumps(entry).encode() + b"\n"
        private.append(self.folder / name, line, most=LOG, kept=kept)


def now() -> datetime:
    return datetime.now(UTC)


def load(path: Path) -> dict[str, Any] | None:
    """A document of the folder; None where there is none. Raises BadInput for a damaged one."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    found = load_json(data, where=str(path))
    if not isinstance(found, dict):
        raise BadInput(msg("hand_in_file_damaged"), where=str(path))
    return found


def store(path: Path, document: dict[str, Any]) -> None:
    private.write_aside(path, json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")
