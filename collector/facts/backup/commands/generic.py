"""Jobs by tools of which little is known: cp, zip, clouds; dumps by settings of their own.

What the first take is told by their operands alone, of the others only the kind of database:
perhaps, never sure.
"""

from __future__ import annotations

from collections.abc import Iterator

from collector.facts.backup.commands.command_lines import pipelines, wrapped
from collector.facts.backup.commands.destinations import TRANSFERS, operands
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.scheduling.jobs import jobs
from collector.model import Capture

# what is written is the last of the operands, or the first
_LAST = (TRANSFERS - {"curl"}) | {"cp", "rdiff-backup", "install"}
_FIRST = {"zip", "7z", "7za", "7zz", "rar", "xfsdump", "dump"}

_ENGINES = {
    "automysqlbackup": "mysql", "holland": "mysql", "mysqlhotcopy": "mysql",
    "autopostgresqlbackup": "postgresql", "pg_back": "postgresql", "pg_rman": "postgresql",
    "pg_probackup": "postgresql", "gs_dump": "opengauss", "gs_dumpall": "opengauss",
    "gs_basebackup": "opengauss", "sys_dump": "kingbase", "dexp": "dm", "expdp": "oracle",
    "rman": "oracle",
}  # fmt: skip
_NAMES = frozenset({*_LAST, *_FIRST, *_ENGINES})


def copied(capture: Capture) -> tuple[BackupJob, ...]:
    """Every use of such a tool by a job that starts. Raises FactError."""
    return tuple(dict.fromkeys(_copied(capture)))


def _copied(capture: Capture) -> Iterator[BackupJob]:
    for job in jobs(capture):
        for line, _ in pipelines(job.text) if job.enabled else ():
            for words in line:
                names = [w.rpartition("/")[2] for w in words]
                at = next((i for i, n in enumerate(names) if n in _NAMES), None)
                if at is None or (at and not wrapped(names[:at])):
                    continue
                if names[at] in _ENGINES:
                    yield BackupJob(job, names[at], engine=_ENGINES[names[at]], databases=("?",))
                    continue
                named = operands(words[at + 1 :])
                taken = named[:-1] if names[at] in _LAST else named[1:]
                sources = tuple(s for s in taken if s.startswith("/") and "$" not in s)
                if sources:
                    yield BackupJob(job, names[at], sources, words=tuple(words), follows=True)
