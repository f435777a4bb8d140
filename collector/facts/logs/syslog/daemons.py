"""The syslog daemons that run: with which file they were started, what waits in their queues.

Beside that the files which their configuration includes from other places than the usual ones,
and what rsyslogd wrote of its own sending (impstats, actions suspended and resumed).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.logs.syslog.redaction import BOTH
from collector.facts.system.processes import READS as _PROCESS_READS
from collector.facts.system.processes import processes
from collector.facts.system.taken_up import LOOK, NOT_ASKED, Answer, Taken, taken_up
from collector.i18n.message import msg
from collector.model import Capture, CapturedFile, HostStatus, Read, ReadStatus, Text, shell

_READ = "syslog.running"
_NAMES = ("rsyslogd", "syslog-ng")

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + r"""
c=; g=; k=
IFS=$hp_nl
for p in $(hp_started 'rsyslogd|syslog-ng'); do
  p=/proc/$p
  # one of a container is not this host's, nor is one that a user has started
  [ "$p/root/etc" -ef /etc ] && hp_system "${p#/proc/}" || continue
  a=$(tr '\000' '\n' <"$p/cmdline")
  n=; read -r n <"$p/comm"
  printf '== process %s %s\n' "${p#/proc/}" "$n"
  printf '%s\n' "$a" | sed 's/^/|/'
  o=$(printf '%s\n' "$a" | sed -n '/^-f$/{n;p;}
/^--cfgfile$/{n;p;}
s/^-f\(..*\)/\1/p
s/^--cfgfile=//p')
  k="$k${p#/proc/} $n $o$hp_nl"
  [ -n "$o" ] || continue
  hp_owner "${p#/proc/}"
  o=$(printf '%s\n' "$o" | sed "s/^/$W$hp_tab/")
  [ "$n" = rsyslogd ] && c="$c$o$hp_nl"
  [ "$n" = syslog-ng ] && g="$g$o$hp_nl"
done
m='/etc/rsyslog.conf'
n='/etc/syslog-ng/syslog-ng.conf'
if [ -f "$m" ] || [ -n "$c" ]; then
  c=$c$(hp_finds 's/^[[:space:]]*\$[Ii]nclude[Cc]onfig[[:space:]]\{1,\}\([^[:space:]]*\).*/\1/p
s/.*include[[:space:]]*(.*[Ff]ile="\([^"]*\)".*/\1/p' $c $m /etc/rsyslog.d/* 2>/dev/null |
    sed 's,/$,/*,' | grep -v "$hp_tab/etc/rsyslog\.d/[^/]*\$")$hp_nl
fi
if [ -f "$n" ] || [ -n "$g" ]; then
  g=$g$(hp_finds "s/^[[:space:]]*@include[[:space:]]*[\"']\([^\"']*\).*/\1/p" $g $n \
    /etc/syslog-ng/conf.d/*.conf 2>/dev/null |
    grep -v -e "${hp_tab}scl\.conf\$" -e 'conf\.d/\*\.conf$' |
    sed -e 's,/$,/*,' -e "s,$hp_tab\([^/]\),$hp_tab/etc/syslog-ng/\1,")
fi
! hp_cut_off "$c" && ! hp_cut_off "$g" || echo '== more'
set --
set -f
j=
for l in $c == $g; do
  [ "$l" != == ] || { set +f; NAMER=; hp_pour '== file ' '|' "$@"; j=$#; continue; }
  set +f
  for f in ${l#*"$hp_tab"}; do
    NAMER=${l%%"$hp_tab"*}
    hp_can "$f" || continue
    if [ $# -lt 64 ]; then set -- "$@" "$NAMER$hp_tab$f"; else echo '== more'; fi
  done
done
set +f; NAMER=
w=$(hp_finds '/^[^#]*\(@\|omfwd\|omrelp\|[Ww]ork[Dd]irectory\|[Ss]pool[Dd]irectory\|log\.file\)/p' \
  $m /etc/rsyslog.d/* "$@")
! hp_cut_off "$w" || echo '== more'
if [ -n "$w" ]; then
  # only root says where to look further
  w=$(printf '%s\n' "$w" | sed -n "s/^$hp_tab//p")
  for d in /var/spool/rsyslog /var/lib/rsyslog /var/lib/syslog-ng $(printf '%s\n' "$w" |
    sed -n 's/^[[:space:]]*\$[Ww]ork[Dd]irectory[[:space:]]*\([^[:space:]]*\).*/\1/p
s/.*\([Ww]ork\|[Ss]pool\)[Dd]irectory[[:space:]]*=[[:space:]]*"\([^"]*\)".*/\2/p'); do
    for f in "$d"/*; do [ -f "$f" ] && hp_plain "$f" && printf '%s\n' "$f"; done
  done | sort -u | head -n 200 | {
    set --; while read -r f; do set -- "$@" "$f"; done
    [ $# -gt 0 ] && { echo '== queue'; stat -c '%Y %s %n' "$@"; }
  }
  l=$(printf '%s\n' "$w" | sed -n 's/.*log\.file[[:space:]]*=[[:space:]]*"\([^"]*\)".*/\1/p')
  for f in /var/log/syslog /var/log/messages $l; do
    hp_can "$f" || continue
    printf '== notes %s\n' "$f"
    hp_by "$f" tail -c 400000 |
      grep -aE "rsyslogd.*(action '|omfwd|omrelp).*(suspend|resum|error|fail)
origin=(omfwd|core\.action)
\"origin\": *\"(omfwd|core\.action)\"" |
      tail -n 40 | cut -c 1-400 | sed 's/^/|/'
  done
fi
IFS=$hp_nl
for l in $k; do
  t_p=${l%% *}; l=${l#* }; o=${l%% *}; l=${l#* }
  case $o in
    rsyslogd) d=/etc/rsyslog.d; l=${l:-$m}; t_u='rsyslog.service syslog.service';;
    syslog-ng) d=/etc/syslog-ng/conf.d; l=${l:-$n}; t_u=syslog-ng.service;;
    (*) continue;;
  esac
  t_f=$l$hp_nl; t_d=
  if hp_can "$l" && hp_by "$l" grep -q "^[^#].*${d##*/}"; then
    [ ! -d "$d" ] || t_d=$d$hp_nl
    for f in "$d"/*.conf; do [ -f "$f" ] && hp_plain "$f" && t_f=$t_f$f$hp_nl; done
  fi
  for f do t_f=$t_f${f#*"$hp_tab"}$hp_nl; done
  printf '== run %s\n' "$t_p"
  """
        + LOOK.strip()
        + r""" | sed 's/^/|/'
done
# where messages end that are written to a link
t=$(find /var/log -maxdepth 2 ! -path "*$hp_nl*" -type l 2>/dev/null | hp_most 400)
case $t in (*"${hp_nl}more") echo '== more';; esac
set -f
echo '== links'
for f in $t; do
  r=$(readlink -f "$f" 2>/dev/null)
  # no daemon writes to a path of two lines
  case $r in *"$hp_nl"*) ;; *) printf '|%s|%s\n' "$r" "$f";; esac
done
set +f
shift "$j"
# by this line it is known what may leave of them
[ $# -eq 0 ] || { echo '== syslog-ng'; hp_pour '== file ' '|' "$@"; }
echo '== end'
exit 0
""",
        limit=1 << 20,
        redact=BOTH,
        privileged=True,
        why=Text(
            "日志服务以何配置启动、另外包含的配置、发送队列与其自述的发送情况",
            "with which file syslog daemons run, files they include from elsewhere, their queues, "
            "and what they say of their sending",
        ),
    ),
    *_PROCESS_READS,
)


@dataclass(frozen=True, slots=True)
class Daemon:
    """A daemon that runs; `config` is the file it was given, empty for its default."""

    pid: int
    name: str
    arguments: tuple[str, ...]
    config: str = ""
    taken: Taken = NOT_ASKED

    @property
    def line(self) -> str:
        return f"{self.pid} {' '.join(self.arguments)}"


@dataclass(frozen=True, slots=True)
class Queued:
    """A file in a folder where daemons keep what they could not send yet."""

    path: str
    size: int
    changed: datetime


@dataclass(frozen=True, slots=True)
class Running:
    """What the read found; `notes` are lines of the logs by the log's path.

    `links` are those below /var/log, with where they end; None where nobody asked for them yet.
    """

    daemons: tuple[Daemon, ...] = ()
    files: Mapping[str, CapturedFile] = field(default_factory=lambda: MappingProxyType({}))
    queue: tuple[Queued, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    links: Mapping[str, str] | None = None

    def place(self, path: str) -> str:
        """Where what is written to `path` ends, by the links below /var/log."""
        for link, target in (self.links or {}).items():
            if path == link or path.startswith(f"{link}/"):
                return target + path[len(link) :]
        return path

    def taken(self, name: str) -> Taken:
        """Has what runs by that name its files: the first that surely, or perhaps, has not?"""
        mine = [d.taken for d in self.daemons if d.name == name]
        return min(
            mine, key=lambda one: (one.answer is not Answer.NO, not one.doubtful), default=NOT_ASKED
        )

    def config(self, name: str, default: str) -> str:
        """The file that the daemon was started with. Raises NotUnderstood when there are two."""
        given = {d.config or default for d in self.daemons if d.name == name} or {default}
        if len(given) > 1:
            raise NotUnderstood(_READ, msg("runs_twice", name=name, names=", ".join(sorted(given))))
        return given.pop()


def syslog_running(capture: Capture) -> Running:
    """Raises FactError. A capture from before this read was made holds nothing of it."""
    if _READ not in capture.reads and capture.status is HostStatus.COMPLETE:
        return Running()
    text = capture.read(_READ).text()
    lines = text.splitlines()
    if not lines or lines[-1] != "== end":
        raise NotUnderstood(_READ, msg("ends_before_end"))
    daemons: list[Daemon] = []
    files: dict[str, CapturedFile] = {}
    queue: list[Queued] = []
    notes: dict[str, tuple[str, ...]] = {}
    runs: dict[int, tuple[str, ...]] = {}
    links: dict[str, str] | None = None
    for words, body in _parts(lines[:-1]):
        if words[0] == "process" and len(words) == 3 and words[1].isdecimal():
            daemons.append(_daemon(int(words[1]), words[2], tuple(line[1:] for line in body)))
        elif words[0] == "run" and len(words) == 2 and words[1].isdecimal():
            runs[int(words[1])] = tuple(line[1:] for line in body)
        elif words[0] == "file" and len(words) > 1:
            path = " ".join(words[1:])
            data = "".join(f"{line[1:]}\n" for line in body).encode()
            files[path] = CapturedFile(path, ReadStatus.OK, data=data)
        elif words[0] == "queue":
            queue += [_queued(line) for line in body]
        elif words == ["more"]:
            raise CouldNotLook(_READ, msg("more_than_is_read"))
        elif words == ["links"]:
            links = {link: target for target, link in (line[1:].split("|", 1) for line in body)}
        elif words[0] == "notes" and len(words) > 1:
            notes[" ".join(words[1:])] = tuple(line[1:] for line in body)
        else:
            raise NotUnderstood(_READ, msg("not_understood", line=" ".join(words)))
    strangers = _strangers(capture) if daemons else set()
    daemons = [
        replace(one, taken=_taken(one, runs.get(one.pid, ())))
        for one in daemons
        if one.pid not in strangers
    ]
    return Running(tuple(daemons), files, tuple(queue), notes, links)


def _strangers(capture: Capture) -> set[int]:
    """Who only calls himself a syslog daemon: with which files he was started says nothing.

    One that is seen in one of the two reads only has come or gone meanwhile, and stays.
    """
    known = processes(capture)
    return {p.pid for p in known.all} - {p.pid for p in known.of_the_system(*_NAMES)}


def _parts(lines: list[str]) -> list[tuple[list[str], list[str]]]:
    parts: list[tuple[list[str], list[str]]] = []
    for line in lines:
        if line.startswith("== ") and line[3:].split():
            parts.append((line[3:].split(), []))
        elif parts and (line.startswith("|") or parts[-1][0] == ["queue"]):
            parts[-1][1].append(line)
        else:
            raise NotUnderstood(_READ, msg("not_understood", line=line))
    return parts


def _taken(daemon: Daemon, lines: tuple[str, ...]) -> Taken:
    """A SIGHUP makes rsyslogd(8) open its files again, and read nothing; syslog-ng(8) reads all.

    Of the signal that logrotate sends to that one nothing is left to see.
    """
    if daemon.name == "rsyslogd":
        return taken_up(lines, daemon.pid, reloads=False)
    taken = taken_up(lines, daemon.pid)
    if taken.answer is Answer.NO:
        return replace(taken, answer=Answer.UNTOLD, how="signal")
    return taken


def _daemon(pid: int, name: str, arguments: tuple[str, ...]) -> Daemon:
    config = ""
    for at, word in enumerate(arguments):
        if word in ("-f", "--cfgfile") and at + 1 < len(arguments):
            config = arguments[at + 1]
        elif match := re.fullmatch(r"(?:-f|--cfgfile=)(.+)", word):
            config = match[1]
    return Daemon(pid, name, arguments, config)


def _queued(line: str) -> Queued:
    match = re.fullmatch(r"([0-9]{1,11}) ([0-9]{1,15}) (/.*)", line)
    if match is None:
        raise NotUnderstood(_READ, msg("not_file_queue", line=line))
    return Queued(match[3], int(match[2]), datetime.fromtimestamp(int(match[1]), UTC))
