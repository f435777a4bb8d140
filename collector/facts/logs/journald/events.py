"""What systemd wrote of logging daemons that began, ended or died, and what journald dropped.

Found by journald's index alone: fields that only PID 1 can set (`_PID`), and the message ids of
systemd (sd-messages.h). No text of a message leaves the host but the words `Suppressed N messages`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import NotUnderstood
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "journal.events"
_MOST = 2000
_UNITS = ("auditd", "rsyslog", "syslog-ng", "systemd-journald")
_OF_UNITS = " ".join(f"UNIT={unit}.service" for unit in _UNITS)
_DROPPED, _MISSED = "a596d6fe7bfa4994828e72309e95d61e", "e9bf28e6e834481bb6f48f548ad13606"
_BOOTED, _LOGIND = "b07a249cd024414a82dd00cd181378ff", "98268866d1d54a499c4e98921d93bc40"
_KINDS = {
    "39f53479d3a045ac8e11786248231fbf": "started",
    "9d1aaa27d60140bd96365438aad20286": "stopped",
    "98e322203f7a4ed290d09fe03c09fe15": "exited",
    "d9b373ed55a64feb8242e02dbe79a49c": "failed",
    _DROPPED: "dropped",
    _MISSED: "missed",
    _BOOTED: "booted",
    _LOGIND: "shutdown",
}

READS: tuple[Read, ...] = (
    shell(
        _READ,
        rf"""
command -v journalctl >/dev/null 2>&1 || exit 0
journalctl -q --no-pager -o export -n {_MOST} _PID=1 {_OF_UNITS} \
  UNIT=shutdown.target + MESSAGE_ID={_BOOTED} _PID=1 \
  + MESSAGE_ID={_LOGIND} _SYSTEMD_UNIT=systemd-logind.service \
  + MESSAGE_ID={_DROPPED} + MESSAGE_ID={_MISSED} 2>/dev/null | LC_ALL=C sed -n '
/^__CURSOR=/{{x;s/\n/ /g;/MESSAGE_ID=/p;s/.*//;x;}}
/^__REALTIME_TIMESTAMP=[0-9]*$/{{s/.*=\([0-9]*\)[0-9]\{{6\}}$/\1/;h;}}
/^\(MESSAGE_ID\|UNIT\|N_DROPPED\|EXIT_CODE\|EXIT_STATUS\)=[-A-Za-z0-9_.@]*$/H
/^MESSAGE=\(Suppressed\|Missed\) [0-9]* /{{s/^\(MESSAGE=[A-Z][a-z]* [0-9]*\) .*/\1/;H;}}
${{x;s/\n/ /g;/MESSAGE_ID=/p;}}'
exit 0
""",
        seconds=15,
        limit=1 << 18,
        privileged=True,
        why=Text(
            "日志进程的启停、journald 丢弃消息的记录（只取标识、时间与数目）",
            "logging daemons that stopped, messages that journald dropped (ids, times, numbers)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class JournalEvent:
    """`kind`: started, stopped, exited, failed, dropped, missed, booted or shutdown.

    `unit` without `.service`; `code` is EXIT_CODE (exited, killed, dumped) with its status;
    `count` of dropped or missed messages, 0 where it was not told.
    """

    kind: str
    at: datetime
    unit: str
    code: str
    count: int
    line: str


def journal_events(capture: Capture) -> tuple[JournalEvent, ...]:
    """In the order of time; empty where there is no journal.

    Raises FactError where the journal could not be seen, or an entry is of no known form.
    """
    found = []
    for line in capture.read(_READ).text().splitlines():
        seconds, *pairs = line.split(" ")
        if not re.fullmatch(r"\d{1,11}", seconds):
            raise NotUnderstood(_READ, msg("not_line_read", line=line[:80]))
        said = re.search(r" MESSAGE=(?:Suppressed|Missed) (\d+)", line)
        fields = dict(p.partition("=")[::2] for p in pairs if "=" in p)
        kind = _KINDS.get(fields.get("MESSAGE_ID", ""), "")
        unit = fields.get("UNIT", "")
        if kind == "started" and unit == "shutdown.target":
            kind = "shutdown"
        if not kind:
            continue
        number = said[1] if said else fields.get("N_DROPPED", "0")
        code = f"{fields.get('EXIT_CODE', '')} {fields.get('EXIT_STATUS', '')}".strip()
        at = datetime.fromtimestamp(int(seconds), UTC)
        count = int(number) if re.fullmatch(r"\d{1,12}", number) else 0
        found.append(JournalEvent(kind, at, unit.removesuffix(".service"), code, count, line))
    return tuple(sorted(found, key=lambda e: e.at))
