"""What backup jobs left behind where they write: files in groups, and records."""

from __future__ import annotations

import re

from collector.errors import CouldNotLook
from collector.facts.backup.artefacts.base_backups import TOOLS as BASE_TOOLS
from collector.facts.backup.artefacts.base_backups import bases
from collector.facts.backup.artefacts.files import Artefact, Artefacts, artefacts
from collector.facts.backup.artefacts.traces import Record
from collector.facts.backup.commands.command_lines import ENGINES, filled
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.scheduled import all_jobs
from collector.facts.base.paths import within
from collector.facts.data.inventory import Store
from collector.i18n.message import msg
from collector.model import Facts

_SCRIPT_END = re.compile(r"\.(sh|bash|py|pl|log|cnf|conf|lock|pid|env|txt|yaml|yml)$")


def left_by(facts: Facts, job: BackupJob) -> tuple[Artefact, ...]:
    """The files that the job left on this host. Raises FactError."""
    groups = by_name(facts.get(artefacts), job, facts.get(all_jobs))
    return tuple(artefact for group in groups.values() for artefact in group)


def by_name(
    left: Artefacts, job: BackupJob, every: tuple[BackupJob, ...]
) -> dict[str, list[Artefact]]:
    """Files in the folders that the job writes to, by name with dates and numbers left out.

    A restic repository that several jobs write to shows for none of them that it was the one.
    """
    for prefix in _written(left.closed, job):
        raise CouldNotLook("backup.artefacts", msg("closed_user", path=prefix))
    found: dict[str, list[Artefact]] = {}
    others = {t for j in every if j.tool == "restic" and j.job.name != job.job.name
              for t in j.targets}  # fmt: skip
    repositories = {a.repository for a in left.all if a.repository}
    alone = len({j.job.name for j in every if j.tool == "restic"}) == 1
    if len(repositories) != 1 or not alone:
        repositories = (repositories & set(job.targets)) - others
    prefixes = tuple(_written(left.folders, job))
    files: list[Artefact] = []
    for artefact in left.all:
        if artefact.repository:
            if job.tool == "restic" and artefact.repository in repositories:
                found.setdefault(artefact.repository, []).append(artefact)
        elif job.tool != "restic" and artefact.path.startswith(prefixes):
            files.append(artefact)
    for artefact in bases(files) if job.tool in BASE_TOOLS else files:
        found.setdefault(_family(artefact.path), []).append(artefact)
    return found


def groups_of(
    left: Artefacts, job: BackupJob, every: tuple[BackupJob, ...], store: Store
) -> tuple[tuple[str, tuple[Artefact, ...]], ...]:
    """Files that the job left of this store, by name with `#` for dates and numbers.

    Raises CouldNotLook for a folder that is closed.
    """
    groups = by_name(left, job, every)
    mine = of_store(groups, store) or (list(groups.values()) if len(groups) == 1 else [])
    return tuple((f, tuple(g)) for f, g in groups.items() if g in mine)


def files_of(left: Artefacts, job: BackupJob, every: tuple[BackupJob, ...]) -> tuple[Artefact, ...]:
    """Files and snapshots that the job left. Raises CouldNotLook for a folder that is closed."""
    return tuple(a for group in by_name(left, job, every).values() for a in group)


def _written(folders: frozenset[str], job: BackupJob) -> list[str]:
    """How the paths of its files begin: folders it names, and files it names in such folders.

    A folder counts as a whole only where nothing in it is named: `D=/backup; … > $D/shop-…` does
    not make its own what another job lays into /backup.
    """
    named = [
        t
        for t in job.targets
        if (t in folders or t.rpartition("/")[0] in folders)
        and not _source(t, job)
        and not _SCRIPT_END.search(t)
    ]
    exact = [t for t in named if not any(o.startswith(t + "/") for o in named)]
    return [t + "/" if t in folders else t for t in exact]


def _source(folder: str, job: BackupJob) -> bool:
    return any(within(folder, s) for s in job.sources)


def _family(path: str) -> str:
    """`/b/shop-2026-11-25.sql.gz` → `/b/shop-#.sql.gz`; names of days and months count as dates."""
    text = re.sub(
        r"(?<![A-Za-z])(mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov"
        r"|dec)[a-z]*(?![A-Za-z])",
        "#",
        path,
        flags=re.IGNORECASE,
    )
    return re.sub(r"(\d|#)[\d#_.:T-]*(\d|#)|\d", "#", text)


def of_store(groups: dict[str, list[Artefact]], store: Store) -> list[list[Artefact]]:
    names = {store.name.casefold(), store.path.rpartition("/")[2].casefold()} - {""}
    return [
        group
        for family, group in groups.items()
        if any(re.search(rf"(?<![a-z0-9]){re.escape(n)}(?![a-z0-9])", family.casefold())
               for n in names)
    ]  # fmt: skip


def empty_folder(left: Artefacts, job: BackupJob) -> str:
    """What a dump or archive is written to, in a folder that was looked through; empty: none."""
    if job.tool not in ENGINES and job.tool != "tar":
        return ""
    text = filled(job.job.text)
    for prefix in _written(left.folders, job):
        if re.search(rf"(>|f\s|=)\s*[\"']?{re.escape(prefix)}", text):
            return prefix
    return ""


def record_of(record: Record, job: BackupJob, every: tuple[BackupJob, ...]) -> bool:
    """Is it certain that the record is of this job, and of no other one?"""
    tool = {"borgmatic": "borg"}.get(job.tool, job.tool)
    kin = {j.job.name for j in every if {"borgmatic": "borg"}.get(j.tool, j.tool) == tool}
    alone = len(kin) == 1
    if record.read == "backup.borg":
        return tool == "borg" and (alone or record.where in job.targets)
    if record.read == "backup.journal":
        return tool == "restic" and alone
    if record.read == "backup.pgbackrest":
        return tool == "pgbackrest"
    if "rsnapshot" in record.where:
        return tool == "rsnapshot" and alone
    return tool == "restic" and record.where in job.targets
