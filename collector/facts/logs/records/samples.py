"""The last records of each log, masked on the host itself (see `record_masking`).

They show the form of what is logged: `samples` gives three lines a log for tables, `records` all
that were taken. Of an address half stays, of a name its first letter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction_of_places import no_sessions
from collector.facts.logs.audit.status import WHERE
from collector.facts.logs.records.masking import MASKING
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "record_samples.lines"
SHOWN = 3
MOST = 120

# What is chosen of a log of logins (by the program that wrote it) and of audit (by its type).
_LOGINS = (
    r"[ /(](sshd|sshd-session|sudo|su|su-l|login|systemd-logind|passwd|chpasswd|useradd|userdel"
    r"|usermod|groupadd|vsftpd|xrdp-sesman|gdm-password|lightdm|dropbear|polkitd)([[][0-9]+[]])?: "
)
_AUDIT = r"type=(USER_|CRED_|ADD_|DEL_|GRP_|SYSCALL|CONFIG_CHANGE|LOGIN)"

_CHOOSE = (
    MASKING
    + rf"""
function flush(  i, first, n, kept) {{
  if (cur in F && M) {{
    kind = KIND[cur]; print "@L " kind " " F[cur]
    first = B >= BYTES[cur] && M > 1 ? 2 : 1
    n = kind == "web" ? 30 : kind == "other" ? {SHOWN} : kind == "syslog" ? 50 : 100
    form = kind == "auth" ? "{_LOGINS}" : kind == "audit" ? "{_AUDIT}" : "."
    kept = 0
    for (i = M; i >= first && kept < n; i--) if (L[i] ~ form) Q[++kept] = L[i]
    if (kept < {SHOWN}) {{
      kept = 0
      for (i = M; i >= first && kept < {SHOWN}; i--) Q[++kept] = L[i]
    }}
    for (i = kept; i > 0; i--) print "| " mask(substr(Q[i], 1, 1200), kind == "web")
  }}
  M = 0; B = 0
}}
!ready {{
  if ($0 == "@@") {{ ready = 1; next }}
  c++; KIND[c] = $2; BYTES[c] = $3 + 0; F[c] = substr($0, length($1 $2 $3) + 4); next
}}
/^==> \/.* <==$/ {{
  p = substr($0, 5, length($0) - 8)
  for (j = cur + 1; j <= c; j++) if (F[j] == p) {{ flush(); cur = j; next }}
  for (j = 1; j <= cur; j++) if (F[j] == p) {{ print "@X " p; next }}
}}
$0 != "" {{ L[++M] = $0; B += length($0) + 1 }}
END {{ flush() }}
"""
)

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + WHERE
        + r"""
nl='
'
IFS=$nl
# written PROCESS...: what it writes to; what is named by the key to a session is no log
written() {
  hp_ls -l "$@" 2>/dev/null | sed -n 's/^l-wx.* -> \(\/.*\)$/\1/p' |
    grep -v -e '^/\(dev\|proc\|run\|memfd\)' -e '/[a-z]*sess_[^/]*$' -e '/[A-Za-z0-9]\{20,\}$' |
    sort -u
}
w= his=
for p in $(hp_started 'nginx|openresty|tengine|apache2|httpd|lighttpd|caddy|haproxy'); do
  p=/proc/$p; { read -r n <"$p/comm"; } 2>/dev/null || continue
  hp_owner "${p#/proc/}"
  [ -n "$W" ] || { w="$w$p/fd$nl"; continue; }
  # its processes that serve run as somebody else
  x=; { read -r x <"/proc/$h_from/comm"; } 2>/dev/null
  [ "$x" = "$n" ] || his="$his$(written "$p/fd" | sed "s/^/$W$hp_tab/")$nl"
done
web=
[ -n "$w" ] && web=$(written $w)
auth='' audit='' web2='' sys='' rest='' q=0
set -- /var/log/*
for f in "$@" "$a" /var/log/*/* $web /www/wwwlogs/*.log /usr/local/*/logs/*access* $his; do
  # what a server of his own writes to is opened as him
  k=
  case "$f" in
    *"$hp_tab"/*) k=${f%%"$hp_tab"*}$hp_tab; f=${f#*"$hp_tab"}; web="$web$nl$f";;
  esac
  [ -f "$f" ] && [ -s "$f" ] && hp_plain "$f" || continue
  case "$nl$auth$audit$web2$sys$rest" in *"$nl$f$nl"*|*"$hp_tab$f$nl"*) continue;; esac
  case "$f" in
    */auth.log|*/auth.log.1|*/secure) auth="$auth$f$nl";;
    "$a"|*/audit/audit.log|*/audit/audit.log.1) audit="$audit$f$nl";;
    */log/syslog|*/log/messages) sys="$sys$f$nl";;
    */sysstat/*|*/sa/*|*/journal/*|*.journal*|*.gz|*.xz|*.bz2|*.zst|*.[0-9]|*.[0-9][0-9]|*.old) ;;
    *-20[0-9][0-9][0-9][0-9][0-9][0-9]|*/lastlog|*/faillog|*/tallylog|*/wtmp|*/btmp|*.db|*.xz) ;;
    # no server's: an on-access scanner's is called so
    */clamav/*) q=$((q + 1)); [ "$q" -gt @MOST@ ] || rest="$rest$f$nl";;
    *access*log*|*other_vhosts_access*) web2="$web2$k$f$nl";;
    *) case "$nl$web$nl" in
        *"$nl$f$nl"*) case "$f" in *[Ee]rror*) rest="$rest$k$f$nl";; *) web2="$web2$k$f$nl";; esac;;
        *) q=$((q + 1)); [ "$q" -gt @MOST@ ] || rest="$rest$f$nl";;
      esac;;
  esac
done
""".replace("@MOST@", str(MOST - 60))
        + rf"""
j=
for d in /var/log/journal /run/log/journal; do
  [ -z "$j" ] && for f in "$d"/*/*.journal; do [ -f "$f" ] && j=$d; done
done
command -v journalctl >/dev/null 2>&1 || j=
command -v last >/dev/null 2>&1 || last=no
l=$a
a=$(printf '%s' "$auth$audit" | head -n 8)
v=$(printf '%s' "$web2" | head -n 40)
r=$(printf '%s' "$rest" | head -n {MOST - 60})
set -f
# tails BYTES FILE...: as tail shows several, each opened by whom it has to be
tails() {{
  n=$1; shift
  hp_split "$@"
  if [ -z "$h_others" ]; then tail -c "$n" /dev/null "$@"
  else
    for f do
      NAMER=; case "$f" in *"$hp_tab"*) hp_line "$f"; f=$h_f;; esac
      printf '\n==> %s <==\n' "$f"; hp_by "$f" tail -c "$n"
    done
  fi 2>/dev/null
  NAMER=
}}
{{
  printf 'f skip 0 %s\n' /dev/null
  for f in $a; do
    case "$f" in "$l"|*/audit/*) k=audit;; *) k=auth;; esac; printf 'f %s 65536 %s\n' "$k" "$f"
  done
  printf 'f skip 0 %s\n' /dev/null
  for f in $v; do printf 'f web 12288 %s\n' "${{f#*"$hp_tab"}}"; done
  printf 'f skip 0 %s\n' /dev/null; for f in $sys; do printf 'f syslog 16384 %s\n' "$f"; done
  printf 'f skip 0 %s\n' /dev/null
  for f in $r; do printf 'f other 3072 %s\n' "${{f#*"$hp_tab"}}"; done
  [ -n "$j" ] && {{ printf '%s\n' "f other 999999 $j"
    [ -n "$auth" ] || printf '%s\n' "f auth 999999 $j/auth"; }}
  for f in /var/log/wtmp /var/log/btmp; do
    [ -z "${{last-}}" ] && [ -s "$f" ] && printf '%s\n' "f other 999999 $f"
  done
  echo '@@'
  tails 65536 $a
  echo; tails 12288 $v
  echo; tails 16384 $sys
  echo; tails 3072 $r
  [ -n "$j" ] && {{
    printf '\n%s\n' "==> $j <=="
    journalctl -q --no-pager -o short-iso -n {SHOWN} 2>/dev/null
    [ -n "$auth" ] || {{
      printf '\n%s\n' "==> $j/auth <=="
      journalctl -q --no-pager -o short-iso -n 300 SYSLOG_FACILITY=10 + SYSLOG_FACILITY=4 \
        2>/dev/null
    }}
  }}
  for f in /var/log/wtmp /var/log/btmp; do
    [ -z "${{last-}}" ] && [ -s "$f" ] && {{
      hp_reach "$f"; printf '\n%s\n' "==> $f <=="
      hp_do "$R" last -w -F -n {SHOWN} -f "$f" 2>/dev/null | grep -v 'begins'
    }}
  done
}} | tr -d '\000' | awk '{_CHOOSE.replace("'", "'" + chr(92) + "''")}' || echo '@broken'
[ "$q" -gt {MOST - 60} ] && printf '%s\n' "@N $q"
for f in $web; do printf '%s\n' "@W $f"; done
echo '== end'
""",
        seconds=20,
        limit=1 << 19,
        redact=no_sessions(r"@[LWX] [a-z ]*"),
        privileged=True,
        why=Text(
            "各日志最近的记录：在主机上遮蔽后取其形式（地址留一半，名称留首字母，内容不取）",
            "the last records of each log, masked on the host: form only (half an address, the"
            " first letter of a name)",
        ),
    ),
)

_HEAD = re.compile(r"@L (auth|audit|web|syslog|other) (/.*)")


@dataclass(frozen=True, slots=True)
class Sampled:
    """The last records of one log, oldest first.

    `kind` is one of `auth`, `audit`, `web`, `syslog`, `other`.
    """

    path: str
    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Samples:
    """All logs that were sampled, by path, and the logs that web servers hold open now."""

    logs: Mapping[str, Sampled]
    web_open: tuple[str, ...]
    more: bool


def records(capture: Capture) -> Samples:
    """Raises FactError when the logs could not be looked at, or the read is not whole."""
    text = capture.read(_READ).text()
    if not text.endswith("== end\n"):
        raise NotUnderstood(_READ, msg("ends_before_end"))
    found: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    lines: list[str] | None = None
    opened, more = [], False
    for line in text.splitlines()[:-1]:
        if line.startswith("| ") and lines is not None:
            lines.append(line[2:])
        elif match := _HEAD.fullmatch(line):
            if match[2] in found:
                raise NotUnderstood(_READ, msg("stands_twice", match=match[2]))
            lines = found.setdefault(match[2], [])
            kinds[match[2]] = match[1]
        elif line.startswith("@W /"):
            opened.append(line[3:])
        elif re.fullmatch(r"@N \d+", line):
            more = True
        elif line.startswith("@X "):
            raise NotUnderstood(_READ, msg("record_looks_like_heading", line=line[3:]))
        else:
            raise NotUnderstood(_READ, msg("not_understood", line=line[:80]))
    logs = {path: Sampled(path, kinds[path], tuple(held)) for path, held in found.items()}
    return Samples(logs, tuple(opened), more)


def samples(capture: Capture) -> Mapping[str, tuple[str, ...]]:
    """The last three masked records of each log, by its path; the journal's by its folder.

    Empty where the capture did not look (another user than root, an older capture): a table
    shows what there is.
    """
    try:
        logs = records(capture).logs
    except (CouldNotLook, NotUnderstood):
        return {}
    return {path: log.lines[-SHOWN:] for path, log in logs.items() if not path.endswith("/auth")}
