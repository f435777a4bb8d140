"""What syslog daemons say of messages that they lost: by their limits of rate, by full queues.

Sources: rsyslog's own messages (`N messages lost due to rate-limiting`), the counters of impstats
in both of its forms, syslog-ng's `Log statistics`. Counters run since the daemon began.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.timestamps import record_time, zone_of
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "drops.syslog"
# of a line: its time (RFC 3164, ISO, or that of impstats' own file), then what was lost
_TIME = r"^\(.\{15\}[^ ]*\)"
_COUNTERS = ("ratelimit.discarded", "discarded.full", "discarded.nf")
_EXTRACT = "\n".join(
    [
        r"s/^[A-Z][a-z][a-z] \([A-Z][a-z][a-z] [ 0-9][0-9] \)/\1/",
        rf"s/{_TIME} .*[^0-9]\([0-9][0-9]*\) messages lost due to rate-limiting.*/\1 lost \2/p",
        rf"s/{_TIME} .*: begin to drop messages due to rate-limiting.*/\1 lost 1/p",
        rf"s/{_TIME} .*imuxsock lost \([0-9][0-9]*\) messages from pid.*/\1 lost \2/p",
        *(
            rf"s/{_TIME} .*[^a-z.]{name.replace('.', '[.]')}\"\{{0,1\}}[=:] \{{0,1\}}"
            rf"\([1-9][0-9]*\).*/\1 {name} \2/p"
            for name in _COUNTERS
        ),
        rf"s/{_TIME} .*Log statistics.*dropped='[^']*=\([1-9][0-9]*\)'.*/\1 dropped \2/p",
    ]
)

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + rf"""
set --
for f in /var/log/messages.1 /var/log/messages /var/log/syslog.1 /var/log/syslog \
  $(hp_finds 's/.*impstats.*log\.file="\(\/[^"]*\)".*/\1/p' /etc/rsyslog.conf \
  /etc/rsyslog.d/*.conf 2>/dev/null | sed -n "s/^$hp_tab//p"); do
  case $f in (/*) ;; (*) echo more; continue;; esac
  [ -f "$f" ] && set -- "$@" "$f"
done
for f do
  printf 'log=%s\n' "$f"
  hp_by "$f" tail -c 8388608 | LC_ALL=C grep -a -E '(messages lost|begin to drop messages) due to rate-limiting|imuxsock lost [0-9]|discarded(\.full|\.nf)?"?[=:] ?[1-9]|Log statistics.*dropped=.[^,]*=[1-9]' \
    | tail -n 200 | LC_ALL=C sed -n "
{_EXTRACT.replace(chr(92), chr(92) * 2).replace('"', chr(92) + '"')}
"
done
exit 0
""",  # noqa: E501 - one expression
        seconds=10,
        limit=1 << 16,
        privileged=True,
        why=Text(
            "系统日志进程丢弃消息的次数（只取时间与数目）",
            "messages that the syslog daemon says it lost (times and numbers only)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Drop:
    """One report: `kind` is `lost` (that many more), or the name of a counter (that many by then).

    `at` is None where the line has no time that is understood.
    """

    kind: str
    count: int
    at: datetime | None
    path: str
    line: str


def drops(capture: Capture) -> tuple[Drop, ...]:
    """Raises FactError where the logs could not be seen or a line has no known form."""
    text = capture.read(_READ).text()
    when, zone = capture.collected_at, zone_of(capture.head.get("zone", ""))
    if when is None:
        raise CouldNotLook(_READ, msg("capture_no_time_collection"))
    found, path = [], ""
    for line in text.splitlines():
        if line == "more":
            raise CouldNotLook(_READ, msg("more_than_is_read"))
        if line.startswith("log=/"):
            path = line.removeprefix("log=")
            continue
        match = re.fullmatch(r"(.{15}\S*) (lost|dropped|[a-z]+\.[a-z]+) (\d{1,15})", line)
        if match is None or not path:
            raise NotUnderstood(_READ, msg("not_line_read", line=line))
        at = record_time(match[1], when, zone)
        found.append(Drop(match[2], int(match[3]), at, path, line))
    return tuple(found)


def since(found: Iterable[Drop], start: datetime) -> tuple[Drop, ...]:
    """What was reported from `start` on, and what has no time."""
    return tuple(drop for drop in found if drop.at is None or drop.at >= start)
