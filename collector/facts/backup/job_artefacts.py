"""What backup jobs left behind where they write: files and snapshots, in groups."""

from __future__ import annotations

import re

from collector.errors import CouldNotLook
from collector.facts.backup.artefacts.base_backups import TOOLS as BASE_TOOLS
from collector.facts.backup.artefacts.base_backups import bases
from collector.facts.backup.artefacts.files import Artefact, Artefacts, artefacts
from collector.facts.backup.commands.command_lines import ENGINES, filled
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.dump_kinds import as_printed
from collector.facts.backup.identity import holds
from collector.facts.backup.outputs import outputs
from collector.facts.base.paths import within
from collector.facts.data.inventory import Store
from collector.i18n.message import msg
from collector.model import Facts

_SCRIPT_END = re.compile(r"\.(sh|bash|py|pl|log|cnf|conf|lock|pid|env|txt|yaml|yml)$")


def left_by(facts: Facts, job: BackupJob) -> tuple[Artefact, ...]:
    """Files and snapshots that the job left on this host. Raises FactError."""
    return tuple(a for group in by_name(facts, job).values() for a in group)


def by_name(facts: Facts, job: BackupJob) -> dict[str, list[Artefact]]:
    """What the job left on this host, by name with dates and numbers left out.

    Of a dump or an archive the files that its own words name, where they do and some are there;
    else those in the folders that the job names. Raises FactError.
    """
    left = facts.get(artefacts)
    for prefix in _written(left.closed, job):
        raise CouldNotLook("backup.artefacts", msg("closed_user", path=prefix))
    found: dict[str, list[Artefact]] = {}
    if job.tool == "restic":
        own = {r for r in {a.repository for a in left.all} if r and holds(facts, job, r)}
        for artefact in left.all:
            if artefact.repository in own and _laid_by(artefact, job):
                found.setdefault(artefact.repository, []).append(artefact)
        return found
    files = _files(left, job)
    for artefact in bases(files) if job.tool in BASE_TOOLS else files:
        found.setdefault(_family(artefact.path), []).append(as_printed(job, artefact))
    return found


def _files(left: Artefacts, job: BackupJob) -> list[Artefact]:
    prefixes = tuple(_written(left.folders, job))
    patterns = outputs(job)
    known = ("", "other", job.engine)
    kept = [a for a in left.all if not a.repository and (not job.engine or a.content in known)]
    if patterns is not None:
        own = [a for a in kept if any(p.fullmatch(a.path) for p in patterns)]
        if own or not patterns:
            return own
    return [a for a in kept if a.path.startswith(prefixes)]


def _laid_by(artefact: Artefact, job: BackupJob) -> bool:
    """May the job have made this snapshot? What root makes is root's: others push here, too."""
    return artefact.owned is None or job.job.user not in ("", "root") or artefact.owned[1] == 0


def of_job(facts: Facts, job: BackupJob, store: Store) -> list[list[Artefact]]:
    """Of what the job left, the files of this store, by name.

    Those that its own words name for it are; where the database only shows at run time, those that
    are named after it; else all, where there is but one name, or those in a folder named after it.
    """
    groups = by_name(facts, job)
    if job.tool == "restic":
        return list(groups.values())
    named_after = of_store(groups, store)
    patterns = outputs(job)
    if patterns is None:
        return named_after or (list(groups.values()) if len(groups) == 1 else [])
    if "?" in job.databases:
        return of_store(groups, store, by_file=True)
    own = [g for g in groups.values() if any(p.fullmatch(g[0].path) for p in patterns)]
    # a base backup in a folder, whose files are one
    return own or (named_after if job.tool in BASE_TOOLS else [])


def groups_of(
    facts: Facts, job: BackupJob, store: Store
) -> tuple[tuple[str, tuple[Artefact, ...]], ...]:
    """Files that the job left of this store, by name with `#` for dates and numbers.

    Raises CouldNotLook for a folder that is closed.
    """
    return tuple((_family(g[0].path) if not g[0].repository else g[0].repository, tuple(g))
                 for g in of_job(facts, job, store))  # fmt: skip


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


def of_store(
    groups: dict[str, list[Artefact]], store: Store, *, by_file: bool = False
) -> list[list[Artefact]]:
    """Groups named after the store: of files called so, or else in a folder that is."""
    names = {store.name.casefold(), store.path.rpartition("/")[2].casefold()} - {""}

    def called(text: str) -> bool:
        return any(
            re.search(rf"(?<![a-z0-9]){re.escape(n)}(?![a-z0-9])", text.casefold()) for n in names
        )

    files = [group for family, group in groups.items() if called(family.rpartition("/")[2])]
    return files if files or by_file else [g for f, g in groups.items() if called(f)]


def empty_folder(left: Artefacts, job: BackupJob) -> str:
    """What a dump or archive is written to, in a folder that was looked through; empty: none."""
    if job.tool not in ENGINES and job.tool != "tar":
        return ""
    text = filled(job.job.text)
    for prefix in _written(left.folders, job):
        if re.search(rf"(>|f\s|=)\s*[\"']?{re.escape(prefix)}", text):
            return prefix
    return ""
