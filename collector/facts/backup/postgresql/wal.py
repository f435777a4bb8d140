"""How PostgreSQL archives its write-ahead log: by archive_command, archive_library, pg_receivewal.

The server is asked over its socket as its own system user, with no password (pg_stat_archiver,
pg_settings, pg_stat_replication); where it lets nobody ask, its settings and archive_status tell.
PostgreSQL documentation, 25.3 (Continuous Archiving and Point-in-Time Recovery).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.backup.postgresql.wal_read import STATE
from collector.facts.base.redaction import only_listed
from collector.facts.shell import quoting
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

READ = "backup_wal.state"

READS: tuple[Read, ...] = (
    shell(
        READ,
        STATE,
        seconds=20,
        limit=1 << 18,
        redact=only_listed("wal"),
        privileged=True,
        why=Text(
            "PostgreSQL 的 WAL 归档方式、最近一次成功与失败、归档目录中的段"
            "（不使用任何口令，不读段的内容）",
            "how PostgreSQL archives its WAL, when that last worked or failed, and which segments"
            " have arrived (no password is used, nothing of their content is read)",
        ),
    ),
)

_SEGMENT = re.compile(r"[0-9A-F]{24}")
_SIZES = {"MB": 1 << 20, "GB": 1 << 30}


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of WAL. `holds` is `wal`, `packed`, `ciphertext`, `other`, or empty: not seen."""

    path: str
    when: datetime
    size: int
    owned: tuple[int, int, int]
    holds: str
    line: str

    @property
    def name(self) -> str:
        """Its 24 digits: timeline, log, segment."""
        return self.path.rpartition("/")[2][:24]


@dataclass(frozen=True, slots=True)
class Target:
    """A folder that WAL is put into. `ranges`: first and last segments, none missing between them.

    `bases`: when base backups ended and the segment that each begins in, by the history files that
    they leave there; `partial` is when a segment still being received was last written.
    """

    path: str
    closed: bool = False
    ranges: tuple[tuple[str, str], ...] = ()
    newest: Segment | None = None
    bases: tuple[tuple[datetime, str], ...] = ()
    partial: datetime | None = None
    owned: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody whom the server sends its WAL; `host` is empty for one on this host."""

    host: str
    state: str
    name: str


@dataclass(frozen=True, slots=True)
class Archive:
    """One server. `answered`: it told itself; else its files did, and `settings` may be empty.

    `archived` and `failed`: the last file of WAL and when, None for none since the counters began.
    `ready` counts segments that wait (None: not seen), `oldest` is since when; `done` is when one
    was last marked as archived. `cut`: scripts longer than what was read of them, and the settings
    where they name more paths than were looked at. `size` is that of a segment in bytes.
    """

    socket: str
    folder: str
    answered: bool
    told: bool
    settings: Mapping[str, str]
    standby: bool
    size: int
    archived: tuple[str, datetime] | None
    failed: tuple[str, datetime] | None
    ready: int | None
    oldest: datetime | None
    done: datetime | None
    targets: tuple[Target, ...]
    scripts: Mapping[str, str]
    cut: tuple[str, ...]
    senders: tuple[Sender, ...]
    now: datetime
    lines: tuple[str, ...]

    @property
    def on(self) -> bool:
        """Does this server archive? A standby does only where it is told to `always`."""
        mode = self.settings.get("archive_mode")
        return mode == "always" or (mode == "on" and not self.standby)

    @property
    def timeout(self) -> int:
        """After so many seconds a segment is switched that is not full; 0: never."""
        match = re.fullmatch(r"(\d{1,9})\s*(s|min|h|d)?", self.settings.get("archive_timeout", "0"))
        unit = {"min": 60, "h": 3600, "d": 86_400}.get(match[2] or "", 1) if match else 0
        return int(match[1]) * unit if match else 0

    @property
    def label(self) -> str:
        """What archives, as the settings name it."""
        library = self.settings.get("archive_library", "")
        return f"archive_library={library}" if library else "archive_command"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A pg_receivewal that runs here. `host` is the server it follows, empty for one here."""

    pid: str
    host: str
    folder: str
    targets: tuple[Target, ...]
    line: str


@dataclass(frozen=True, slots=True)
class Wal:
    """Every server of PostgreSQL that has a socket, and every receiver of WAL on this host."""

    archives: tuple[Archive, ...]
    receivers: tuple[Receiver, ...]


@dataclass
class _Part:
    head: str
    said: dict[str, list[str]] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    cut: list[str] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)


def wal(capture: Capture) -> Wal:
    """Raises FactError."""
    text = capture.read(READ).text()
    if not text.rstrip().endswith("== end"):
        raise CouldNotLook(READ, msg("no_end"))
    parts = [_part(p) for p in re.split(r"^== ", text, flags=re.MULTILINE)[1:-1]]
    clocks = [p.head.partition(" ")[2] for p in parts if p.head.startswith("now ")]
    now = _time(clocks[0]) if clocks else datetime.fromtimestamp(0, UTC)
    archives, receivers = [], []
    for part in parts:
        kind = part.head.partition(" ")[0]
        if kind == "server":
            archives.append(_archive(part, now))
        elif kind == "receiver":
            receivers.append(_receiver(part))
        elif kind != "now":
            raise NotUnderstood(READ, msg("not_understood", line=part.head))
    return Wal(tuple(archives), tuple(receivers))


def _part(text: str) -> _Part:
    head, *lines = text.splitlines()
    part, script = _Part(head), ""
    for line in lines:
        word, _, rest = line.partition(" ")
        if line.startswith("|"):
            part.scripts[script] += line[1:] + "\n"
            continue
        if not line:
            continue
        if word == "more":
            part.cut.append(rest)
        elif word == "script":
            script = rest
            part.scripts[script] = ""
        elif word == "target":
            part.targets.append(Target(rest))
        elif part.targets:
            part.targets[-1] = _target(part.targets[-1], word, rest, line)
        elif word == "set":
            name, _, value = rest.partition(" ")
            part.said.setdefault("set", []).append(f"{name} {value}")
        else:
            part.said.setdefault(word, []).append(rest)
        if word in ("set", "archiver", "ready", "oldest", "refused", "args"):
            part.lines.append(line)
    return part


def _target(target: Target, word: str, rest: str, line: str) -> Target:
    if word == "closed":
        return replace(target, closed=True)
    if word == "range":
        first, _, last = rest.partition(" ")
        if not _SEGMENT.fullmatch(first) or not _SEGMENT.fullmatch(last):
            raise NotUnderstood(READ, msg("not_segments_wal", line=line))
        return replace(target, ranges=(*target.ranges, (first, last)))
    if word == "newest":
        match = re.fullmatch(r"(\d+) (\d+) ([0-7]{1,4}):(\d+):(\d+) (/.*)", rest)
        if match is None:
            raise NotUnderstood(READ, msg("not_understood", line=line))
        owned = (int(match[3], 8), int(match[4]), int(match[5]))
        newest = Segment(match[6], _time(match[1]), int(match[2]), owned, "", line)
        return replace(target, newest=newest)
    if word == "holds" and target.newest is not None:
        return replace(target, newest=replace(target.newest, holds=rest))
    if word == "history":
        when, _, path = rest.partition(" ")
        name = path.rpartition("/")[2]
        return replace(target, bases=(*target.bases, (_time(when), name[:24])))
    if word == "partial":
        written = _time(rest.partition(" ")[0])
        return replace(target, partial=max(written, target.partial or written))
    if word == "owned":
        match = re.fullmatch(r"([0-7]{1,4}):(\d+):(\d+)", rest)
        if match:
            return replace(target, owned=(int(match[1], 8), int(match[2]), int(match[3])))
    raise NotUnderstood(READ, msg("not_understood", line=line))


def _archive(part: _Part, now: datetime) -> Archive:
    known = {"set", "size", "standby", "archiver", "sender", "data", "ready", "oldest", "done",
             "refused", "settings"}  # fmt: skip
    if strange := set(part.said) - known:
        raise NotUnderstood(READ, msg("not_understood", line=min(strange)))
    first = {word: lines[0] for word, lines in part.said.items()}
    settings = dict(x.partition(" ")[::2] for x in part.said.get("set", ()))
    counts = first.get("archiver", "- - - - 0").split()
    if len(counts) != 5:
        raise NotUnderstood(READ, msg("not_understood_archiver", first=first["archiver"]))
    ready = first.get("ready", "?")
    size = re.fullmatch(r"(\d+)(MB|GB)", first.get("size", "16MB"))
    if size is None:
        raise NotUnderstood(READ, msg("not_size", first=first["size"]))
    return Archive(
        part.head.partition(" ")[2],
        first.get("data", settings.get("data_directory", "")),
        "refused" not in first,
        "refused" not in first or "settings" in first,
        settings,
        first.get("standby", "") == "true",
        int(size[1]) * _SIZES[size[2]],
        None if counts[0] == "-" or counts[1] == "-" else (counts[0][:24], _time(counts[1])),
        None if counts[2] == "-" or counts[3] == "-" else (counts[2][:24], _time(counts[3])),
        int(ready) if ready.isdigit() else None,
        _time(first["oldest"].partition(" ")[0]) if "oldest" in first else None,
        _time(first["done"].partition(" ")[0]) if "done" in first else None,
        tuple(part.targets),
        part.scripts,
        tuple(part.cut),
        tuple(_sender(x) for x in part.said.get("sender", ())),
        now,
        tuple(part.lines),
    )


def _sender(text: str) -> Sender:
    host, _, rest = text.partition(" ")
    state, _, name = rest.partition(" ")
    return Sender("" if host == "local" else host, state, name)


def _receiver(part: _Part) -> Receiver:
    line = part.said.get("args", [""])[0]
    try:
        words = quoting.split(line)
    except ValueError:
        words = line.split()
    told = [b for a, b in pairwise(words) if a in ("-h", "--host")]
    told += [m[1] for w in words if (m := re.match(r"(?:-h|--host=)(.+)", w)) and w != "-h"]
    told += re.findall(r"\bhost=([^\s'\"]+)", line)
    folder = [b for a, b in pairwise(words) if a in ("-D", "--directory")]
    folder += [m[1] for w in words if (m := re.match(r"(?:-D|--directory=)(.+)", w))]
    host = told[0] if told else ""
    return Receiver(
        part.head.rpartition("/")[2],
        "" if host.startswith("/") else host,
        folder[0] if folder else "",
        tuple(part.targets),
        line,
    )


def _time(text: str) -> datetime:
    if not text.isdigit():
        raise NotUnderstood(READ, msg("not_a_time", text=text))
    return datetime.fromtimestamp(int(text), UTC)
