"""What programs that watch a host for intrusion and change left behind: settings, baselines, logs.

One read for all of them, because each costs: AIDE, Tripwire, Wazuh and OSSEC, Falco, Samhain,
rkhunter, chkrootkit, maldet, and beside them the web roots and the connections of agents.
`integrity`, `rootkits`, `detection`, `samhain`, `webroots` and `heartbeats` make facts of its
sections.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import REPORTED
from collector.facts.security.products import PRODUCTS
from collector.facts.security.web_folders import CATALINA, WEB_SETTINGS
from collector.facts.system.taken_up import LOOK
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell


def _agents() -> str:
    """What the agents' processes are called, as the kernel cuts it: 15 characters."""
    names = set()
    for product in PRODUCTS:
        names |= set(product.names)
        names |= {p.rsplit("/", 1)[-1][:15] for p in product.programs if "*" not in p[-4:]}
    names |= {"qaxsafed", "kesl", "klnagent", "mfetpd", "savscand", "mcsrouter", "cloudwalker"}
    return "|".join(sorted(names))


READS: tuple[Read, ...] = (
    shell(
        "detectors.state",
        OPENED
        + r"""
c='/etc/aide/aide.conf /etc/aide.conf'
p='s/^[[:space:]]*database[_in]*[[:space:]]*=[[:space:]]*file:\(\/[A-Za-z0-9_.\/-]*\).*/\1/p'
for f in /var/lib/aide/aide.db /var/lib/aide/aide.db.gz \
  $(hp_finds "$p" $c 2>/dev/null | cut -f 2 |
    grep -vxE '/var/lib/aide/aide.db(.gz)?'); do
  [ -f "$f" ] || continue
  printf '== aide-database %s %s\n' "$(date -r "$f" +%s 2>/dev/null)" "$f"
  h=$(hp_by "$f" head -c 32768 2>/dev/null | gzip -dc 2>/dev/null | head -n 6 | tr -d '\000')
  # busybox's gzip -f hands on nothing that is not packed
  z='gzip -dc'
  [ -n "$h" ] || { z=cat; h=$(hp_by "$f" head -n 6 2>/dev/null | tr -d '\000'); }
  printf '%s\n' "$h" | grep -aE '^@@db_spec|^# Time' | cut -c 1-500
  # which of the system's, how many have a strong digest (AIDE writes 0 for what a rule leaves out)
  hp_by "$f" head -c 16000000 2>/dev/null | { $z 2>/dev/null || true; } | LC_ALL=C awk '
    /^@@db_spec / {
      for (i = 2; i <= NF; i++) if ($i ~ /^(sha(256|512|3_)|stribog|whirl|gost)/) d[i - 1]
    }
    /^\/(etc|bin|usr\/bin)\// {
      y = 0; for (i in d) if ($i != "" && $i != "0") y = 1
      if (y) n[substr($1, 2, 3) == "etc"]++
      if ($1 ~ /^\/(etc\/(passwd|shadow)|(usr\/)?bin\/(passwd|su))$/ && !($1 in h)) {
        h[$1]; a = a " " $1; if (y) b = b " " $1
      }
    }
    END { print "holds" a; print "digests" b; printf "counted %d %d\n", n[1], n[0] }'
  # who can put another one in its place
  while [ -n "$f" ]; do
    hp_facts "$f" L && printf 'mode %s %s %s %s\n' "$h_mode" "$h_uid" "$h_gid" "$f"
    f=${f%/*}
  done
done
w='^[!=-]?/([^a-z@]|var/?( |www)|srv|www|data|home|opt|web|app|usr/share/?( |nginx)|usr/?( |local))'
i='s/^@@\(x_\)\{0,1\}include[[:space:]]\{1,\}\(\/[A-Za-z0-9_.\/-]*\).*/\2/p'
for f in $c; do
  [ -f "$f" ] || continue
  printf '== aide-rules - %s\n' "$f"
  # what it includes, and no more
  for a in "$f" $(hp_finds "$i" "$f" 2>/dev/null | cut -f 2); do
    if [ -d "$a" ]; then set -- "$a"/*; else set -- "$a"; fi
    for b; do [ -f "$b" ] && hp_by "$b" cat 2>/dev/null; done
  done | grep -aE "$w" | grep -v '@@' | sed 's/[[:space:]]#.*//' | hp_most 400 |
    sed 's/^more$/== more/'
done
w='^(Start timestamp|End timestamp|AIDE[ ,].*(found|version)|###|All files match)'
for f in /var/log/aide/aide.log /var/log/aide.log; do
  [ -f "$f" ] || continue
  printf '== aide-log %s %s\n' "$(date -r "$f" +%s 2>/dev/null)" "$f"
  if hp_can "$f"; then
    # names stand as they are behind differences: were there any ahead of what is shown?
    b=0; [ "$(stat -c %s "$f" 2>/dev/null || echo 0)" -le 4000000 ] || b=-
    hp_by "$f" tail -c 4000000 |
      grep -aE "$w|^ *(Added|Removed|Changed) (entries|files): *	*[0-9]" |
      LC_ALL=C awk -v b="$b" '
        { if (++k > 24 && b != "-" && m[k % 24] ~ /found differences/) b++; m[k % 24] = $0 }
        END { print "differences before: " b
          for (i = k > 24 ? k - 23 : 1; i <= k; i++) print m[i % 24] }'
  else echo '== refused'; fi
done
for f in /var/lib/tripwire/*.twd; do
  [ -f "$f" ] && hp_plain "$f" || continue
  printf '== tripwire-database %s %s\n' "$(date -r "$f" +%s 2>/dev/null)" "$f"
  r=$(hp_ls -t /var/lib/tripwire/report/*.twr 2>/dev/null | head -n 1)
  [ -n "$r" ] && printf 'report %s %s\n' "$(date -r "$r" +%s 2>/dev/null)" "$r"
done
f=/var/ossec/etc/ossec.conf
if [ -f "$f" ]; then
  printf '== ossec-conf - %s\n' "$f"
  hp_can "$f" || echo '== refused'
  t='syscheck|rootcheck|client|global|integration|syslog_output'
  w='disabled|frequency|directories|ignore|address|server-ip|server-hostname|email_notification|email_to'
  # each element alone: on one line with it may stand what nobody asks for
  hp_by "$f" sed -e 's/<!--.*-->//' -e '/<!--/,/-->/d' | awk -v t="^</?($t)[ >]" -v w="^<($w)[ >]" '
    {
      while (match($0, /<[^<>]*>[^<]*/)) {
        p = substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH)
        if (p ~ t) { sub(/[ >].*/, ">", p); print p; continue }
        if (p !~ w) continue
        match(p, />/); head = substr(p, 1, RSTART - 1); text = substr(p, RSTART + 1); said = ""
        while (match(head, /[a-z_0-9]+="(yes|no|sregex|[0-9]+)"/)) {
          said = said " " substr(head, RSTART, RLENGTH); head = substr(head, RSTART + RLENGTH)
        }
        if (p ~ /^[^>]* restrict=/) said = said " restrict"
        sub(/[ \t\r]+$/, "", text); match(p, /^<[a-z_-]+/)
        print substr(p, 1, RLENGTH) said ">" text "</" substr(p, 2, RLENGTH - 1) ">"
      }
    }' | hp_most 300 | sed 's/^more$/== more/'
  echo 'asked ignore'
  f=/var/ossec/logs/ossec.log
  if [ -f "$f" ]; then
    printf '== ossec-log - %s\n' "$f"
    hp_by "$f" tail -c 2000000 |
      grep -aE 'integrity monitoring scan ended|Ending (syscheck|rootcheck) scan' | tail -n 12
  fi
  for f in /var/ossec/var/run/wazuh-agentd.state /var/ossec/var/run/ossec-agentd.state; do
    [ -f "$f" ] || continue
    printf '== ossec-state - %s\n' "$f"
    hp_by "$f" cat | grep -E '^(status|last_)'
  done
  for f in /var/ossec/logs/alerts/alerts.log /var/ossec/logs/alerts/alerts.json; do
    [ -s "$f" ] && printf '== ossec-alerts %s %s\n' "$(date -r "$f" +%s 2>/dev/null)" "$f"
  done
  for f in /var/ossec/queue/fim/db/fim.db /var/ossec/queue/syscheck/syscheck; do
    [ -f "$f" ] && printf '== ossec-database %s %s\n' "$(date -r "$f" +%s 2>/dev/null)" "$f"
  done
fi
for f in /etc/falco/falco.yaml /etc/falco/config.d/*.yaml; do
  [ -f "$f" ] && hp_plain "$f" || continue
  printf '== falco - %s\n' "$f"
  hp_by "$f" cat | grep -E '^[a-z_]+:|^[[:space:]]+enabled:' | grep -A 1 '_output:' |
    sed -e '/^--$/d' -e 's/^\([a-z_]*:\).*/\1/' \
      -e 's/^\([[:space:]]*enabled:[[:space:]]*[A-Za-z]*\).*/\1/'
done
# of its settings, those by which alarms go somewhere; what no form fits is a question mark
for f in /etc/samhain/samhainrc /etc/samhainrc; do
  [ -f "$f" ] || continue
  printf '== samhain-conf %s %s\n' "$(date -r "$f" +%s 2>/dev/null)" "$f"
  hp_can "$f" || echo '== refused'
  hp_by "$f" cat | LC_ALL=C awk '
    { gsub(/^[ \t\r]+|[ \t\r]+$/, "") }
    /^($|#|;|\/\/)/ { next }
    tolower($0) ~ /^\[eof\]/ { exit }
    /^\[/ { s = tolower($0); print s ~ /^\[(log|misc|mail)\]$/ ? s : "[other]"; next }
    /^!?[@$]/ { s = tolower($0); gsub(/[ \t]/, "", s)
      if (s != "@else") print s ~ /^[@$](end|fi)$/ ? "@end" : "@if"
      next }
    { k = $0; sub(/=.*/, "", k); k = tolower(k); v = $0; if (!sub(/^[^=]*=[ \t]*/, "", v)) v = ""
      if (!match(k, /^(mailseverity|mailclass|logseverity|messageheader|setlogfilepath)/) &&
        !match(k, /^set(mailaddress|mailsender|mailfilter|addrseverity)/)) next
      k = substr(k, 1, RLENGTH)
      if (v !~ /^[][A-Za-z0-9@.,;=!*+_%\/ -]+$/ || k ~ /class|filter|header/) v = "?"
      print k "=" v }' | hp_most 100 | sed 's/^more$/== more/'
done
# of its log: when it was started, looked, alarmed, and when no mail got out
f=/var/log/samhain/samhain.log
if [ -f "$f" ]; then
  printf '== samhain-log %s %s\n' "$(date -r "$f" +%s 2>/dev/null)" "$f"
  for f in "$f" "$f".[0-9]* "$f"-[0-9]*; do
    [ -f "$f" ] || continue
    hp_can "$f" || { echo '== refused'; continue; }
    case $f in *.gz) z='gzip -dc';; *) z=cat;; esac
    hp_by "$f" tail -c 4000000 2>/dev/null | { $z 2>/dev/null || true; } | LC_ALL=C awk '
      !match($0, /^[A-Z]+ *: +\[[0-9T:+-]+\] /) { next }
      { t = substr($0, 1, RLENGTH - 2); sub(/.*\[/, "", t); m = substr($0, RLENGTH + 1); k = "" }
      /^ALERT/ && m ~ /^msg=<START>/ { k = m ~ /, hash=<[^>]*>, path=</ ? "start" : "init" }
      /^ALERT/ && m ~ /^msg=<EXIT>/ { k = "exit" }
      /^(CRIT|ALERT)/ && m ~ /^msg=<POLICY / { k = "alarm" }
      /^MARK/ && m ~ /^msg=<File check completed/ { k = "check" }
      /^ERROR/ && m ~ /^msg=<Service failure>, service=<mail>/ { k = "mail" }
      k != "" && !(t " " k in said) { said[t " " k]; print t, k }'
  done | LC_ALL=C sort -s -k 1,1 | tail -n 400
fi
for p in $(hp_started samhain); do
  printf '== samhain-run - /proc/%s\n' "$p"
  t_p=$p; t_d=; t_u=samhain.service; t_f=
  for f in /etc/samhain/samhainrc /etc/samhainrc; do [ ! -f "$f" ] || t_f=$t_f$f$hp_nl; done
@LOOK@
done
# of processes that they name: the program, and none of its arguments
u='s/^\(![[:space:]]*[^[:space:]]*[[:space:]]*[0-9]*[[:space:]]*[^[:space:]]*[[:space:]]*[^[:space:]]*\).*/\1/
s/[[:space:]]-\{1,2\}[A-Za-z].*/ ***/'
w='(Start|End) date is|(En|Dis)abled tests are|Warning: |Suspect files:|Possible rootkits:'
for f in /var/log/rkhunter.log /var/log/rkhunter.log.old /var/log/rkhunter/rkhunter.log \
  /var/log/rkhunter/rkhunter.log.old; do
  [ -f "$f" ] || continue
  printf '== rkhunter %s %s\n' "$(date -r "$f" +%s 2>/dev/null)" "$f"
  if hp_can "$f"; then
    hp_by "$f" cat |
      grep -aE "$w" | tail -n 60 |
      sed "$u"
  else echo '== refused'; fi
done
f=/var/log/chkrootkit/log.today
if [ -f "$f" ]; then
  printf '== chkrootkit %s %s\n' "$(date -r "$f" +%s 2>/dev/null)" "$f"
  hp_by "$f" cat | grep -aE "^Checking .chkutmp'"
  e=/var/log/chkrootkit/log.expected; hp_reach "$e"
  [ -f "$e" ] && [ -z "$R" ] || e=/dev/null
  hp_by "$f" cat |
    grep -aE 'INFECTED|[Ww]arning|WARNING|[Ss]uspicious|PACKET SNIFFER|Vulnerable' |
    grep -avE '(not found|not infected|not tested|nothing found)$' |
    grep -avxFf "$e" |
    # who names files in /tmp writes lines of it, and shall not push out what was found
    LC_ALL=C awk '/INFECTED|PACKET SNIFFER|Vulnerable/ { if (n++ < 40) print; next }
      m < 40 { w[m++] = $0 }
      END { for (i = 0; i < m; i++) print w[i] }' | sed "$u"
  hp_by "$f" cat | awk '
    /^$/ { on = 0 }
    on && !/INFECTED|[Ww]arning|WARNING|[Ss]uspicious|PACKET SNIFFER|Vulnerable/
    /^(WARNING|Warning): / { on = 1 }' | grep -av ': not promisc and no packet sniffer' |
    grep -avxFf "$e" | head -n 40 | sed -e "$u" -e 's/^/detail: /'
  hp_by "$f" cat | grep -aE 'INFECTED|PACKET SNIFFER|Vulnerable' | grep -avE 'not infected$' |
    grep -axFf "$e" | head -n 40 | sed 's/^/expected: /'
fi
f=/usr/local/maldetect/logs/event_log
if [ -f "$f" ]; then
  printf '== maldet - %s\n' "$f"
  hp_by "$f" tail -c 500000 | grep -a 'scan completed on' | tail -n 6
fi
echo '== web-roots - /'
@WEB@
@CATALINA@ | sed -e "s,^\([0-9]*\)$hp_tab,/proc/\1/cmdline:," -e 's/^more$/unsure \/proc: java/'
w='@NAMES@'
echo '== links - /'
if [ -n "$(hp_started "$w")" ]; then
  if command -v ss >/dev/null 2>&1; then
    l=$(ss -Htnp state established 2>/dev/null) || l=$(ss -tnp state established) || echo 'no ss'
    printf '%s\n' "$l" | grep -E "\"($w)\"" | head -n 100
  else echo 'no ss'; fi
fi
echo '== end'
""".replace("@NAMES@", _agents())
        .replace("@WEB@", WEB_SETTINGS)
        .replace("@CATALINA@", CATALINA)
        .replace("@LOOK@", LOOK.strip()),
        seconds=20,
        limit=1 << 17,
        redact=REPORTED,
        privileged=True,
        why=Text(
            "入侵检测、完整性与 rootkit 检查工具的设置、基线与最近结果，网站根目录，防护代理的连接",
            "programs that watch for intrusion and change: settings, baselines, last results;"
            " web roots; connections of agents",
        ),
    ),
)

_HEAD = re.compile(r"== ([a-z-]+) (\d{1,11}|-)? ?(/.*)")


@dataclass(frozen=True, slots=True)
class Section:
    """What one file told: `mtime` in epoch seconds, 0 where it is not known."""

    kind: str
    path: str
    mtime: int
    lines: tuple[str, ...]


def sections(capture: Capture) -> tuple[Section, ...]:
    """The parts of the read. Raises FactError when it is cut off or a file was closed to us."""
    text = capture.read("detectors.state").text()
    if not text.rstrip().endswith("== end"):
        raise NotUnderstood("detectors.state", msg("ends_before_end"))
    found: list[Section] = []
    lines: list[str] = []
    for line in text.splitlines():
        match = _HEAD.fullmatch(line)
        if match:
            lines = []
            mtime = int(match[2]) if match[2] and match[2].isdecimal() else 0
            found.append(Section(match[1], match[3], mtime, ()))
        elif line.startswith("== ") and line != "== end":
            where = found[-1].path if found else "nothing"
            if line == "== more":
                raise CouldNotLook("detectors.state", msg("more_than_is_read"))
            said = (
                msg("could_not_be_read")
                if line == "== refused"
                else msg("has_head_of_no_form", line=line)
            )
            raise NotUnderstood("detectors.state", f"{where} {said}")
        elif line and line != "== end":
            if not found:
                raise NotUnderstood("detectors.state", msg("line_no_file", line=line))
            lines.append(line)
            last = found[-1]
            found[-1] = Section(last.kind, last.path, last.mtime, tuple(lines))
    return tuple(found)
