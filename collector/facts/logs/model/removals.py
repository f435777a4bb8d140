"""The shape of what removes files by their age, whatever else keeps them; see `deletions`."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from collector.facts.base.paths import within


@dataclass(frozen=True, slots=True)
class Removal:
    """Files below `folder` go when they were last written to more than `days` days ago.

    `names` are the patterns they must match, all files where there is none. `line` is the
    command, `job` the name of the job it stands in, `read` where that was seen. Where `room` is
    not None the oldest go until so many bytes are left (-1: how many does not show), at any age.
    """

    folder: str
    days: int
    names: tuple[str, ...]
    job: str
    line: str
    read: str
    room: int | None = field(default=None, kw_only=True)

    def takes(self, path: str) -> bool:
        inside = within(path, self.folder)
        name = path.rsplit("/", 1)[1]
        return inside and (not self.names or any(fnmatchcase(name, n) for n in self.names))
