"""On which days the journal on disk holds entries, and where the host was started anew.

A small journal is read through; a big one is gone through in steps of a day (the last entry of the
next 24 hours, then from there), which costs the same however much it holds. Only times are told.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from collector.errors import NotUnderstood
from collector.facts.logs.model.shapes import Day
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "journal_days.days"

READS: tuple[Read, ...] = (
    shell(
        _READ,
        r"""
d=/var/log/journal
[ -d "$d" ] || { echo none; exit 0; }
command -v journalctl >/dev/null 2>&1 || { echo missing; exit 0; }
# not those of the image that this host was made from, nor those it takes in for others
m=; { read -r m </etc/machine-id; } 2>/dev/null
[ "$m" ] && [ -d "$d/$m" ] && d=$d/$m
k=$(du -sk "$d" 2>/dev/null); k=${k%%[!0-9]*}
now= t=
IFS=. read -r now t </proc/uptime; late=$((now + 3)); t=
if [ "${k:-0}" -le 49152 ]; then
  TZ=UTC0 journalctl --no-pager -D "$d" -o short-iso 2>/dev/null | awk '
    function flush() { if (n) print "d", n, first, last; n = 0 }
    /^-- (Boot|Reboot)/ { was = last; quiet = stopped; boot = 1; next }
    /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T/ {
      t = $1; gsub(/[^-+0-9T:Z]/, "", t)
      if (substr(t, 1, 10) != day) { flush(); day = substr(t, 1, 10); first = t }
      if (boot) {
        begun = /kernel: Linux version|Journal started|Collecting audit messages/ ? 1 : 0
        print "b", was == "" ? "-" : was, t, quiet + 0, begun
      }
      boot = 0; n++; last = t
      stopped = /Journal stopped|systemd-shutdown|Reached target.*(Power|Reboot|Shutdown|Halt)/
    }
    END { flush(); print "all" }'
else
  from=$(($(date +%s) - 190 * 86400))
  one() { journalctl -q --no-pager -D "$d" -o export "$@" 2>/dev/null \
    | sed -n '/^__REALTIME_TIMESTAMP=/{s/.*=\([0-9]*\)[0-9]\{6\}$/\1/p;q;}'; }
  t=$(one --since "@$from")
  [ "$t" ] && printf '%s\n' "h $t"
  while [ "$t" ]; do
    IFS=. read -r now n </proc/uptime
    [ "$now" -gt "$late" ] && { echo cut; exit 0; }
    n=$(one --until "@$((t + 86400))" -n 1)
    [ "$n" ] && [ "$n" -gt "$t" ] || n=$(one --since "@$((t + 1))")
    [ "$n" ] && [ "$n" -gt "$t" ] && printf '%s\n' "h $n" || n=
    t=$n
  done
  echo steps
fi
exit 0
""",
        seconds=20,
        limit=1 << 18,
        privileged=True,
        why=Text(
            "systemd 日志在哪些天有记录（判断有无断档；不取内容）",
            "on which days the journal holds entries, to find gaps (no content)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Boot:
    """Between two boots: the last entry before and the first one after it.

    `stopped`: the last entries tell of a shutdown; `begun`: the first one is one that a start
    begins with.
    """

    before: datetime | None
    after: datetime
    stopped: bool
    begun: bool


@dataclass(frozen=True, slots=True)
class JournalDays:
    """`there`: is there a journal on disk. `whole`: each entry was seen; else `steps`, which show

    that no two of them lie more than a day apart without a hole between. `seen_to` is how far one
    came in the time allowed, None: to the end.
    """

    there: bool
    days: tuple[Day, ...] = ()
    boots: tuple[Boot, ...] = ()
    whole: bool = False
    seen_to: datetime | None = None


def journal_days(capture: Capture) -> JournalDays:
    """Raises FactError where it could not be seen or understood."""
    lines = capture.read(_READ).text().splitlines()
    if not lines or lines[-1] not in ("none", "missing", "all", "steps", "cut"):
        raise NotUnderstood(_READ, msg("ends_before_end"))
    if lines[-1] == "missing":
        raise NotUnderstood(_READ, msg("journal_no_journalctl_read"))
    days, boots = list[Day](), list[Boot]()
    for line in lines[:-1]:
        word, *rest = line.split(" ")
        if word == "d" and len(rest) == 3 and rest[0].isdecimal():
            days.append(Day(_time(rest[1], line), _time(rest[2], line), int(rest[0])))
        elif word == "h" and len(rest) == 1 and re.fullmatch(r"\d{9,11}", rest[0]):
            step = datetime.fromtimestamp(int(rest[0]), UTC)
            days.append(Day(step, step, 1))
        elif word == "b" and len(rest) == 4:
            before = None if rest[0] == "-" else _time(rest[0], line)
            boots.append(Boot(before, _time(rest[1], line), rest[2] == "1", rest[3] == "1"))
        else:
            raise NotUnderstood(_READ, msg("not_line_read", line=line))
    cut = days[-1].last if lines[-1] == "cut" and days else None
    return JournalDays(lines[-1] != "none", tuple(days), tuple(boots), lines[-1] == "all", cut)


def _time(text: str, line: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NotUnderstood(_READ, msg("no_time", line=line)) from None
    if found.tzinfo is None:
        raise NotUnderstood(_READ, msg("a_time_without_zone", line=line))
    return found.astimezone(UTC)
