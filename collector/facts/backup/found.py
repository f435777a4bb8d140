"""Whether what starts a job finds its tool, and the interpreter of its script.

`0 2 * * * root restic …` fails each night where restic lies in /usr/local/bin, and cron keeps no
status that would show it. A unit's status does, so that its PATH is not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.named_files import named
from collector.facts.scheduling.jobs import called
from collector.facts.scheduling.programs import found, interpreter_of, programs, there
from collector.facts.scheduling.startable import whole_text
from collector.facts.shell.stops import foreign_lines
from collector.model import Facts, Text

# they look for programs elsewhere: in a PATH of their own, on another host
_ELSEWHERE = {"sudo", "su", "runuser", "doas", "ssh", "docker", "podman", "chroot", "env"}
_OWN = re.compile(r"(?m)(?:^|[\s;&|])(?:export\s+)?PATH=(\"[^\"\n]*\"|'[^'\n]*'|[^\s;&|]*)")
_OTHERS = re.compile(r"(?m)^\s*(?:\.|source|eval)\s|\b(?:ba)?sh\s+-\w*l|--login|/etc/profile")

# `test -x PROGRAM && PROGRAM`; of a condition on the host's name captures have the name masked
_HAS = re.compile(
    r"(?:\btest|\[)\s+-[xefs]\s+[\"']?(/[\w./-]+)[\"']?(?:\s*\])?\s*(?:&&|\|\|\s*exit\b)"
)
# what the read of the files that jobs name passes over
_UNASKED = re.compile(r"/((usr/)?(s?bin|lib\w*)|usr/share|proc|dev|sys|(var/)?run|etc)/")


def never_starts(facts: Facts, job: BackupJob) -> Text | None:
    """Why the job certainly runs nothing: whatever it left of late was made another way.

    Its interpreter is not there, or it begins with a condition that this host does not meet.
    Raises FactError.
    """
    known = facts.get(programs)
    for path, first in _interpreters(facts, job):
        if known is not None and there(first, known) is False:
            en = f"{first}, which {path} asks for, is not there"
            return Text(f"{path} 所指的解释器 {first} 不存在", en)
    for guard in _HAS.finditer(job.job.command):
        if _absent(facts, guard[1], known):
            return Text(f"仅当 {guard[1]} 存在时才执行，而该文件不存在",
                        f"it runs only where {guard[1]} is there, which it is not")  # fmt: skip
    return None


def _absent(facts: Facts, path: str, known: frozenset[str] | None) -> bool:
    """Is no file there, as far as what was looked at tells?"""
    if there(path, known) is not None:
        return there(path, known) is False
    if _UNASKED.match(path) or path in facts.get(called):
        return False
    return path not in facts.get(named).modes


def lacks(facts: Facts, job: BackupJob) -> Text | None:
    """Why the job cannot run its tool; None where nothing says so. Raises FactError."""
    known = facts.get(programs)
    if known is None:
        return None
    word, search = _asked(facts, job)
    if "/" in word:
        gone = there(word, known) is False
        return Text(f"{word} 不存在", f"{word} is not there") if gone else None
    if word and search and not found(word, search, known):
        return Text(f"PATH={search} 中没有 {word}", f"{word} is in no folder of PATH={search}")
    return None


def untold(facts: Facts, job: BackupJob) -> str:
    """What leaves open whether the job runs its tool as it is written; empty for nothing.

    Lines that end as those of DOS, and what a capture from before it was asked does not tell.
    """
    for script in facts.get(called).values():
        if script.path in job.job.text and foreign_lines(script.text):
            return f"{script.path}: CR LF"
    if facts.get(programs) is not None:
        return ""
    odd = [first for _, first in _interpreters(facts, job) if there(first, None) is None]
    word, search = _asked(facts, job)
    if odd:
        return f"#!{odd[0]}"
    return f"PATH={search}: {word}=?" if search and not found(word, search, frozenset()) else ""


def _asked(facts: Facts, job: BackupJob) -> tuple[str, str]:
    """How the tool is called, and where it is looked for; each empty where that is not told."""
    names = [w.rpartition("/")[2] for w in job.words]
    at = names.index(job.tool) if job.tool in names else -1
    if at < 0 or _ELSEWHERE & set(names[:at]):
        return "", ""
    text, search = job.job.text, job.job.search
    for value in _OWN.findall(text):
        search = re.sub(r"\$PATH\b|\$\{PATH\}", search, value.strip("\"'")) if search else ""
    scripts = [s.text for s in facts.get(called).values() if s.path in text]
    others = _OTHERS.search(text) or any(re.match(r"#![^\n]*\s-\w*l", x) for x in scripts)
    told = search if "$" not in search and not others else ""
    return job.words[at], told


def _interpreters(facts: Facts, job: BackupJob) -> Iterator[tuple[str, str]]:
    """The scripts that the job starts by their path, each with the path of its interpreter."""
    if job.job.kind == "periodic":
        for file in facts.capture.read("schedules.periodic").present():
            if file.path == job.job.path:
                yield file.path, interpreter_of(whole_text(file, "schedules.periodic"))
        return
    scripts = facts.get(called)
    for part in re.split(r"&&|\|\||[;|&\n]", job.job.command):
        first = re.match(r"\s*(?:\w+=\S*\s+)*(\S+)", part)
        script = scripts.get(first[1]) if first else None
        if script is not None and (told := interpreter_of(script.text)):
            yield script.path, told
