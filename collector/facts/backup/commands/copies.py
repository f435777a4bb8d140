"""Every command of the jobs of a host that copies something, with where from and where to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from collector.facts.backup.commands.addresses import Address, address_of
from collector.facts.backup.commands.command_lines import ENGINES, FILE_TOOLS, pipelines
from collector.facts.backup.commands.destinations import (
    CLOUDS,
    OPAQUE,
    TRANSFERS,
    destinations,
    operands,
    ssh_host,
    tool_and_args,
    values,
)
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.named_files import Named, named
from collector.facts.backup.commands.scheduled import all_jobs
from collector.facts.scheduling.jobs import jobs
from collector.facts.scheduling.models import Job
from collector.model import Capture

_SAYS = ("echo", "printf", "date", "logger")
_TOOLS = frozenset({*ENGINES, *FILE_TOOLS, *TRANSFERS})


@dataclass(frozen=True, slots=True)
class Way:
    """One command that copies: from `sources` (`?` for what is not told) to `to`."""

    job: Job
    tool: str
    sources: tuple[str, ...]
    to: tuple[Address, ...]
    words: tuple[str, ...]
    piped: tuple[tuple[str, ...], ...]
    use: BackupJob | None = None

    @property
    def label(self) -> str:
        return f"{self.tool} ({self.job.name})"

    @property
    def users(self) -> frozenset[str]:
        """Whom it runs as: the job's user, and whom the command itself becomes."""
        named = values(self.words, "-u", "--user", "--reuid")
        if self.words[:1] == ("su",):
            named += [w for w in self.words[1:] if not w.startswith("-")][:1]
        server = {"pgbackrest": "postgres", "barman": "barman"}.get(self.tool)
        return frozenset({self.job.user, *named, *([server] if server else [])})


def ways(capture: Capture) -> tuple[Way, ...]:
    """Every copying command of jobs that start. Raises FactError."""
    known = named(capture)
    found = []
    for use in all_jobs(capture):
        if use.job.enabled:
            tool, args = tool_and_args(use.words, {use.tool})
            if tool in ("borgmatic", "rsnapshot"):
                to = tuple(address_of(t) for t in use.targets)
            elif tool in ("pgbackrest", "barman"):
                to = of_server(capture, tool)
            else:
                to = destinations(tool, args, use.piped, use.folder, known.variables(use.job))
            found.append(Way(use.job, tool, use.sources, to, use.words, use.piped, use))
    for job in jobs(capture):
        if job.enabled:
            found += _carriers(job, known)
    far = any(a.kind == "remote" for w in found for a in w.to)
    known_remotes = remotes(capture) if far else {}
    return tuple(_resolved(way, known_remotes) for way in found)


def _carriers(job: Job, known: Named) -> Iterator[Way]:
    """Commands that no backup tool knows of and that carry files away all the same.

    Of one whose words do not say what it takes, it is not known either what comes to where it goes.
    """
    for line, folder in pipelines(job.text):
        words, rest = tuple(line[0]), tuple(map(tuple, line[1:]))
        variables = known.variables(job)
        tool, args = tool_and_args(words, {*TRANSFERS, "restic"})
        taken: list[str] = []
        if tool == "restic" and "copy" in args:
            told = values(args, "--from-repo") or [variables.get("RESTIC_FROM_REPOSITORY", "")]
            taken, to = told, destinations(tool, args, (), folder, variables)
        elif tool in TRANSFERS:
            taken, to = operands(args, tool), destinations(tool, args, (), folder, variables)
            if tool in CLOUDS and not to:
                continue
        elif len(line) > 1 and not tool_and_args(words, _TOOLS)[0] and words[0] not in _SAYS:
            at = next((n for n, w in enumerate(line) if n and "ssh" in w[:2]), None)
            if at is None:
                continue
            host = ssh_host(line[at][line[at].index("ssh") + 1 :])
            kind: Literal["host", "unknown"] = "host" if host else "unknown"
            tool, taken, to = "ssh", operands(words[1:]), (Address(kind, host, "", "ssh"),)
        elif "$_" in words[0] and (here := _masked(words, folder)):
            yield Way(job, "?", here, (Address("unknown", "", "", ""),), words, rest)
            continue
        else:
            continue
        from_ = tuple(
            a.path for t in taken if (a := address_of(t, folder)).kind == "path" and a not in to
        )
        if tool in OPAQUE or not from_:
            from_, to = ("?",), (Address("unknown", "", "", ""),)
        if to:
            yield Way(job, tool, from_, to, words, rest)


def _masked(words: tuple[str, ...], folder: str) -> tuple[str, ...]:
    """What a command whose name is not shown takes to a place `x://`; empty where it names none."""
    far = [w for w in words[1:] if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", w)]
    here = tuple(
        w for w in operands(words[1:]) if w.startswith("/") and address_of(w, folder).kind == "path"
    )
    if not far:
        return ()
    # a page is asked for by many, and carries nothing away
    page = all(re.match(r"(?i)https?://", w) for w in far)
    return here or (() if page else ("?",))


def of_server(capture: Capture, tool: str) -> tuple[Address, ...]:
    """The repositories of pgBackRest, by its settings on this host; barman keeps them here."""
    if tool == "barman":
        return (address_of("/var/lib/barman"),)
    settings = pgbackrest(capture)
    found = []
    for number in sorted({m[1] for k in settings if (m := re.match(r"repo(\d+)-", k))} | {"1"}):
        repo = {
            k.partition("-")[2]: v for k, v in settings.items() if k.startswith(f"repo{number}-")
        }
        if repo.get("host"):
            found.append(Address("host", repo["host"].lower(), "", f"repo{number}"))
        elif repo.get("type", "posix") in ("s3", "azure", "gcs"):
            point = repo.get("s3-endpoint", repo["type"])
            found.append(Address("service", point, repo.get("s3-bucket", ""), f"repo{number}"))
        elif repo.get("type") == "sftp":
            found.append(Address("host", repo.get("sftp-host", "?"), "", f"repo{number}"))
        elif repo or number == "1":
            found.append(address_of(repo.get("path", "/var/lib/pgbackrest")))
    return tuple(found)


def pgbackrest(capture: Capture) -> Mapping[str, str]:
    """Its settings in all sections, as `repo1-path`: value (pgbackrest configuration reference)."""
    return {
        key: value
        for path, _, key, value in _settings(capture)
        if "pgbackrest" in path and key.startswith("repo")
    }


def stanza_settings(capture: Capture, stanza: str) -> Mapping[str, str]:
    """What pgBackRest's settings say of one stanza, `pg1-path` and the like. Raises FactError."""
    return {
        key: value
        for path, section, key, value in _settings(capture)
        if "pgbackrest" in path and stanza and section.partition(":")[0] == stanza
    }


def clusters(capture: Capture) -> frozenset[str]:
    """The folders of clusters that pgBackRest's settings name, in all stanzas. Raises FactError."""
    return frozenset(
        value.rstrip("/")
        for path, _, key, value in _settings(capture)
        if "pgbackrest" in path and re.fullmatch(r"pg\d*-path", key)
    )


def _settings(capture: Capture) -> Iterator[tuple[str, str, str, str]]:
    """File, section, key and value. Raises FactError."""
    for file in capture.read("backup_named.settings").present():
        section = ""
        for line in file.text("backup_named.settings").splitlines():
            head = re.fullmatch(r"\s*\[([^\]]+)\]\s*", line)
            key, separator, value = line.partition("=")
            if head:
                section = head[1]
            elif separator:
                yield file.path, section, key.strip(), value.strip()


def remotes(capture: Capture) -> Mapping[str, Mapping[str, str]]:
    """The remotes of rclone.conf, by name (rclone configuration file). Raises FactError."""
    found: dict[str, dict[str, str]] = {}
    for path, section, key, value in _settings(capture):
        if path.endswith("/rclone.conf"):
            found.setdefault(section, {})[key] = value
    return found


def _resolved(way: Way, known: Mapping[str, Mapping[str, str]]) -> Way:
    to = tuple(_remote(a, known, 0) if a.kind == "remote" else a for a in way.to)
    return Way(way.job, way.tool, way.sources, to, way.words, way.piped, way.use)


def _remote(address: Address, every: Mapping[str, Mapping[str, str]], deep: int) -> Address:
    """The place behind a remote of rclone.conf; `crypt`, `alias` and their like lead on."""
    known = every.get(address.host)
    if known is None or deep > 4:
        return Address("unknown", "", "", address.text)
    inner = known.get("remote", "")
    if inner:
        name, colon, path = inner.partition(":")
        if colon and "/" not in name:
            return _remote(Address("remote", name, path, address.text), every, deep + 1)
        return address_of(inner)
    if known.get("type") in ("local", None):
        return address_of(address.path)
    for key in ("host", "url", "endpoint"):
        if known.get(key):
            host = re.sub(r"^\w+://|[:/].*", "", known[key])
            return Address("host", host.lower(), address.path, address.text)
    return Address("service", f"{known['type']} {address.host}", address.path, address.text)
