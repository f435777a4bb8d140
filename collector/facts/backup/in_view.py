"""What the process of a job is shown of the host, and what it may read of that.

tar, restic and rsync take a folder that is empty to them and end well; a unit may have such a one
over the store (`scheduling.sandbox`). Where the kernel allows no namespace systemd leaves some of
that out, so that none of it says no for certain. An account that may not read a file leaves it out,
and only some tools end with an error then.
"""

from __future__ import annotations

import re
from dataclasses import replace

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.backup.commands.destinations import destinations, tool_and_args
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.named_files import Mode, named
from collector.facts.backup.commands.permissions import account_of
from collector.facts.backup.ended import proven
from collector.facts.base.paths import folders_above, within
from collector.facts.data.inventory import Store
from collector.facts.scheduling.sandbox import ASKED, covers, root_of
from collector.model import Facts

_READS_ALL = re.compile(r"cap_dac_(read_search|override)\b", re.IGNORECASE)
# These fail where they could not read a file of what they take.
_STRICT = frozenset({"restic", "borg", "rsync", "rclone", "tar", "rsnapshot"})
_FORGIVING = {"--ignore-failed-read", "--ignore-missing-args"}


def in_doubt(facts: Facts, job: BackupJob, store: Store, real: str) -> str:
    """Why the job may not have what it is told to take of the store; empty where nothing says so.

    Raises FactError.
    """
    paths = [p for p in dict.fromkeys((real, store.path)) if p.startswith("/")]
    if told := _hidden(job, paths if job.sources else []):
        return told
    return _unread(facts, job, paths) if job.sources else ""


def _hidden(job: BackupJob, taken: list[str]) -> str:
    if job.job.sandbox is None:
        return ""
    told = dict(job.job.sandbox)
    unit = job.job.run.service if job.job.run else job.job.name
    if ASKED not in told:
        # a capture from before this was asked
        return f"{unit}: {ASKED}=?" if taken else ""
    if root := root_of(told):
        return f"{unit}: {root}"
    _, args = tool_and_args(job.words, {job.tool})
    written = [a.path for a in destinations(job.tool, args, job.piped, job.folder, {})
               if a.kind == "path" and a.path.startswith("/")]  # fmt: skip
    over = sorted(covers(told), key=lambda c: c.folder.count("/"))
    for path in (*taken, *written):
        above = [c for c in over if within(path, c.folder)]
        if above and not above[-1].same:
            return f"{unit}: {above[-1].setting}"
    for path in taken:
        below = [c for c in over if within(c.folder, path) and c.folder != path and not c.same]
        if below:
            return f"{unit}: {below[-1].setting}"
    return ""


def _unread(facts: Facts, job: BackupJob, paths: list[str]) -> str:
    """Whom the job runs as, where it is not shown that this account can read the store."""
    told = dict(job.job.sandbox or ())
    user = account_of(job)
    if user in ("", "root", "0") or _READS_ALL.search(told.get("AmbientCapabilities", "")):
        return ""
    uid, gid = _numbers(facts, user)
    if uid == 0 or _told_by_status(facts, job):
        return ""
    # files below may be others', but a folder of one's own is mostly filled by oneself
    return next((f"{user}: {p}" for p in paths if not _owns(facts, p, uid, gid)), "")


def _told_by_status(facts: Facts, job: BackupJob) -> bool:
    run = job.job.run
    if job.tool not in _STRICT or run is None or run.good is not True:
        return False
    return not _FORGIVING & set(job.words) and proven(facts, job.job, job.tool, job.words) is True


def _numbers(facts: Facts, user: str) -> tuple[int, int]:
    """The account's numbers; -1 where it is none of /etc/passwd. Raises FactError."""
    file = facts.capture.read("accounts.passwd").one()
    for line in file.text("accounts.passwd").splitlines() if file is not None else ():
        parts = line.split(":")
        if len(parts) > 3 and user in (parts[0], parts[2]) and parts[2].isdigit():
            return int(parts[2]), int(parts[3]) if parts[3].isdigit() else -1
    return -1, -1


def _owns(facts: Facts, path: str, uid: int, gid: int) -> bool:
    """Is it the account's own, and do all folders above let it through, as far as they are seen?"""
    own = _mode(facts, path)
    if own is None or own.uid != uid or own.mode & 0o500 != 0o500:
        return False
    above = [_mode(facts, f) for f in folders_above(path)]
    return all(f is None or _lets(f, uid, gid) for f in above)


def _mode(facts: Facts, path: str) -> Mode | None:
    try:
        return facts.get(named).modes.get(path)
    except (CouldNotLook, NotUnderstood):
        return None


def _lets(folder: Mode, uid: int, gid: int) -> bool:
    """Do its modes let this account in? Of other groups of it nothing is known here."""
    shift = 6 if folder.uid == uid else 3 if folder.gid == gid else 0
    return bool(folder.mode >> shift & 0o1)


def doubted(job: BackupJob, why: str) -> BackupJob:
    """The job with the reason behind its label."""
    return replace(job, note=f"{job.note} [{why}]")
