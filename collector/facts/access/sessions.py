"""Whom an idle timeout reaches: login shells, who may read the files, what logind keeps.

Printed by the read of startup files, behind them; captures made before it was asked for have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.i18n.message import msg
from collector.model import Capture

# The last part of the body of `startup.shell`: its operands are the files that were shown. Of what
# accounts put into their own startup files only the names of those are told that have an own word
# about TMOUT, or put another program in the place of the shell.
SESSIONS = r"""
echo '== more'
# of the files all lines were shown by which a shell goes one way or another
echo 'flow 1'
for f in /etc/profile.d "$@"; do
  hp_facts "$f" L && printf 'mode %s %s %s %s\n' "$h_mode" "$h_uid" "$h_gid" "$f"
done
for f in "$@"; do
  hp_by "$f" awk '/TMOUT/ { t = 1 } /\r$/ { c = 1 } END { exit !(t && c) }' 2>/dev/null &&
    printf 'crlf %s\n' "$f"
done
own='/^[[:space:]]*#/d
/TMOUT/p
/\(^\|[;&|({]\|then\|else\|do\)[[:space:]]*exec[[:space:]]\{1,\}[^0-9<>&{[:space:]]/p
/\(^\|[^[:alnum:]_]\)env[[:space:]]\{1,\}-/p'
k=:; i=0
while IFS=: read -r n p u g c h s; do
  case $n:$s in ('#'*|+*|-*|*/nologin|*/false|*/true|*/sync|*/halt|*/shutdown) continue;; esac
  s=${s:-/bin/sh}
  case $k in (*":$s:"*) ;; (*)
    k=$k$s:
    c=$(readlink -f "$s" 2>/dev/null); [ -x "$c" ] || c=-
    printf 'shell %s %s\n' "$s" "${c##*/}";;
  esac
  for f in .bash_profile .bash_login .profile .bashrc; do
    case $h in (/*) ;; (*) continue;; esac
    [ -f "$h/$f" ] && hp_plain "$h/$f" || continue
    i=$((i + 1))
    if [ "$i" -gt 320 ] || ! hp_can "$h/$f"; then printf 'unseen %s %s\n' "$u" "$h/$f"
    elif [ -n "$(hp_by "$h/$f" sed -n -e "$own" 2>/dev/null | head -c 1)" ]; then
      printf 'own %s %s\n' "$u" "$h/$f"
    fi
  done
done </etc/passwd
a=-; v=-; i=-
if command -v systemctl >/dev/null 2>&1; then
  a=$(systemctl is-active systemd-logind 2>/dev/null)
  v=$(systemctl --version 2>/dev/null | sed -n '1s/^systemd \([0-9]\{1,\}\).*/\1/p')
  # without the option it would be started
  [ "$a" != active ] || i=$(busctl --auto-start=no get-property org.freedesktop.login1 \
    /org/freedesktop/login1 org.freedesktop.login1.Manager StopIdleSessionUSec 2>/dev/null)
fi
printf 'logind %s %s %s\n' "${a:--}" "${v:--}" "${i#t }"
a=no
for d in /lib/security /lib64/security /usr/lib/security /usr/lib64/security /lib/*/security \
  /usr/lib/*/security; do
  [ -e "$d/pam_systemd.so" ] && a=yes
done
printf 'pam_systemd %s\n' "$a"
"""


@dataclass(frozen=True, slots=True)
class Sessions:
    """`modes` of the files by path (mode, gid), `shells` by what stands in passwd(5), and so on.

    `own` are files of accounts (UID, path) that change what the shell is told, `unseen` those
    nobody could look into. `logind` is the state of its unit, `running` the seconds that it goes by
    (None: it did not say; 0: for ever). `flow`: of the files each line was shown that decides
    what a shell comes to.
    """

    modes: Mapping[str, tuple[str, int]]
    crlf: frozenset[str]
    shells: Mapping[str, str]
    own: tuple[tuple[int, str], ...]
    unseen: tuple[tuple[int, str], ...]
    logind: str
    systemd: int | None
    running: int | None
    pam_systemd: bool
    flow: bool


def sessions(capture: Capture) -> Sessions | None:
    """None where it was not asked for yet. Raises FactError."""
    head, separator, text = capture.read("startup.shell").text().partition("\n== more\n")
    if not separator:
        return None
    del head
    found: dict[str, list[list[str]]] = {}
    for line in text.splitlines():
        word, *rest = line.split(" ")
        if line.strip() in ("", "== end"):
            continue
        found.setdefault(word, []).append(rest)
    try:
        return _sessions(found)
    except (ValueError, IndexError, KeyError):
        raise NotUnderstood("startup.shell", msg("not_output_read")) from None


def _sessions(found: Mapping[str, list[list[str]]]) -> Sessions:
    state, version, running = found["logind"][-1]
    seconds: int | None = None
    if running.isdecimal():
        # what stands for no end is the greatest number of 64 bits
        seconds = 0 if int(running) >= (1 << 64) - 1 else int(running) // 1_000_000
    return Sessions(
        {" ".join(rest): (mode, int(gid)) for mode, _, gid, *rest in found.get("mode", ())},
        frozenset(" ".join(rest) for rest in found.get("crlf", ())),
        {" ".join(rest[:-1]): rest[-1] for rest in found.get("shell", ())},
        tuple((int(uid), " ".join(rest)) for uid, *rest in found.get("own", ())),
        tuple((int(uid), " ".join(rest)) for uid, *rest in found.get("unseen", ())),
        state,
        int(version) if version.isdecimal() else None,
        seconds,
        found["pam_systemd"][-1] == ["yes"],
        "flow" in found,
    )
