"""What on this host speaks against the good end of a backup's run.

A status of 0 says that a tool ended well. That its repository holds no snapshot, that the same job
removes what it made, or that a run left files out, weighs more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from collector.errors import CouldNotLook
from collector.facts.backup.artefacts.files import Artefact, artefacts
from collector.facts.backup.artefacts.traces import Record
from collector.facts.backup.commands.command_lines import (
    ENGINES,
    filled,
    inner_words,
    pipelines,
)
from collector.facts.backup.commands.destinations import (
    destinations,
    operands,
    tool_and_args,
    truncated,
)
from collector.facts.backup.commands.dump_scope import here
from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.commands.scheduled import all_jobs
from collector.facts.backup.identity import repository_of, takes_as_much
from collector.facts.backup.outputs import absolute
from collector.facts.backup.reached import is_of, program_of
from collector.facts.base.paths import within
from collector.facts.data.inventory import Store
from collector.facts.scheduling.jobs import called, jobs
from collector.facts.scheduling.models import Job
from collector.facts.storage.mounts import holder
from collector.facts.storage.mounts import in_memory as mounted_in_memory
from collector.facts.storage.mounts import mounts as mounts_of
from collector.i18n.message import msg
from collector.model import Facts, Quote

# How tools end that made a backup of a part (restic(1), borg(1), tar(1)).
_PARTLY = {"borg": {1, *range(100, 128)}, "tar": {1, 2}}
_RESTIC_PARTLY = 3
# on every Linux with systemd; the mounts may not have been read
_MEMORY = ("/run", "/var/run", "/dev/shm")  # noqa: S108
_SLACK = timedelta(minutes=1)
# Beside the tool these stand in its script; where one of them fails there is no file at all.
_BESIDE = {"set", "umask", "export", "readonly", "local", "cd", "mkdir", "install", "date", "echo",
           "printf", ":", "true", "sleep", "trap", "test", "[", "hostname"}  # fmt: skip
_PHYSICAL = r"--incremental(-(basedir|lsn|history-name|history-uuid|force-scan))?(=.*)?"
_INCREMENTS = {
    # a letter behind one that takes a value is of that value
    "tar": r"--listed-inc[a-z]*(=.*)?|--inc[a-z]*|-[^\WfCTXIKNVHLFb]*[gG].*",
    **dict.fromkeys(("xtrabackup", "innobackupex", "mariabackup", "mariadb-backup"), _PHYSICAL),
    "pg_basebackup": r"-i.*|--incremental(=.*)?",
}
_MERGED = r"(?:2>\s*(?:&1|/dev/stdout|/proc/self/fd/1)\b[^|;\n]*\||\|&)"
# up to there the end of what gzip packed is looked at, and no complaint is as long
_UNPACKED = 4 << 20


def bare(facts: Facts, job: BackupJob) -> Quote | None:
    """The line of the job's own restic repository on this host, where no snapshot lies in it.

    Raises FactError.
    """
    if job.tool != "restic":
        return None
    left = facts.get(artefacts)
    for address in repository_of(facts, job):
        folder = address.path.rstrip("/")
        if address.kind != "path" or any(within(folder, c) for c in left.closed):
            continue
        line = left.repositories.get(folder)
        if line and not any(a.repository == folder for a in left.all):
            return Quote("backup.artefacts", (line,), folder)
    return None


def emptied(facts: Facts, job: BackupJob) -> str:
    """The command of the job that removes archives other than by age; empty where none does.

    Raises FactError.
    """
    places = {a.path for a in repository_of(facts, job) if a.kind == "path" and a.path}
    for line, _ in pipelines(job.job.text):
        for words in line:
            if _removes(job.tool, words, places):
                return " ".join(words)[:120]
    return ""


def _removes(tool: str, words: list[str], places: set[str]) -> bool:
    name = words[0].rpartition("/")[2]
    if name == "rm":
        named = [w.rstrip("/*") for w in words[1:] if w.startswith("/")]
        return any(within(p, n) or within(n, p) for p in places for n in named if n)
    found, args = tool_and_args(words, {tool})
    if found != tool or {"--dry-run", "-n"} & set(args):
        return False
    if tool == "borg":
        return "delete" in args
    if tool != "restic" or "forget" not in args:
        return False
    keeps = any(a.startswith("--keep-") for a in args)
    ids = [x for x in operands(args[args.index("forget") + 1 :]) if x[0] not in "<>"]
    return not keeps and ("--unsafe-allow-remove-all" in args or bool(ids))


def overwritten(facts: Facts, job: BackupJob) -> str:
    """The command that writes another thing over the dump or archive of this one; empty: none.

    Behind it in the same job, or in any other one. Raises FactError.
    """
    _, args = tool_and_args(job.words, {job.tool})
    told = destinations(job.tool, args, job.piped, job.folder, {})
    named = {x for a in told if a.kind == "path" and (x := absolute(a.text, job.folder))}
    if not named or (job.tool not in ENGINES and job.tool != "tar"):
        return ""
    kin = [j for j in facts.get(all_jobs) if takes_as_much(j, job)]
    alike = {(j.job.name, j.words) for j in kin}
    for other in facts.get(jobs):
        own = other == job.job
        if not other.enabled or (not own and not any(n in filled(other.text) for n in named)):
            continue
        behind = not own
        for line, folder in pipelines(other.text):
            if own and tuple(inner_words(line[0])) == job.words:
                behind = True
                continue
            kept = any((other.name, tuple(inner_words(w))) in alike for w in line)
            to = {absolute(x, folder) for w in line for x in truncated(w)}
            if behind and not kept and to & named and not _set_twice(other.text):
                return " | ".join(" ".join(w) for w in line)[:120]
    return ""


def complaining(job: BackupJob, left: Iterable[Artefact]) -> str:
    """The command that writes its complaints among what it prints, of which nobody sees the inside.

    `dump 2>&1 | gzip | openssl enc` leaves a file each night, and that of a dump that was refused
    is sound as well. Empty where there is none.
    """
    if all(map(_shown_inside, left)):
        return ""
    text = filled(re.sub(r"\\\n", " ", job.job.text))
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        if re.search(rf"(?<![\w.-]){re.escape(job.tool)}(?=\s)(?:(?!&&)[^|;])*{_MERGED}", line):
            return line.strip()[:120]
    grouped = re.search(rf"(?m)^[^\n]*[)}}]\s*{_MERGED}", text)
    return grouped[0].strip()[:120] if grouped else ""


def increment(job: BackupJob) -> str:
    """The word by which the job writes only what changed since a file that is none of the copies.

    Of such files nobody sees whether the full one that they rest on is there still. Empty: none.
    """
    words = list(job.words)
    at = next((i for i, w in enumerate(words) if w.rpartition("/")[2] == job.tool), None)
    if at is None or "--level=0" in words:
        return ""
    pattern, args = _INCREMENTS.get(job.tool, "(?!)"), words[at + 1 :]
    if job.tool == "tar" and args and re.fullmatch("[A-Za-z]+", args[0]):
        args[0] = f"-{args[0]}"
    return next((a for a in args if re.fullmatch(pattern, a)), "")


def _shown_inside(artefact: Artefact) -> bool:
    known = artefact.content or artefact.head.startswith("5047444d50")
    long = artefact.head.startswith("1f8b") and artefact.size > _UNPACKED
    plain = artefact.path.endswith(".sql") and bool(artefact.head)
    return bool(known or long or plain or artefact.repository)


def _set_twice(text: str) -> bool:
    """Does a variable that a file is written by hold one name after another?"""
    set_ = re.findall(r"(?m)^[^\S\n]*(?:export\s+|local\s+)?([A-Za-z_]\w*)=", text)
    written = re.findall(r">\s*[\"']?[^\s;|&]*?\$\{?([A-Za-z_]\w*)", text)
    return any(set_.count(name) > 1 for name in written)


def by_failed_run(job: Job, made: datetime) -> bool:
    """Was what is of that time made by a run that did not end well?"""
    run = job.run
    if run is None or run.good is not False or run.finished is None or run.started is None:
        return False
    return run.started - _SLACK <= made <= run.finished + _SLACK


def of_failed_run(facts: Facts, job: BackupJob, artefact: Artefact) -> Artefact:
    """What a run left that did not end well, with a fault where it was the tool that failed.

    With a doubt where another command may have been it: an upload behind a whole dump. Of one whose
    last line was seen a failure further down takes nothing away. Raises FactError.
    """
    run = job.job.run
    if (
        run is None
        or artefact.fault
        or not any(by_failed_run(job.job, t) for t in _times(artefact))
    ):
        return artefact
    forced = job.engine == "mysql" and {"--force", "-f"} & set(job.words)
    # a base backup's manifest is written last
    if (artefact.whole or artefact.start is not None) and not forced:
        return artefact
    said = msg("made_by_failed_run", run=f"{run.service}: {run.detail}")
    sure = not artefact.repository and _alone_fails(facts, job)
    return replace(artefact, fault=said) if sure else replace(artefact, doubt=said)


def _times(artefact: Artefact) -> tuple[datetime, ...]:
    """Of the content and of the file: gzip tells that of what it packed, from before the run."""
    told = re.match(r"artefact (\d{1,11}) ", artefact.line)
    file = (datetime.fromtimestamp(int(told[1]), UTC),) if told else ()
    return (artefact.when, *file)


def _alone_fails(facts: Facts, job: BackupJob) -> bool:
    """Is the tool the one command of the job that can fail where there is a file?"""
    done = program_of(facts, job.job)
    if done is None or done.lost:
        return False
    run = [c for c in done.commands if c.reached != "never"]
    own = [c for c in run if (c.argv[0] or "").rpartition("/")[2] == job.tool]
    # what runs the tool (timeout, nice), and the script itself
    scripts = facts.get(called)
    others = [c for c in run if not is_of(c, job.tool) and c.argv[0] not in scripts]
    names = {(c.argv[0] or "?").rpartition("/")[2] for c in others}
    return len({c.site for c in own}) == 1 and names <= _BESIDE


def unfinished(record: Record, job: Job) -> bool:
    """May the record be of an archive that broke off? borg keeps its caches at checkpoints too."""
    return record.read == "backup.borg" and by_failed_run(job, record.when)


def partly(job: BackupJob, made: datetime) -> bool:
    """Was what is of that time made by a run that ended with a status for `not all of it`?"""
    run = job.job.run
    if run is None or not by_failed_run(job.job, made):
        return False
    told = re.search(r"ExecMainStatus=(\d+)", run.detail)
    status = int(told[1]) if told else 0
    if job.tool == "restic":
        return status == _RESTIC_PARTLY
    # elsewhere the status may be that of another command of the script
    own = re.search(rf"(?m)^(\S*/)?{re.escape(job.tool)}\s", job.job.command)
    return bool(own) and status in _PARTLY.get(job.tool, ())


def in_memory(facts: Facts, job: BackupJob) -> BackupJob | None:
    """The job as one that backs nothing up: what it writes to is gone after a restart.

    Raises FactError.
    """
    for path in _written(facts, job):
        if _is_memory(facts, path):
            reason = f"{path} lies in memory (tmpfs) and is gone after a restart"
            zh = f"{path} 位于内存文件系统（tmpfs），重启后即消失"
            return replace(job, job=replace(job.job, enabled=False, reason=reason, reason_zh=zh))
    return None


def onto_itself(facts: Facts, job: BackupJob, store: Store, real: str) -> BackupJob | None:
    """The job as one that backs nothing up: what it copies of the store lands in the store."""
    if job.tool not in ("rsync", "rclone"):
        return None
    _, args = tool_and_args(job.words, {job.tool})
    paths = {p.rstrip("/") for p in (store.path, real) if p.startswith("/")}
    for to in destinations(job.tool, args, (), job.folder, {}):
        own = to.kind == "path" or (to.kind == "host" and here(facts.capture, to.host) is True)
        if not own or not to.path.startswith("/"):
            continue
        for source in job.sources:
            # without a slash at its end rsync lays the folder itself there
            whole = job.tool == "rsync" and not source.endswith("/")
            top = source.rstrip("/")
            lands = to.path.rstrip("/") + (f"/{top.rpartition('/')[2]}" if whole else "")
            if any(within(p, top or "/") and within(lands + p[len(top) :], p) for p in paths):
                reason = f"it copies {source} to {to.path}, which is the store itself"
                zh = f"把 {source} 复制到 {to.path}，仍在该数据目录之内"
                gone = replace(job.job, enabled=False, reason=reason, reason_zh=zh)
                return replace(job, job=gone)
    return None


def _written(facts: Facts, job: BackupJob) -> list[str]:
    if job.tool == "rsync":
        _, args = tool_and_args(job.words, {"rsync"})
        return [x.rstrip("/") for x in operands(args, "rsync")[-1:] if x.startswith("/")]
    if job.tool not in ("restic", "borg", "borgmatic"):
        return []
    try:
        return [a.path for a in repository_of(facts, job) if a.kind == "path"]
    except CouldNotLook:
        # which one it is, whoever asks what lies there is told
        return []


def _is_memory(facts: Facts, path: str) -> bool:
    if any(within(path, x) for x in _MEMORY):
        return True
    try:
        known = facts.get(mounts_of)
    except CouldNotLook:
        return False
    mount = holder(known, path)
    return mount is not None and mounted_in_memory(known, mount) is not None
