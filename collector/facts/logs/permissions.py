"""Who may change logs: owner and mode of everything below the log folders, attributes, seals."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import ODD, OPENED
from collector.facts.logs.audit.status import CONFIG, WHERE, audit_log
from collector.facts.logs.model.families import family_of, is_log, log_of
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

MOST = 6000
_READ = "log_guard.modes"

READS: tuple[Read, ...] = (
    CONFIG,
    shell(
        _READ,
        OPENED
        + WHERE
        + rf"""
set --
for d in /var/log/ /www/wwwlogs/ /usr/local/nginx/logs/ /usr/local/apache2/logs/; do
  [ -d "$d" ] && set -- "$@" "$d"
done
# old files that logrotate puts elsewhere
for d in $(sed -n 's/^[[:space:]]*olddir[[:space:]]\{{1,\}}\(\/[^[:space:]]*\).*/\1\//p' \
  /etc/logrotate.conf /etc/logrotate.d/* 2>/dev/null); do
  case $d in
    /var/log/*|//|/etc/*|/root/|/usr/) ;;
    *) [ -d "$d" ] && hp_plain "$d" && set -- "$@" "$d";;
  esac
done
{{ case $a in
  /var/log/*) ;;
  /*/*) for f in "${{a%/*}}/" "$a"*; do
    hp_plain "$f" && stat -c '%A %a %u %g %n' "$f"
  done;;
esac
find "$@" {ODD} ! -path '*/pods/*' ! -path '*/containers/*' \
  ! -path '*/sudo-io/*/*/*/*' \( -type d -o -type f \) \
  -exec stat -c '%A %a %u %g %n' {{}} +; }} 2>/dev/null | head -n {MOST + 1}
echo '== attributes'
if command -v lsattr >/dev/null 2>&1; then
  set --; for f in /var/log/*.log; do hp_plain "$f" && set -- "$@" "$f"; done
  lsattr -d /var/log "$@" /var/log/messages /var/log/secure /var/log/syslog \
    /var/log/wtmp /var/log/btmp /var/log/audit "$a" 2>/dev/null |
    grep -E '^[^ ]*[ai][^ ]* '
fi
echo '== seals'
for f in /var/log/journal/*/fss; do [ -f "$f" ] && hp_plain "$f" && printf '%s\n' "$f"; done
echo '== end'
exit 0
""",
        seconds=20,
        limit=1 << 20,
        privileged=True,
        why=Text(
            "日志文件与目录的属主、权限、追加属性，journald 是否启用密封",
            "owner, mode and attributes of logs and their folders; whether journald seals",
        ),
    ),
)

_ENTRY = re.compile(r"([d-])[-rwxsStT]{9}[.+@]? ([0-7]{1,4}) ([0-9]{1,10}) ([0-9]{1,10}) (/.*)")


@dataclass(frozen=True, slots=True)
class Guarded:
    """One file or folder; `family` as `log_families` has it, `folder` for folders."""

    path: str
    folder: bool
    mode: int
    uid: int
    gid: int
    family: str

    @property
    def line(self) -> str:
        """As one line of evidence."""
        return f"{self.mode:04o} {self.uid}:{self.gid} {self.path}"

    @property
    def accounting(self) -> bool:
        """wtmp, btmp, lastlog: login programs write them through group utmp (utmp(5))."""
        name = self.path.rsplit("/", 1)[-1]
        return re.match(r"(wtmp|btmp|lastlog|faillog|tallylog)", name) is not None


@dataclass(frozen=True, slots=True)
class Guard:
    """All that was found; `appending` and `immutable` bear chattr +a or +i; `seals` are keys of

    journald's forward secure sealing.
    """

    entries: tuple[Guarded, ...]
    appending: tuple[str, ...]
    seals: tuple[str, ...]


def log_guard(capture: Capture) -> Guard:
    """Raises FactError: also when there is more than was looked at."""
    text = capture.read(_READ).text()
    head, _, rest = text.partition("== attributes\n")
    attributes, mark, rest = rest.partition("== seals\n")
    seals, end, _ = rest.partition("== end")
    if not mark or not end:
        raise NotUnderstood(_READ, msg("ends_before_end"))
    rows = []
    for line in head.splitlines():
        match = _ENTRY.fullmatch(line)
        if match is None:
            raise NotUnderstood(_READ, msg("not_line_stat", line=line[:200]))
        rows.append(match)
    if not rows:
        raise CouldNotLook(_READ, msg("not_even_var_log"))
    if len(rows) > MOST:
        raise CouldNotLook(_READ, msg("more_files_folders", most=MOST))
    files = {m[5] for m in rows if m[1] == "-"}
    audit = audit_log(capture)
    return Guard(
        tuple(
            Guarded(
                m[5].rstrip("/") if len(m[5]) > 1 else m[5],
                m[1] == "d",
                int(m[2], 8),
                int(m[3]),
                int(m[4]),
                _family(m[5], files, audit),
            )
            for m in rows
        ),
        tuple(line for line in attributes.splitlines() if line.strip()),
        tuple(seals.split()),
    )


def _family(path: str, files: set[str], audit: str) -> str:
    if path.startswith(audit) and log_of(path, files) == audit:
        return "audit"
    if path.startswith("/var/log/journal/"):
        return "journal"
    return family_of(log_of(path, files)) if is_log(path) else "other"
