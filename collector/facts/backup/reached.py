"""Whether a job's own script ever comes to the command that backs something up.

A function that nobody calls, `exec` or `exit` before it, `if false`, a name that the script gives
to a function of its own: the words stand there, and nothing is ever run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.scheduled import all_jobs
from collector.facts.scheduling.jobs import called
from collector.facts.scheduling.models import Job, Script
from collector.facts.scheduling.startable import unable
from collector.facts.scheduling.started import program_of as started
from collector.facts.shell.program import Command, Program, dialect_of
from collector.facts.shell.values import plain
from collector.i18n.message import msg
from collector.model import Capture, Facts

_PATH = re.compile(r"/[\w./-]+")
# Programs that run what they are given, by a name or by their input, beyond what the model follows.
_RUNNERS = {"ssh", "su", "sudo", "docker", "podman", "lxc", "kubectl", "chroot", "nsenter", "at",
            "batch", "run-parts", "parallel", "make", "screen", "tmux", "machinectl", "incus",
            "systemd-run", "systemctl", "sh", "bash", "dash", "ksh", "zsh", "busybox"}  # fmt: skip
_SAYS = {"echo", "printf", "test", "[", "cat", "ls", "chmod", "chown", "rm", "cp", "logger", "stat"}
Reach = Literal["always", "perhaps", "never", "untold"]


def reach(facts: Facts, job: BackupJob) -> Reach:
    """Does a start of the job come to its tool? `perhaps` where a condition decides.

    Raises FactError.
    """
    return facts.get(reaches).get((job.job, job.tool), "untold")


def reaches(capture: Capture) -> Mapping[tuple[Job, str], Reach]:
    """The answer for each job and tool: one job may take a thousand stores. Raises FactError."""
    scripts = called(capture)
    found: dict[tuple[Job, str], Reach] = {}
    for job in all_jobs(capture):
        key = job.job, job.tool
        if key not in found:
            found[key] = _reach(capture, job, scripts)
    return found


def _reach(capture: Capture, job: BackupJob, scripts: Mapping[str, Script]) -> Reach:
    texts = {s.path: s.text for s in scripts.values() if s.whole}
    named = {w for w in _PATH.findall(job.job.text) if w in scripts}
    if any(not scripts[w].whole or dialect_of(scripts[w].text)[0] == "other" for w in named):
        return "untold"
    done = started(capture, job.job, texts, unable(job.job, scripts))
    if done is None:
        return "untold"
    met = [c for c in done.commands if is_of(c, job.tool)]
    if not met:
        return "untold" if done.lost or _goes_on(done, job, texts) else "never"
    if any(c.reached == "always" for c in met):
        return "always"
    if any(c.reached == "untold" for c in met):
        return "untold"
    return "perhaps" if any(c.reached == "perhaps" for c in met) else "never"


def idle_where_never(facts: Facts, job: BackupJob) -> BackupJob | None:
    """The job as one that backs nothing up, where its tool is never come to. Raises FactError."""
    if not job.job.enabled or reach(facts, job) != "never":
        return None
    reason = msg("never_come_to", tool=job.tool)
    zh = f"其脚本从不执行到 {job.tool}"
    return replace(job, job=replace(job.job, enabled=False, reason=reason, reason_zh=zh))


def program_of(facts: Facts, job: Job) -> Program | None:
    """What the job does, as far as its scripts are here whole. Raises FactError."""
    scripts = facts.get(called)
    named = [scripts[w] for w in _PATH.findall(job.text) if w in scripts]
    if any(not s.whole or dialect_of(s.text)[0] == "other" for s in named):
        return None
    texts = {s.path: s.text for s in scripts.values() if s.whole}
    return started(facts.capture, job, texts, unable(job, scripts))


def is_of(command: Command, tool: str) -> bool:
    """Does it run the tool, or may it: by a word of it, or by one that is not told?"""
    if not command.words:
        return False
    first = plain(command.words[0])
    return first is None or tool in command.shown


def _goes_on(done: Program, job: BackupJob, scripts: dict[str, str]) -> bool:
    """May what is run go on to a place that the model did not follow?"""
    functions = set(re.findall(r"(?m)^\s*(?:function\s+)?([\w.-]+)\s*\(\s*\)", job.job.text))
    for command in done.commands:
        if command.reached == "never":
            continue
        name = (command.argv[0] or "").rpartition("/")[2]
        if command.reached == "untold" or name in functions or name in _RUNNERS:
            return True
        handed = {w for w in command.argv[1:] if w in scripts}
        if handed and name not in _SAYS:
            return True
    return False
