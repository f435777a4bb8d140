"""The backup jobs that really run here, and the agents of backup servers."""

from __future__ import annotations

from dataclasses import replace

from collector.facts.backup.commands.jobs import BackupJob, backup_jobs
from collector.facts.system.processes import processes
from collector.i18n.message import msg
from collector.model import Capture

_CRON_NAMES = ("cron", "crond", "fcron", "dcron")


_CRON = tuple(f"{place}/{name}" for place in ("/usr/sbin", "/sbin", "/usr/bin", "/usr/local/sbin")
              for name in _CRON_NAMES)  # fmt: skip


# Programs that a backup server talks to: what they cover stands on that server.
_AGENTS = ("bacula-fd", "bareos-fd", "veeamservice", "veeamagent", "urbackupclient", "hbrclient",
           "nsrexecd", "bpcd", "cvd", "dsmcad", "avagent.bin")  # fmt: skip


def all_jobs(capture: Capture) -> tuple[BackupJob, ...]:
    """Backup jobs; those of cron are not enabled where no cron daemon runs."""
    found = backup_jobs(capture)
    if not any(j.job.kind != "timer" and j.job.enabled for j in found):
        return found
    known = processes(capture)
    # busybox has it in a program of another name; but anyone can take any name
    runs = any(not p.login and p.hosts for p in known.running(*_CRON))
    if runs or any(p.systems(*_CRON_NAMES) for p in known.named(*_CRON_NAMES)):
        return found
    known.absent(*_CRON)
    reason, reason_zh = msg("no_cron_daemon_runs"), "没有运行 cron 服务"
    return tuple(
        replace(j, job=replace(j.job, enabled=False, reason=reason, reason_zh=reason_zh))
        if j.job.kind != "timer" and j.job.enabled
        else j
        for j in found
    )


def agents(capture: Capture) -> tuple[str, ...]:
    """Agents of backup servers that run here, by name."""
    known = processes(capture)
    return tuple(sorted({p.name for p in known.named(*(a[:15] for a in _AGENTS))}))
