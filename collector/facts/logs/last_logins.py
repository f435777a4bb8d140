"""When each account last logged in: lastlog, lastlog2, and what sshd wrote of logins.

What the journal tells of logins is counted too: accepted, with the address they came from, sessions
opened and closed.

A message that anyone could have written in sshd's name tells nothing: in the journal those count
that came from a process of root's by that name, and files of syslog do not say from whom they are.

sshd enters a login into lastlog only where it has a terminal: an account that is used by programs
alone is seen in sshd's own messages only (so on Debian 12 and 13).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from collector.errors import NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.timestamps import record_time, zone_of
from collector.facts.logs.model.shapes import LoginLines
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

# struct lastlog has a time of 32 bits on x86, of 64 elsewhere
_LAST = (
    OPENED
    + r"""
printf '%s\n' "zone=$(date +%z)"
if [ -f /var/log/lastlog ]; then
  if command -v lastlog >/dev/null 2>&1; then
    echo '== lastlog'; hp_reach /var/log/lastlog; hp_do "$R" lastlog | grep -v 'Never logged in'
  else
    echo '== file'
    w=4; r=292
    case "$(uname -m)" in x86_64|i?86) ;; *) w=8; r=296;; esac
    while IFS=: read -r n p u g c h s; do
      case "$s" in */nologin|*/false|*/true|*/sync|'#'*) continue;; esac
      t=$(hp_by /var/log/lastlog od -A n -t "d$w" -j "$((u * r))" -N "$w" 2>/dev/null | tr -d ' ')
      [ "${t:-0}" = 0 ] || printf '%s %s\n' "$n" "$t"
    done </etc/passwd
  fi
fi
if [ -f /var/lib/lastlog/lastlog2.db ]; then
  echo '== lastlog2'
  if command -v lastlog2 >/dev/null 2>&1; then
    lastlog2 | grep -v 'Never logged in'
  else
    echo missing
  fi
fi
echo '== sshd'
f=
for p in /var/log/secure-*[0-9] /var/log/secure.1 /var/log/secure /var/log/auth.log.1 \
  /var/log/auth.log; do [ -s "$p" ] && f="$f $p"; done
# a name that somebody tries to log in by may read like a login: only the head of a message counts
m='[^ ]* sshd[a-z-]*\(\[[0-9]*\]\)\{0,1\}: Accepted [^ ]* for \([^ ]*\) from .*'
for p in $f; do hp_by "$p" grep ' Accepted [a-z-]*.* for '; done 2>/dev/null |
  sed -n -e "s/^\([0-9][^ ]*\) $m/\3 \1/p" \
    -e "s/^\([A-Z][a-z][a-z]  *[0-9]* [0-9:]*\) $m/\3 \1/p" |
  awk '{ l[$1] = $0 } END { for (n in l) print l[n] }'
if command -v journalctl >/dev/null 2>&1; then
  echo '== heard'
  # anyone calls himself sshd to the log: whose process it was only journald tells
  journalctl -q --no-pager -o short-iso -n 20000 --since '-90 days' \
    _UID=0 _COMM=sshd _COMM=sshd-session 2>/dev/null | awk '
      $4 == "Accepted" { print; a++; if (/ from [0-9a-fA-F.:]+ port /) w++ }
      $4 ~ /^pam_[a-z]+\(/ && $5 " " $6 == "session opened" { o++ }
      $4 ~ /^pam_[a-z]+\(/ && $5 " " $6 == "session closed" { c++ }
      END { print "=j", a + 0, w + 0, o + 0, c + 0 }' |
    sed -n -e "s/^\([0-9][^ ]*\) $m/\3 \1/p" -e 's/^=j \([0-9 ]*\)$/=j \1/p' |
    awk '$1 == "=j" { j = $0; next } { l[$1] = $0 }
      END { for (n in l) print l[n]; if (j != "") print "== counted\n" substr(j, 4) }'
fi
echo '== end'
"""
)

READS: tuple[Read, ...] = (
    shell(
        "logins.last",
        _LAST,
        seconds=20,
        limit=1 << 18,
        privileged=True,
        why=Text("各账户最近一次登录的时间", "when each account last logged in"),
    ),
)

_LASTLOG = re.compile(
    r"^(\S+)\s.*\s(\w{3} (\w{3})\s+(\d+) (\d\d:\d\d:\d\d) ([+-]\d{4}) (\d{4}))\s*$"
)


@dataclass(frozen=True, slots=True)
class Logins:
    """The last login of each account that has one. `kept`: a database of last logins is there.

    `journal` is what the journal holds of the last 90 days, None where it was not asked. `told` is
    what files of syslog say besides, to which any user writes in sshd's name: it proves nothing.
    `sure`: the journal was asked whose process it was, and not what it calls itself. `heard` is
    when sshd itself last told the journal of a login.
    """

    last: dict[str, datetime]
    lines: dict[str, str]
    kept: bool
    journal: LoginLines | None = None
    told: dict[str, datetime] = field(default_factory=dict)
    sure: bool = True
    heard: datetime | None = None


def logins(capture: Capture) -> Logins:
    """Raises FactError when the records could not be seen or read."""
    text = capture.read("logins.last").text()
    if not text.rstrip().endswith("== end"):
        raise NotUnderstood("logins.last", msg("ends_before_end"))
    head, *parts = re.split(r"^== ", text, flags=re.MULTILINE)
    zone = zone_of(head.strip().removeprefix("zone="))
    at = capture.collected_at
    if at is None:
        raise NotUnderstood("logins.last", msg("capture_not_say_when"))
    found, kept, journal = Logins({}, {}, kept=False), False, None
    sure = not any(part.startswith("journal\n") for part in parts)
    heard: datetime | None = None
    for part in parts:
        kind, _, body = part.partition("\n")
        kept = kept or kind in ("lastlog", "file", "lastlog2")
        if kind in ("counted", "journal"):
            journal = _counts(body)
            continue
        for line in body.splitlines():
            seen = _seen(kind, line, at, zone)
            if seen is None:
                continue
            name, when = seen
            if kind == "heard":
                heard = max(when, heard or when)
            if kind == "sshd":
                found.told[name] = max(when, found.told.get(name, when))
            elif name not in found.last or when > found.last[name]:
                found.last[name] = when
                found.lines[name] = line.strip()
    return Logins(found.last, found.lines, kept, journal, found.told, sure, heard)


def _counts(body: str) -> LoginLines:
    words = body.split()
    if len(words) != 4 or not all(re.fullmatch(r"\d{1,9}", word) for word in words):
        raise NotUnderstood("logins.last", msg("no_four_counts", body=body))
    accepted, addressed, opened, closed = (int(word) for word in words)
    return LoginLines("/var/log/journal", accepted, addressed, opened, closed)


def _seen(kind: str, line: str, at: datetime, zone: tzinfo) -> tuple[str, datetime] | None:
    if not line.strip() or line.startswith("Username"):
        return None
    name, _, rest = line.partition(" ")
    if kind == "file":
        if not re.fullmatch(r"\d{1,11}", rest):
            raise NotUnderstood("logins.last", msg("not_a_time", text=line))
        return name, datetime.fromtimestamp(int(rest), UTC)
    if kind in ("sshd", "heard"):
        when = record_time(rest, at, zone)
        if when is None:
            raise NotUnderstood("logins.last", msg("not_a_time", text=line))
        return name, when
    match = _LASTLOG.match(line)
    if match is None:
        raise NotUnderstood("logins.last", msg("not_a_line_of", kind=kind, line=line))
    stamp = f"{match[4]} {match[3]} {match[7]} {match[5]} {match[6]}"
    try:
        return match[1], datetime.strptime(stamp, "%d %b %Y %H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotUnderstood("logins.last", msg("not_a_time", text=line)) from None
