"""With which settings FTP servers run: the file each was given, and whether it has read it since.

vsftpd(8) and proftpd(8) read their files when they start, and again at a SIGHUP, of which nothing
is left to see but what systemd sent; pure-ftpd's are made into arguments before it starts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.system.taken_up import LOOK, NOT_ASKED, Answer, Taken, taken_up
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "legacy.ftp_running"

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + r"""
c=0
IFS=$hp_nl
for p in $(hp_started 'vsftpd|proftpd|pure-ftpd[a-z-]*'); do
  IFS=$hp_nl
  # one of a container is not this host's, and a session has what its server had
  [ "/proc/$p/root/etc" -ef /etc ] || continue
  u=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$p/status" 2>/dev/null)
  [ ! "/proc/$p/exe" -ef "/proc/${u:-0}/exe" ] || continue
  c=$((c + 1)); [ "$c" -le 16 ] || { echo '== more'; break; }
  n=; { read -r n <"/proc/$p/comm"; } 2>/dev/null
  a=
  case $n in
    vsftpd)
      l='/etc/vsftpd.conf /etc/vsftpd/*.conf'
      a=$({ tr '\000' '\n' <"/proc/$p/cmdline"; } 2>/dev/null | sed -e 1d \
        -e '/^\/[A-Za-z0-9_.@\/-]*$/!s/.*/?/');;
    proftpd) l='/etc/proftpd/proftpd.conf /etc/proftpd.conf /etc/proftpd/tls.conf';;
    *) n=pure-ftpd l=/etc/pure-ftpd/conf/TLS;;
  esac
  printf '== process %s\n' "$p"
  [ -z "$a" ] || printf '%s\n' "$a" | sed 's/^/named /'
  t_p=$p t_d= t_f= t_u=$n.service
  unset IFS
  for f in $l; do
    case "$hp_nl$a$hp_nl" in (*"$hp_nl$f$hp_nl"*|"$hp_nl$hp_nl") ;; (*) continue;; esac
    if [ -f "$f" ] && hp_plain "$f"; then t_f=$t_f$f$hp_nl; fi
  done
  """
        + LOOK.strip()
        + r""" | sed 's/^/|/'
done
echo '== end'
""",
        limit=1 << 16,
        privileged=True,
        why=Text(
            "FTP 服务以何配置文件启动，启动后是否已读取现有配置",
            "with which file FTP servers run, and whether they have read it as it is now",
        ),
    ),
)


def ftp_running(capture: Capture) -> Mapping[int, Taken]:
    """Has each of them, by its pid, what its files hold? Its sessions are left out.

    Raises FactError where one runs with another file than those that were read.
    """
    if _READ not in capture.reads:
        raise CouldNotLook(_READ, msg("not_collected_run", program="FTP"))
    lines = capture.read(_READ).text().splitlines()
    if not lines or lines[-1] != "== end":
        raise NotUnderstood(_READ, msg("ends_before_end"))
    known = [file.path for file in capture.read("legacy.ftp").present()]
    found: dict[int, list[str]] = {}
    for line in lines[:-1]:
        if match := re.fullmatch(r"== process ([0-9]{1,9})", line):
            pid = int(match[1])
            found[pid] = []
        elif line == "== more":
            raise CouldNotLook(_READ, msg("more_than_is_read"))
        elif found and line.startswith("|"):
            found[pid].append(line[1:])
        elif found and line.startswith("named "):
            if line[6:] not in known:
                said = msg("uses_not_read", name=f"vsftpd {pid}", named=line[6:])
                raise NotUnderstood(_READ, said)
        else:
            raise NotUnderstood(_READ, msg("not_understood", line=line[:120]))
    return {pid: _taken(pid, told) for pid, told in found.items()}


def _taken(pid: int, lines: Sequence[str]) -> Taken:
    taken = taken_up(lines, pid) if lines else NOT_ASKED
    if taken.answer is Answer.NO:
        # whether a hand sent it SIGHUP since is not seen
        return replace(taken, answer=Answer.UNTOLD, how="signal")
    return taken
