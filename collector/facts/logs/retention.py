"""For how long each log is kept: what is configured, joined with what lies in the files.

The whole of logrotate, journald and auditd is taken together here; see `logrotate.kept` for the
arithmetic of rotations.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from collector.facts.base.paths import within
from collector.facts.base.timestamps import EARLIEST, zone_of
from collector.facts.logs import destinations as _stores
from collector.facts.logs import files as _log_files
from collector.facts.logs import tmpfiles_d as _tmpfiles
from collector.facts.logs.application_retention import held_open, name_of, rule_of, ruled
from collector.facts.logs.applications import rotation as _apps
from collector.facts.logs.applications.models import AppRule
from collector.facts.logs.audit import status as _audit
from collector.facts.logs.deletions import log_removals
from collector.facts.logs.log_kept import LogKept
from collector.facts.logs.logrotate import config as _logrotate
from collector.facts.logs.logrotate.filenames import folder_of, names_to_come
from collector.facts.logs.logrotate.parser import Problem, Rotation
from collector.facts.logs.logrotate.schedule import Runs, logrotate_runs
from collector.facts.logs.model.removals import Removal
from collector.facts.logs.rotated import Rotated, rotated
from collector.facts.logs.size_limits import at_rate, audited, journal_log, limited, namespace_logs
from collector.facts.scheduling import jobs as _schedules
from collector.model import Capture, Read, Text, shell

READS: tuple[Read, ...] = (
    *_logrotate.READS,
    *_log_files.READS,
    *_stores.READS,
    *_audit.READS,
    *_schedules.READS,
    *_tmpfiles.READS,
    *_apps.READS,
    shell(
        "retention.since",
        "stat -c '%Y %n' /etc/machine-id /etc/ssh/ssh_host_*_key.pub 2>/dev/null; exit 0",
        limit=4096,
        why=Text("主机自何时起启用（判断是否已满六个月）", "since when this host has been in use"),
    ),
)


_BIRTH = "birth of /"
_RECORD = "the oldest record found"
_EVIDENCE = {_BIRTH: "根文件系统的建立时间", _RECORD: "所见最早的记录"}


@dataclass(frozen=True, slots=True)
class Retention:
    """All logs of a host. `since`: when the host began to be used, by `evidence`.

    `runner` names what runs logrotate (empty: nothing does); `last_run` is when it last came to
    its end (None: never), and `idle` says that this is longer ago than its schedule allows.
    `problems` are places of its configuration that logrotate refuses, `owners` the sections that
    it goes by for each file (none where nothing runs it).
    """

    logs: tuple[LogKept, ...]
    since: datetime | None
    evidence: str
    runner: str
    problems: tuple[Problem, ...]
    last_run: datetime | None = None
    idle: bool = False
    owners: Mapping[str, Rotation | Problem] = field(default_factory=dict)

    @property
    def evidence_zh(self) -> str:
        """`evidence` for a Chinese reader; a path is one in any language."""
        return _EVIDENCE.get(self.evidence, self.evidence)


def retention(capture: Capture) -> Retention:
    """Raises FactError where any of the places could not be seen or followed."""
    seen = _log_files.log_files(capture)
    rotate = _logrotate.logrotate(capture, seen.files)
    stores = _stores.log_stores(capture)
    runs = logrotate_runs(capture) if rotate.installed else Runs()
    since, evidence = _since(capture)
    if since is None and "/" in seen.born:
        since, evidence = seen.born["/"], _BIRTH
    owners = rotate.owners(seen.files)
    rules, opened = _apps.app_rotation(capture)
    groups = _groups(seen, rotate.moved(seen.files), rules)
    now = capture.collected_at or datetime.fromtimestamp(0, UTC)
    # the state file is in the host's own zone
    here = now.astimezone(zone_of(capture.head.get("zone", "")))
    by = Rotated(runs, rotate.overdue(owners, here, runs.every) if runs.name else {}, now)
    logs = []
    audit_log = _audit.audit_log(capture)
    for path, files in groups.items():
        folder = path.rsplit("/", 1)[0]
        # /var/log itself is made by the installer: it tells nothing of one log's beginning
        born = seen.born.get(folder) if folder != "/var/log" else None
        owner = next((owners[p] for p in (path, *(f.path for f in files)) if p in owners), None)
        log = rotated(path, files, owner, by, (_stores.memory_mount(stores.mounts, path), born))
        if path == audit_log:
            log = audited(replace(log, family="audit"), files, capture, now)
        for store in stores.syslog:
            if store.active and path in store.limited:
                log = limited(log, store.daemon, (store.read, store.limited[path], ""))
        rule = rule_of(files[0].path, rules)
        if any(f.session for f in files):
            log = replace(log, family="bastion")
        log = ruled(log, rule, files, now) if rule else held_open(log, files, opened)
        logs.append(log)
    if stores.journal_there:
        journal = journal_log(stores, capture, now)
        held = stores.journal.folder(journal.path)
        files_ = (
            (_log_files.LogFile(held.path, held.size, 0, held.first, held.last),) if held else ()
        )
        logs.append(replace(journal, copy=stores.running is not None, files=files_))
        logs += namespace_logs(stores, capture, now)
    rotating = [files for path, files in groups.items() if path in owners]
    # old files without a state file: its place is another, by -s
    ran = rotate.last_run or (None if any(len(files) > 1 for files in rotating) else since)
    idle = bool(runs.name and rotating) and _idle(ran, runs.every, now)
    removals = log_removals(capture)
    owners = owners if runs.name else {}
    paths = paths_to_come(groups, owners, removals, here)
    logs = [removed(log, paths.get(log.path, [log.path]), removals, now) for log in logs]
    oldest = [log.oldest for log in logs if log.oldest and log.family != "packages"]
    if since is not None and oldest and min(oldest) < since:
        since, evidence = min(oldest), _RECORD
    return Retention(
        tuple(logs), since, evidence, runs.name, rotate.problems, rotate.last_run, idle, owners
    )


def _groups(
    seen: _log_files.LogFiles,
    moved: Mapping[str, str],
    rules: Sequence[AppRule],
) -> dict[str, list[_log_files.LogFile]]:
    """Rotated files with the log they come from."""
    groups: dict[str, list[_log_files.LogFile]] = {}
    for name, files in seen.grouped(moved).items():
        for file in files:
            rule = rule_of(file.path, rules)
            log = name_of(rule, seen.files) if rule and not rule.each else name
            groups.setdefault(log, []).append(file)
    return groups


def paths_to_come(
    groups: Mapping[str, Sequence[_log_files.LogFile]],
    owners: Mapping[str, Rotation | Problem],
    removals: Sequence[Removal],
    now: datetime,
) -> dict[str, list[str]]:
    """The files of each log, and what logrotate will make of it where a rule removes by name."""
    roots = {
        removal.root for removal in removals if removal.names or removal.root != removal.folder
    }
    found = {}
    for path, files in groups.items():
        found[path] = [f.path for f in files]
        owner = owners.get(path)
        if isinstance(owner, Rotation) and any(within(folder_of(owner, path), x) for x in roots):
            found[path] += names_to_come(owner, path, now)
    return found


def _idle(last: datetime | None, every: float, now: datetime) -> bool:
    """Has logrotate, which should run every so many days, not run for two turns and a day?

    `last` is when it did, or else since when it could have.
    """
    return last is not None and now - last > timedelta(days=2 * (every or 1.0) + 1)


def removed(log: LogKept, paths: list[str], removals: Sequence[Removal], now: datetime) -> LogKept:
    """The log after what jobs remove, whatever logrotate would keep."""
    hits: list[tuple[int, Removal]] = []
    for removal in removals:
        if not any(removal.takes(path) for path in paths):
            continue
        days: int | None = removal.days
        if removal.room is not None:
            days = at_rate(removal.room, log.size, log.oldest, now)
        if removal.room == -1 or days is None:
            why, quotes = _job(log, removal)
            most = log.least if log.known else log.most
            log = replace(log, least=None, known=False, most=most, floor=0, why=why)
            log = replace(log, removed=True, quotes=quotes)
        else:
            hits.append((days, removal))
    days, shortest = min(hits, key=lambda hit: hit[0], default=(0, None))
    bound = log.least if log.known else log.most
    if shortest is None or (bound is not None and bound <= days):
        return log
    why, quotes = _job(log, shortest)
    # where size decides too, it may remove them even earlier
    least, most = (days, None) if log.known else (None, days)
    floor = days if log.floor is None else min(log.floor, days)
    return replace(log, least=least, most=most, floor=floor, why=why, removed=True, quotes=quotes)


def _job(log: LogKept, removal: Removal) -> tuple[Text, tuple[tuple[str, str, str], ...]]:
    why = Text(
        f"任务 {removal.job} 删除旧文件：{removal.line}",
        f"the job {removal.job} removes old files: {removal.line}",
    )
    return why, (*log.quotes, (removal.read, removal.line, ""))


def _since(capture: Capture) -> tuple[datetime | None, str]:
    """The oldest of what first use leaves: machine-id and the SSH host keys."""
    times = []
    for line in capture.read("retention.since").text().splitlines():
        seconds, _, path = line.partition(" ")
        if not re.fullmatch(r"[0-9]{1,11}", seconds):
            continue
        at = datetime.fromtimestamp(int(seconds), UTC)
        if at.year >= EARLIEST:  # images are built with the clock at 0
            times.append((at, path))
    return min(times, default=(None, ""))
