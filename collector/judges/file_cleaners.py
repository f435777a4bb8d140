"""What else than the jobs of a backup removes its files: systemd-tmpfiles, logrotate.

Both remove below any folder that they are told of, so that versions lie there for no longer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collector.facts.backup.retention import Prune
from collector.facts.logs.logrotate.config import Rotation, logrotate
from collector.facts.logs.logrotate.schedule import logrotate_runs
from collector.facts.logs.model.removals import Removal
from collector.facts.logs.tmpfiles_d import cleanings
from collector.facts.scheduling.models import Job
from collector.model import Facts

_EVERY = {"minutes": 0.0, "hourly": 0.0, "daily": 1.0, "weekly": 7.0, "monthly": 31.0}


def cleaners(facts: Facts, files: Sequence[str]) -> tuple[Prune, ...]:
    """The rules of both that take some of these files. Raises FactError."""
    return (*_by_tmpfiles(facts, files), *_by_logrotate(facts, files))


def _by_tmpfiles(facts: Facts, files: Sequence[str]) -> Iterator[Prune]:
    for removal in facts.get(cleanings):
        if any(removal.takes(file) for file in files):
            yield _of_age(removal)


def _of_age(removal: Removal) -> Prune:
    job = _job(removal.job, removal.read, removal.line)
    keeps = (("within", float(removal.days)),)
    return Prune(job, "tmpfiles", frozenset(), "", keeps, True, removal.line, removal.takes)


def _by_logrotate(facts: Facts, files: Sequence[str]) -> Iterator[Prune]:
    owners = {
        file: owner
        for file, owner in logrotate(facts.capture, files).owners(files).items()
        if isinstance(owner, Rotation)
    }
    if not owners:
        return
    runs = facts.get(logrotate_runs)
    if not runs.name:
        return
    for owner in dict.fromkeys(owners.values()):
        mine = frozenset(file for file, other in owners.items() if other is owner)
        old = frozenset(f for f in files if any(f.startswith((f"{m}.", f"{m}-")) for m in mine))
        said = f"{owner.interval}, rotate {owner.count}"
        said += f", maxage {owner.maxage}" if owner.maxage else ""
        job = _job(runs.name, "logrotate.config", said, owner.path)
        every = runs.every if runs.forced else _EVERY.get(owner.interval, 366.0)
        sure = not (owner.unclear or owner.minsize or owner.minage or owner.interval == "size")
        for names, keeps in _kept(owner, mine - old, old, every):
            yield Prune(job, "logrotate", frozenset(), "", keeps, sure, said, names.__contains__)


def _kept(
    owner: Rotation, current: frozenset[str], old: frozenset[str], every: float
) -> Iterator[tuple[frozenset[str], tuple[tuple[str, float], ...]]]:
    """What stays of files that it rotates, and of those it made of them before.

    With `rotate 0` each goes as soon as it is its turn. Others are renamed: of a name that comes
    again so many stay, of one with a date in it no rotation follows, and it stays for good.
    """
    if owner.count == 0 and owner.cut:
        yield current | old, (("within", every + 1),)
    elif old and owner.count > 0 and owner.cut:
        kept = every * (owner.count + 1)
        if owner.maxage:
            kept = min(kept, owner.maxage + 1)
        yield current | old, (("within", kept),)


def _job(name: str, read: str, line: str, path: str = "") -> Job:
    return Job("periodic", name, "", "root", line, line, True, "", read, path, line)
