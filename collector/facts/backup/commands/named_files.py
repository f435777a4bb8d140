"""What backup jobs name beside their command lines: repositories in variables, files of keys.

A job that says `restic backup /srv` has its repository and its password in files. Of those the
read tells names, modes and owners; a secret that stands in a file is told as a fact, never as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from collector.errors import NotUnderstood
from collector.facts.backup.commands.command_lines import filled
from collector.facts.backup.commands.named_files_read import FILES, KEPT
from collector.facts.base.redaction_of_places import LOCATIONS
from collector.facts.scheduling.models import Job
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, files, shell

_READ = "backup_named.files"

READS: tuple[Read, ...] = (
    shell(
        _READ,
        FILES,
        limit=1 << 18,
        redact=LOCATIONS,
        privileged=True,
        why=Text(
            "备份任务所指的仓库、密钥与口令文件（只取名称、权限与属主，不读内容）",
            "repositories, key and password files that backup jobs name (modes and owners only)",
        ),
    ),
    files(
        "backup_named.settings",
        "/etc/hosts",
        "/root/.ssh/config",
        "/etc/ssh/ssh_config",
        "/etc/ssh/ssh_config.d/*.conf",
        "/root/.config/rclone/rclone.conf",
        "/etc/pgbackrest.conf",
        "/etc/pgbackrest/pgbackrest.conf",
        "/etc/pgbackrest/conf.d/*.conf",
        redact=KEPT,
        why=Text(
            "备份目标的名称与地址（不含任何口令）", "what the names of backup targets stand for"
        ),
    ),
    files(
        "backup_named.borg",
        *(
            f"{home}/.config/borg/security/*/{name}"
            for home in ("/root", "/home/*", "/var/lib/*")
            for name in ("key-type", "location")
        ),
        limit=4096,
        most=300,
        redact=LOCATIONS,
        why=Text("borg 仓库的加密方式", "how borg repositories are encrypted"),
    ),
)

_SETS = re.compile(
    r"\b(RESTIC_REPOSITORY|RESTIC_FROM_REPOSITORY|BORG_REPO|WALG_[A-Z0-9]{1,20}_PREFIX)="
    r"(\"[^\"\n]{0,512}\"|'[^'\n]{0,512}'|[^\s;&|]{0,512})"
)
# POSIX ls -l: the type and the modes, a mark for an access list, links, owner, group, size
_LISTED = re.compile(r"([-dbcpsl])([-rwxsStT]{9})([.+@]?) +\d+ +(\d+) +(\d+) +\S.*? (/.*)")


@dataclass(frozen=True, slots=True)
class Mode:
    """Who may get at a file or folder; `listed`: an access list says so, beside the mode."""

    path: str
    folder: bool
    mode: int
    uid: int
    gid: int
    listed: bool
    line: str


@dataclass(frozen=True, slots=True)
class Named:
    """What the files of jobs name: (file, variable, value) in `settings`; (file, path) of what

    it takes in (`sourced`), and of files that hold a key or a password (`keys`). In the files of
    `holds` a secret itself stands.
    """

    settings: tuple[tuple[str, str, str], ...]
    sourced: tuple[tuple[str, str], ...]
    keys: tuple[tuple[str, str], ...]
    holds: tuple[str, ...]
    modes: Mapping[str, Mode]
    reals: Mapping[str, str]

    def files_of(self, job: Job) -> frozenset[str]:
        """The files whose words are the job's: its tab or unit, its scripts, what these take in."""
        known = {f for f, *_ in (*self.settings, *self.sourced, *self.keys)} | set(self.holds)
        unit = job.run.service if job.run else ""
        units = {unit, re.sub(r"\A([^@]*)@.*(?=\.service)", r"\1@", unit)} - {""}
        found = {
            f
            for f in known
            if f == job.path
            or any(f.endswith(f"/{u}") or f"/{u}.d/" in f for u in units)
            or (f in job.text and re.search(rf"(?<![\w./-]){re.escape(f)}(?![\w./-])", job.text))
        }
        for _ in range(2):
            found |= {path for file, path in self.sourced if file in found}
        return frozenset(found)

    def variables(self, job: Job) -> Mapping[str, str]:
        """What the job's files and its own text set, the last one of each name."""
        files = self.files_of(job)
        found = {name: value for file, name, value in self.settings if file in files}
        return found | _told(job.text)

    def real(self, path: str) -> str:
        """`path` with the symlinks on the way to it followed, as far as they were looked at."""
        best = max((p for p in self.reals if f"{path}/".startswith(p + "/")), key=len, default="")
        return self.reals[best] + path[len(best) :] if best else path


@lru_cache(maxsize=16)
def _told(text: str) -> dict[str, str]:
    told = {m[1]: m[2].strip("\"'") for m in _SETS.finditer(filled(text))}
    return {name: value for name, value in told.items() if "$" not in value}


def named(capture: Capture) -> Named:
    """Raises FactError."""
    settings: list[tuple[str, str, str]] = []
    sourced: list[tuple[str, str]] = []
    keys: list[tuple[str, str]] = []
    holds: list[str] = []
    modes: dict[str, Mode] = {}
    reals: dict[str, str] = {}
    part = ""
    lines = capture.read(_READ).text().splitlines()
    if lines[-1:] != ["== end"]:
        raise NotUnderstood(_READ, msg("no_end"))
    for line in lines:
        words = line.split("\t")
        if line.startswith("== "):
            part = line[3:]
        elif part == "modes" and words[0] == "real" and len(words) == 3:
            reals[words[1]] = words[2]
        elif part == "modes":
            found = _mode(line)
            modes[found.path] = found
        elif words[0] == "set" and len(words) == 3 and "=" in words[2]:
            name, _, value = words[2].partition("=")
            name, value = name.strip(" \"'"), value.strip(" \"'")
            if name == "EnvironmentFile":
                sourced.append((words[1], value.lstrip("-")))
            else:
                settings.append((words[1], name, value))
        elif words[0] == "from" and len(words) == 3:
            sourced.append((words[1], words[2]))
        elif words[0] == "key" and len(words) == 3:
            keys.append((words[1], words[2]))
        elif words[0] == "holds" and len(words) == 2:
            holds.append(words[1])
        else:
            raise NotUnderstood(_READ, msg("not_understood", line=line))
    return Named(
        tuple(settings),
        tuple(dict.fromkeys(sourced)),
        tuple(dict.fromkeys(keys)),
        tuple(dict.fromkeys(holds)),
        modes,
        reals,
    )


def _mode(line: str) -> Mode:
    match = _LISTED.fullmatch(line)
    if match is None:
        raise NotUnderstood(_READ, msg("not_line_ls", line=line))
    bits = sum(0o400 >> at for at, x in enumerate(match[2]) if x not in "-ST")
    return Mode(
        match[6], match[1] == "d", bits, int(match[4]), int(match[5]), match[3] == "+", line
    )
