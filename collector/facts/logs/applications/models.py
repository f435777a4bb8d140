"""The shape of what an application itself does with its old logs; see `app_rotation`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from collector.model import Text

READ = "app_rotation.rules"
_DAY = 86400
# seconds from one name of a file to the same name again, by what of a time stands in the name
_CYCLES = (
    ("YyGsEcCDFx+", None),
    ("j", 365 * _DAY),
    ("bBhm", 365 * _DAY),
    ("UVW", 364 * _DAY),
    ("de", 28 * _DAY),
    ("aAuw", 7 * _DAY),
    ("HIklpMS", _DAY),
)


@dataclass(frozen=True, slots=True)
class AppRule:
    """What a program does with the old files of one log of its own.

    `log` is a glob of the path(s); `days` are surely kept by age or count of periods (None: no
    such bound), `room` the bytes that are surely left after it removed by size (None: no size
    counts). `window` is bytes a `period` (days) beyond which it overwrites records of that very
    period. Where `known` is False its removals cannot be told. `family` is of what it logs, where
    the path does not say it. `each`: the bounds are those of each log that the glob has.
    """

    log: str
    why: Text
    read: str
    path: str
    line: str
    days: int | None = None
    room: int | None = None
    window: int | None = None
    period: float = 1.0
    known: bool = True
    family: str = ""
    each: bool = False

    def has(self, path: str) -> bool:
        return fnmatchcase(path, self.log)


@dataclass(frozen=True, slots=True)
class Found:
    """The read, taken apart: the lines of each file by kind of program, in their order.

    `opened` are the files that running Java programs hold open.
    """

    kinds: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    opened: tuple[str, ...] = ()

    def of(self, kind: str) -> Mapping[str, tuple[str, ...]]:
        return self.kinds.get(kind, {})


def globbed(name: str) -> str:
    """A name with strftime(3) letters as a glob."""
    return re.sub(r"\*+", "*", re.sub(r"%[-_0^#EO]*[A-Za-z]", "*", name))


def cycle(name: str) -> float | None:
    """Seconds after which strftime(3) gives `name` again; None: never, for it has the year."""
    letters = set(re.findall(r"%[-_0^#EO]*([A-Za-z+])", name))
    if not letters:
        return 0.0
    return next((span for them, span in _CYCLES if letters & set(them)), 0.0)


def overwritten(name: str, every: float) -> int | None:
    """Days kept where a file of that name is emptied when its turn comes again, each `every` s.

    None where the name never comes again. Right then the oldest file left is the next one.
    """
    span = cycle(name)
    return None if span is None else max(int((span - every) // _DAY), 0)
