"""Software that rotates and removes its own logs: databases, web servers' pipes, Java, containers.

The read takes names and numbers of rotation only, and costs next to nothing where none of it is
installed. What each says is understood in `app_databases`, `app_pipes`, `app_java`,
`app_containers`, `app_sessions`.
"""

from __future__ import annotations

import re

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import ODD, OPENED
from collector.facts.logs.applications.bastion import replays
from collector.facts.logs.applications.containers import containers
from collector.facts.logs.applications.databases import databases
from collector.facts.logs.applications.java import java
from collector.facts.logs.applications.models import READ, AppRule, Found
from collector.facts.logs.applications.piped import pipes
from collector.facts.logs.applications.redaction import MASKED
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_POSTGRES = (
    "log_(directory|filename|rotation_age|rotation_size|truncate_on_rotation)"
    "|logging_collector|data_directory|include(_dir|_if_exists)?"
)
_MYSQL = (
    "(loose[_-])?(server[_-]audit[_-](logging|output[_-]type|file[_-](path|rotate[_-]size|rotations))"
    "|audit[_-]log[_-](file|rotate[_-]on[_-]size|rotations|handler|max[_-]size|prune[_-]seconds)"
    "|expire[_-]logs[_-]days|binlog[_-]expire[_-]logs[_-]seconds|(skip[_-])?log[_-]bin|datadir)"
)
_JAVA = (
    r"<(file|fileNamePattern|maxHistory|totalSizeCap|maxFileSize|minIndex|maxIndex|cleanHistoryOnStart)>"
    r"|<(property|Property|variable|appender|RollingFile|RollingRandomAccessFile|File|rollingPolicy"
    r"|triggeringPolicy|TimeBasedTriggeringPolicy|SizeBasedTriggeringPolicy|DefaultRolloverStrategy"
    r"|DirectWriteRolloverStrategy|Delete|IfFileName|IfLastModified|IfAccumulatedFileCount"
    r"|IfAccumulatedFileSize|Valve|param)[ >]"
    r"|</(appender|RollingFile|RollingRandomAccessFile|rollingPolicy|Delete)>"
    r"|(fileName|filePattern|className|directory|prefix|suffix|maxDays|rotatable|max|age|exceeds"
    r"|basePath)=\""
    r"|<!--|-->"
)
_PROPERTIES = (
    r"\.(directory|prefix|suffix|maxDays|MaxFileSize|MaxBackupIndex|maxFileSize|maxBackupIndex|File"
    r"|file|fileName|filePattern|strategy[.A-Za-z0-9]*|policies[.A-Za-z0-9]*|type)[[:space:]]*="
    r"|^log4j\.appender\.[A-Za-z0-9_]*[[:space:]]*=|^logging\.(file|logback)"
)

_YAML = (
    "^ *(logging|file|name|path|logback|rollingpolicy|max-history|total-size-cap|max-file-size"
    "|file-name-pattern|logging[.][a-z.-]*):"
)

# of the logs of a process, of the settings below a folder and of all of them
_OPENED, _BELOW, _SETTINGS = 500, 128, 256

READS: tuple[Read, ...] = (
    shell(
        READ,
        OPENED
        + rf"""
nl='
'
pg='' jv='' cm=''
for p in $(hp_started 'postgres|postmaster|conmon|java|jsvc'); do
  p=/proc/$p; {{ read -r c <"$p/comm"; }} 2>/dev/null || continue
  case "$c" in
    postgres|postmaster)
      c=; {{ read -r c <"$p/cmdline"; }} 2>/dev/null
      # the processes of a server call themselves by what they do
      case "$c" in *': '*) continue;; esac
      hp_owner "${{p#/proc/}}"
      pg="$pg$nl$(tr '\000' '\n' <"$p/cmdline" 2>/dev/null \
        | sed -n '/^-D$/{{n;p;}};s/^-D\(\/.*\)/\1/p;s/^config_file=\(.*\)\/[^\/]*$/\1/p' \
        | sed "s/^/$W$hp_tab/")";;
    conmon) cm="$cm ${{p#/proc/}}";;
    java|jsvc) jv="$jv ${{p#/proc/}}";;
  esac
done
set -f; IFS=$nl; set -- $pg; set +f
n=$#
for d do
  for f in "${{d#*"$hp_tab"}}"/postgresql*.conf; do set -- "$@" "${{d%%"$hp_tab"*}}$hp_tab$f"; done
done
shift "$n"
set -- /etc/postgresql/*/*/postgresql.conf /etc/postgresql/*/*/conf.d/*.conf \
  /var/lib/postgresql/*/*/postgresql.auto.conf /var/lib/pgsql/data/postgresql*.conf \
  /var/lib/pgsql/*/data/postgresql*.conf /usr/local/pgsql/data/postgresql*.conf \
  "$@"
found=; for f do
  [ -f "${{f#*"$hp_tab"}}" ] && hp_plain "${{f#*"$hp_tab"}}" && found="$found$f$nl"
done
[ "$found" ] && {{ echo '@K postgres'
  printf '%s' "$found" | sed "s,^\([^/]*$hp_tab\)\{{0\,1\}},@F ,"
  hp_sift iE '^[[:space:]]*({_POSTGRES})[[:space:]=]' $found; }}
found=
for f in /etc/my.cnf /etc/my.cnf.d/*.cnf /etc/mysql/*.cnf /etc/mysql/*/*.cnf \
  /usr/local/mysql/*.cnf /usr/local/mysql/etc/*.cnf; do
  [ -f "$f" ] && hp_plain "$f" && found="$found$f$nl"
done
[ "$found" ] && {{ echo '@K mysql'; printf '%s' "$found" | sed 's/^/@F /'
  hp_sift iE '^[[:space:]]*(\[|{_MYSQL}([[:space:]=]|$))' $found; }}
set --
for f in /etc/apache2/apache2.conf /etc/apache2/conf-enabled /etc/apache2/sites-enabled \
  /etc/httpd/conf /etc/httpd/conf.d /etc/httpd/vhosts.d /usr/local/apache2/conf \
  /www/server/panel/vhost/apache; do [ -e "$f" ] && set -- "$@" "$f"; done
[ $# -gt 0 ] && {{ echo '@K apache'
  hp_sift E '^[[:space:]]*(CustomLog|ErrorLog|TransferLog|GlobalLog)[[:space:]]+"?\|' \
    $(find "$@" {ODD} -type f -print 2>/dev/null | hp_sieve); }}
d=/var/lib/docker
[ -f /etc/docker/daemon.json ] && {{ echo '@K docker'
  echo '@F /etc/docker/daemon.json'
  hp_by /etc/docker/daemon.json tr -d ' \t\n' \
    | grep -oE '"(log-driver|max-size|max-file|data-root|graph)":"?[^",}}]*' \
    | sed 's/^/\/etc\/docker\/daemon.json:/'
  r=$(hp_by /etc/docker/daemon.json tr -d ' \t\n' | sed -n 's/.*"data-root":"\([^"]*\)".*/\1/p')
  [ "$r" ] && d=$r; }}
set -- "$d"/containers/*/hostconfig.json
[ -f "$1" ] && {{ echo '@K containers'
  hp_sift oE '"LogConfig":\{{"Type":"[a-z0-9-]*"|"max-(size|file)":"[^"]*"' "$@"
  set -- "$d"/containers/*/config.v2.json
  hp_sift oE '"(Image|Name)":"/?[A-Za-z0-9][^"]*"' "$@"; }}
f=/var/lib/kubelet/config.yaml
[ -f "$f" ] && {{ echo '@K kubelet'; printf '%s\n' "@F $f"
  hp_sift E '^containerLogMax(Size|Files):' "$f"; }}
set -f; IFS=' '; set -- $cm; set +f; IFS=$nl
[ $# -gt 0 ] && {{ echo '@K podman'
  for p in "$@"; do
    a=$(tr '\000' '\n' <"/proc/$p/cmdline" 2>/dev/null)
    f=$(printf '%s\n' "$a" | sed -n '/^-l$/{{n;s/^\(k8s\|json\)-file:\//\//p;}}')
    [ "$f" ] && hp_plain "$f" || continue
    printf '%s\n' "@F $f"
    printf '%s\n' "$a" | HP_NAME=$f awk '
      is {{ print ENVIRON["HP_NAME"] ":\"" is "\":\"" $0; is = "" }}
      $0 == "-n" {{ is = "name" }} $0 == "--log-size-max" {{ is = "log-size-max" }}'
  done
}}
for d in /data/jumpserver/core/data/media/replay /opt/jumpserver/data/media/replay; do
  [ -d "$d" ] && {{ echo '@K jumpserver'; printf '%s\n' "@F $d"
    for f in /opt/jumpserver/config/config.txt /opt/jumpserver/config.yml; do
      [ -f "$f" ] && hp_by "$f" cat | grep -E '^[[:space:]]*TERMINAL_SESSION_KEEP_DURATION[:=]'
    done | sed "s,^,$d:,"; }}
done
set -f; IFS=' '; set -- $jv; set +f; IFS=$nl
[ $# -gt 0 ] && {{
  echo '@K java'
  named=''
  for p in "$@"; do
    hp_owner "$p"
    a=$(tr '\000' '\n' <"/proc/$p/cmdline" 2>/dev/null | sed -n \
      -e 's/^-D\(catalina\.base\|user\.dir\)=\(\/.*\)/R\2/p' \
      -e 's/^-D\(logging\.config\|logback\.configurationFile\|log4j\.configuration\)=/G/p' \
      -e 's/^-D\(log4j2\{{0,1\}}\.configurationFile\|java\.util\.logging\.config\.file\)=/G/p' \
      -e 's/^--logging\.config=/G/p' -e 's/^\(\/.*\)\/[^\/]*\.jar$/R\1/p' \
      | sed -n -e 's/^Gfile:\/*\//G\//' -e '/^[RG]\//p' | sort -u)
    w=$(readlink "/proc/$p/cwd" 2>/dev/null)
    [ "$w" ] && [ "$w" != / ] && a="$a${{nl}}R$w"
    set -f
    for x in $a; do named="$named$W$hp_tab$x$nl"; done
    set +f
    hp_ls -l "/proc/$p/fd" 2>/dev/null | sed -n 's/^l.* -> \(\/.*\)$/\1/p' \
      | grep -vE '^/(dev|proc|sys|memfd|tmp/hsperfdata|usr/lib|usr/share)|/modules$' \
      | grep -vE '\.(jar|so|jmod|class|db|pid|hprof)$' \
      | grep -iE 'log|\.(out|txt|gz)|/var/' | sort -u \
      | sed -e 's/^/@O /' -e '{_OPENED + 1}{{' -e 's/.*/@T/;q' -e '}}'
  done
  set -f
  c=$(for r in $named; do
    hp_line "$r"; r=${{h_f#?}}
    case "$h_f" in
      (G*) printf '%s\n' "$NAMER$hp_tab$r"; continue;;
      (R*) ;;
      (*) continue;;
    esac
    hp_within "$r"
    hp_do "$R" find "$r/" -maxdepth 4 {ODD} -type f \( -name 'logback*.xml' -o -name 'log4j*.xml' \
      -o -name 'log4j*.properties' -o -name logging.properties -o -name server.xml \
      -o -name 'application*.properties' -o -name 'application*.yml' \
      -o -name 'log4j2*.y*ml' -o -name 'log4j2*.json' \) -print 2>/dev/null |
      hp_sieve | hp_below "${{r%/}}" | sort |
      sed -e "s/^/$NAMER$hp_tab/" -e '{_BELOW + 1}{{' -e 's/.*/@T/;q' -e '}}'
    done | awk '!had[$0]++' | sed -e '{_SETTINGS + 1}{{' -e 's/.*/@T/;q' -e '}}')
  for l in $c; do
    [ "$l" != @T ] || {{ echo @T; continue; }}
    hp_line "$l"; f=$h_f
    # what a program cannot read itself does not set it up
    hp_can "$f" || {{ [ "$NAMER" ] || printf '%s\n' "@U $f"; continue; }}
    printf '%s\n' "@F $f"
    case "$f" in
      *.xml) hp_sift E '{_JAVA}' "$l";;
      *.properties) hp_sift E '{_PROPERTIES}' "$l";;
      *) hp_sift E '{_YAML}' "$l";;
    esac
  done
  NAMER=
  set +f
}}
echo '@E'
""",
        seconds=15,
        limit=1 << 19,
        redact=MASKED,
        privileged=True,
        why=Text(
            "应用自行轮转日志的设置（只取名称与数字：数据库、Apache 管道、Java、Docker）",
            "how applications rotate their own logs (names and numbers only: PostgreSQL, MySQL,"
            " Apache's pipes, Java, Docker)",
        ),
    ),
)


def app_rotation(capture: Capture) -> tuple[tuple[AppRule, ...], tuple[str, ...]]:
    """All rules, and the files that running Java programs write to.

    Raises FactError where the configurations could not be read.
    """
    found = _found(capture)
    rules = (
        *databases(found),
        *pipes(found),
        *containers(found),
        *replays(found),
        *java(found),
    )
    return rules, found.opened


_KINDS = (
    "postgres",
    "mysql",
    "apache",
    "docker",
    "containers",
    "kubelet",
    "podman",
    "jumpserver",
    "java",
)


def _found(capture: Capture) -> Found:
    lines = capture.read(READ).text().splitlines()
    if lines[-1:] != ["@E"]:
        raise CouldNotLook(READ, msg("settings_applications_end_half"))
    kinds: dict[str, dict[str, list[str]]] = {}
    opened: list[str] = []
    held: dict[str, list[str]] = {}
    for line in lines[:-1]:
        tag, _, rest = line.partition(" ")
        if tag == "@K" and rest in _KINDS:
            held = kinds.setdefault(rest, {})
        elif tag == "@F":
            held.setdefault(rest, [])
        elif tag == "@O":
            opened.append(rest)
        elif tag == "@T":
            raise CouldNotLook(READ, msg("more_settings_logs_java"))
        elif tag == "@U":
            raise CouldNotLook(READ, msg("permission_denied", rest=rest))
        elif match := re.match(r"(/[^:]*):(.*)", line):
            held.setdefault(match[1], []).append(match[2])
        elif line:
            raise NotUnderstood(READ, msg("not_line_read", line=line[:80]))
    return Found(
        {kind: {p: tuple(x) for p, x in files.items()} for kind, files in kinds.items()},
        tuple(dict.fromkeys(opened)),
    )
