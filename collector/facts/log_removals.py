"""What removes logs behind logrotate's back: `find -delete`, `> FILE`, `rm`, tmpfiles.d."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from itertools import pairwise

from collector.errors import NotUnderstood
from collector.facts import schedules as _schedules
from collector.facts.backup_words import filled
from collector.facts.jobs import Job, uncommented
from collector.facts.journald import span_seconds
from collector.facts.removals import Removal
from collector.facts.tmpfiles import cleanings
from collector.model import Capture, ReadStatus

JOURNAL = "/var/log/journal"
_REMOVES = re.compile(r"-delete\b|-(?:exec|execdir|ok)\s+\S*\brm\b|\|\s*xargs\b.*\brm\b")
_DAY = 86400
_CD = re.compile(r"(?:^|[;&|(]\s*)cd\s+[\"']?(/[\w./-]*)")
_NOTHING = r"cat\s+/dev/null|:|true|echo(?:\s+-n)?(?:\s+[\"']{2})?"
_EMPTIES = (
    re.compile(rf"(?:^|[;&|(\"']\s*)(?:(?:{_NOTHING})\s*)?>(?!>)([^;&|]*)"),
    re.compile(r"\btruncate\s+([^;&|]*(?:-s|--size[= ])\s*0\b[^;&|]*)"),
    re.compile(r"\bcp\s+(?:-\w+\s+)*/dev/null(\s[^;&|]*)"),
    re.compile(r"(?:^|[\s;&|(/])rm(\s[^;&|]*)"),
)
_EMPTY = r"(?!\s+(?:-\w+\s+)*/dev/null)"
_COPIES = rf"\b(?:(?:cp|cat){_EMPTY}|mv|gzip|bzip2|xz|zstd|zip|tar|rsync|scp)\b"


def log_removals(capture: Capture) -> tuple[Removal, ...]:
    """All that were found in enabled jobs, and in the scripts of logrotate's configuration.

    Raises FactError where schedules could not be seen, or where logs are removed by a command
    whose folder or age does not show.
    """
    found: list[Removal] = []
    for job in _schedules.jobs(capture):
        if job.enabled:
            found += removals(job)
    for file in capture.read("logrotate.config").present():
        if file.status is ReadStatus.OK and b"find" in file.data:
            text = uncommented(file.text("logrotate.config"))
            found += removals(_script(file.path, text))
    return (*found, *cleanings(capture))


def removals(job: Job) -> list[Removal]:
    """What one job removes, the variables filled in that it sets to plain text."""
    found: list[Removal] = []
    folder = ""
    text = filled(re.sub(r"\\\n", " ", job.text))
    for line in text.splitlines():
        for match in _CD.finditer(line):
            folder = match[1]
        found += [*_finds(job, line, folder), *_vacuums(job, line), *_empties(job, line, text)]
    return found


def _script(path: str, text: str) -> Job:
    line = next((x for x in text.splitlines() if "find" in x), "")
    return Job(
        "periodic", path, "daily", "root", text, text, True, "", "logrotate.config", path, line
    )


def _finds(job: Job, line: str, folder: str = "") -> Iterator[Removal]:
    match = re.search(r"(?:^|[\s;&|(/])find\s+(.*)", line)
    if not match or not _REMOVES.search(match[1]):
        return
    try:
        words = shlex.split(match[1])
    except ValueError:
        words = match[1].split()
    days = _days(words)
    # words of find(1) that choose by something else than age and name
    other = {"-size", "-empty", "-user", "-nouser", "-newer", "-perm", "-inum"} & set(words)
    if days is None and other:
        return
    names = tuple(
        value
        for at, (word, value) in enumerate(pairwise(words))
        if word in ("-name", "-iname") and (at == 0 or words[at - 1] not in ("!", "-not"))
    )
    for word in words:
        if word[:1] in "-(!\\":
            break
        place = word if word.startswith(("/", "$", "`")) else f"{folder}/{word}"
        place = re.sub(r"/\.?/?$", "", place) or "/"
        if place.startswith("/"):
            sure = days if days is not None else _interval(job)
            yield Removal(place, sure, names, job.name, line.strip(), job.read)
        elif place[:1] in "$`" and "/var/log" in job.text:
            raise NotUnderstood(
                job.read, f"{job.name} removes old files below {word}: {line.strip()}"
            )


def _empties(job: Job, line: str, text: str) -> Iterator[Removal]:
    """`> FILE`, `truncate -s 0 FILE`, `rm FILE`: at each run, whatever its age.

    Where the same job copies or packs the file first, that is a rotation of its own making.
    """
    for pattern in _EMPTIES:
        for match in pattern.finditer(line):
            for path in re.findall(r"(?<=\s)/var/log/[^\s;&|<>\"']+", " " + match[1]):
                name = path.rstrip("/").rsplit("/", 1)[1]
                bare = re.escape(re.sub(r"[*?\[].*", "", name).rstrip("-._")) or r"\*"
                if not re.search(rf"(?m)^.*{_COPIES}[^\n]*{bare}", text):
                    folder = path.rstrip("/").rsplit("/", 1)[0]
                    yield Removal(folder, _interval(job), (name,), job.name, line.strip(), job.read)


def _interval(job: Job) -> int:
    """Days from one run to the next, as far as the schedule is a plain one; else 1."""
    fields = job.when.split()
    if re.search(r"yearly|annually", job.when):
        return 366
    if "monthly" in job.when:
        return 31
    if "weekly" in job.when:
        return 7
    if len(fields) == 5 and fields[0].isdecimal() and fields[1].isdecimal():
        if fields[3].isdecimal() and fields[2].isdecimal():
            return 366
        if fields[2].isdecimal() and fields[3:] == ["*", "*"]:
            return 31
        if fields[2:4] == ["*", "*"] and re.fullmatch(r"\w{1,3}", fields[4]):
            return 7
    return 1


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
