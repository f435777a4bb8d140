"""Stores joined with the jobs that back them up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from collector.errors import CouldNotLook
from collector.facts.backup.artefacts.files import artefacts
from collector.facts.backup.commands.command_lines import SPARED
from collector.facts.backup.commands.dump_servers import asks
from collector.facts.backup.commands.generic import copied
from collector.facts.backup.commands.jobs import BackupJob, Covers, engine_of
from collector.facts.backup.commands.scheduled import agents, all_jobs
from collector.facts.backup.commands.wal_recovery import unscheduled
from collector.facts.backup.contradicted import in_memory, onto_itself
from collector.facts.backup.identity import stanza_takes
from collector.facts.backup.job_artefacts import by_name, of_store
from collector.facts.backup.reached import idle_where_never
from collector.facts.backup.stopped import writing
from collector.facts.base.paths import within
from collector.facts.data.inventory import Store, inventory
from collector.facts.data.inventory_paths import links_in, links_on, place
from collector.facts.scheduling.models import Script
from collector.facts.storage.mounts import holder, inside
from collector.facts.storage.mounts import mounts as mounts_of
from collector.facts.storage.volumes import Storage
from collector.facts.system.processes import Processes
from collector.i18n.message import msg
from collector.model import Facts, Text


@dataclass(frozen=True, slots=True)
class Cover:
    """What backs a store up: `sure` jobs start by themselves and take it, `perhaps` might.

    `idle` would take it and do not start, with the reason in `Job.reason`; `agents` run here for
    a backup server that alone knows what it takes. `wal` is what archives the WAL of a store that
    no job takes, `base`: there is a base backup that it rolls forward.
    """

    store: Store
    real: str
    sure: tuple[BackupJob, ...]
    perhaps: tuple[BackupJob, ...]
    idle: tuple[BackupJob, ...]
    agents: tuple[str, ...]
    wal: str = ""
    base: bool = False

    @property
    def reasons(self) -> tuple[Text, ...]:
        """Why what is there does not back the store up."""
        found = [
            Text(f"{j.label}：{j.job.reason_zh}", f"{j.label}: {j.job.reason}") for j in self.idle
        ]
        if self.wal and not self.base:
            found.append(
                Text(
                    f"仅归档 WAL（{self.wal}），没有可供重放的基础备份",
                    f"only WAL is archived ({self.wal}), with no base backup to replay it on",
                )
            )
        return tuple(dict.fromkeys(found))


def cover(facts: Facts, store: Store) -> Cover:
    """Raises FactError when jobs, or whether cron runs, cannot be seen."""
    real = _real(facts, store)
    links = links_on(facts.capture, store.path, real) if real != store.path else ()
    # one answer for all stores: what could not be looked through is said, whichever job needs it
    facts.get(artefacts)
    sure, perhaps, idle = [], [], []
    for job in facts.get(all_jobs):
        answer = job.covers(store, real, links, partial(_one_file_system, facts))
        at_run_time = _unnamed(job, store, real) or "?" in job.databases
        if answer == "perhaps" and at_run_time and _seen(facts, job, store):
            answer = "yes"
        if answer == "yes" and job.tool == "pgbackrest":
            answer = _of_stanza(facts, job, store, real)
        elif answer == "yes" and not job.sources and job.engine:
            answer = asks(facts, job, store, real)
        elif answer == "yes" and not job.engine and (by := writing(facts, job, store)):
            # what is copied from under a server that writes meanwhile may fit nowhere
            answer, job = "perhaps", replace(job, note=f"{job.note} [{by}]")
        if answer == "no":
            continue
        if answer == "yes" and not job.engine and (hole := _hole(facts, job, store, real)):
            answer, job = "perhaps", replace(job, note=f"{job.note} [{hole}]")
        lost = in_memory(facts, job)
        never = idle_where_never(facts, job) or onto_itself(facts, job, store, real)
        if never:
            idle.append(never)
            continue
        if lost and job.tool == "rsync":
            # another job may take it from there
            perhaps.append(replace(job, note=f"{job.note} [{lost.job.reason}]"))
        elif lost or not job.job.enabled:
            idle.append(lost or job)
        elif answer == "yes":
            sure.append(job)
        else:
            perhaps.append(job.noting_cuts(store, real))
    if not sure and not perhaps:
        perhaps += [j for j in facts.get(copied) if j.covers(store, real, links) != "no"]
    run, wal, base = facts.get(agents), "", False
    if not sure and "backup" not in store.attested and engine_of(store) == "postgresql":
        found_wal = unscheduled(facts, store, real)
        run, wal, base = (*run, *found_wal.followers), found_wal.label, found_wal.base
    return Cover(store, real, tuple(sure), tuple(perhaps), tuple(idle), run, wal, base)


def _real(facts: Facts, store: Store) -> str:
    """Where the store really lies; empty where that cannot be told."""
    if not store.path.startswith("/"):
        return ""
    try:
        found = place(facts.capture, store.path)
    except CouldNotLook:
        return ""
    return found.real if found else ""


def _hole(facts: Facts, job: BackupJob, store: Store, real: str) -> str:
    """What is of the store and is not copied with it: behind a symlink in it, on a disk mounted
    there; empty where nothing is.

    Unless the same start of the job takes it too, or it is a store of its own. Raises FactError.
    """
    top = real or store.path
    if not top.startswith("/"):
        return ""
    try:
        links = {} if job.follows else links_in(facts.capture, top)
    except CouldNotLook:
        return f"{top}: symlinks"
    found = dict(links)
    if job.one_fs:
        known = facts.get(mounts_of)
        own = holder(known, top)
        found |= {m.target: m.target for m in inside(known, top)
                  if own is None or m.number != own.number}  # fmt: skip
    listed = inventory(facts)
    apart = [s.path for s in (listed.stores if listed else ()) if s.backup_wanted and s != store]
    kin = [j for j in facts.get(all_jobs) if j.job == job.job and not j.engine]
    same = partial(_one_file_system, facts)
    for at, to in found.items():
        if SPARED.fullmatch(at.rpartition("/")[2]):
            continue
        own_store = any(p.startswith("/") and within(to, p) for p in apart)
        part = replace(store, path=to)
        if not own_store and all(j.covers(part, to, (), same) != "yes" for j in kin):
            return at if at == to else f"{at} -> {to}"
    return ""


def _unnamed(job: BackupJob, store: Store, real: str) -> bool:
    """Is it only what is taken that shows at run time, and not what is left out of it?

    What lies below the store is a part of it.
    """
    paths = {p for p in (store.path, real) if p.startswith("/")}
    named = any(within(p, s.rstrip("/") or "/") for p in paths for s in job.sources)
    part = any(within(b, p) for p in paths for b in job.below)
    return job.unclear and not (named or part or job.narrowed or job.unseen)


def _seen(facts: Facts, job: BackupJob, store: Store) -> bool:
    """Are there files named after the store that the job left?"""
    return bool(of_store(by_name(facts, job), store, by_file="?" in job.databases))


def _of_stanza(facts: Facts, job: BackupJob, store: Store, real: str) -> Covers:
    """By the cluster that the stanza is of."""
    takes = stanza_takes(facts, job, store, real)
    return "perhaps" if takes is None else "yes" if takes else "no"


def _one_file_system(facts: Facts, path: str, other: str) -> bool:
    """Raises FactError where the mounts could not be seen."""
    mounts = Storage(facts.get(mounts_of), {}, {})
    return mounts.mount_of(path) == mounts.mount_of(other)


def nothing_hidden(scripts: Mapping[str, Script], known: Processes) -> None:
    """Raises CouldNotLook where a job may be there that was not seen.

    Nothing is missing for certain while a script was not read to its end or processes are hidden.
    """
    for script in scripts.values():
        if not script.whole:
            raise CouldNotLook("schedules.called", msg("longer_read", path=script.path))
    if not known.complete:
        raise CouldNotLook("processes.all", msg("processes_others_hidden"))
