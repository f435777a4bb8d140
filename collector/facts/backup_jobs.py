"""Which jobs back up what: command lines and settings of known tools, read as far as they tell.

A database
or a path that only shows at run time is `?`: perhaps covered, never certainly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from collector.errors import BadInput, NotUnderstood
from collector.facts.backup_words import (
    ENGINES,
    FILE_TOOLS,
    commands,
    databases_of,
    excludes_of,
    sources_of,
    targets_of,
    wrapped,
)
from collector.facts.inventory import Store
from collector.facts.jobs import Job
from collector.facts.schedules import jobs
from collector.model import Capture
from collector.schema import load_yaml

Covers = Literal["yes", "no", "perhaps"]


@dataclass(frozen=True, slots=True)
class BackupJob:
    """One use of one tool by one job.

    `sources` are absolute paths, `excludes` those left out; `databases` are names, `*` for all
    of the `engine`'s. `targets` are the paths and repositories that its words name.
    """

    job: Job
    tool: str
    sources: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    engine: str = ""
    databases: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    unclear: bool = False

    @property
    def label(self) -> str:
        return f"{self.tool} ({self.job.name})"

    def covers(self, store: Store, real: str) -> Covers:
        """Does it back up `store`, which really lies at the path `real` (empty: unknown)?"""
        paths = {p for p in (store.path, real) if p.startswith("/")}
        for path in paths:
            if any(_within(path, s) for s in self.sources) and not any(
                _within(path, e) for e in self.excludes
            ):
                return "yes"
        if self.engine and store.kind == "database" and self.engine == engine_of(store):
            if "*" in self.databases or store.name in self.databases:
                return "yes"
            if "?" in self.databases:
                return "perhaps"
        return "perhaps" if self.unclear and not self.engine else "no"


def engine_of(store: Store) -> str:
    """mysql, postgresql, mongodb …, by what the inventory says or, without it, by the path."""
    if store.engine:
        return "mysql" if store.engine == "mariadb" else store.engine
    for word, engine in (
        ("mysql", "mysql"),
        ("mariadb", "mysql"),
        ("postgres", "postgresql"),
        ("pgsql", "postgresql"),
        ("mongo", "mongodb"),
    ):
        if word in store.path:
            return engine
    return ""


def _within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(folder.rstrip("/") + "/")


def backup_jobs(capture: Capture) -> tuple[BackupJob, ...]:
    """Every use of a backup tool by a job, enabled or not. Raises FactError."""
    lists = _lists(capture)
    found: list[BackupJob] = []
    for job in jobs(capture):
        for words, folder in commands(job.text):
            found += _recognise(capture, job, words, folder, lists)
    return tuple(dict.fromkeys(found))


def _lists(capture: Capture) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    path = ""
    for line in capture.read("backup.lists").text().splitlines():
        if line.startswith("list "):
            path = line[5:]
            found[path] = []
        elif path and line.startswith("|/"):
            found[path].append(line[1:].strip())
    return found


def _recognise(
    capture: Capture, job: Job, words: list[str], folder: str, lists: Mapping[str, list[str]]
) -> Iterator[BackupJob]:
    names = [w.rpartition("/")[2] for w in words]
    at = next((i for i, n in enumerate(names) if n in ENGINES or n in FILE_TOOLS), None)
    if at is None or (at and not wrapped(names[:at])):
        return
    tool, args = names[at], words[at + 1 :]
    targets = targets_of(job.text)
    if tool in ENGINES:
        databases = databases_of(tool, args)
        if databases:
            yield BackupJob(job, tool, engine=ENGINES[tool], databases=databases, targets=targets)
    elif tool == "borgmatic":
        if not args or args[0].startswith("-") or "create" in args:
            yield from _borgmatic(capture, job, args)
    elif tool == "rsnapshot":
        if any(not a.startswith("-") for a in args):
            yield from _rsnapshot(capture, job)
    else:
        sources = sources_of(tool, args, folder, lists)
        if sources is not None:
            plain = tuple(s for s in sources if s.startswith("/") and "$" not in s)
            yield BackupJob(
                job,
                tool,
                plain,
                excludes_of(args),
                targets=targets,
                unclear=len(plain) < len(sources),
            )


def _setting_files(capture: Capture, folder: str) -> list[tuple[str, str]]:
    return [
        (f.path, f.text("backup.settings"))
        for f in capture.read("backup.settings").present()
        if f.path.startswith(folder)
    ]


def _borgmatic(capture: Capture, job: Job, args: list[str]) -> Iterator[BackupJob]:
    """With no settings at all borgmatic ends with an error and backs up nothing."""
    named = [b for a, b in pairwise(args) if a in ("-c", "--config")]
    for path, text in _setting_files(capture, "/etc/borgmatic"):
        if named and path not in named:
            continue
        try:
            # the mark of what was masked would be an alias
            document: Any = load_yaml(text.replace("***", "masked"), where=path)
        except BadInput as problem:
            raise NotUnderstood("backup.settings", str(problem)) from None
        if not isinstance(document, dict):
            raise NotUnderstood("backup.settings", f"{path}: no mapping")
        flat = dict(document)
        for section in ("location", "hooks"):  # the form before 1.8
            if isinstance(document.get(section), dict):
                flat.update(document[section])
        targets = [r.get("path", "") if isinstance(r, dict) else str(r)
                   for r in flat.get("repositories") or ()]  # fmt: skip
        sources = tuple(str(s) for s in flat.get("source_directories") or ())
        yield BackupJob(job, "borgmatic", sources, targets=tuple(targets))
        for engine in ("mysql", "mariadb", "postgresql", "mongodb"):
            names = tuple(
                "*" if d.get("name") == "all" else str(d.get("name"))
                for d in flat.get(f"{engine}databases_of") or ()
            )
            if names:
                short = "mysql" if engine == "mariadb" else engine
                yield BackupJob(
                    job, "borgmatic", engine=short, databases=names, targets=tuple(targets)
                )


def _rsnapshot(capture: Capture, job: Job) -> Iterator[BackupJob]:
    for _, text in _setting_files(capture, "/etc/rsnapshot.conf"):
        rows = [re.split(r"\t+", x.strip()) for x in text.splitlines() if not x.startswith("#")]
        sources = tuple(r[1] for r in rows if r[0] == "backup" and len(r) > 2)
        root = tuple(r[1].rstrip("/") for r in rows if r[0] == "snapshot_root" and len(r) > 1)
        yield BackupJob(job, "rsnapshot", sources, targets=root)
