"""The shape of what is known of one log's keeping; see `retention`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from collector.facts.logs.files import LogFile
from collector.model import Text


@dataclass(frozen=True, slots=True)
class LogKept:
    """One log. `least` is the days surely kept right after a removal, None: never removed.

    Where `known` is False size decides; `most` is then what it cannot exceed, if anything bounds
    it, and `floor` what is kept all the same, however fast it grows (None: nothing is ever
    removed). `sure` is less than `least` where that holds only for a log that is
    written to each day (maxage).
    `oldest` is the time inside its oldest record, `raw` the line and `held` the file it stands in;
    `files` are all of its files. `started` is when the log can have begun at the earliest, None if
    not known; `removed` is whether its rule can already have removed files, `written` whether it
    has content, `copy` whether other logs hold the same records.
    `holder` is the program that writes it where nobody knows whether it removes old ones itself,
    `unseen` whether nobody looked at any of its files.
    """

    path: str
    family: str
    least: int | None
    known: bool
    why: Text
    most: int | None = None
    sure: int | None = None
    floor: int | None = 0
    oldest: datetime | None = None
    raw: str = ""
    held: str = ""
    started: datetime | None = None
    removed: bool = True
    written: bool = True
    copy: bool = False
    holder: str = ""
    unseen: bool = False
    quotes: tuple[tuple[str, str, str], ...] = ()
    files: tuple[LogFile, ...] = ()

    @property
    def newest(self) -> datetime | None:
        """The time inside its newest record, as far as it was looked for."""
        return max((t for f in self.files for t in (f.last, f.first) if t), default=None)

    @property
    def size(self) -> int:
        """Bytes that its files take now."""
        return sum(max(f.size, 0) for f in self.files)
