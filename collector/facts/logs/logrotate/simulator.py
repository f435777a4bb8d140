"""For how many days a section keeps records: its rotations played through, day by day.

The rules are those of findNeedRotating, prerotateSingleLog and rotateSingleLog in logrotate.c; the
log is written to all the time. What is found is the least of all windows over leap and common
years, right after a rotation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import takewhile

from collector.facts.logs.logrotate.directives import Rotation
from collector.facts.logs.logrotate.filenames import Suffix, old_name, sample
from collector.facts.logs.logrotate.parser import path_matches

_BEGIN = datetime(2023, 1, 1, 0, 10)  # noqa: DTZ001 - no zone has a part in it
_FAR_DAYS = 7300
_FAR_CUSTOM_DAYS = 2400
_FAR_STEPS = 60_000
# a log that begins in the middle of an interval may lose its first records earlier than any others
_BEFORE = 31
_HAIR = 1e-6


@dataclass(frozen=True, slots=True)
class Kept:
    """How many days a section keeps at the least, right after a rotation.

    `least` None means that nothing is ever removed. Where `known` is False it is only what cannot
    be exceeded, None when there is no such bound. `surely` is what is kept whatever the growth,
    None when nothing is ever removed. `reason` says why it is not known, or why it is surprising:

    size        how fast the log grows decides
    quiet       only while the log rests is it rotated (minage)
    taken       the old file's name is taken until the date in it changes: rotated less often
    unfound     old files are not found again by their names, and so never removed
    again       the section's own pattern matches its old files, which are rotated in turn
    program     kept only if the program that compresses is there and the postrotate script does
                not fail; else each old file overwrites the last
    unclear     what this version of logrotate does with it is not known
    """

    least: int | None
    known: bool = True
    surely: int | None = field(default=None, compare=False)
    reason: str = field(default="", compare=False)


def kept(
    rotation: Rotation, every: float = 1.0, rate: float | None = None, *, packs: bool = False
) -> Kept:
    """What the section keeps when logrotate runs every so many days.

    `rate` is the log's growth in bytes a day, None if that is not known. `every` 0 stands for
    not known: as often as each hour. `packs`: compressed old files were seen, so that they do get
    compressed.
    """
    plain = replace(rotation, patterns=(), path="", line=0)
    found = _kept(plain, every or 1 / 24, rate)
    if rotation.unclear or (rotation.dateext and not Suffix(rotation).clear):
        return Kept(None, known=False, surely=0, reason="unclear")
    if rotation.cut and _again(rotation):
        return Kept(None, known=False, surely=0, reason="again")
    program = rotation.compresscmd.rsplit("/", 1)[-1]
    numbered = rotation.compress and not rotation.dateext and not rotation.delaycompress
    doubtful = program not in ("", "gzip") or rotation.postrotate
    if doubtful and numbered and not packs and rotation.count not in (0, 1):
        worst = _kept(replace(plain, count=1), every or 1 / 24, rate)
        return Kept(found.least, known=False, surely=worst.surely, reason="program")
    return found


def _again(rotation: Rotation) -> bool:
    for pattern in rotation.patterns:
        log = sample(pattern)
        if "/" not in log:
            continue
        names = {old_name(rotation, log), old_name(rotation, log, delayed=True)}
        if any(path_matches(name, other) for name in names for other in rotation.patterns):
            return True
    return False


@lru_cache(maxsize=1024)
def _kept(rotation: Rotation, every: float, rate: float | None) -> Kept:
    if not rotation.cut:
        return Kept(None)
    if rotation.interval == "minutes" or rotation.monthday:
        often = replace(rotation, interval="size", size=0, monthday=0)
        return Kept(None, known=False, surely=_Play(often, every, None, fast=True).least())
    if rate is not None:
        play = _Play(rotation, every, rate, fast=False)
        least = play.least()
        return Kept(least, surely=least, reason=play.reason)
    fast = _Play(rotation, every, None, fast=True)
    surely, reason = fast.least(), fast.reason
    grows = rotation.interval == "size" or rotation.maxsize > 0
    if rotation.count == 0 and not rotation.minage:
        return Kept(surely, surely=surely, reason=reason)
    if not grows and not rotation.minage:
        # minsize only puts a rotation off
        return Kept(surely, surely=surely, reason=reason)
    most = _Play(rotation, every, None, fast=False).least()
    if most == surely:
        return Kept(surely, surely=surely, reason=reason)
    return Kept(most, known=False, surely=surely, reason="size" if grows else "quiet")


@dataclass(slots=True)
class _Old:
    """An old file: the days on which its records begin and end, and its name's own part."""

    first: float
    closed: float
    suffix: str
    packed: bool


class _Play:
    """One log through the years. `fast`: where size decides and the growth is not known, each

    run rotates; else none does.
    """

    def __init__(self, rotation: Rotation, every: float, rate: float | None, *, fast: bool) -> None:
        self._rotation = rotation
        # an hour is the finest that intervals know
        self._every = every if rotation.interval == "size" else max(every, 1 / 24)
        self._rate = rate
        self._fast = fast
        self._suffix = Suffix(rotation) if rotation.dateext else None
        self._old: list[_Old] = []  # the oldest first
        self._begun = 0.0
        self._lost = False
        self._orders: dict[str, tuple[int, ...]] = {}
        self._finding: dict[str, bool] = {}
        self.reason = ""

    def least(self) -> int | None:
        """The fewest days between a run and the oldest record left; None: none is ever lost."""
        rotation, custom = self._rotation, self._suffix is not None and self._suffix.custom
        if self._suffix and self._suffix.fails:
            self.reason = "unfound"
            return None
        if rotation.count < 0 and not rotation.maxage and not custom:
            return None
        fewest, until = None, float(_FAR_CUSTOM_DAYS if custom else _FAR_DAYS)
        last, grown = _BEGIN, 0.0
        for step in range(1, _FAR_STEPS):
            day = step * self._every
            if day > until:
                break
            now = _BEGIN + timedelta(days=day)
            if not self._due(now, last, day - self._begun):
                continue
            last = now
            if self._rotate(now, day):
                grown = day
            if self._lost and (reach := self._reach(day)) > _BEFORE:
                days = int(day - reach + _HAIR)
                if fewest is None:
                    until = min(until, day + self._tail())
                fewest = days if fewest is None else min(fewest, days)
        if fewest is None:
            return self._not_yet(min(until, step * self._every), grown)
        return fewest

    def _not_yet(self, day: float, grown: float) -> int | None:
        """Nothing was lost so far: `rotate` is larger than what was played, or nothing ever is."""
        count = self._rotation.count
        found = [x for x in self._old if self._found(x)]
        if 0 < len(found) < count and day - grown < 1200:
            return int(day)
        if self._old and len(found) < len(self._old):
            self.reason = "unfound"
        return None

    def _tail(self) -> float:
        """For how long it must be played on until all windows were seen."""
        if self._rotation.interval == "yearly":
            return 1900
        if self._rotation.interval == "monthly" or (self._suffix and self._suffix.custom):
            return 1500
        plain = self._rotation.interval in ("daily", "hourly")
        return 30 if plain and not self._rotation.minsize and not self._rotation.maxsize else 400

    def _due(self, now: datetime, last: datetime, age: float) -> bool:
        rotation, rate = self._rotation, self._rate
        size = None if rate is None else int(rate * age + _HAIR)
        if rotation.notifempty and size == 0:
            return False
        if rotation.maxsize and (self._fast if size is None else size > rotation.maxsize):
            return True
        if rotation.interval == "size":
            return self._fast if size is None else size >= rotation.size
        if not _PASSED[rotation.interval](rotation, now, last):
            return False
        if rotation.minage and not self._fast:
            return False
        return not rotation.minsize or (self._fast if size is None else size >= rotation.minsize)

    def _rotate(self, now: datetime, day: float) -> bool:
        """False where the name is taken, so that the log stays as it is."""
        rotation = self._rotation
        count = rotation.count or 1
        if self._suffix is None:
            self._drop(self._aged(day))
            self._old.append(_Old(self._begun, day, "", rotation.compress))
            gone = self._old[: max(len(self._old) - count, 0)] if rotation.count >= 0 else []
        else:
            name = self._suffix.at(now)
            if rotation.compress and rotation.delaycompress:
                for old in self._old if self._suffix.custom else self._old[-1:]:
                    old.packed = old.packed or self._finds(old.suffix)
            gone = self._beyond(day, count)
            self._drop(gone[:-1])
            gone = gone[-1:]
            same = [x for x in self._old if x.suffix == name]
            if any(x.packed == rotation.compress for x in same):
                self.reason = "taken"
                return False
            self._drop(same)
            packed = rotation.compress and not rotation.delaycompress
            self._old.append(_Old(self._begun, day, name, packed))
        self._drop([self._old[-1]] if rotation.count == 0 else gone)
        self._begun = day
        return True

    def _beyond(self, day: float, count: int) -> list[_Old]:
        """The old files that are more than `rotate` allows or too old, in the order of names."""
        if self._suffix is None or not self._suffix.custom:
            # in the order of their names, and all of them found
            over = max(len(self._old) - count + 1, 0) if count >= 0 else 0
            return self._old[: max(over, len(self._aged(day)))]
        found = sorted((x for x in self._old if self._found(x)), key=self._order)
        most = len(found) - count if count >= 0 and len(found) >= count else -1
        return [x for at, x in enumerate(found) if at <= most or self._too_old(x, day)]

    def _aged(self, day: float) -> list[_Old]:
        """What `maxage` takes; each old file is younger than the one before it."""
        if not self._rotation.maxage:
            return []
        return list(takewhile(lambda x: self._too_old(x, day), self._old))

    def _order(self, old: _Old) -> tuple[tuple[int, ...], str]:
        if self._suffix and old.suffix not in self._orders:
            self._orders[old.suffix] = self._suffix.order(old.suffix)
        return self._orders[old.suffix], old.suffix

    def _finds(self, name: str) -> bool:
        if self._suffix and name not in self._finding:
            self._finding[name] = self._suffix.found(name)
        return self._finding[name]

    def _found(self, old: _Old) -> bool:
        if self._suffix is None:
            return True
        return old.packed == self._rotation.compress and self._finds(old.suffix)

    def _too_old(self, old: _Old, day: float) -> bool:
        rotation = self._rotation
        age = day - old.closed + _HAIR
        # 3.20 and 3.21 compare fractions of days, the others whole days
        exact = (3, 20) <= rotation.version < (3, 22)
        return rotation.maxage > 0 and (age if exact else int(age)) > rotation.maxage

    def _drop(self, gone: list[_Old]) -> None:
        for old in gone:
            self._old.remove(old)
            self._lost = True

    def _reach(self, day: float) -> float:
        """The day from which on no record is missing."""
        if self._old and not (self._suffix and self._suffix.custom):
            return self._old[0].first
        first = min(self._begun, day)
        for old in sorted(self._old, key=lambda x: -x.first):
            if old.closed < first - _HAIR:
                break
            first = min(first, old.first)
        return first


def _weekly(rotation: Rotation, now: datetime, last: datetime) -> bool:
    """Sunday is 0; the time of day does not count. Before 3.12: once the week turns."""
    if rotation.version < (3, 12):
        turned = (now.isoweekday() % 7) < (last.isoweekday() % 7)
        return turned or now - last > timedelta(days=7)
    days = (now.date() - last.date()).days
    return days >= 7 or (days >= 1 and now.isoweekday() % 7 == rotation.weekday)


_PASSED: dict[str, Callable[[Rotation, datetime, datetime], bool]] = {
    "hourly": lambda _, now, last: (now.date(), now.hour) != (last.date(), last.hour),
    "daily": lambda _, now, last: now.date() != last.date(),
    "weekly": _weekly,
    "monthly": lambda _, now, last: (now.year, now.month) != (last.year, last.month),
    "yearly": lambda _, now, last: now.year != last.year,
}
