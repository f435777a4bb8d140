"""Jobs that check backups: which tool, which repository or files, and whether their end tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from collector.facts.backup.commands.command_lines import commands, filled, wrapped
from collector.facts.backup.commands.jobs import backup_jobs
from collector.facts.backup.commands.repositories import named
from collector.facts.scheduling.jobs import called, jobs
from collector.facts.scheduling.models import Job, Script
from collector.facts.scheduling.startable import unable
from collector.facts.scheduling.units import ignoring
from collector.facts.shell.exit_status import hides, of_unit
from collector.facts.shell.values import shown
from collector.model import Capture

# Options by which these only read what they are given.
_FILES: Mapping[str, str] = {
    "gzip": r"-[a-z]*t[a-z]*|--test",
    "gunzip": r"-[a-z]*t[a-z]*|--test",
    "pigz": r"-[a-z]*t[a-z]*|--test",
    "bzip2": r"-[a-z]*t[a-z]*|--test",
    "xz": r"-[a-z]*t[a-z]*|--test",
    "zstd": r"-[a-z]*t[a-z]*|--test",
    "unzip": r"-[a-z]*t[a-z]*",
    "tar": r"-?[a-zA-Z]*t[a-zA-Z]*|--list",
    "pg_restore": r"-l|--list|-f|--file=/dev/null|-f/dev/null",
    "pg_verifybackup": r"[^-].*",
    "sha256sum": r"-[a-z]*c|--check",
    "sha512sum": r"-[a-z]*c|--check",
    "sha1sum": r"-[a-z]*c|--check",
    "md5sum": r"-[a-z]*c|--check",
    "b2sum": r"-[a-z]*c|--check",
    "sm3sum": r"-[a-z]*c|--check",
}
_SUMS = re.compile(r"(sha\d+|md5|b2|sm3)sum")
_ACTS: Mapping[str, frozenset[str]] = {
    "restic": frozenset({"check"}),
    "borg": frozenset({"check"}),
    "borgmatic": frozenset({"check"}),
    "pgbackrest": frozenset({"verify"}),
    "barman": frozenset({"verify-backup"}),
}
_OTHERS = {"create", "prune", "compact", "backup", "forget", "list", "info", "extract", "restore",
           "init", "mount", "snapshots", "config", "rcreate", "break-lock", "unlock"}  # fmt: skip
_RUNNERS = ("find", "xargs", "cat")


@dataclass(frozen=True, slots=True)
class CheckJob:
    """One kind of check by one job.

    `repositories` as far as they are told, `patterns` of the files that are read (fnmatch).
    `tells`: that the job ended well shows that the check did; `hidden`: it is written not to
    (`|| true`); `sole`: the job does nothing else that could fail.
    """

    job: Job
    tool: str
    repositories: frozenset[str]
    patterns: tuple[str, ...]
    tells: bool
    hidden: bool
    sole: bool

    @property
    def label(self) -> str:
        return f"{self.tool} ({self.job.name})"


def check_jobs(capture: Capture) -> tuple[CheckJob, ...]:
    """Every job that checks a backup, enabled or not. Raises FactError."""
    scripts = called(capture)
    loose = ignoring(capture)
    found = []
    backups = {j.job.name for j in backup_jobs(capture)}
    for job in jobs(capture):
        seen: dict[str, tuple[set[str], list[str]]] = {}
        for words, folder in commands(job.text):
            tool, args = _check(words)
            if tool:
                repositories, patterns = seen.setdefault(tool, (set(), []))
                repositories |= named(tool, args, job.text)
                patterns += _patterns(tool, words, args, folder, job.text)
        for tool, (repositories, patterns) in seen.items():
            told = (
                job.kind == "timer"
                and job.run is not None
                and job.run.service not in loose
                and _by_status(tool, job.text)
                and _tells(job, tool, scripts)
            )
            found.append(
                CheckJob(
                    job,
                    tool,
                    frozenset(repositories),
                    tuple(dict.fromkeys(patterns)),
                    told,
                    hides(job.text, lambda c, tool=tool: _is(c, tool)),  # type: ignore[misc]
                    job.name not in backups,
                )
            )
    return tuple(found)


def _by_status(tool: str, text: str) -> bool:
    """`pgbackrest` finds damage and ends well; borgmatic checks only when it is time."""
    return tool != "pgbackrest" and (tool != "borgmatic" or "--force" in text)


def _check(words: list[str]) -> tuple[str, list[str]]:
    """The tool and its arguments when the command is a check; else two times nothing."""
    names = [w.rpartition("/")[2] for w in words]
    at = next((i for i, n in enumerate(names) if n in _ACTS or n in _FILES), None)
    if at is None or (at and not wrapped(names[:at]) and names[0] not in _RUNNERS):
        return "", []
    tool, args = names[at], words[at + 1 :]
    if tool in _FILES:
        return (tool, args) if any(re.fullmatch(_FILES[tool], a) for a in args) else ("", [])
    acts = [a for a in args if a in _ACTS[tool] or a in _OTHERS]
    if tool == "borgmatic":
        # without any act it makes a backup and then checks
        return (tool, args) if not acts or "check" in acts else ("", [])
    return (tool, args) if acts and acts[0] in _ACTS[tool] else ("", [])


def _is(command: str, tool: str) -> bool:
    return any(_check(words)[0] == tool for words, _ in commands(command))


def _tells(job: Job, tool: str, scripts: Mapping[str, Script]) -> bool:
    """Does a good end of the unit show that each check by `tool` was run and found nothing?"""
    texts = {s.path: s.text for s in scripts.values() if s.whole}
    return (
        of_unit(
            job.command,
            texts,
            lambda c: _check([shown(w) for w in c.words])[0] == tool,
            unable(job, scripts),
        )
        is True
    )


def _patterns(tool: str, words: list[str], args: list[str], folder: str, text: str) -> list[str]:
    """The files that are read, with `*` for what only shows at run time."""
    if tool not in _FILES:
        return []
    names = [w.rpartition("/")[2] for w in words]
    if names[0] == "find" and len(words) > 1:
        named_ = [b for a, b in pairwise(words) if a in ("-name", "-iname")]
        return [f"{words[1].rstrip('/')}/*{n.lstrip('*')}" for n in named_ or ["*"]]
    found = []
    for word in args:
        if word.startswith(("-", ">", "2>")) or not re.search(r"[/.$*]", word):
            continue
        if re.fullmatch(r"\$\{?\w+\}?", word):
            loop = re.findall(
                rf"\bfor\s+{word.strip('${}')}\s+in\s+([^;\n]{{1,800}})", filled(text)
            )
            found += [w for part in loop for w in part.split()]
        else:
            found.append(word)
    whole = [w if w.startswith(("/", "$")) else f"{folder.rstrip('/')}/{w}" for w in found]
    if tool == "pg_verifybackup":
        whole = [f"{w.rstrip('/')}/*" for w in whole]
    if _SUMS.fullmatch(tool):
        # what a list of sums names lies in its folder
        whole = [f"{w.rpartition('/')[0]}/*" for w in whole]
    return [re.sub(r"\$\{?\w*\}?", "*", w) for w in whole if w.startswith("/") and w != "/*"]
