"""The raw outputs that a report shows, within a size that a browser and a mailbox can bear."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.captures import read_digest
from collector.model import Capture, ReadResult, ReadStatus
from collector.report.model.visible import visible

# characters: of one read, and of all reads of all hosts together
PER_READ = 20_000
ALTOGETHER = 10_000_000
_TOO_LITTLE = 400
_HEX = 1_024
# how many times its own length a text may take once it is escaped
_SWELL = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of text of a read; `left_out` counts the bytes that are not shown."""

    text: str
    left_out: int = 0
    binary: bool = False


@dataclass(frozen=True, slots=True)
class RawFile:
    """`changed` is empty where no calendar has the time `mtime` (seconds since 1970)."""

    path: str
    status: ReadStatus
    mode: str
    owner: str
    size: int
    mtime: int
    changed: str
    part: Part


@dataclass(frozen=True, slots=True)
class Raw:
    """One read as the report shows it; `shown` is False where only its name fits."""

    id: str
    number: int
    status: ReadStatus
    rc: int
    sha256: str
    stdout: Part
    stderr: str
    files: tuple[RawFile, ...]
    shown: bool

    @property
    def cut(self) -> bool:
        return bool(self.stdout.left_out) or any(file.part.left_out for file in self.files)


def share(hosts: int) -> int:
    """How many characters of raw output one host may take."""
    return max(ALTOGETHER // max(hosts, 1), _TOO_LITTLE)


def raws(capture: Capture, ids: Iterable[str], room: int) -> list[Raw]:
    """The reads of these ids, each once and in their order, together within `room` characters."""
    found: list[Raw] = []
    for number, id in enumerate(dict.fromkeys(ids), 1):
        result = capture.read(id)
        allowed = min(PER_READ, room)
        raw = _raw(result, number, allowed)
        room -= len(raw.stdout.text) + sum(len(file.part.text) for file in raw.files)
        found.append(raw)
    return found


def _raw(result: ReadResult, number: int, room: int) -> Raw:
    shown = room >= _TOO_LITTLE and result.status is not ReadStatus.LOST
    stdout = _part(result.stdout, room if shown else 0)
    room -= len(stdout.text)
    files = []
    for file in result.files:
        part = _part(file.data, max(room, 0) if shown else 0)
        room -= len(part.text)
        files.append(
            RawFile(
                file.path,
                file.status,
                f"{file.mode:04o}",
                f"{file.uid}:{file.gid}",
                file.size,
                file.mtime,
                _day(file.mtime),
                part,
            )
        )
    return Raw(
        result.id,
        number,
        result.status,
        result.rc,
        read_digest(result) if result.status is not ReadStatus.LOST else "",
        stdout,
        result.stderr,
        tuple(files),
        shown,
    )


def _day(seconds: int) -> str:
    """Anybody may give a file any time (touch -d), and a capture holds it as it is."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return ""


def _part(data: bytes, room: int) -> Part:
    if b"\0" in data[:4096]:
        held = data[: min(_HEX, room // 4)]
        return Part(_dump(held), len(data) - len(held), binary=True)
    held = data[:room]
    # a character must not be cut in two
    while held and len(held) < len(data) and data[len(held)] & 0xC0 == 0x80:
        held = held[:-1]
    text = held.decode("utf-8", "backslashreplace")
    if len(visible(text)) > _SWELL * len(text) + _TOO_LITTLE:
        # mostly control characters: as text it would only swell the report
        held = data[: min(_HEX, room // 4)]
        return Part(_dump(held), len(data) - len(held), binary=True)
    return Part(text, len(data) - len(held))


def _dump(data: bytes) -> str:
    lines = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        letters = "".join(chr(b) if 0x20 <= b < 0x7F else "." for b in row)
        lines.append(f"{at:08x}  {row.hex(' '):<47}  {letters}")
    return "\n".join(lines)
