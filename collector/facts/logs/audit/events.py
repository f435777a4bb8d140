"""What auditd wrote of itself: when it began and ended, boots, and who logged in last.

Source: the record types of audit 2.8 to 4.1 (`DAEMON_START` …), and auditd.conf(5) for where the
log lies. Of a record only its type, its time, and for the daemon's own a few fields leave the host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import NotUnderstood
from collector.facts.base.opened import OPENED
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "audit.events"
_TYPES = (
    "DAEMON_START|DAEMON_END|DAEMON_ABORT|SYSTEM_BOOT|SYSTEM_SHUTDOWN"
    "|CONFIG_CHANGE.*audit_enabled=0"
)

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + rf"""
log=
[ -r /etc/audit/auditd.conf ] && log=$(sed -n \
  's/^[[:space:]]*log_file[[:space:]]*=[[:space:]]*\([^[:space:]]*\).*/\1/p' /etc/audit/auditd.conf)
log=${{log:-/var/log/audit/audit.log}}
[ -f "$log" ] || exit 0
set --
for n in '' .1 .2 .3 .4 .5 .6 .7; do [ -f "$log$n" ] && set -- "$log$n" "$@"; done
for f do
  printf 'log=%s\n' "$f"
  hp_by "$f" head -c 4096 |
    LC_ALL=C sed -n '/msg=audit(/{{s/.*msg=audit(\([0-9]*\)\..*/first=\1/p;q;}}'
  hp_by "$f" tail -c 33554432 | LC_ALL=C grep -a -E 'type=({_TYPES})' | tail -n 400 |
    LC_ALL=C sed -n \
    's/^.*type=\([A-Z_]*\) msg=audit(\([0-9]*\)\.[0-9:]*): *\([-=a-z0-9_. ]*\).*/\1 \2 \3/p'
done
hp_by "$log" tail -c 4194304 | LC_ALL=C grep -a -E 'type=USER_(AUTH|START|LOGIN) ' | tail -n 1 \
  | LC_ALL=C sed -n 's/^.*type=\([A-Z_]*\) msg=audit(\([0-9]*\)\..*/login \1 \2/p'
exit 0
""",
        seconds=15,
        limit=1 << 17,
        privileged=True,
        why=Text(
            "审计进程的启停记录，以及最近一次登录是否记入审计（只取类型与时间）",
            "when the audit daemon began and ended, and whether logins are recorded (types, times)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One record: `kind` is its type, `line` as it was handed out (type, seconds, fields)."""

    kind: str
    at: datetime
    line: str


@dataclass(frozen=True, slots=True)
class AuditEvents:
    """The daemon's own records in the order of time, from `since` on (None: there is no log).

    `login` is the newest record of somebody authenticating or logging in, None where there is
    none among the last 4 MiB.
    """

    events: tuple[AuditEvent, ...]
    since: datetime | None
    login: AuditEvent | None


def audit_events(capture: Capture) -> AuditEvents:
    """Raises FactError where the log could not be seen or says something of no known form."""
    events: list[AuditEvent] = []
    since: list[datetime] = []
    login = None
    for line in capture.read(_READ).text().splitlines():
        if line.startswith("log=/"):
            continue
        if match := re.fullmatch(r"first=(\d{9,11})", line):
            since.append(_time(match[1]))
        elif match := re.fullmatch(r"login (USER_\w+) (\d{9,11})", line):
            login = AuditEvent(match[1], _time(match[2]), line)
        elif match := re.fullmatch(r"([A-Z_]+) (\d{9,11}) ?(.*)", line):
            events.append(AuditEvent(match[1], _time(match[2]), line.strip()))
        else:
            raise NotUnderstood(_READ, msg("not_line_read", line=line))
    events.sort(key=lambda e: e.at)
    return AuditEvents(tuple(events), min(since, default=None), login)


def _time(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
