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
from collector.facts.logs.web.redaction import WEB_SERVERS
from collector.facts.system.processes import READS as _PROCESS_READS
from collector.facts.system.processes import Process, processes
from collector.model import Capture, Read, Text, shell

_READ = "web_servers.config"

# nginx's own grammar, one directive a line, words parted by tabs; Lua blocks are no nginx.
_NGINX = r"""
function word() { if (open) { W[++n] = cur; cur = ""; open = 0 } }
function say(c,  i, s) {
  s = c
  for (i = 1; i <= n; i++) { gsub(/\t/, " ", W[i]); s = s (s == "" ? "" : "\t") W[i] }
  if (c == "{" && W[1] == "map") s = "{\tmap\t" W[2] "\t" W[3]
  else if (c == "{" && W[1] !~ /^(http|server|location|limit_except|stream|mail)$/)
    s = "{\t" (W[1] == "if" ? "if" : "-")
  if (c != "" || W[1] ~ KEEP || W[1] == "set" && n == 3 && W[3] ~ SET) print "+" s
  n = 0
}
BEGIN {
  NAME = ENVIRON["HP_NAME"]
  KEEP = "^(include|log_format|access_log|set_real_ip_from|real_ip_header|real_ip_recursive"
  KEEP = KEEP "|listen|server_name)$"
  SET = "^[$](remote|realip|proxy_protocol|http_|time_|msec)"
}
FNR == 1 { print "@F " (NAME != "" ? NAME : FILENAME); word(); n = 0; q = ""; lua = 0 }
{
  s = $0 " "
  while (s != "") {
    if (lua) {
      if (!match(s, /[{}"']|--/)) { s = ""; continue }
      at = substr(s, RSTART, 1); s = substr(s, RSTART)
      if (at == "-") s = ""
      else if (at == "\"" && match(s, /^"([^"\\]|\\.)*"/)) s = substr(s, RLENGTH + 1)
      else if (at == "'" && match(s, /^'([^'\\]|\\.)*'/)) s = substr(s, RLENGTH + 1)
      else { lua += at == "{" ? 1 : at == "}" ? -1 : 0; s = substr(s, 2) }
      if (!lua) print "+}"
    } else if (q != "") {
      if (q == "\"") at = match(s, /^([^"\\]|\\.)*"/); else at = match(s, /^([^'\\]|\\.)*'/)
      if (at) {
        cur = cur substr(s, 1, RLENGTH - 1); s = substr(s, RLENGTH + 1); q = ""; word()
      } else { cur = cur s; s = "" }
    } else if (match(s, /^[ \t\r]+/)) { word(); s = substr(s, RLENGTH + 1) }
    else if (!open && s ~ /^#/) s = ""
    else if (s ~ /^;/) { word(); say(""); s = substr(s, 2) }
    else if (cur ~ /\$$/ && match(s, /^[{][^}]*[}]/)) {
      cur = cur substr(s, 1, RLENGTH); s = substr(s, RLENGTH + 1)
    } else if (s ~ /^[{]/) {
      word(); if (W[1] ~ /_by_lua_block$/) lua = 1
      say("{"); s = substr(s, 2)
    }
    else if (s ~ /^[}]/) { word(); print "+}"; n = 0; s = substr(s, 2) }
    else if (!open && s ~ /^["']/) { q = substr(s, 1, 1); open = 1; s = substr(s, 2) }
    else {
      if (!match(s, /^[^ \t\r;{}"'#]+/)) RLENGTH = 1
      cur = cur substr(s, 1, RLENGTH); open = 1; s = substr(s, RLENGTH + 1)
    }
  }
}
"""
_APACHE = r"""
BEGIN {
  NAME = ENVIRON["HP_NAME"]
  KEEP = "^(logformat|customlog|transferlog|globallog|include|includeoptional|loadmodule|serverroot"
  KEEP = KEEP "|servername|hostnamelookups|remoteip[a-z]*|define|<virtualhost|</virtualhost>"
  KEEP = KEEP "|<ifmodule|</ifmodule>|<ifdefine|</ifdefine>|<macro|</macro>|use)([ \t]|$)"
}
FNR == 1 { print "@F " (NAME != "" ? NAME : FILENAME); part = "" }
{
  s = part $0; sub(/\r$/, "", s)
  if (s ~ /\\$/) { part = substr(s, 1, length(s) - 1); next }
  part = ""; sub(/^[ \t]+/, "", s)
  if (tolower(s) ~ KEEP) print "+" s
}
"""
_LINES = r"""
BEGIN {
  NAME = ENVIRON["HP_NAME"]
  KEEP = "[{}]|^[ \t]*(log|import|output|format|frontend|listen|log-format)([ \t]|$)|accesslog[.]"
  KEEP = KEEP "|mod_accesslog|extforward|<Host|<Valve|LogValve|RemoteIpValve|pattern=|httplog"
  KEEP = KEEP "|trusted_proxies|<!--|-->"
}
FNR == 1 { print "@F " (NAME != "" ? NAME : FILENAME) }
$0 ~ KEEP {
  gsub(/[Tt]oken[^ ]*|[Pp]ass[^ ]*/, "***"); print "+" substr($0, 1, 1000)
}
"""

# each round reads the files that the last one included; what was read is not read again
_FOLLOW = r"""
  seen=$nl; left=$NAMER$hp_tab$c; r=0; NAMER=
  while [ -n "$left" ] && [ "$r" -lt 8 ]; do
    r=$((r + 1)); set --
    for f in $left; do
      NAMER=; case "$f" in *"$hp_tab"*) hp_line "$f"; f=$h_f;; esac
      hp_can "$f" || continue
      case "$seen" in *"$nl$f$nl"*) continue;; esac
      seen="$seen$f$nl"; set -- "$@" "$NAMER$hp_tab$f"
    done
    NAMER=
    [ $# -gt 0 ] || break
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

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + r"""
nl='
'
IFS=$nl
had=$nl
# his LINE: what awk finds in it, each line after whose word it is
his() {
  hp_line "$1"; f=$h_f
  hp_word "$f"
  hp_by "$f" head -c 4000000 | HP_NAME=$f awk "$prog" | sed "s/^/$W$hp_tab/"
}
for p in /proc/[0-9]*; do
  NAMER=
  { read -r n <"$p/comm"; } 2>/dev/null || continue
  case "$n" in
    nginx|openresty|tengine|apache2|httpd|lighttpd|caddy|haproxy|java) ;;
    *) continue;;
  esac
  [ "$p/root/" -ef / ] || { printf '%s\n' "== inside ${p#/proc/} $n"; continue; }
  a=; { read -r a <"$p/cmdline"; } 2>/dev/null
  hp_owner "${p#/proc/}"
  set -f; prog=; c=
  case "$n" in
    nginx|openresty|tengine)
      case "$a" in *'worker process'*|*'cache '*' process'*) set +f; continue;; esac
      x=$(readlink "$p/exe"); x=${x% (deleted)}
      # a program that somebody else can replace is his
      NAMER=$W; hp_word "$x"
      v=$(hp_do "$W" "$x" -V 2>&1 | tr ' ' '\n' | grep -E '^--(prefix|conf-path|http-log-path)=')
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
      case "$had" in *"$nl$n $c$nl"*) set +f; continue;; esac
      had="$had$n $c$nl"
      printf '%s\n' "== nginx ${p#/proc/} $c" "@prefix $base" "@log $log"
      base=${c%/*}; prog='@NGINX@'
      ;;
    apache2|httpd)
      x=$(readlink "$p/exe"); x=${x% (deleted)}
      for i in "${x%/*/*}/conf/httpd.conf" /etc/apache2/apache2.conf /etc/httpd/conf/httpd.conf \
        /usr/local/apache2/conf/httpd.conf; do [ -z "$c" ] && [ -f "$i" ] && c=$i; done
      i=$(tr '\000' '\n' <"$p/cmdline" | sed -n '/^-f$/{n;p;}')
      case "$i" in
        /*) c=$i
          # its processes that serve run as somebody else
          i=; { read -r i <"/proc/$h_from/comm"; } 2>/dev/null
          [ -z "$W" ] || [ "$i" != "$n" ] || { set +f; continue; }
          NAMER=$W;;
      esac
      hp_plain "$c" || { set +f; continue; }
      case "$had" in *"${nl}httpd $c$nl"*) set +f; continue;; esac
      had="${had}httpd $c$nl"
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
      NAMER=$W; c=$i/conf/server.xml; base=$i; prog='@LINES@'
      hp_plain "$c" || { set +f; continue; }
      printf '%s\n' "== tomcat ${p#/proc/} $c"
      ;;
    *)
      case "$had" in *"$nl$n$nl"*) set +f; continue;; esac
      had="$had$n$nl"
      case "$n" in
        lighttpd) c=/etc/lighttpd/lighttpd.conf; set +f
          for i in /etc/lighttpd/conf-enabled/*.conf /etc/lighttpd/conf.d/*.conf \
            /etc/lighttpd/vhosts.d/*.conf; do c="$c$nl$i"; done; set -f;;
        caddy) c=/etc/caddy/Caddyfile;;
        # how it logs is not followed
        haproxy) c=/dev/null;;
      esac
      printf '%s\n' "== $n ${p#/proc/} ${c%%$nl*}"; base=/etc/$n; prog='@LINES@'
      ;;
  esac
""".replace("@NGINX@", _NGINX.replace("'", "'\\''"))
        .replace("@APACHE@", _APACHE.replace("'", "'\\''"))
        .replace("@LINES@", _LINES.replace("'", "'\\''"))
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
        raise CouldNotLook("processes.all", "the processes of others are hidden")
    known = {server.kind for server in found}
    for kind, process in seen.items():
        if kind in known:
            continue
        if kind in {"nginx", "httpd", "lighttpd", "caddy", "haproxy"}:
            raise NotUnderstood(_READ, f"nothing was told of {process.line}")
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
        raise NotUnderstood(_READ, "it ends before its end")
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
                raise NotUnderstood(_READ, f"a head of no form: {line!r}")
        elif line.startswith("@F /") and found:
            lines = kept.setdefault(line[3:], [])
        elif line.startswith("+") and lines is not None:
            lines.append(line[1:])
        elif (match := re.fullmatch(r"@(prefix|log|env) ?(.*)", line)) and found:
            name, value = match[1], match[2]
            if name == "env":
                name, _, value = value.partition("=")
            found[-1].settings[name] = value
        elif line:
            what = "its configuration is too big" if line == "@big" else f"not understood: {line!r}"
            raise NotUnderstood(_READ, what)
    return found, inside
