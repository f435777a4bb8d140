"""Which services run, and which log files each of them holds open for writing.

`ls -l /proc/PID/fd` tells it: the mode of the link is the mode of the descriptor, and a file that
was removed under the service is marked as deleted: what is written there is gone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction_of_places import no_sessions
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "service_logs.open"


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of service: its processes' `names`, and the `family` its log belongs to.

    `file`: it writes a log of its own, syslog does not do (a web server's access log);
    `steady`: it writes something every day wherever it is used; `rolls`: it removes old files of
    its log by itself.
    """

    id: str
    family: str
    names: tuple[str, ...]
    file: bool = False
    steady: bool = False
    rolls: bool = False


SERVICES: tuple[Service, ...] = (
    Service("nginx", "web", ("nginx", "openresty", "tengine"), file=True, steady=True),
    Service("apache", "web", ("apache2", "httpd"), file=True, steady=True),
    Service("lighttpd", "web", ("lighttpd",), file=True, steady=True),
    Service("caddy", "web", ("caddy",), rolls=True),
    Service("mysql", "database", ("mysqld", "mariadbd")),
    Service("postgresql", "database", ("postgres", "postmaster")),
    Service("redis", "database", ("redis-server", "valkey-server")),
    Service("mongodb", "database", ("mongod",), file=True),
    Service("dameng", "database", ("dmserver",), file=True),
    Service("kingbase", "database", ("kingbase",), file=True),
    Service("openvpn", "vpn", ("openvpn",)),
    Service("ipsec", "vpn", ("charon", "charon-systemd", "pluto")),
    Service("l2tp", "vpn", ("xl2tpd", "pptpd")),
    Service("squid", "vpn", ("squid",), file=True),
    Service("haproxy", "vpn", ("haproxy",)),
    Service("frp", "vpn", ("frps", "frpc")),
    Service("bind", "dns", ("named",)),
    Service("unbound", "dns", ("unbound",)),
    Service("dnsmasq", "dns", ("dnsmasq",)),
    Service("postfix", "mail", ("master",)),
    Service("exim", "mail", ("exim4", "exim"), file=True),
    Service("dovecot", "mail", ("dovecot",)),
    Service("sendmail", "mail", ("sendmail",)),
    Service("fail2ban", "firewall", ("fail2ban-server",)),
    Service("firewalld", "firewall", ("firewalld",)),
    Service("auditd", "audit", ("auditd",), file=True, steady=True),
    Service("jumpserver", "bastion", ("koko", "lion", "guacd")),
    Service("teleport", "bastion", ("teleport",)),
    Service("sudo-logsrvd", "bastion", ("sudo_logsrvd",)),
    Service("tlog", "bastion", ("tlog-rec-sessio",)),
)
# programs that others write their logs through
PIPES = ("rotatelogs", "cronolog", "multilog", "svlogd", "s6-log")
_NAMES = "|".join([*(n for s in SERVICES for n in s.names), *PIPES])
# what runs other programs, by its own file
RUNS = (
    "python|pypy|node|nodejs|ruby|perl|php|java|jsvc|dotnet|deno|bun|beam.smp|mono|mono-sgen|lua|luajit"
    "|uwsgi|gunicorn|hypnotoad"
)

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + r"""
set --
for p in $(hp_started '@NAMES@'); do
  p=/proc/$p
  # one of a container writes where the container has its logs
  [ "$p/root/etc" -ef /etc ] || continue
  n=; read -r n <"$p/comm"
  printf '== process %s %s\n' "${p#/proc/}" "$n"
  if [ $# -lt 300 ]; then set -- "$@" "$p/fd/"; else echo '== more'; fi
done
# what else waits for other hosts: interpreters, and what no package puts where it lies
x=$(hp_ls -ldn /proc/[0-9]*/exe 2>/dev/null | awk '
  { p = e = $0; if (!sub(/^.* \/proc\/[0-9]*\/exe -> \//, "/", e)) next }
  { sub(/\/exe -> .*/, "", p); sub(/.*\//, "", p); sub(/ \(deleted\)$/, "", e) }
  { b = e; sub(/.*\//, "", b) }
  e ~ /^\/(usr\/)?(s?bin|lib(exec|32|64|x32)?|share)\// && b !~ /^(@RUNS@)[0-9.]*$/ { next }
  n++ < 200 { print p; next }
  n == 201 { print "more" }')
f=
for p in $x; do
  [ "$p" = more ] && { echo '== more programs'; continue; }
  case " $* " in *" /proc/$p/fd/ "*) continue;; esac
  [ "/proc/$p/root/etc" -ef /etc ] || continue
  f="$f $p"; set -- "$@" "/proc/$p/fd/"
done
echo '== programs'
[ $# -gt 0 ] && {
  echo '== open'
  # with one folder alone ls prints no heading
  hp_ls -ln "$@" /dev/null 2>/dev/null | sed -n -e 's,^/proc/\([0-9]*\)/fd/:$,== of \1,p' \
    -e 's/^l.* -> socket:\[\([0-9]*\)\]$/s \1/p' \
    -e 's/^l.\(.\)[^ ]* .* -> \(\/.*\)$/\1 \2/p' |
    grep -E '^==|^s |^w /(dev/null$|[^dps]|d[^e]|p[^r]|s[^y])' |
    awk -v MORE="$f " '
      function say(s) { if (++k > 4000) { if (k == 4001) print "== more"; exit }; print s }
      net {
        a = $2; sub(/:.*/, "", a)
        if ($4 != "0A" || a ~ /^0*01000000$/ || a ~ /^(0*FFFF0000)?......7F$/) next
        at[$10] = $2; next
      }
      $1 == "==" { more = wait = index(MORE, " " $3 " "); held = $0; if (!more) say($0); next }
      $1 == "s" {
        if (!more || !($2 in at)) next
        if (wait) { say(held); wait = 0 }
        say("l " at[$2]); next
      }
      wait { held = held "\n" $0; next }
      { say($0) }' net=1 $(ls -d /proc/net/tcp /proc/net/tcp6 2>/dev/null) net=0 -
}
echo '== end'
exit 0
""".replace("@NAMES@", _NAMES).replace("@RUNS@", RUNS),
        limit=1 << 18,
        redact=no_sessions("w "),
        privileged=True,
        why=Text(
            "正在运行的服务各自打开着哪些日志文件（含已被删除仍在写的）",
            "which log files each running service holds open, removed ones included",
        ),
    ),
)

# what is open for writing and is no log: data, write-ahead logs, locks, pids, sessions
_NO_LOG = re.compile(
    r"\.(ibd|ibu|ibt|dblwr|frm|M[YA][DI]|aria|pid|lock|sock|rdb|aof|wt|db|sqlite3?|jnl|mdb|dbf|info)\b"
    r"|/(ib_?log|ibdata|ibtmp|ib_buffer_pool|ddl.recovery|binlog|mysql-bin|pg_wal|pg_xlog|undo|#innodb"
    r"|tc\.log|aria_log|base|global|journal|redo|spool|[a-z]*sess_)"
)
_LOG = re.compile(r"(?i)^(?!/(?:dev|proc|sys|run)/)/.*(?:/logs?/|log|access|\.(?:err|out|trc)$)")


@dataclass(frozen=True, slots=True)
class Writer:
    """A service that runs, with the log files it writes; `gone` were removed under it."""

    service: Service
    pids: tuple[int, ...]
    logs: tuple[str, ...]
    gone: tuple[str, ...]
    nowhere: bool

    @property
    def line(self) -> str:
        """As one line of evidence."""
        words = [*self.logs, *(f"{path} (deleted)" for path in self.gone)]
        return f"{self.service.id} pid={self.pids[0]}: {' '.join(words) or '-'}"


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """The read, taken apart: `names` of the services' processes, what each process has open.

    `listens` are the places where others reach what is no service of `SERVICES`, as /proc/net/tcp
    writes them; `all_programs` tells whether such were looked for, `more_programs` that there were
    more than are read.
    """

    names: dict[int, str]
    held: dict[int, list[str]]
    listens: dict[int, list[str]]
    all_programs: bool = False
    more_programs: bool = False


def open_files(capture: Capture) -> OpenFiles:
    """Raises FactError."""
    lines = capture.read(_READ).text().splitlines()
    if not lines or lines[-1] != "== end":
        raise NotUnderstood(_READ, msg("ends_before_end"))
    if "== more" in lines:
        raise CouldNotLook(_READ, msg("more_than_is_read"))
    found = OpenFiles({}, {}, {}, "== programs" in lines, "== more programs" in lines)
    at: int | None = None
    for line in lines[:-1]:
        if match := re.fullmatch(r"== process ([0-9]{1,10}) (\S.*)", line):
            found.names[int(match[1])] = match[2]
        elif match := re.fullmatch(r"== of ([0-9]{1,10})", line):
            at = int(match[1])
            found.held.setdefault(at, [])
        elif at is not None and line.startswith("w /"):
            found.held[at].append(line[2:])
        elif at is not None and re.fullmatch(r"l [0-9A-F]{8}(?:[0-9A-F]{24})?:[0-9A-F]{4}", line):
            found.listens.setdefault(at, []).append(line[2:])
        elif line not in ("== open", "== programs", "== more programs"):
            raise NotUnderstood(_READ, msg("not_understood", line=line[:120]))
    return found


def looks_like_log(path: str) -> bool:
    """Is a file that is held open for writing one of records, by its name?

    >>> looks_like_log("/srv/shop/logs/access"), looks_like_log("/srv/shop/data/shop.db")
    (True, False)
    """
    return bool(_LOG.search(path)) and not _NO_LOG.search(path) and not path.endswith(" (deleted)")


def writers(capture: Capture) -> tuple[Writer, ...]:
    """The services that run on this host itself. Raises FactError."""
    read = open_files(capture)
    names, held = read.names, read.held
    unread = set(names) - set(held)
    piped = [p for pid, name in names.items() if name in PIPES for p in held.get(pid, ())]
    found = []
    for service in SERVICES:
        pids = tuple(sorted(pid for pid, name in names.items() if name in service.names))
        if not pids:
            continue
        if all(pid in unread for pid in pids):
            raise NotUnderstood(_READ, msg("no_open_files", which=service.id))
        paths = [p for pid in pids for p in held.get(pid, ())]
        paths += piped if service.family == "web" else []
        real = [p for p in dict.fromkeys(paths) if p != "/dev/null" and not _NO_LOG.search(p)]
        logs = tuple(p for p in real if not p.endswith(" (deleted)"))
        gone = tuple(p.removesuffix(" (deleted)") for p in real if p.endswith(" (deleted)"))
        gone = tuple(p for p in gone if re.search(r"log", p))
        found.append(Writer(service, pids, logs, gone, "/dev/null" in paths and not real))
    return tuple(found)
