"""Can the disks hold six months of logs? Free room and inodes, and how fast each log grows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.paths import within
from collector.facts.logs.audit.status import WHERE
from collector.facts.logs.log_kept import LogKept
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "capacity.space"
_DAY = 86400.0

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + WHERE
        + r"""
set --
for d in "${a%/*}/" / /var/ /var/log/ /var/log/*/ /var/lib/docker/ /var/lib/mysql/ /var/lib/pgsql/ \
  /var/lib/postgresql/ /www/ /opt/ /srv/ /usr/local/ /data/ /home/ /app/; do
  [ -d "$d" ] && hp_plain "$d" && set -- "$@" "$d"
done
stat -f -c '%i %S %b %a %c %d %n' "$@"
""",
        limit=1 << 16,
        why=Text(
            "日志所在文件系统的剩余空间与 inode（判断能否容纳六个月）",
            "free room and inodes of the file systems that hold logs (can they hold six months)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Room:
    """One file system, by the first of the folders that lie on it. Sizes are bytes.

    `inodes` is 0 where it sets no number.
    """

    id: str
    folder: str
    size: int
    free: int
    inodes: int
    inodes_free: int
    line: str


@dataclass(frozen=True, slots=True)
class Growth:
    """How fast a log grows on its disk: bytes a day, surely at least `low` and at most `high`.

    They are the same where a week or more was observed. `days` is the span of its records.
    """

    log: LogKept
    low: float
    high: float
    days: float

    @property
    def by_size(self) -> bool:
        return self.log.family == "journal" or (not self.log.known and self.log.removed)

    @property
    def limit(self) -> float | None:
        """Days after which its own rule surely removes again; None: never, or not known when."""
        if not self.log.known or self.log.least is None:
            return None
        # right before a removal there is one more interval than right after it
        return self.log.least + 31.0


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system with the logs that compete for it."""

    room: Room
    logs: tuple[Growth, ...]

    @property
    def held(self) -> int:
        return sum(g.log.size for g in self.logs)

    def days(self, *, high: bool) -> float | None:
        """Days of logs that free and held bytes together are enough for; None: no growth."""
        rate = sum(g.high if high else g.low for g in self.logs)
        return (self.room.free + self.held) / rate if rate > 0 else None

    def full_in(self, *, high: bool, most: int = 3650) -> int | None:
        """In how many days nothing is free, as its logs grow and their own rules remove.

        What is removed by size does not fill a disk, nor does the journal (SystemKeepFree). None:
        not within `most` days.
        """
        steps: list[int] = [*range(1, 400), *range(400, most + 1, 30)]
        for day in steps:
            grown = sum(_grown(g, day, high=high) for g in self.logs if not g.by_size)
            if grown > self.room.free:
                return day
        return None

    def inode_days(self) -> float | None:
        """Days for which inodes are enough, at the rate at which files were added."""
        if not self.room.inodes:
            return None
        files = sum(len(g.log.files) for g in self.logs)
        rate = sum(len(g.log.files) / g.days for g in self.logs if g.days >= 1)
        return (self.room.inodes_free + files) / rate if rate > 0 else None


def _grown(growth: Growth, day: int, *, high: bool) -> float:
    rate, limit = (growth.high if high else growth.low), growth.limit
    more = float(day) if limit is None else min(day, max(limit - growth.days, 0.0))
    return rate * more


def disks(capture: Capture, logs: Iterable[LogKept], now: datetime) -> tuple[Disk, ...]:
    """The file systems that hold logs, each with its logs.

    Raises FactError where free room could not be seen.
    """
    rooms = _rooms(capture)
    held: dict[str, list[Growth]] = {}
    named: dict[str, Room] = {}
    for log in logs:
        if log.size <= 0:
            continue
        room = _room_of(rooms, log.path)
        named.setdefault(room.id, room)
        held.setdefault(room.id, []).append(growth(log, now))
    return tuple(Disk(named[id], tuple(found)) for id, found in held.items())


def growth(log: LogKept, now: datetime) -> Growth:
    """The rate of one log: by its packed files where they cover a week, else by all of them.

    Packed files show what a day takes on the disk in the long run; the rest is packed yet.
    """
    packed = [f for f in log.files if f.packed]
    plain = [f for f in log.files if not f.packed]
    days = (now - log.oldest).total_seconds() / _DAY if log.oldest else 0.0
    if days < 1:
        # nothing tells when it came: at the worst all of it in one day, and ten times as much yet
        return Growth(log, 0.0, float(log.size) * 10, max(days, 0.0))
    start = min((f.first for f in packed if f.first), default=None)
    end = min((f.first for f in plain if f.first), default=now)
    covered = (end - start).total_seconds() / _DAY if start else 0.0
    rate = log.size / days
    if covered >= 7:
        rate = sum(f.size for f in packed) / covered
    if days < 7:
        return Growth(log, 0.0, rate * 10, days)
    return Growth(log, rate, rate, days)


def _rooms(capture: Capture) -> tuple[Room, ...]:
    """One line for each folder: `ID UNIT TOTAL FREE INODES FREE PATH` of stat -f."""
    found = []
    for line in capture.read(_READ).text(accept=(0, 1)).splitlines():
        match = re.fullmatch(r"([0-9a-f]+) (\d+) (\d+) (\d+) (\d+) (\d+) (/.*)", line)
        if match is None:
            raise NotUnderstood(_READ, msg("not_line_stat_f", line=line[:80]))
        unit, total, free, inodes, left = (int(match[n]) for n in range(2, 7))
        # some file systems have no id: then those of the same numbers are taken for one
        id = match[1] if match[1].strip("0") else f"{total}/{free}/{left}"
        folder = match[7].rstrip("/") or "/"
        found.append(Room(id, folder, unit * total, unit * free, inodes, left, line))
    if not found:
        raise CouldNotLook(_READ, msg("stat_f_told_no"))
    return tuple(found)


def _room_of(rooms: Sequence[Room], path: str) -> Room:
    inside = [r for r in rooms if within(path, r.folder)]
    if not inside:
        raise CouldNotLook(_READ, msg("file_system_not_seen", path=path))
    best = max(inside, key=lambda r: len(r.folder))
    # told by the shortest of its folders, which is what people know it by
    return min((r for r in rooms if r.id == best.id), key=lambda r: len(r.folder))
