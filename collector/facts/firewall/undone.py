"""What takes the rules away again when the host starts: rc.local, units and jobs of its own.

Of each line only the command that does it is told, by the file that it stands in:

>>> undone_of('''unit /etc/systemd/system/tidy.service iptables -F
... own /etc/rc.local nft flush ruleset
... adds /etc/rc.local
... == end''', lambda unit: True)
(Undone(path='/etc/systemd/system/tidy.service', command='iptables -F', adds=False), \
Undone(path='/etc/rc.local', command='nft flush ruleset', adds=True))
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.system.services import READS as _SERVICE_READS
from collector.facts.system.services import services
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "firewall.undone"

READS: tuple[Read, ...] = (
    shell(
        _READ,
        OPENED
        + r"""
# the program may be called by a variable, the table be named by one
v='[$][{]?[A-Za-z_]+[}]?'; c='[$][{]?[A-Za-z_]*(IPT|ipt|IP6|ip6|TABLES|tables)[A-Za-z0-9_]*[}]?'
o='nft( -[a-z]+)* (flush|delete|destroy) (ruleset|table|chain)|flush ruleset'
t="(ip6?tables(-nft|-legacy)?|$c)( -w)?( -t (filter|$v))?"
o="$o|$t (-F|--flush|-X|-P INPUT ACCEPT|--policy INPUT ACCEPT)"
o="$o|$t (-[AI]|--(append|insert)) INPUT( 1)? -j ACCEPT"
o="$o|ufw( --force)? (disable|reset)|firewall-cmd( --permanent)? --set-default-zone=trusted"
s='(nftables|firewalld|ufw|ip6?tables|netfilter-persistent)'
o="$o|systemctl( --now)? (stop|disable|mask)( --now)? $s|service $s stop"
# of a file that is loaded
r='^flush ruleset|^:INPUT ACCEPT'
q='policy drop|^:INPUT DROP|-j (DROP|REJECT)|^[[:space:]]*(drop|reject)'
a="nft( -[a-z]+)* (-f|add|insert)|$t (-A|-I|-P INPUT DROP)|tables-restore"
# what these start is looked at by itself
u='(nftables|firewalld|ufw|ip6?tables|netfilter-persistent|ebtables|arptables|fail2ban)[.]service'
d=; for p in /usr/lib/systemd/system /lib/systemd/system /run/systemd/system; do
  [ -d "$p" ] && [ ! -L "${p%/systemd/system}" ] || continue
  d="$d $(grep -lsE '^ExecStart(Pre|Post)?=.*(nft|tables|ufw|firewall|/sh |bash |\.sh)' \
    "$p"/*.service | grep -vE "/$u\$" | grep -xE '[A-Za-z0-9_.@/-]+' | tr '\n' ' ')"
done
for f in /etc/rc.local /etc/rc.d/rc.local /etc/local.d/*.start /etc/network/if-up.d/* \
  /etc/network/interfaces /etc/network/interfaces.d/* /etc/NetworkManager/dispatcher.d/* \
  /etc/rc[235].d/S* /etc/rc.d/rc[235].d/S* \
  /etc/crontab /etc/cron.d/* /var/spool/cron/root /var/spool/cron/crontabs/root \
  /etc/systemd/system/*.service /etc/systemd/system/*.service.d/*.conf $d; do
  [ -f "$f" ] && hp_plain "$f" && hp_can "$f" || continue
  k=own; g='^[^#]'; x=yes
  case $f in
    (*/rc[235].d/S*)
      x=no; printf '%s\n' "$f.service" | grep -qE "/S[0-9]*$u" && continue
      [ -x "$f" ] || continue;;
    (/etc/rc*|/etc/local.d/*|*/if-up.d/*|*/dispatcher.d/*) [ -x "$f" ] || continue;;
    (/etc/network/*) g='^[[:space:]]*(pre-up|up|post-up)[[:space:]]';;
    (/etc/cron*|/var/spool/*) g='^[[:space:]]*@reboot[[:space:]]';;
    (*/systemd/system/*) k=unit; g='^ExecStart(Pre|Post)?=';;
  esac
  l=$(hp_by "$f" grep -aE -e "$g" 2>/dev/null)
  [ -n "$l" ] || continue
  set -f
  for s in $f $([ "$x" = no ] || printf '%s\n' "$l" | grep -oE '/[A-Za-z0-9_./-]+' |
    grep -vE '^(/usr)?/s?bin/|^/(dev|proc|sys|run)/|^/usr/(share|lib)/' | sort -u | hp_most 200); do
    [ "$s" != more ] || { echo more; continue; }
    t=$l; w=$o
    [ "$s" = "$f" ] || {
      [ -f "$s" ] && hp_plain "$s" && hp_can "$s" || continue
      hp_first "$s"
      case "$h_l" in
        ('#!'*) ;;
        (*)
          w=$r
          printf '%s\n' "$l" | grep -qE "(nft( -[a-z]+)* -f|tables-restore).*$s" || continue;;
      esac
      t=$(hp_by "$s" grep -aE '^[[:space:]]*[^#[:space:]]' 2>/dev/null | head -c 65536)
      case "$h_l" in ('#!'*nft*) w=$r;; esac
    }
    # whole rules, which the reads of the rules at boot judge
    [ "$w" = "$o" ] || ! printf '%s\n' "$t" | grep -qE "$q" || continue
    n=$(printf '%s\n' "$t" | sed 's/^[[:space:]]*//' | grep -oE "$w" | head -n 8)
    [ -n "$n" ] || continue
    printf '%s\n' "$n" | while IFS= read -r c; do printf '%s %s %s\n' "$k" "$f" "$c"; done
    printf '%s\n' "$t" | grep -qE "$a" && printf 'adds %s\n' "$f"
  done
  set +f
done
# of zones in use: what a boot would let in that it does not let in now
if command -v firewall-cmd >/dev/null 2>&1 && [ "$(firewall-cmd --state 2>/dev/null)" = running ]
then
  {
    firewall-cmd --list-all-zones && echo '== permanent' &&
      firewall-cmd --permanent --list-all-zones && echo '== end'
  } 2>/dev/null | awk '
    /^== permanent$/ { p = 1; next }
    /^== end$/ { done = 1; next }
    /^[^ \t]/ { z = $1; live = / \(.*active.*\)$/ ; if (!p && live) on[z] = 1; next }
    /^  [a-z-]+( [a-z]+)?:/ {
      k = $0; sub(/^  /, "", k); sub(/:.*/, "", k); gsub(/ /, "-", k)
      v = $0; sub(/^[^:]*: */, "", v); n = split(v, w, " ")
      if (k ~ /^(target|services|ports|protocols|source-?ports|interfaces|sources)$/)
        for (i = 1; i <= n; i++) say(z, k, w[i])
      next }
    /^\t/ { if (k == "forward-ports" || / accept( |$)/) say(z, k, $0) }
    function say(z, k, v) {
      if (!p) { now[z, k, v] = 1; return }
      if (k == "target" && v == "ACCEPT") wide[z] = 1
      if ((z, k, v) in now) return
      if (k ~ /^(interfaces|sources)$/ ? wide[z] : z in on && (k != "target" || v == "ACCEPT")) {
        if (k !~ /^(target|services|ports|protocols|source-?ports)$/) v = ""
        print "zone " z " " k (v == "" ? "" : " " v) }
    }
    END { if (p && done) print "zones told" }' | sort -u
fi
f=/etc/csf/csf.conf
[ -f "$f" ] && hp_plain "$f" && printf 'csf %s\n' "$(hp_by "$f" \
  sed -n 's/^TESTING *= *"\([01]\)".*/\1/p' | tail -n 1)"
echo '== end'
""",
        seconds=20,
        limit=1 << 16,
        privileged=True,
        why=Text(
            "主机启动时有无命令清空或停用防火墙规则",
            "whether something flushes or stops the firewall when the host starts",
        ),
    ),
    *_SERVICE_READS,
)


@dataclass(frozen=True, slots=True)
class Undone:
    """A command that takes rules away at boot; `adds`: the same place adds others."""

    path: str
    command: str
    adds: bool

    @property
    def line(self) -> str:
        return f"{self.path} {self.command}"


def flushes(capture: Capture) -> tuple[Undone, ...]:
    """Raises FactError; also where the capture is from before it was asked."""
    return undone_of(flushed_text(capture), services(capture).starts_at_boot)


def zones_to_come(capture: Capture) -> tuple[str, ...]:
    """What zones of firewalld in use let in by their lasting settings alone: at the next start.

    Raises FactError where firewalld starts with the host, and it was not told.
    """
    if not services(capture).starts_at_boot("firewalld"):
        return ()
    lines = flushed_text(capture).splitlines()
    if "zones told" not in lines:
        raise CouldNotLook(_READ, msg("not_collected_zones"))
    return tuple(line for line in lines if line.startswith("zone "))


def flushed_text(capture: Capture) -> str:
    """What the read printed. Raises FactError; also for a capture from before it was asked."""
    if _READ not in capture.reads:
        raise CouldNotLook(_READ, msg("not_collected_undone"))
    return capture.read(_READ).text()


def csf_at_boot(capture: Capture) -> tuple[str, ...]:
    """csf, where it starts with the host and is past its time of trial (TESTING).

    While that lasts its cron job takes the rules away every five minutes. Raises FactError.
    """
    if not services(capture).starts_at_boot("csf"):
        return ()
    return ("csf",) if "csf 0" in flushed_text(capture).splitlines() else ()


def undone_of(text: str, starts: Callable[[str], bool]) -> tuple[Undone, ...]:
    """Of what the read printed; a unit counts that `starts` at boot. Raises NotUnderstood."""
    if not text.rstrip().endswith("== end"):
        raise NotUnderstood(_READ, msg("ends_before_end"))
    found: list[tuple[str, str]] = []
    adding = set()
    for line in text.splitlines():
        if line == "more":
            raise CouldNotLook(_READ, msg("more_than_is_read"))
        word, _, rest = line.partition(" ")
        path, _, command = rest.partition(" ")
        if word == "adds":
            adding.add(path)
        elif word in ("unit", "own"):
            unit = re.search(r"/([^/]+)\.service(?:\.d/[^/]+)?$", path)
            if word == "own" or unit is None or starts(unit[1]):
                found.append((path, command))
        elif word not in ("zone", "zones", "csf") and line.strip() not in ("", "== end"):
            raise NotUnderstood(_READ, msg("not_understood", line=line))
    return tuple(Undone(path, command, path in adding) for path, command in dict.fromkeys(found))
