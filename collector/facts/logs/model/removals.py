"""The shape of what removes files by their age, whatever else keeps them; see `deletions`."""

from __future__ import annotations

import re
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

    @property
    def root(self) -> str:
        """The folder below which all of it lies, pattern or not."""
        plain = re.split(r"[*?\[]", self.folder)[0]
        return self.folder if plain == self.folder else plain.rpartition("/")[0]

    def takes(self, path: str) -> bool:
        folder = self.folder
        if set("*?[") & set(folder):
            # the shell's own pattern: no `*` of it goes past a slash
            above = path.split("/")[: folder.rstrip("/").count("/") + 1]
            parts = folder.rstrip("/").split("/")
            inside = len(above) == len(parts) and all(map(fnmatchcase, above, parts))
        else:
            inside = within(path, folder)
        name = path.rsplit("/", 1)[1]
        return inside and (not self.names or any(fnmatchcase(name, n) for n in self.names))
