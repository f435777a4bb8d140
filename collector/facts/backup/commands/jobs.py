"""Which jobs back up what: command lines and settings of known tools, read as far as they tell.

A database or a path that only shows at run time is `?`: perhaps covered, never certainly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from collector.errors import NotUnderstood
from collector.facts.backup.commands.borgmatic import borgmatic_settings
from collector.facts.backup.commands.command_lines import (
    ENGINES,
    FILE_TOOLS,
    blurred,
    databases_of,
    excludes_of,
    filled,
    follows_links,
    inner_words,
    left_out,
    one_file_system,
    pipelines,
    sources_of,
    targets_of,
    wrapped,
)
from collector.facts.backup.commands.dump_scope import here, nothing, partial, server
from collector.facts.backup.commands.listed_files import left_out_by_files, listed
from collector.facts.backup.commands.option_files import by_option_files
from collector.facts.backup.commands.scope import beginning, cuts_into, narrowed
from collector.facts.backup.commands.spelling import spelled_out
from collector.facts.base.paths import within
from collector.facts.data.inventory import Store
from collector.facts.scheduling.jobs import jobs
from collector.facts.scheduling.models import Job
from collector.i18n.message import msg
from collector.model import Capture

Covers = Literal["yes", "no", "perhaps"]


@dataclass(frozen=True, slots=True)
class BackupJob:
    """One use of one tool by one job.

    `sources` are absolute paths, `excludes` those left out; `databases` are names, `*` for all
    of the `engine`'s, `?` for what only shows at run time; a `~` stands before one of which only
    some tables are taken, or perhaps that of another host. `targets` are the paths and repositories
    that its words name. `one_fs`: it stays on the file system it begins on; `blurred`: it leaves
    out what is not seen here; `follows`: it takes what symlinks lead to. `words` are its command
    line, run in `folder`; `piped` are the commands that take what it prints; `note` stands behind
    its label. `unseen`: a file that nobody read says what is left out, which may be all;
    `narrowed`: words that may leave out any of it. Where it is `unclear` what it takes, that lies
    `below` one of these folders.
    """

    job: Job
    tool: str
    sources: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    engine: str = ""
    databases: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    unclear: bool = False
    one_fs: bool = False
    blurred: bool = False
    follows: bool = False
    words: tuple[str, ...] = ()
    folder: str = ""
    piped: tuple[tuple[str, ...], ...] = ()
    note: str = ""
    unseen: bool = False
    narrowed: tuple[str, ...] = ()
    below: tuple[str, ...] = ("/",)

    @property
    def label(self) -> str:
        return f"{self.tool} ({self.job.name}){self.note}"

    def noting_cuts(self, store: Store, real: str) -> BackupJob:
        """With the patterns in its label that leave out something of the store."""
        paths = {p for p in (store.path, real) if p.startswith("/")}
        cuts = [
            pattern
            for pattern in self.excludes
            if any(cuts_into(self.tool, p, s, pattern) for p in paths for s in self.sources)
        ]
        words = [*self.narrowed, *(f"--exclude {x}" for x in cuts)]
        return replace(self, note=self.note + "".join(f" {x}" for x in words[:3]))

    def covers(
        self,
        store: Store,
        real: str,
        links: Sequence[str] = (),
        same: Callable[[str, str], bool] = lambda _, __: True,
    ) -> Covers:
        """Does it back up `store`, which really lies at the path `real` (empty: unknown)?

        `links` are the symlinks in the store's path; `same` says whether two paths lie on one
        file system.
        """
        paths = {p for p in (store.path, real) if p.startswith("/")}
        answers = {
            self._takes(source, path, () if path == real else links, same)
            for path in paths
            for source in self.sources
        }
        if "yes" in answers:
            return "yes"
        if self.engine and store.kind == "database" and self.engine == engine_of(store):
            if "*" in self.databases or store.name in self.databases:
                return "yes"
            if {"?", "~?", "~*", f"~{store.name}"} & set(self.databases):
                return "perhaps"
        reached = not paths or any(
            within(p, b) or within(b, p.rstrip("/") or "/") for p in paths for b in self.below
        )
        blurry = self.unclear and not self.engine and reached
        return "perhaps" if blurry or "perhaps" in answers else "no"

    def _takes(
        self, source: str, path: str, links: Sequence[str], same: Callable[[str, str], bool]
    ) -> Covers:
        """Does what lies below `source` hold `path`, and not only a link on the way to it?"""
        top = source.rstrip("/") or "/"
        if not within(path, top) or any(
            left_out(self.tool, path, source, pattern) for pattern in self.excludes
        ):
            return "no"
        if path != top and self.one_fs and not same(path, top):
            return "no"
        if any(cuts_into(self.tool, path, source, pattern) for pattern in self.excludes):
            return "perhaps"
        kept = [x for x in links if within(x, top) and not self.follows]
        if self.tool == "rsync" and source.endswith("/"):
            kept = [x for x in kept if x != top]  # it goes into a folder named with a slash
        loose = self.unseen or self.narrowed or (self.blurred and path != top)
        return "perhaps" if kept or loose else "yes"


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


def backup_jobs(capture: Capture) -> tuple[BackupJob, ...]:
    """Every use of a backup tool by a job, enabled or not. Raises FactError."""
    taken, left = listed(capture)
    found: list[BackupJob] = []
    for job in jobs(capture):
        for line, folder in pipelines(job.text):
            for at, whole in enumerate(line):
                words = inner_words(whole)
                piped = tuple(map(tuple, line[at + 1 :]))
                for use in _recognise(capture, job, words, folder, (taken, left), piped):
                    found.append(replace(use, words=tuple(words), folder=folder, piped=piped))
    return tuple(dict.fromkeys(found))


def _recognise(
    capture: Capture,
    job: Job,
    words: list[str],
    folder: str,
    told: tuple[Mapping[str, list[str]], Mapping[str, tuple[str, ...] | None]],
    piped: Sequence[Sequence[str]] = (),
) -> Iterator[BackupJob]:
    panel = next((i for i, w in enumerate(words) if w.endswith("/panel/script/backup.py")), None)
    if panel is not None:
        yield from _panel(job, words[panel + 1 :])
        return
    lists, left = told
    names = [w.rpartition("/")[2] for w in words]
    at = next((i for i, n in enumerate(names) if n in ENGINES or n in FILE_TOOLS), None)
    if at is None or (at and not wrapped(names[:at])):
        return
    tool, args = names[at], spelled_out(names[at], words[at + 1 :])
    targets = targets_of(job.text)
    if nothing(tool, args, piped):
        return
    if tool in ENGINES:
        databases = _taken(capture, tool, args, piped)
        taken, note = by_option_files(capture, tool, args, job.user, databases)
        if taken:
            yield BackupJob(
                job, tool, engine=ENGINES[tool], databases=taken, targets=targets, note=note
            )
    elif tool == "borgmatic":
        if not args or args[0].startswith("-") or "create" in args:
            yield from _borgmatic(capture, job, args)
    elif tool == "rsnapshot":
        if any(not a.startswith("-") for a in args):
            yield from _rsnapshot(capture, job)
    elif {"docker", "podman"} & set(names[:at]):
        # its paths are those of the container
        if sources_of(tool, args, folder, lists) is not None:
            yield BackupJob(job, tool, targets=targets, unclear=True)
    else:
        sources = sources_of(tool, args, folder, lists)
        if sources is not None:
            plain = tuple(s for s in sources if beginning(s) == s)
            patterns, seen = left_out_by_files(args, left)
            yield BackupJob(
                job,
                tool,
                plain,
                (*excludes_of(tool, args), *patterns),
                targets=targets,
                unclear=len(plain) < len(sources),
                one_fs=one_file_system(tool, args),
                blurred=blurred(tool, args, files=not seen),
                follows=follows_links(tool, args),
                unseen=not seen,
                narrowed=narrowed(tool, args, filled(job.text), job.command, piped),
                below=tuple({beginning(s) for s in sources if s not in plain}) or ("/",),
            )


def _panel(job: Job, args: list[str]) -> Iterator[BackupJob]:
    """A task of 宝塔 (BT panel): `backup.py database NAME …`, `site NAME …`, `path PATH …`.

    A database is one of MySQL on this host, as far as its words tell.
    """
    kind, name = [*args, "", ""][:2]
    if kind == "database" and name:
        taken = "*" if name == "ALL" else name
        yield BackupJob(job, "backup.py", engine="mysql", databases=(taken,))
    elif kind == "path" and name.startswith("/"):
        yield BackupJob(job, "backup.py", (name,))
    elif kind == "site":
        yield BackupJob(job, "backup.py", unclear=True)


def _taken(
    capture: Capture, tool: str, args: list[str], piped: Sequence[Sequence[str]]
) -> tuple[str, ...]:
    """What of the databases of this host it takes: names, `*`, `?`, a `~` before what is partly so.

    Nothing of them where it asks the server of another host.
    """
    host, told = server(tool, args)
    databases = databases_of(tool, args)
    if told.get("dbname") and tool == "pg_dump":
        databases = ("?" if "$" in told["dbname"] else told["dbname"],)
    own = here(capture, host)
    if own is False:
        return ()
    some = own is None or partial(tool, args, piped)
    return tuple(f"~{d}" if some else d for d in databases)


def _setting_files(capture: Capture, folder: str) -> list[tuple[str, str]]:
    return [
        (f.path, f.text("backup.settings"))
        for f in capture.read("backup.settings").present()
        if f.path.startswith(folder)
    ]


# settings of borgmatic that leave out what only the files tell
_NARROWING = ("patterns", "patterns_from", "exclude_if_present", "exclude_caches", "exclude_nodump")


def _borgmatic(capture: Capture, job: Job, args: list[str]) -> Iterator[BackupJob]:
    """With no settings at all borgmatic ends with an error and backs up nothing."""
    named = [b for a, b in pairwise(args) if a in ("-c", "--config")]
    for settings in borgmatic_settings(capture):
        path, document = settings.path, settings.values
        if named and path not in named:
            continue
        flat = dict(document)
        for section in ("location", "hooks"):  # the form before 1.8
            if isinstance(document.get(section), dict):
                flat.update(document[section])
        targets = [r.get("path", "") if isinstance(r, dict) else str(r)
                   for r in flat.get("repositories") or ()]  # fmt: skip
        sources = tuple(str(s) for s in flat.get("source_directories") or ())
        if not settings.whole:
            # what was not read may leave out any of it
            note = f" [{', '.join(settings.unread)}: unread]"
            yield BackupJob(job, "borgmatic", targets=tuple(targets), unclear=True, note=note)
            continue
        yield BackupJob(
            job,
            "borgmatic",
            sources,
            tuple(
                re.sub(r"^(fm|sh|pp|pf):", "", str(e)) for e in flat.get("exclude_patterns") or ()
            ),
            targets=tuple(targets),
            one_fs=flat.get("one_file_system") is True,
            unseen=bool(flat.get("exclude_from")),
            narrowed=tuple(k for k in _NARROWING if flat.get(k)),
        )
        for engine in ("mysql", "mariadb", "postgresql", "mongodb"):
            listed = flat.get(f"{engine}_databases") or []
            if not isinstance(listed, list) or not all(isinstance(d, dict) for d in listed):
                raise NotUnderstood("backup.settings", msg("databases", path=path, engine=engine))
            names = tuple("*" if d.get("name") == "all" else str(d.get("name")) for d in listed)
            if names:
                short = "mysql" if engine == "mariadb" else engine
                dump = "mariadb-dump" if short == "mysql" else ""
                names, note = by_option_files(capture, dump, (), job.user, names)
                own = BackupJob(job, "borgmatic", engine=short, databases=names, note=note)
                yield replace(own, targets=tuple(targets))


def _rsnapshot(capture: Capture, job: Job) -> Iterator[BackupJob]:
    for _, text in _setting_files(capture, "/etc/rsnapshot.conf"):
        rows = [re.split(r"\t+", x.strip()) for x in text.splitlines() if not x.startswith("#")]
        sources = tuple(r[1] for r in rows if r[0] == "backup" and len(r) > 2)
        root = tuple(r[1].rstrip("/") for r in rows if r[0] == "snapshot_root" and len(r) > 1)
        names = {r[0] for r in rows}
        yield BackupJob(
            job,
            "rsnapshot",
            sources,
            tuple(r[1] for r in rows if r[0] == "exclude" and len(r) > 1),
            targets=root,
            one_fs=["one_fs", "1"] in rows,
            blurred=bool({"include", "include_file", "exclude_file"} & names),
        )
