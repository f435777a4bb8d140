"""Interfaces, addresses and routes of a host: where a packet comes in, and where it goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.intervals import NONE, Spans, address, everything, network
from collector.facts.network.kernel_hooks import Hooks, hooks
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

# An alias of an interface is anything, and so is what a rule of ebtables puts before a log's line.
_NO_REMARKS = r"""s/\( alias \)[^\]*/\1***/
s/\(--[a-z]*log-prefix \).*/\1***/"""

READS: tuple[Read, ...] = (
    shell(
        "network.state",
        r"""
for f in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding \
  /proc/sys/net/ipv6/conf/all/disable_ipv6 /proc/sys/net/ipv4/conf/*/route_localnet; do
  v=; [ -r "$f" ] && read -r v <"$f"; printf '%s\n' "$f=$v"
done
echo bridges:
for f in /sys/class/net/*/bridge; do
  [ -d "$f" ] && { f=${f%/bridge}; printf '%s\n' "bridge=${f##*/}"; }
done
command -v ip >/dev/null 2>&1 || exit 0
echo '== addresses'; ip -o addr show
echo '== rules'; ip rule show; ip -6 rule show 2>/dev/null
echo '== routes4'; ip -4 route show table main
echo '== routes6'; ip -6 route show table main 2>/dev/null
echo '== local'
ip -4 route show table local type local; ip -6 route show table local type local 2>/dev/null
echo '== groups4'; [ -r /proc/net/igmp ] && cat /proc/net/igmp
echo '== groups6'; [ -r /proc/net/igmp6 ] && cat /proc/net/igmp6
echo '== links'; ip -o link show
echo '== hooks'
if command -v tc >/dev/null 2>&1; then
  if q=$(tc qdisc show 2>/dev/null); then
    printf '%s\n' "$q" | while read -r _ kind _ _ dev _; do
      case $kind in ingress | clsact)
        printf '%s\n' "tc $dev"; tc filter show dev "$dev" ingress 2>/dev/null || echo refused
      esac
    done
  else
    echo 'tc: refused'
  fi
elif [ ! -r /proc/modules ] || grep -q '^sch_ingress ' /proc/modules; then
  echo 'tc: missing'
fi
if [ -r /proc/modules ]; then
  grep -E '^ebtable_(filter|nat|broute) ' /proc/modules | while read -r t _; do
    e=$(command -v ebtables-legacy || command -v ebtables) || { echo 'ebtables: missing'; break; }
    "$e" -t "${t#ebtable_}" -L 2>/dev/null || echo 'ebtables: missing'
  done
fi
if [ -r /proc/net/ip_vs ]; then echo '== ipvs'; cat /proc/net/ip_vs; fi
if command -v bpftool >/dev/null 2>&1; then
  echo '== bpf'
  bpftool prog show 2>/dev/null | grep -E '^[0-9]+: (sk_lookup|lwt_|cgroup_skb|netfilter)'
  bpftool net show 2>/dev/null | grep -E '(tcx|netkit|clsact)/'
  if l=$(bpftool link show 2>/dev/null); then
    printf '%s\n' "links as of $(readlink /proc/self/ns/net 2>/dev/null)"
    printf '%s\n' "$l" | awk '/^[0-9]+: / { h = $0 } /netns_ino/ { print h $0 }'
  fi
fi
echo '== end'
""",
        limit=1 << 20,
        redact=_NO_REMARKS,
        why=Text("网卡、地址与路由", "interfaces, addresses and routes"),
    ),
)

_LISTED = re.compile(r"^\d+:\s+([^\s@]+)(?:@\S+)?\s+inet(6?)\s+(\S+)\s?(.*)$")
_DEV = re.compile(r"\bdev (\S+)")
_BOOT_RULE = re.compile(r"^(0:\s+from all lookup local|\d+:\s+from all lookup (main|default))\s*$")


@dataclass(frozen=True)
class Network:
    """Addresses and routes of a host. `own` is (interface, family, address, network) each;

    `routes` is (family, network, interface), `plain`: nothing but the main table routes;
    `bridges` are the interfaces that are bridges, None where a capture does not say; `groups` is
    (family, interface, address) of what was joined; `localnet` are the interfaces that take
    127.0.0.0/8 from outside (`all` for each); `hooks`: what packets meet beside the rules;
    `more` are networks all of whose addresses it takes as its own (routes of the type local).
    """

    own: tuple[tuple[str, int, int, Spans], ...]
    routes: tuple[tuple[int, Spans, str], ...]
    forwards: Mapping[int, bool]
    plain: bool
    bridges: frozenset[str] | None = None
    groups: tuple[tuple[int, str, int], ...] = ()
    localnet: frozenset[str] = frozenset()
    hooks: Hooks = field(default_factory=Hooks)
    more: tuple[tuple[int, Spans], ...] = ()

    def addresses(self, family: int) -> Spans:
        return Spans.one(*(number for _, of, number, _ in self.own if of == family))

    def global_addresses(self, family: int) -> list[tuple[str, int]]:
        """(interface, address) of each that is neither of loopback nor link-local."""
        return [
            (device, number)
            for device, of, number, _ in self.own
            if of == family and device != "lo" and not _near(number, family)
        ]

    def loopback_from(self, device: str) -> bool:
        """Does the interface take packets to 127.0.0.0/8 (route_localnet, ip-sysctl)?"""
        return bool({"all", device} & self.localnet)

    def on_link(self, device: str, family: int) -> Spans:
        """The sources that lie on the interface's own link."""
        near = NONE if family == 4 else network("fe80::/10", 6)
        for name, of, _, held in self.own:
            if (name, of) == (device, family):
                near |= held
        return near - self.addresses(family) - _never(family)

    def broadcasts(self, family: int) -> list[tuple[str, int]]:
        """(interface, address) that everyone on the link takes as its own."""
        found: list[tuple[str, int]] = []
        for name, of, _, held in self.own:
            if of == family == 4 and name != "lo":
                found.append((name, (1 << 32) - 1))
                if held.size > 2:
                    found.append((name, held.ranges[-1][1]))
        return list(dict.fromkeys(found))

    def multicasts(self, family: int) -> list[tuple[str, int]]:
        """(interface, address) of the groups that the host is in."""
        there = set(self.interfaces())
        return [(name, n) for of, name, n in self.groups if of == family and name in there]

    def local_to(self, number: int, family: int) -> list[str]:
        """The interfaces that have this address of a link alone."""
        if not _near(number, family) or (family == 4 and number >> 24 == 127) or number == 1:
            return []
        return [name for name, of, own, _ in self.own if (of, own) == (family, number)]

    def interfaces(self) -> list[str]:
        return sorted({device for device, *_ in self.own if device != "lo"})

    def local(self, number: int, family: int) -> bool:
        if family == 4 and number >> 24 == 127:
            return True
        if any(of == family and number in held for of, held in self.more):
            return True
        return number in self.addresses(family)

    def way(self, number: int, family: int) -> str | None:
        """The interface that the main table sends an address to; None when it has no way."""
        best: tuple[int, str] | None = None
        for of, held, device in self.routes:
            if of == family and number in held and (best is None or held.size < best[0]):
                best = (held.size, device)
        return best[1] if best else None

    def arriving(self, family: int) -> list[tuple[str, Spans]]:
        """Each interface but lo, with the sources that come in there: those it routes to.

        Sources that nothing routes, and all where routing is more than the main table, may come
        in anywhere.
        """
        every = everything(family) - self.addresses(family) - _never(family)
        devices = self.interfaces()
        if not self.plain:
            return [(device, every) for device in devices]
        routed: dict[str, Spans] = dict.fromkeys(devices, NONE)
        claimed = NONE
        mine = [(held, device) for of, held, device in self.routes if of == family]
        # a network with several ways (fe80::/64 of each interface) comes in by all of them
        for held in sorted({held for held, _ in mine}, key=lambda spans: spans.size):
            fresh = (held & every) - claimed
            for device in {device for other, device in mine if other == held} & set(routed):
                routed[device] |= fresh
            claimed |= fresh
        rest = every - claimed
        return [(device, sources | rest) for device, sources in routed.items() if sources | rest]


def _near(number: int, family: int) -> bool:
    """Loopback or link-local (RFC 3927, RFC 4291)."""
    if family == 4:
        return number >> 24 == 127 or number >> 16 == 0xA9FE
    return number == 1 or number >> 118 == 0xFE80 >> 6


def _never(family: int) -> Spans:
    """Addresses that no packet from outside may have as its source: loopback, multicast."""
    if family == 4:
        return network("127.0.0.0/8", 4) | network("224.0.0.0/4", 4) | Spans.one((1 << 32) - 1, 0)
    return Spans.one(0, 1) | network("ff00::/8", 6)


def network_of(capture: Capture) -> Network:
    """Raises FactError when interfaces and routes could not be seen."""
    result = capture.read("network.state")
    text = result.text()
    if "== end" not in text:
        raise CouldNotLook("network.state", msg("no_ip_command"))
    parts = dict(re.findall(r"^== (\w+)\n(.*?)(?=^== )", text, re.MULTILINE | re.DOTALL))
    settings = dict(re.findall(r"^(/proc/\S+)=(\d*)$", text, re.MULTILINE))
    missing = {"addresses", "rules", "routes4", "routes6"} - set(parts)
    if missing:
        raise NotUnderstood("network.state", msg("no_part", names=", ".join(sorted(missing))))
    own = []
    for line in parts["addresses"].splitlines():
        match = _LISTED.match(line)
        if match is None:
            if " inet" in line:
                raise NotUnderstood("network.state", msg("no_address", line=line))
            continue
        family = 6 if match[2] else 4
        try:
            _, number = address(match[3].split("/")[0])
            held = network(match[3], family)
        except ValueError:
            raise NotUnderstood("network.state", msg("no_address", line=line)) from None
        own.append((match[1], family, number, held))
    routes = [
        (family, held, device)
        for family in (4, 6)
        for held, device in _routes(parts[f"routes{family}"], family)
    ]
    plain = all(_BOOT_RULE.match(line) for line in parts["rules"].splitlines() if line.strip())
    forwards = {
        4: settings.get("/proc/sys/net/ipv4/ip_forward") == "1",
        6: settings.get("/proc/sys/net/ipv6/conf/all/forwarding") == "1",
    }
    bridges = frozenset(re.findall(r"^bridge=(\S+)$", text, re.MULTILINE))
    told = re.search(r"^bridges:$", text, re.MULTILINE) is not None
    localnet = re.findall(r"^/proc/sys/net/ipv4/conf/(\S+)/route_localnet=1$", text, re.MULTILINE)
    return Network(
        tuple(own),
        tuple(routes),
        forwards,
        plain,
        bridges if told else None,
        tuple(_groups(parts.get("groups4", ""), parts.get("groups6", ""))),
        frozenset(localnet),
        hooks(text, bridges),
        tuple(_taken(parts.get("local", ""))),
    )


def _taken(text: str) -> list[tuple[int, Spans]]:
    """(family, addresses) of the local routes that are networks; loopback's is none."""
    found: list[tuple[int, Spans]] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2 or words[0] != "local" or not (words[1] == "default" or "/" in words[1]):
            continue
        family = 6 if ":" in words[1] else 4
        try:
            held = everything(family) if words[1] == "default" else network(words[1], family)
        except ValueError:
            raise NotUnderstood("network.state", msg("no_route", line=line)) from None
        if not (family == 4 and held.first >> 24 == 127):
            found.append((family, held))
    return found


def _groups(four: str, six: str) -> list[tuple[int, str, int]]:
    """From /proc/net/igmp (a line for each interface, then its groups) and /proc/net/igmp6."""
    found: list[tuple[int, str, int]] = []
    device = ""
    for line in four.splitlines():
        if match := re.match(r"\d+\s+(\S+)\s*:", line):
            device = match[1]
        elif match := re.match(r"\s+([0-9A-F]{8})\s", line):
            number = int("".join(reversed(re.findall("..", match[1]))), 16)
            found.append((4, device, number))
    for name, number in re.findall(r"^\d+\s+(\S+)\s+([0-9a-f]{32})\s", six, re.MULTILINE):
        found.append((6, name, int(number, 16)))
    return found


def _routes(text: str, family: int) -> list[tuple[Spans, str]]:
    """(network, interface) of each route, one for every way of a route with several."""
    found: list[tuple[Spans, str]] = []
    target = NONE
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if not line.startswith((" ", "\t")):
            kind = words[0]
            if kind in ("unreachable", "blackhole", "prohibit", "throw", "broadcast", "multicast"):
                target = NONE
                continue
            name = words[1] if kind in ("unicast", "local", "anycast") else kind
            try:
                target = everything(family) if name == "default" else network(name, family)
            except ValueError:
                raise NotUnderstood("network.state", msg("no_route", line=line)) from None
        device = _DEV.search(line)
        if device and target:
            found.append((target, device[1]))
    return found
