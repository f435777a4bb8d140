"""What the role `logging` looks at before it changes anything: by the engines that judge later."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from collector import catalog
from collector.controls.logging.tamper_protection import mends
from collector.facts.logs import permissions as log_guard
from collector.facts.logs import retention
from collector.facts.logs.audit import rules as audit_rules
from collector.facts.logs.audit.status import audit, audit_log
from collector.facts.logs.destinations import log_stores
from collector.facts.logs.files import log_files
from collector.facts.logs.journald.journal import journald
from collector.facts.logs.logrotate import config as logrotate
from collector.facts.logs.logrotate.schedule import logrotate_runs
from collector.facts.system import os_release as platform
from collector.facts.system import processes
from collector.judges.retention import configured
from collector.model import Capture, Facts, Read, Result
from collector.run.probes.logrotate_longer import lengthened
from collector.run.probes.looking import LookingAction, looked

_MODULES = (retention, log_guard, platform, processes, audit_rules)
_CONFIG = "logrotate.config"
_MAINS = ("/etc/logrotate.conf", "/usr/etc/logrotate.conf")
_GUARD = "logging.tamper_protection"
_JOURNALD = re.compile(r"/etc/systemd/journald\.conf\.d/(zz-hostpledge|10-hostpledge-rate)\.conf")
_BACKLOG = re.compile(r"/etc/audit/rules\.d/11-hostpledge-backlog\.rules")
_ACTIONS = ("space_left_action", "admin_space_left_action", "disk_full_action")
_DAY = 86400


class ActionModule(LookingAction):
    """Returns what the host's logs are made of, and which files of logrotate would keep longer."""

    about = "the logs of this host: "
    spec: ClassVar[Mapping[str, Any]] = {
        "days": {"type": "int", "required": True},
        "grade": {"type": "int", "default": 2},
        "file_size": {"type": "int", "default": 8},
        "leave": {"type": "list", "elements": "str", "default": []},
    }

    def look(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """`store`, `journal`, `audit`, `container`, `rotation` … Raises CollectorError."""
        found = looked(partial(told, self.captured(reads()), given))
        self._alone(found["rotation"]["files"])
        return found

    def _alone(self, files: list[dict[str, Any]]) -> None:
        """Says of each file whether logrotate takes it by itself, so that its new text must too,

        and whether it can be written: on a read-only mount, or with chattr +i, root cannot either.
        """
        for file in files:
            path = shlex.quote(file["path"])
            command = f"[ -w {path} ] && echo writable; LC_ALL=C logrotate -d {path} 2>/dev/null"
            done = self._low_level_execute_command(command)
            file["alone"] = done["rc"] == 0
            file["writable"] = "writable" in done["stdout"].split()


def reads() -> tuple[Read, ...]:
    """Each read once; of logrotate's files nothing is masked, for they are written again."""
    known = {read.id: read for module in _MODULES for read in module.READS}
    return tuple(replace(r, redact="") if r.id == _CONFIG else r for r in known.values())


def told(capture: Capture, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the role's tasks decide by, as plain values. Raises CollectorError."""
    days: int = given["days"]
    stores, own = log_stores(capture), journald(_without(capture, "journald.config", _JOURNALD))
    return {
        "container": platform.platform(capture).container,
        "store": stores.running.daemon if stores.running else "",
        "daemons": [s.daemon for s in stores.syslog if s.active] + [*stores.others],
        "journal": {
            "on_disk": stores.journal_on_disk,
            "there": stores.journal_there,
            "mount": stores.journal_mount,
            "short": 0 < own.retention < own.file_span + days * _DAY,
            "files_short": 0 < own.max_files * own.file_span < days * _DAY,
            "file_seconds": int(own.file_span),
            "rate": any(name.startswith("RateLimit") for name in own.settings),
        },
        "audit": _audit(capture, days, given["file_size"]),
        "modes": _modes(capture, given["grade"]),
        "short": _short(capture, days),
        "rotation": _rotation(capture, days, tuple(given["leave"])),
    }


def _without(capture: Capture, read: str, path: re.Pattern[str]) -> Capture:
    """As if the role had not written its own files: what it writes must not hang on them."""
    result = capture.read(read)
    files = tuple(f for f in result.files if not path.fullmatch(f.path))
    return replace(capture, reads={**capture.reads, read: replace(result, files=files)})


def _audit(capture: Capture, days: int, megabytes: int) -> dict[str, Any]:
    """`wanted`: what is to be changed in auditd.conf; `backlog`: what its rules allow (-b)."""
    known = audit(capture)
    wanted: dict[str, str] = {}
    if known.config is None:
        return {"config": False, "wanted": wanted, "backlog": 0}
    full, log = known.setting("max_log_file_action", "rotate"), audit_log(capture)
    kept = [x for x in retention.retention(capture).logs if x.path == log]
    if full == "suspend" or (
        full == "rotate" and not (kept and configured(kept[0], days) is Result.PASS)
    ):
        wanted["max_log_file_action"] = "keep_logs"
        size = known.setting("max_log_file", "8")
        if size.isdecimal() and int(size) < megabytes:
            wanted["max_log_file"] = str(megabytes)
    wanted |= {n: "SYSLOG" for n in _ACTIONS if known.setting(n, "ignore") == "ignore"}
    rules = capture.read("audit.rule_files").present()
    text = "\n".join(
        f.data.decode("utf-8", "replace") for f in rules if not _BACKLOG.fullmatch(f.path)
    )
    limits = [int(n) for n in re.findall(r"(?m)^\s*-b\s+(\d{1,9})\s*$", text)]
    return {"config": True, "wanted": wanted, "backlog": max(limits, default=0)}


def _short(capture: Capture, days: int) -> list[str]:
    """Logs that do not keep so many days as it is now, whatever removes them."""
    wanted = catalog.control("logging.retention_configured").for_grade(2).strings("families")
    logs = retention.retention(capture).logs
    return [
        f"{log.path}: {log.why.en}"
        for log in logs
        if log.family in wanted and not log.copy and configured(log, days) is not Result.PASS
    ]


def _modes(capture: Capture, grade: int) -> list[dict[str, str]]:
    """What tamper_protection finds fault with, as arguments of hostpledge_narrow."""
    wanted = mends(Facts(capture), catalog.control(_GUARD).for_grade(grade))
    return [
        {"path": path, "most": f"{mode:04o}", **({"owner": "root"} if owned else {})}
        for path, (mode, owned) in wanted.items()
    ]


def _rotation(capture: Capture, days: int, leave: tuple[str, ...]) -> dict[str, Any]:
    found = {f.path: f for f in capture.read(_CONFIG).present()}
    main = next((path for path in _MAINS if path in found), "")
    seen = logrotate.logrotate(capture)
    if not seen.installed or not main:
        return {"installed": seen.installed, "files": [], "left": []}
    logs = log_files(capture).files
    longer = lengthened(found, main, seen.version, logs, logrotate_runs(capture), days, leave)
    return {
        "installed": True,
        "runner": logrotate_runs(capture).name,
        "files": [
            {
                "path": path,
                "mode": f"{found[path].mode:04o}",
                "content": text,
                "changes": list(longer.changes[path]),
            }
            for path, text in longer.files.items()
        ],
        "left": [f"{p.path}:{p.line} ({' '.join(p.patterns)}): {p.why}" for p in longer.left],
    }
