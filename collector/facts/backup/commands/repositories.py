"""Which repository a command of restic or borg works on, as far as its job's text tells."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from collector.facts.backup.commands.command_lines import filled
from collector.facts.backup.commands.jobs import BackupJob

_VARIABLES = {"restic": "RESTIC_REPOSITORY", "borg": "BORG_REPO"}


def named(tool: str, args: list[str], text: str) -> frozenset[str]:
    """The repositories that a command names, or else those that its job's text sets.

    More than one where the text sets several, none where it sets none to plain text.
    """
    found = {b for a, b in pairwise(args) if a in ("-r", "--repo")}
    found |= {a.partition("=")[2] for a in args if a.startswith("--repo=")}
    if tool == "borg" and not found:
        found = {a.partition("::")[0] for a in args if "::" in a}
        acts = ("check", "prune", "compact", "list")
        at = next((i for i, a in enumerate(args) if a in acts), None)
        if at is not None:
            # the only one of its words that can be a path
            found |= {a for a in args[at + 1 :] if "/" in a and a[0] not in "-<>"}
    found -= {""}
    if not found and tool in _VARIABLES:
        found = set(re.findall(rf"\b{_VARIABLES[tool]}=[\"']?([^\s\"';]{{1,500}})", filled(text)))
    return frozenset(r.rstrip("/") for r in found if "$" not in r)


def repositories(job: BackupJob) -> frozenset[str]:
    """Where a job of restic, borg or borgmatic backs up to; empty where that is not told."""
    if job.tool == "borgmatic":
        return frozenset(t.rstrip("/") for t in job.targets if t)
    names = [w.rpartition("/")[2] for w in job.words]
    if job.tool not in names:
        return frozenset()
    return named(job.tool, list(job.words[names.index(job.tool) + 1 :]), job.job.text)


def one_repository(
    tool: str, ours: frozenset[str], theirs: frozenset[str], every: Iterable[BackupJob]
) -> bool | None:
    """Is what `theirs` names where `ours` is backed up to? None where that cannot be told."""
    if ours and theirs:
        return True if ours <= theirs else (None if ours & theirs else False)
    if len({j.job.name for j in every if j.tool == tool}) == 1:
        return True
    return None
