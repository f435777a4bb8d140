"""Whether a ban of fail2ban comes about: what its actions call, what is fed to it, what it said.

Printed by the read of its jails, behind their answers; captures made before have none of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.i18n.message import msg
from collector.model import Capture

# Of what an action would run only the names of known programs leave: the rest may hold a key of
# some service. `j` are the jails, `l` the names of all their actions, `a` what was answered.
EFFECTS = r"""
echo '== effects'
q=; k=
for n in $j; do
  q="${q}get $n ignorecommand
get $n ignoreregex
"; k="${k}ignore $n
regex $n
"
  for b in $l; do
    q="${q}get $n action $b protocol
get $n action $b actionban
get $n action $b actionstart
get $n action $b blocktype
get $n action $b chain_hook
get $n action $b chain
"; k="${k}protocol $n $b
ban $n $b
start $n $b
block $n $b
hook $n $b
chain $n $b
"
  done
done
printf '%sexit\n' "$q" | fail2ban-client -i 2>/dev/null | HP_ASKED=$k awk '
  BEGIN {
    n = split(ENVIRON["HP_ASKED"], asked, "\n")
    m = split("nft iptables ip6tables ipset firewall-cmd ufw shorewall pfctl ipfw csf ip" \
      " hosts.deny", known, " ")
  }
  /^fail2ban> / { i++; gsub(/^(fail2ban> ?)+/, "") }
  !i || i >= n || $0 == "" { next }
  asked[i] ~ /^ignore / { if ($0 != "None" && !said[i]++) print asked[i]; next }
  asked[i] ~ /^regex / { spares[asked[i]] += ($0 ~ /^[|`]- /); next }
  asked[i] ~ /^(block|hook|chain) / {
    if ($0 ~ /^[A-Za-z0-9 _-]+$/ && !said[i]++) print asked[i] " " $0
    next
  }
  asked[i] ~ /^protocol / { if ($0 ~ /^[a-z0-9, ]+$/) print asked[i] " " $0; next }
  {
    gsub(/<iptables>/, "iptables"); gsub(/<family>/, "")
    $0 = " " $0 " "
    for (w = 1; w <= m; w++) {
      name = known[w]; gsub(/[.]/, "[.]", name)
      if ($0 ~ ("[ \t/;|&({`]" name "[ \t;|&)}]") && !said[i, w]++) print asked[i] " " known[w]
    }
  }
  END { for (one in spares) print one " " spares[one] }'
for w in nft iptables ip6tables ipset firewall-cmd ufw shorewall pfctl ipfw csf ip; do
  command -v "$w" >/dev/null 2>&1 && printf 'there %s\n' "$w"
done
if command -v systemctl >/dev/null 2>&1; then
  printf 'boot %s\n' "$(systemctl is-enabled fail2ban 2>/dev/null | head -n 1)"
  printf 'firewalld %s\n' "$(systemctl is-active firewalld 2>/dev/null | head -n 1)"
fi
grep -q '^ENABLED=yes' /etc/ufw/ufw.conf 2>/dev/null && echo 'ufw active'
for f in $(printf '%s\n' "$a" | sed -n 's/^[|`]- \(\/[^ ]*\)$/\1/p' | sort -u); do
  t=$(date -r "$f" +%s 2>/dev/null)
  printf 'log %s %s\n' "${t:--}" "$f"
done
printf 'sshd %s\n' "$(journalctl -q -n 1 -o short-unix _UID=0 _COMM=sshd _COMM=sshd-session \
  2>/dev/null |
  sed -n 's/^\([0-9]\{1,\}\).*/\1/p' | tail -n 1)"
# whom each jail keeps out now: the first of them, and how many there are
q=
for n in $j; do q="${q}status $n
"; done
printf '%sexit\n' "$q" | fail2ban-client -i 2>/dev/null | HP_ASKED=$j awk '
  BEGIN { n = split(ENVIRON["HP_ASKED"], jail, " ") }
  /IP list:/ {
    sub(/.*IP list:[ \t]*/, ""); m = split($0, address, " "); said = ""
    for (i = 1; i <= m && i <= 8; i++) said = said " " address[i]
    if (++k <= n) print "held " jail[k] " " m said
  }'
f=/var/log/fail2ban.log
[ -f "$f" ] && hp_by "$f" tail -c 262144 2>/dev/null | awk '
  / Starting Fail2ban / { split("", failed) }
  /Failed to execute ban jail / {
    sub(/.*Failed to execute ban jail ./, ""); sub(/[^A-Za-z0-9_.-].*/, "")
    failed[$0]++
  }
  END { for (jail in failed) print "failed " jail " " failed[jail] }'
true
"""


Version = tuple[int, ...]

# Of config/action.d, tags 0.8.14 to 1.1.1. What an action does not take is handed on in one word,
# and the packet filter refuses the rule: `unknown protocol "tcp,"`.
# Names of actions, since when they take several, and since when `all` beside ports; None: never
_ACTIONS: tuple[tuple[str, Version | None, Version | None], ...] = (
    ("iptables-xt_recent-echo|firewallcmd-allports", (0,), (0,)),
    ("iptables-multiport-log", None, None),
    ("firewallcmd-.*", None, None),
    ("iptables(?:-.*)?", (1, 0, 1), None),
    ("nftables(?:-.*)?", (0, 10, 5), (1, 1, 1)),
)
_BY_PROTOCOL = {"nft", "iptables", "ip6tables", "ipset", "firewall-cmd"}


def version_of(text: str) -> Version | None:
    """The version in the banner of the interactive client; None where it is of none released."""
    found = re.search(r"^Fail2Ban v(\d+(?:\.\d+){1,3}) reads log file", text, re.MULTILINE)
    return tuple(map(int, found[1].split("."))) if found else None


def takes(
    action: str, calls: AbstractSet[str], told: str, version: Version | None, *, every_port: bool
) -> bool | None:
    """None where that is not known: an action of one's own, or a version that was not told."""
    words = told.replace(",", " ").split()
    several = len(words) > 1 or "," in told
    if not several and "all" not in words:
        return True
    known = next((row for row in _ACTIONS if re.fullmatch(row[0], action)), None)
    if known is None:
        # by an address alone: a route, tcpd, ufw
        return None if calls & _BY_PROTOCOL else True
    _, since_several, since_all = known
    since = since_several
    if "all" in words:
        if every_port and not several and not action.startswith("nftables"):
            return True
        if action == "firewallcmd-ipset":
            return None  # whether it is for every port, another option of it says
        since = since_all
    if since is None:
        return False
    if since == (0,):
        return True
    return None if version is None else version >= since


@dataclass(frozen=True, slots=True)
class Effects:
    """`calls` are the programs of the ban of (jail, action), `starts` those of its beginning.

    `logs` are the times of the last change of files that are read (None: not there), `sshd` that of
    the last message of sshd in the journal. `failed` counts bans that were not carried out since
    the server began, by jail. `sparing` counts the patterns of lines that a jail is told to ignore,
    None where that was not asked for yet; `bounds` are by (block, hook or chain, jail, action).
    `banned` are the first addresses that a jail keeps out now; a jail that was not asked is not in.
    `version` is the client's, None where it did not say it.
    """

    calls: Mapping[tuple[str, str], frozenset[str]]
    protocols: Mapping[tuple[str, str], str]
    ignoring: frozenset[str]
    there: frozenset[str]
    boot: str
    firewalld: str
    ufw: bool
    logs: Mapping[str, int | None]
    sshd: int | None
    failed: Mapping[str, int]
    sparing: Mapping[str, int] | None
    bounds: Mapping[tuple[str, str, str], str]
    banned: Mapping[str, tuple[str, ...]]
    version: Version | None

    def protocol(self, jail: str, action: str) -> str:
        return self.protocols.get((jail, action), "tcp")

    def takes(self, jail: str, action: str, *, every_port: bool) -> bool | None:
        """Does the action take the protocols that it is told? None where that is not known."""
        calls = self.calls.get((jail, action), frozenset())
        told = self.protocol(jail, action)
        return takes(action, calls, told, self.version, every_port=every_port)

    def lets_in(self, jail: str, action: str) -> bool | None:
        """Does the rule of a ban let in, or stand where nothing for this host comes by?

        None where that is not known.
        """
        block, hook, chain = (
            self.bounds.get((word, jail, action), "") for word in ("block", "hook", "chain")
        )
        if hook not in ("", *_HOOKS) or (chain and set(chain.split()) <= _PASSED_BY):
            return True
        if not block or _KEEPS_OUT.search(block):
            return False
        return True if _LETS_IN.fullmatch(block) else None

    def idle(self, program: str) -> bool:
        """Is a program that a ban goes by missing, or does what it speaks to not run?"""
        if program == "hosts.deny":
            return False
        if program not in self.there:
            return True
        if program == "firewall-cmd":
            return self.firewalld not in ("active", "")
        return program == "ufw" and not self.ufw

    def fed(self, logs: tuple[str, ...]) -> bool | None:
        """Does one of the files get what sshd writes, as the journal has it? None: not known."""
        if self.sshd is None:
            return None
        times = [self.logs.get(path) for path in logs]
        return any(time is not None and time >= self.sshd - _LATE for time in times)


_HOOKS = ("input", "prerouting", "ingress")
_PASSED_BY = {"FORWARD", "OUTPUT", "POSTROUTING", "DOCKER-USER"}
_KEEPS_OUT = re.compile(r"drop|reject|deny|blackhole|unreachable|prohibit|tarpit", re.IGNORECASE)
_LETS_IN = re.compile(r"accept|allow|return|continue|log|count(?:er)?", re.IGNORECASE)

# as long as a message may take from the journal to a file
_LATE = 300


def effects(capture: Capture) -> Effects | None:
    """None where it was not asked for yet, or no server runs. Raises FactError."""
    head, separator, text = capture.read("bans.fail2ban").text().partition("\n== effects\n")
    if not separator:
        return None
    found: dict[str, list[list[str]]] = {}
    for line in text.splitlines():
        word, *rest = line.split(" ")
        if line.strip():
            found.setdefault(word, []).append(rest)
    try:
        return _effects(found, version_of(head))
    except (ValueError, IndexError, KeyError):
        raise NotUnderstood("bans.fail2ban", msg("not_output_read")) from None


def _effects(found: Mapping[str, list[list[str]]], version: Version | None) -> Effects:
    calls: dict[tuple[str, str], set[str]] = {}
    for jail, action, program in (*found.get("ban", ()), *found.get("start", ())):
        calls.setdefault((jail, action), set()).add(program)
    bans = {(jail, action) for jail, action, _ in found.get("ban", ())}
    told = {word: rows[-1][0] for word, rows in found.items() if word in ("boot", "firewalld")}
    (sshd,) = found["sshd"][-1]
    return Effects(
        {key: frozenset(names) for key, names in calls.items() if key in bans},
        {(jail, action): " ".join(rest) for jail, action, *rest in found.get("protocol", ())},
        frozenset(jail for (jail,) in found.get("ignore", ())),
        frozenset(name for (name,) in found.get("there", ())),
        told.get("boot", ""),
        told.get("firewalld", ""),
        bool(found.get("ufw")),
        {" ".join(rest): int(t) if t.isdecimal() else None for t, *rest in found.get("log", ())},
        int(sshd) if sshd.isdecimal() else None,
        {jail: int(count) for jail, count in found.get("failed", ())},
        {jail: int(n) for jail, n in found["regex"]} if "regex" in found else None,
        {
            (word, jail, action): " ".join(rest)
            for word in ("block", "hook", "chain")
            for jail, action, *rest in found.get(word, ())
        },
        {jail: tuple(addresses) for jail, _, *addresses in found.get("held", ())},
        version,
    )
