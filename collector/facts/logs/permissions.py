"""Who may change logs: owner and mode of everything below the log folders, attributes, seals."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

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
IFS=$hp_nl; l="$*"; unset IFS
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
for f in /var/log/journal/*/fss; do
  [ -f "$f" ] && hp_plain "$f" || continue
  # a key alone seals nothing: it is a flag of the file that is written now
  j=${{f%fss}}system.journal; w=untold
  if hp_plain "$j"; then
    case $(od -An -N1 -j8 -tu1 "$j" 2>/dev/null) in
      *[13579]) w=sealed;;
      *[02468]) w=plain;;
    esac
  fi
  printf '%s %s\n' "$w" "$f"
done
echo '== named'
# where syslog daemons write besides: the file, and each folder down to it
n=$(sed -n -e '/^[[:space:]]*#/d' \
  -e 's/^[[:space:]]*$outchannel[^,]*,[[:space:]]*\(\/[A-Za-z0-9._\/-]*\).*/\1/p' \
  -e 's/^[[:space:]]*[^/$[:space:]][^/]*[[:space:]]-\{{0,1\}}\(\/[A-Za-z0-9._\/-]*\).*/\1/p' \
  -e 's/.*[Ff][Ii][Ll][Ee][[:space:]]*[=(][[:space:]]*"\(\/[A-Za-z0-9._\/-]*\)".*/\1/p' \
  /etc/rsyslog.conf /etc/rsyslog.d/*.conf /etc/syslog.conf /etc/syslog-ng/syslog-ng.conf \
  /etc/syslog-ng/conf.d/*.conf 2>/dev/null |
  grep -v -e '^/var/log/' -e '^/dev/' -e '^/proc/' -e '^/run/' -e '^/etc/' -e '^/usr/' | sort -u |
  hp_most 64)
case $hp_nl$n$hp_nl in (*"${{hp_nl}}more$hp_nl"*) echo more; n=${{n%more}};; esac
for f in $n; do
  p=$f
  while [ -n "$p" ]; do printf '%s\n' "$p"; p=${{p%/*}}; done
done | sort -u | while IFS= read -r p; do
  hp_plain "$p" && stat -c '%A %a %u %g %n' "$p" 2>/dev/null
done
echo '== acl'
IFS=$hp_nl; set -f
if command -v getfacl >/dev/null 2>&1; then
  [ -z "$l" ] || getfacl -R -P -s -p -n $l 2>/dev/null
  [ -z "$n" ] || getfacl -s -p -n $n 2>/dev/null
elif command -v setfacl >/dev/null 2>&1 || ls --version >/dev/null 2>&1; then
  # no access list can be made where there is neither program; busybox shows none. The group's
  # bits are the mask of all who are named (acl(5)): without w among them, none of them writes
  find $l {ODD} -exec ls -ldn {{}} + 2>/dev/null |
    sed -n 's/^[^ ]\{{5\}}w[^ ]\{{4\}}+[^/]*\(\/.*\)/plus \1/p'
fi | sed -n -e 's/^# file: \//file \//p' -e '/^plus \//p' -e '/^user:[0-9]/p' -e '/^group:/p'
unset IFS; set +f
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
    """One file or folder; `family` as `log_families` has it, `folder` for folders.

    `users` and `groups` are whom an access list (acl(5)) lets write besides, by their numbers; with
    one, `mode` holds its mask in the place of the group's rights, and `group_writes` tells these.
    """

    path: str
    folder: bool
    mode: int
    uid: int
    gid: int
    family: str
    users: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    group_writes: bool | None = None

    @property
    def writing_groups(self) -> tuple[int, ...]:
        """The groups that may write to it."""
        own = self.mode & 0o020 if self.group_writes is None else self.group_writes
        return (*self.groups, *((self.gid,) if own else ()))

    @property
    def line(self) -> str:
        """As one line of evidence."""
        return " ".join((f"{self.mode:04o} {self.uid}:{self.gid}", *self.listed, self.path))

    @property
    def listed(self) -> tuple[str, ...]:
        """Whom the access list lets write, in words of getfacl(1)."""
        users = [f"user:{uid}:w" for uid in self.users]
        return (*users, *(f"group:{gid}:w" for gid in self.groups))

    @property
    def accounting(self) -> bool:
        """wtmp, btmp, lastlog: login programs write them through group utmp (utmp(5))."""
        name = self.path.rsplit("/", 1)[-1]
        return re.match(r"(wtmp|btmp|lastlog|faillog|tallylog)", name) is not None


@dataclass(frozen=True, slots=True)
class Guard:
    """All that was found; `appending` and `immutable` bear chattr +a or +i.

    `seals` are keys of journald's forward secure sealing by which the journal's file in use is
    sealed, `unknown_seals` those of which that is not told. `asked`: was it looked at access
    lists, and at logs that syslog daemons write elsewhere?
    """

    entries: tuple[Guarded, ...]
    appending: tuple[str, ...]
    seals: tuple[str, ...]
    asked: bool = False
    unknown_seals: tuple[str, ...] = ()

    def has(self, path: str) -> bool:
        """Was the file looked at, or, where it is not there yet, the folder that it will be in?"""
        seen = {entry.path for entry in self.entries}
        return path in seen or path.rpartition("/")[0] in seen


def log_guard(capture: Capture) -> Guard:
    """Raises FactError: also when there is more than was looked at."""
    text = capture.read(_READ).text()
    head, _, rest = text.partition("== attributes\n")
    attributes, mark, rest = rest.partition("== seals\n")
    seals, end, _ = rest.partition("== end")
    seals, asked, rest = seals.partition("== named\n")
    named, _, lists = rest.partition("== acl\n")
    if not mark or not end:
        raise NotUnderstood(_READ, msg("ends_before_end"))
    rows = [_row(line) for line in head.splitlines()]
    if not rows:
        raise CouldNotLook(_READ, msg("not_even_var_log"))
    if len(rows) > MOST:
        raise CouldNotLook(_READ, msg("more_files_folders", most=MOST))
    files = {m[5] for m in rows if m[1] == "-"}
    audit = audit_log(capture)
    entries = [_guarded(m, _family(m[5], files, audit)) for m in rows]
    known = {entry.path for entry in entries}
    if named.startswith("more\n"):
        raise CouldNotLook(_READ, msg("more_than_is_read"))
    elsewhere = [_row(line) for line in named.splitlines()]
    entries += [
        _guarded(m, "syslog" if m[1] == "-" else "other") for m in elsewhere if m[5] not in known
    ]
    rights = _rights(lists)
    # systemd, journal-def.h: HEADER_COMPATIBLE_SEALED; captures from before hold the path alone
    keys = {path: word for word, _, path in (x.rpartition(" ") for x in seals.splitlines())}
    return Guard(
        tuple(_with(entry, rights.get(entry.path, ())) for entry in entries),
        tuple(line for line in attributes.splitlines() if line.strip()),
        tuple(path for path, word in keys.items() if word == "sealed"),
        bool(asked),
        tuple(path for path, word in keys.items() if word not in ("sealed", "plain")),
    )


def _row(line: str) -> re.Match[str]:
    match = _ENTRY.fullmatch(line)
    if match is None:
        raise NotUnderstood(_READ, msg("not_line_stat", line=line[:200]))
    return match


def _guarded(m: re.Match[str], family: str) -> Guarded:
    path = m[5].rstrip("/") if len(m[5]) > 1 else m[5]
    return Guarded(path, m[1] == "d", int(m[2], 8), int(m[3]), int(m[4]), family)


_RIGHT = re.compile(
    r"(?P<kind>user|group):(?P<id>[0-9]{0,10}):(?P<told>[rwx-]{3})"
    r"(?:\s+#effective:(?P<effective>[rwx-]{3}))?"
)


def _rights(text: str) -> dict[str, tuple[re.Match[str], ...]]:
    """The lines of each access list, as `getfacl -n` prints them. Raises NotUnderstood."""
    found: dict[str, tuple[re.Match[str], ...]] = {}
    path = ""
    for line in text.splitlines():
        word, _, value = line.partition(" ")
        if word == "plus":
            raise NotUnderstood(_READ, msg("access_list_not_read", path=value))
        if word == "file":
            path = re.sub("//+", "/", value).rstrip("/") or "/"
            found[path] = ()
        elif (match := _RIGHT.fullmatch(line)) and path:
            found[path] = (*found[path], match)
        elif line.strip():
            raise NotUnderstood(_READ, msg("not_understood", line=line[:200]))
    return found


def _with(entry: Guarded, rights: tuple[re.Match[str], ...]) -> Guarded:
    if not rights:
        return entry
    writing = [m for m in rights if "w" in (m["effective"] or m["told"])]
    return replace(
        entry,
        users=tuple(int(m["id"]) for m in writing if m["kind"] == "user" and m["id"]),
        groups=tuple(int(m["id"]) for m in writing if m["kind"] == "group" and m["id"]),
        group_writes=any(m["kind"] == "group" and not m["id"] for m in writing),
    )


def _family(path: str, files: set[str], audit: str) -> str:
    if path.startswith(audit) and log_of(path, files) == audit:
        return "audit"
    if path.startswith("/var/log/journal/"):
        return "journal"
    return family_of(log_of(path, files)) if is_log(path) else "other"
