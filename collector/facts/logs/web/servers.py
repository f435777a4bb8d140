"""Web servers that run on the host, and what of their settings decides how they log.

nginx (also OpenResty and Tengine), Apache httpd, lighttpd, Caddy, Tomcat; HAProxy is recognised.
`nginx -T` and `apachectl -S` are not asked: testing a configuration opens, and so makes, log
files, and looks up names. The files are followed through their includes instead, and only
directives about logs leave the host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.logs.web import directives
from collector.facts.logs.web.redaction import WEB_SERVERS
from collector.facts.system.processes import READS as _PROCESS_READS
from collector.facts.system.processes import Process, processes
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "web_servers.config"

# each round reads the files that the last one included; what was read is not read again
_FOLLOW = r"""
  seen=$nl; left=$NAMER$hp_tab$c; r=0; NAMER=
  while [ -n "$left" ]; do
    r=$((r + 1)); set --
    for f in $left; do
      NAMER=; case "$f" in *"$hp_tab"*) hp_line "$f"; f=$h_f;; esac
      hp_can "$f" || { unread; continue; }
      case "$seen" in *"$nl$f$nl"*) continue;; esac
      seen="$seen$f$nl"
      set -- "$@" "$NAMER$hp_tab$f"
    done
    NAMER=
    [ $# -gt 0 ] || break
    [ "$r" -le 8 ] || { echo '@big'; break; }
    hp_voices "$@"
    [ "$(hp_with "$h_ours" cat | head -c 4000001 | wc -c)" -gt 4000000 ] && { echo '@big'; break; }
    o=$(hp_with "$h_ours" awk "$prog" | sed "s/^/$hp_tab/"; hp_each "$h_others" his)
    printf '%s\n' "$o" | sed "s/^[^$hp_tab]*$hp_tab//"
    left=
    o=$(printf '%s\n' "$o" |
      sed -n "s/^\([^$hp_tab]*$hp_tab\)+[Ii]nclude[A-Za-z]*[	 ]*\(.*[^	 ]\)[	 ]*\$/\1\2/p")
    for i in $(printf '%s\n' "$o" | tr -d '"'); do
      hp_line "$i"; i=$h_f
      case "$i" in /*) ;; *) i=$base/$i;; esac
      [ -d "$i" ] && i="${i%/}/*"
      set +f; for f in $i; do left="$left$NAMER$hp_tab$f$nl"; done; set -f
    done
    NAMER=
  done
"""

_PROGRAMS = {
    "@NGINX@": directives.NGINX, "@APACHE@": directives.APACHE, "@CADDY@": directives.CADDY,
    "@LIGHTTPD@": directives.LIGHTTPD, "@TOMCAT@": directives.TOMCAT,
}  # fmt: skip


def _with_programs(text: str) -> str:
    for mark, program in _PROGRAMS.items():
        text = text.replace(mark, program.replace("'", "'\\''"))
    return text


READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + _with_programs(r"""
nl='
'
IFS=$nl
had=$nl
# unread: a server that runs as root reads what it includes, whoever may not
unread() {
  case "$by" in ''|-) ;; *) return 0;; esac
  [ -e "$f" ] && [ ! -d "$f" ] && [ "$f" != /dev/null ] || return 0
  if [ -z "$NAMER" ]; then printf '@U %s\n' "$f"; else printf '@U - %s\n' "${NAMER%%:*}"; fi
}
# his LINE: what awk finds in it, each line after whose word it is
his() {
  hp_line "$1"; f=$h_f
  hp_word "$f"
  hp_by "$f" head -c 4000000 | HP_NAME=$f awk "$prog" | sed "s/^/$W$hp_tab/"
}
# what root says comes first, and what others say of the same file is theirs
for p in $(hp_started 'nginx|openresty|tengine|apache2|httpd|lighttpd|caddy|haproxy|java'); do
  NAMER=; p=/proc/$p
  { read -r n <"$p/comm"; } 2>/dev/null || continue
  case "$n" in
    nginx|openresty|tengine|apache2|httpd|lighttpd|caddy|haproxy|java) ;;
    *) continue;;
  esac
  [ "$p/root/" -ef / ] || { printf '%s\n' "== inside ${p#/proc/} $n"; continue; }
  a=; { read -r a <"$p/cmdline"; } 2>/dev/null
  hp_owner "${p#/proc/}"
  set -f; prog=; c=; by=$W
  case "$n" in
    nginx|openresty|tengine)
      case "$a" in *'worker process'*|*'cache '*' process'*) set +f; continue;; esac
      x=$(readlink "$p/exe"); hp_word "${x% (deleted)}"
      NAMER=${by:-$W}
      # asked as whoever started it
      v=; i=$NAMER; NAMER=
      hp_program "${p#/proc/}" nginx openresty tengine &&
        v=$(hp_do "$by" "$X" -V 2>&1 </dev/null | tr ' ' '\n' |
          grep -E '^--(prefix|conf-path|http-log-path)=')
      NAMER=$i
      base=; log=
      for i in $v; do
        case "$i" in
          --prefix=*) base=${i#*=};; --conf-path=*) c=${i#*=};; --http-log-path=*) log=${i#*=};;
        esac
      done
      case "$a" in *' -p '*) i=${a#* -p }; base=${i%%[ ;]*};; esac
      case "$a" in *' -c '*) i=${a#* -c }; c=${i%%[ ;]*};; esac
      [ -n "$c" ] || c=conf/nginx.conf
      case "$c" in /*) ;; *) c=${base%/}/$c;; esac
      hp_plain "$c$base$log" || { set +f; continue; }
      case "$had" in *"$nl$n $NAMER $c$nl"*) set +f; continue;; esac
      had="$had$n $NAMER $c$nl"
      printf '%s\n' "== nginx ${p#/proc/} $c" "@prefix $base" "@log $log"
      base=${c%/*}; prog='@NGINX@'
      ;;
    apache2|httpd)
      x=$(readlink "$p/exe"); x=${x% (deleted)}
      for i in "${x%/*/*}/conf/httpd.conf" /etc/apache2/apache2.conf /etc/httpd/conf/httpd.conf \
        /usr/local/apache2/conf/httpd.conf; do [ -z "$c" ] && [ -f "$i" ] && c=$i; done
      i=$(tr '\000' '\n' <"$p/cmdline" | sed -n '/^-f$/{n;p;}')
      case "$i" in /*) c=$i;; esac
      # its processes that serve run as somebody else
      i=; { read -r i <"/proc/$h_from/comm"; } 2>/dev/null
      [ -z "$by" ] || [ "$i" != "$n" ] || { set +f; continue; }
      NAMER=$by
      hp_plain "$c" || { set +f; continue; }
      case "$had" in *"${nl}httpd $by $c$nl"*) set +f; continue;; esac
      had="${had}httpd $by $c$nl"
      printf '%s\n' "== httpd ${p#/proc/} $c"
      tr '\000' '\n' <"$p/environ" 2>/dev/null |
        sed -n 's/^APACHE_LOG_DIR=\/[A-Za-z0-9_./-]*$/@env &/p'
      base=${c%/*}; [ "${base##*/}" = conf ] && base=${base%/*}
      prog='@APACHE@'
      ;;
    java)
      i=$(tr '\000' '\n' <"$p/cmdline" | sed -n 's/^-Dcatalina\.base=\(\/.*\)/\1/p' |
        tail -n 1)
      [ -n "$i" ] || { set +f; continue; }
      NAMER=$W; c=$i/conf/server.xml; base=$i; prog='@TOMCAT@'
      hp_plain "$c" || { set +f; continue; }
      printf '%s\n' "== tomcat ${p#/proc/} $c"
      ;;
    *)
      case "$had" in *"$nl$n$nl"*) set +f; continue;; esac
      had="$had$n$nl"
      case "$n" in
        lighttpd) c=/etc/lighttpd/lighttpd.conf; prog='@LIGHTTPD@'; set +f
          for i in /etc/lighttpd/conf-enabled/*.conf /etc/lighttpd/conf.d/*.conf \
            /etc/lighttpd/vhosts.d/*.conf; do c="$c$nl$i"; done; set -f;;
        caddy) c=/etc/caddy/Caddyfile; prog='@CADDY@';;
        # how it logs is not followed
        haproxy) c=/dev/null; prog=1;;
      esac
      printf '%s\n' "== $n ${p#/proc/} ${c%%$nl*}"; base=/etc/$n
      ;;
  esac
""")
        + _FOLLOW
        + r"""
  set +f
done
echo '== end'
""",
        seconds=20,
        limit=1 << 20,
        redact=WEB_SERVERS,
        privileged=True,
        why=Text(
            "网站服务器的日志设置（日志格式、日志位置、真实地址），其他指令不取",
            "how web servers log (format, place, real address); no other directive is taken",
        ),
    ),
    *_PROCESS_READS,
)

PROGRAMS = {
    "nginx": "nginx", "openresty": "nginx", "tengine": "nginx", "apache2": "httpd",
    "httpd": "httpd", "lighttpd": "lighttpd", "caddy": "caddy", "haproxy": "haproxy",
    "litespeed": "litespeed", "lshttpd": "litespeed", "openlitespeed": "litespeed",
    "traefik": "traefik", "envoy": "envoy",
}  # fmt: skip
_HEAD = re.compile(r"== (nginx|httpd|lighttpd|caddy|haproxy|tomcat) (\d{1,9}) (/.*)")


@dataclass(frozen=True, slots=True)
class Server:
    """One web server and the files of its configuration in the order they were read.

    `kind` is one of nginx, httpd, lighttpd, caddy, haproxy, tomcat, or the name of one whose
    configuration is not followed; `settings` are what was said of it besides (prefix, log,
    environment).
    """

    kind: str
    process: str
    config: str
    files: dict[str, tuple[str, ...]]
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class Servers:
    """Web servers of the host itself, and those that run in containers on it."""

    own: tuple[Server, ...]
    contained: tuple[str, ...]


def web_servers(capture: Capture) -> Servers:
    """Raises FactError when processes or settings could not be looked at."""
    run = processes(capture)
    found, inside = _sections(capture.read(_READ).text())
    seen = {kind: p for p in run.all if (kind := _kind(p)) and not p.container}
    contained = [p.line for p in run.all if _kind(p) and p.container]
    for pid in inside:
        process = next((p for p in run.all if str(p.pid) == pid), None)
        if process is not None and process.name != "java" and process.line not in contained:
            contained.append(process.line)
            kind = _kind(process)
            if kind and seen.get(kind) is process:
                del seen[kind]
    if not run.complete and not found:
        raise CouldNotLook("processes.all", msg("processes_others_hidden"))
    known = {server.kind for server in found}
    for kind, process in seen.items():
        if kind in known:
            continue
        if kind in {"nginx", "httpd", "lighttpd", "caddy", "haproxy"}:
            raise NotUnderstood(_READ, msg("nothing_told", line=process.line))
        found.append(Server(kind, process.line, "", {}, {}))
    lines = {p.pid: p.line for p in run.all}
    own = [
        Server(s.kind, lines.get(int(s.process), s.process), s.config, s.files, s.settings)
        if s.process.isdecimal()
        else s
        for s in found
    ]
    return Servers(tuple(own), tuple(contained))


def _kind(process: Process) -> str | None:
    program = (process.exe or process.name).rsplit("/", 1)[-1]
    return PROGRAMS.get(program)


def _sections(text: str) -> tuple[list[Server], list[str]]:
    if not text.endswith("== end\n"):
        raise NotUnderstood(_READ, msg("ends_before_end"))
    found: list[Server] = []
    inside: list[str] = []
    lines: list[str] | None = None
    kept: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("== "):
            lines = None
            for path, held in kept.items():
                found[-1].files[path] = tuple(held)
            kept = {}
            if match := _HEAD.fullmatch(line):
                found.append(Server(match[1], match[2], match[3], {}, {}))
            elif match := re.fullmatch(r"== inside (\d{1,9}) \S+", line):
                inside.append(match[1])
            elif line != "== end":
                raise NotUnderstood(_READ, msg("head_no_form", line=line))
        elif line.startswith("@F /") and found:
            lines = kept.setdefault(line[3:], [])
        elif line.startswith("+") and lines is not None:
            lines.append(line[1:])
        elif (match := re.fullmatch(r"@(prefix|log|env) ?(.*)", line)) and found:
            name, value = match[1], match[2]
            if name == "env":
                name, _, value = value.partition("=")
            found[-1].settings[name] = value
        elif match := re.fullmatch(r"@U (?:(/.*)|- (\S+))", line):
            of_his = msg("file_settings_user_include", match=match[2])
            raise CouldNotLook(_READ, msg("permission_denied", rest=match[1] or of_his))
        elif line:
            what = (
                msg("configuration_too_big") if line == "@big" else msg("not_understood", line=line)
            )
            raise NotUnderstood(_READ, what)
    return found, inside
