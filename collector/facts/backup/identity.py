"""Which repository, stanza and files are a job's own: evidence counts by identity, not by company.

That a repository is the only one there, or by the same tool, says nothing: another host may lay its
backups here, and another command of the same script its archives beside this one's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from collector.errors import CouldNotLook
from collector.facts.backup.artefacts.files import Artefact
from collector.facts.backup.artefacts.pgbackrest_log import PGBACKREST_LOG
from collector.facts.backup.artefacts.traces import Record
from collector.facts.backup.commands.addresses import Address, address_of
from collector.facts.backup.commands.copies import clusters, of_server, stanza_settings
from collector.facts.backup.commands.destinations import tool_and_args, values
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.named_files import named
from collector.facts.backup.commands.permissions import account_of, in_home_of
from collector.facts.backup.commands.repositories import repositories
from collector.facts.backup.commands.scheduled import all_jobs
from collector.facts.backup.ended import proven
from collector.facts.base.paths import within
from collector.facts.data.inventory import Store
from collector.facts.storage.mounts import holder
from collector.facts.storage.mounts import mounts as mounts_of
from collector.i18n.message import msg
from collector.model import Facts

_VARIABLES = {"restic": "RESTIC_REPOSITORY", "borg": "BORG_REPO"}
_FAMILY = {"borgmatic": "borg"}
_SLACK = timedelta(minutes=1)
_NETWORK = re.compile(
    r"(nfs|nfs4|cifs|smb3|smbfs|9p|virtiofs|ceph|glusterfs|lustre|gpfs|ocfs2|gfs2|afs|davfs)"
    r"|fuse\.(sshfs|glusterfs|ceph|s3fs|rclone|davfs2?|juicefs|mfs|seaweedfs)"
)


def repository_of(facts: Facts, job: BackupJob) -> tuple[Address, ...]:
    """Where a job of restic, borg or borgmatic backs up to; empty where that cannot be told.

    Only borgmatic has several: it makes the same archive in each. Raises FactError.
    """
    told = repositories(job)
    if not told and job.tool in _VARIABLES:
        value = facts.get(named).variables(job.job).get(_VARIABLES[job.tool], "")
        told = frozenset({value} if value and "$" not in value else ())
    if len(told) != 1 and job.tool != "borgmatic":
        return ()
    return tuple(address_of(t, job.folder) for t in sorted(told))


def same_place(one: Address, other: Address) -> bool:
    """Do both name the very same repository?"""
    if (one.kind, one.host) != (other.kind, other.host) or one.kind == "unknown":
        return False
    a, b = (re.sub(r"^/?(\./|~/)?", "", x.path).rstrip("/") for x in (one, other))
    return a == b


def alone_there(facts: Facts, job: BackupJob) -> bool:
    """Does every command that backs up to the job's repository take all that this one takes?

    Else what lies there may be of another one. A command whose repository is not known may be one.
    """
    ours = repository_of(facts, job)
    return all(
        takes_as_much(other, job)
        for other in facts.get(all_jobs)
        if _family(other) == _family(job)
        and (not (theirs := repository_of(facts, other)) or _meet(ours, theirs))
    )


def holds(facts: Facts, job: BackupJob, folder: str) -> bool:
    """Is the repository in this folder of the host the job's own, and nobody else's?"""
    ours = repository_of(facts, job)
    here = any(a.kind == "path" and a.path == folder for a in ours)
    return here and alone_there(facts, job)


def of_another(facts: Facts, job: BackupJob, artefact: Artefact) -> Artefact:
    """A snapshot with a doubt where another host may have made it: whose it is stands sealed in it.

    One that was made while the job's own good run went on is its own. Raises FactError.
    """
    run = job.job.run
    if not artefact.repository or artefact.fault or artefact.doubt:
        return artefact
    begun, ended = (run.started, run.finished) if run else (None, None)
    known = run is not None and run.good is True and begun is not None and ended is not None
    shared = _shared(facts, artefact.repository)
    # of another command's good end it shows nothing where others' may lie there in place of it
    told = not shared or proven(facts, job.job, job.tool, job.words)
    if known and begun and ended and begun - _SLACK <= artefact.when <= ended + _SLACK and told:
        return artefact
    late = known and ended is not None and artefact.when > ended + _SLACK
    if late or (run is not None and run.good is not True) or shared:
        return replace(artefact, doubt=msg("perhaps_of_another_host"))
    return artefact


def _shared(facts: Facts, folder: str) -> bool:
    """Does it lie on a file system that other hosts may write to?"""
    try:
        mount = holder(facts.get(mounts_of), folder)
    except CouldNotLook:
        return False
    return mount is not None and _NETWORK.fullmatch(mount.fstype) is not None


def _family(job: BackupJob) -> str:
    return _FAMILY.get(job.tool, job.tool)


def _meet(ours: Iterable[Address], theirs: Iterable[Address]) -> bool:
    return any(same_place(a, b) for a in ours for b in theirs)


def takes_as_much(other: BackupJob, job: BackupJob) -> bool:
    """Does the other one take all that this one does, by their words?"""
    sources = all(any(within(s, o.rstrip("/")) for o in other.sources) for s in job.sources)
    return sources and set(job.databases) <= set(other.databases)


def record_of(facts: Facts, record: Record, job: BackupJob, store: Store, real: str) -> bool:
    """Is it certain that the record is of this job, of this store, and of no other one?

    Raises FactError.
    """
    every = facts.get(all_jobs)
    kin = [j for j in every if _family(j) == _family(job)]
    alone = len({j.job.name for j in kin}) == 1
    if record.read == "backup.borg":
        if _family(job) != "borg" or not in_home_of(record.home, {account_of(job)}):
            return False
        ours = repository_of(facts, job)
        return _meet(ours, [address_of(record.where)]) and alone_there(facts, job)
    if record.read == "backup.journal":
        said = re.match(r"\S+ [^\s/]+/(\S+)", record.line)
        run = job.job.run
        if run is not None and said and said[1] != run.service:
            return False
        return job.tool == "restic" and alone and all(takes_as_much(j, job) for j in kin)
    if record.read == "backup.pgbackrest":
        return job.tool == "pgbackrest" and stanza_holds(facts, record.where, job, store, real)
    if record.by not in ("", account_of(job)):
        return False
    if log := PGBACKREST_LOG.fullmatch(record.where):
        same = job.tool == "pgbackrest" and stanza_of(job) == log[1]
        sealed = same and _sealed_or_away(facts, log[1])
        return sealed and stanza_takes(facts, job, store, real) is True
    if "rsnapshot" in record.where:
        return job.tool == "rsnapshot" and alone
    said_there = [j for j in kin if record.where in j.targets]
    shared = all(takes_as_much(j, job) for j in said_there)
    return job.tool == "restic" and record.where in job.targets and shared


def stanza_holds(facts: Facts, where: str, job: BackupJob, store: Store, real: str) -> bool:
    """Is this record of pgBackRest that of the job's stanza, in its repository, of this store?"""
    match = re.fullmatch(r"(.*)/backup/([^/]+)/backup\.info", where)
    if match is None or stanza_of(job) != match[2]:
        return False
    places = of_server(facts.capture, "pgbackrest")
    here = any(a.kind == "path" and a.path == match[1] for a in places)
    return here and stanza_takes(facts, job, store, real) is True


def _sealed_or_away(facts: Facts, stanza: str) -> bool:
    """Can the record of this stanza not be read here: encrypted, or on another host?

    Where it can, it tells more than a log, and where it should lie and does not, nothing is left.
    """
    places = of_server(facts.capture, "pgbackrest")
    here = [f"{a.path.rstrip('/')}/backup/{stanza}/backup.info" for a in places if a.kind == "path"]
    if not here:
        return bool(places)
    found = facts.capture.read("backup.pgbackrest")
    sealed = {f.path for f in found.present() if f.data.startswith(b"Salted__")}
    return bool(sealed & {*here})


def stanza_of(job: BackupJob) -> str:
    """The stanza that a command of pgBackRest names; empty where it only shows at run time."""
    _, args = tool_and_args(job.words, {"pgbackrest"})
    told = values(args, "--stanza")
    told = told or re.findall(r"\bPGBACKREST_STANZA=[\"']?([\w.-]+)", job.job.text)
    return told[-1] if told and "$" not in told[-1] else ""


def stanza_takes(facts: Facts, job: BackupJob, store: Store, real: str) -> bool | None:
    """Is the store the cluster of the job's stanza? None where the settings do not say.

    Raises FactError.
    """
    _, args = tool_and_args(job.words, {"pgbackrest"})
    told = stanza_settings(facts.capture, stanza_of(job))
    paths = [v for k, v in told.items() if re.fullmatch(r"pg\d*-path", k)]
    paths += [a.partition("=")[2] for a in args if re.match(r"--pg\d*-path=", a)]
    paths = [p.rstrip("/") for p in paths if p.startswith("/")]
    ours = {p for p in (store.path, real) if p.startswith("/")}
    if not paths or not ours:
        return None
    if any(within(o, p) for o in ours for p in paths):
        return True
    # a folder above, of which the stanza has every cluster that is told of
    above = {p for p in clusters(facts.capture) if any(within(p, o) for o in ours)}
    return None if above & set(paths) and above != set(paths) else bool(above & set(paths))
