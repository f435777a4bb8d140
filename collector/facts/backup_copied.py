"""Jobs that carry files away by tools that are not known as those of backups: cp, zip, clouds.

What they take is told by their operands alone, and not what they leave out: perhaps, never sure.
"""

from __future__ import annotations

from collections.abc import Iterator

from collector.facts.backup_destinations import TRANSFERS, operands
from collector.facts.backup_jobs import BackupJob
from collector.facts.backup_words import pipelines, wrapped
from collector.facts.schedules import jobs
from collector.model import Capture

# what is written is the last of the operands, or the first
_LAST = (TRANSFERS - {"curl"}) | {"cp", "rdiff-backup", "install"}
_FIRST = {"zip", "7z", "7za", "7zz", "rar", "xfsdump", "dump"}


def copied(capture: Capture) -> tuple[BackupJob, ...]:
    """Every use of such a tool by a job that starts. Raises FactError."""
    return tuple(dict.fromkeys(_copied(capture)))


def _copied(capture: Capture) -> Iterator[BackupJob]:
    for job in jobs(capture):
        for line, _ in pipelines(job.text) if job.enabled else ():
            for words in line:
                names = [w.rpartition("/")[2] for w in words]
                at = next((i for i, n in enumerate(names) if n in _LAST or n in _FIRST), None)
                if at is None or (at and not wrapped(names[:at])):
                    continue
                named = operands(words[at + 1 :])
                taken = named[:-1] if names[at] in _LAST else named[1:]
                sources = tuple(s for s in taken if s.startswith("/") and "$" not in s)
                if sources:
                    yield BackupJob(job, names[at], sources, words=tuple(words), follows=True)
