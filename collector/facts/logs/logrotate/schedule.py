"""What runs logrotate on a host, how often, and with which configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.scheduling import jobs as _schedules
from collector.facts.scheduling.models import Job
from collector.facts.shell import quoting
from collector.i18n.message import msg
from collector.model import Capture

_KNOWN = re.compile(r"/(usr/)?etc/logrotate(\.conf|\.d(/[^/]+)?/?)$")
# options of logrotate(8) that take the next word
_WITH_WORD = ("-s", "--state", "-m", "--mail", "-l", "--log")


@dataclass(frozen=True, slots=True)
class Runs:
    """`name` of the job that runs logrotate, empty where none does.

    `every` is the days between two runs, 0 where that is not clear. `forced`: a job rotates at
    every run (-f), whatever the sections say; `line` is its command.
    """

    name: str = ""
    every: float = 1.0
    forced: bool = False
    line: str = ""
    read: str = ""


@dataclass(frozen=True, slots=True)
class _Call:
    job: Job
    forced: bool
    line: str


def logrotate_runs(capture: Capture) -> Runs:
    """Raises FactError where schedules could not be seen, or one runs logrotate over a file

    that was not read: what that one removes is not known.
    """
    calls = [
        call
        for job in _schedules.jobs(capture)
        # Debian's cron script leaves the work to the timer where systemd runs
        if job.enabled and not (job.kind == "periodic" and "/run/systemd/system" in job.text)
        for call in _calls(job)
    ]
    if not calls:
        return Runs()
    forced = next((call for call in calls if call.forced), None)
    spans = [_every(call.job) for call in ([forced] if forced else calls)]
    first = forced or calls[0]
    return Runs(first.job.name, min(spans), forced is not None, first.line, first.job.read)


def _calls(job: Job) -> Iterator[_Call]:
    for line in job.text.splitlines():
        for match in re.finditer(r"(?:^|[\s;&|(/])logrotate\s+([^;&|><)]+)", line):
            paths, options = _words(match[1])
            if not paths or {"-d", "--debug"} & options:
                continue
            strange = [path for path in paths if not _KNOWN.match(path)]
            if strange:
                raise NotUnderstood(
                    job.read, msg("runs_logrotate_not_read", name=job.name, strange=strange[0])
                )
            forced = any(re.fullmatch(r"--force|-[a-z]*f[a-z]*", option) for option in options)
            yield _Call(job, forced, line.strip())


def _words(text: str) -> tuple[list[str], set[str]]:
    """The configuration paths and the options of one call."""
    try:
        words = quoting.split(text)
    except ValueError:
        words = text.split()
    paths, options = [], set()
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            options.add(word.partition("=")[0])
            skip = word in _WITH_WORD
        elif word.startswith("/"):
            paths.append(word)
    return paths, options


def _every(job: Job) -> float:
    """Days between two runs; 0 where the schedule is not one of the plain ones."""
    if re.search(r"daily|OnCalendar=\*-\*-\* \d\d:\d\d:\d\d$|^\d+ \d+ \* \* \*$", job.when):
        return 1.0
    if re.search(r"weekly|^\d+ \d+ \* \* [0-7A-Za-z]{1,3}$", job.when):
        return 7.0
    if re.search(r"hourly|^\d+ \* \* \* \*$|OnCalendar=\*-\*-\* \*:00:00$", job.when):
        return 1 / 24
    return 0.0
