"""Jobs that remove logs by age behind logrotate's back: `find -mtime +N -delete` and the like."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise

from collector.facts import schedules as _schedules
from collector.facts.jobs import Job
from collector.facts.journald import span_seconds
from collector.model import Capture

JOURNAL = "/var/log/journal"
_REMOVES = re.compile(r"-delete\b|-(?:exec|execdir|ok)\s+\S*\brm\b|\|\s*xargs\b.*\brm\b")
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Removal:
    """Files below `folder` go when they were last written to more than `days` days ago.

    `names` are the patterns they must match, all files where there is none. `line` is the
    command, `job` the name of the job it stands in, `read` where that was seen.
    """

    folder: str
    days: int
    names: tuple[str, ...]
    job: str
    line: str
    read: str

    def takes(self, path: str) -> bool:
        inside = path == self.folder or path.startswith(self.folder.rstrip("/") + "/")
        name = path.rsplit("/", 1)[1]
        return inside and (not self.names or any(fnmatchcase(name, n) for n in self.names))


def log_removals(capture: Capture) -> tuple[Removal, ...]:
    """All that were found in enabled jobs. Raises FactError where schedules could not be seen.

    A folder that stands in a shell variable is not followed.
    """
    found: list[Removal] = []
    for job in _schedules.jobs(capture):
        if job.enabled:
            for line in job.text.splitlines():
                found += [*_finds(job, line), *_vacuums(job, line)]
    return tuple(found)


def _finds(job: Job, line: str) -> Iterator[Removal]:
    match = re.search(r"(?:^|[\s;&|(/])find\s+(.*)", line)
    if not match or not _REMOVES.search(match[1]):
        return
    try:
        words = shlex.split(match[1])
    except ValueError:
        words = match[1].split()
    days = _days(words)
    if days is None:
        return
    pairs = list(pairwise(words))
    names = tuple(value for word, value in pairs if word in ("-name", "-iname"))
    for word in words:
        if word[:1] in "-(!\\":
            break
        if word.startswith("/"):
            yield Removal(word.rstrip("/") or "/", days, names, job.name, line.strip(), job.read)


def _days(words: list[str]) -> int | None:
    """Whole days a file must be old: `-mtime +7` takes those of eight days and more (find(1))."""
    for word, value in pairwise(words):
        match = re.fullmatch(r"\+?(\d+)", value)
        if match and word in ("-mtime", "-ctime", "-atime"):
            return int(match[1]) + (1 if value.startswith("+") else 0)
        if match and word in ("-mmin", "-cmin", "-amin"):
            return int(match[1]) // 1440
    return None


def _vacuums(job: Job, line: str) -> Iterator[Removal]:
    match = re.search(
        r"\bjournalctl\b.*--vacuum-time[= ]\s*['\"]?([\w. ]+?)['\"]?(?:\s*[;&|>]|$)", line
    )
    if match:
        days = int(span_seconds(match[1].strip(), 0.0) // _DAY)
        yield Removal(JOURNAL, days, (), job.name, line.strip(), job.read)
