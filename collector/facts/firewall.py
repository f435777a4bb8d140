"""The packet filter as the kernel has it, and the network it stands in: what gets through.

The order of hooks for a packet that comes in (netfilter): ingress, prerouting (raw, mangle,
destination NAT), then input, or forward where its destination is not this host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts import iptables, nftables
from collector.facts.packets import (
    Base,
    Flow,
    Numeric,
    OneOf,
    Packet,
    Rewrite,
    Rule,
    Rules,
    Step,
    merged,
)
from collector.facts.services import READS as _SERVICE_READS
from collector.facts.services import services
from collector.facts.spans import NONE, Spans, address, everything, network
from collector.model import Capture, Read, Text, files, shell

_WHY = Text("内核中已加载的防火墙规则", "the firewall rules as the kernel has them")
_LEGACY = (
    "grep -q . /proc/net/{file} 2>/dev/null || exit 0\n"
    "if command -v {command}-legacy-save >/dev/null 2>&1; then exec {command}-legacy-save; fi\n"
    'case "$({command} -V 2>/dev/null)" in *nf_tables*) exit 0;; esac\n'
    "exec {command}-save"
)
_NFT = 'case "$({command} -V 2>/dev/null)" in *nf_tables*) exec {command}-save;; esac\ntrue'

READS: tuple[Read, ...] = (
    shell(
        "firewall.nft",
        r"""
# asking a kernel without nf_tables would make it load the module
if [ -r /proc/modules ] && ! grep -q '^nf_tables ' /proc/modules; then
  m=/lib/modules/$(uname -r)/modules.builtin
  if [ -r "$m" ] && ! grep -q '/nf_tables\.ko' "$m"; then echo '{"nftables": []}'; exit 0; fi
fi
command -v nft >/dev/null 2>&1 || { echo none; exit 0; }
exec nft -j list ruleset
""",
        limit=1 << 23,
        privileged=True,
        why=_WHY,
    ),
    shell(
        "firewall.iptables",
        _NFT.format(command="iptables"),
        limit=1 << 22,
        privileged=True,
        why=_WHY,
    ),
    shell(
        "firewall.ip6tables",
        _NFT.format(command="ip6tables"),
        limit=1 << 22,
        privileged=True,
        why=_WHY,
    ),
    shell(
        "firewall.iptables_legacy",
        _LEGACY.format(command="iptables", file="ip_tables_names"),
        limit=1 << 22,
        privileged=True,
        why=_WHY,
    ),
    shell(
        "firewall.ip6tables_legacy",
        _LEGACY.format(command="ip6tables", file="ip6_tables_names"),
        limit=1 << 22,
        privileged=True,
        why=_WHY,
    ),
    shell(
        "firewall.ipset",
        "command -v ipset >/dev/null 2>&1 || exit 0\n"
        "if [ -r /proc/modules ] && ! grep -q '^ip_set ' /proc/modules; then exit 0; fi\n"
        "exec ipset save",
        limit=1 << 22,
        privileged=True,
        why=Text("规则所引用的地址集合", "the address sets that rules refer to"),
    ),
    shell(
        "firewall.network",
        r"""
for f in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding \
  /proc/sys/net/ipv6/conf/all/disable_ipv6; do
  v=; [ -r "$f" ] && read -r v <"$f"; echo "$f=$v"
done
command -v ip >/dev/null 2>&1 || exit 0
echo '== addresses'; ip -o addr show
echo '== rules'; ip rule show; ip -6 rule show 2>/dev/null
echo '== routes4'; ip -4 route show table main
echo '== routes6'; ip -6 route show table main 2>/dev/null
echo '== end'
""",
        limit=1 << 20,
        why=Text("网卡、地址与路由", "interfaces, addresses and routes"),
    ),
    files(
        "firewall.saved",
        "/etc/nftables.conf",
        "/etc/sysconfig/nftables.conf",
        "/etc/nftables/*.nft",
        "/etc/iptables/rules.v4",
        "/etc/iptables/rules.v6",
        "/etc/sysconfig/iptables",
        "/etc/sysconfig/ip6tables",
        "/etc/ufw/ufw.conf",
        limit=1 << 18,
        why=Text("启动时加载的规则文件", "the files from which rules are loaded at boot"),
    ),
    *_SERVICE_READS,
)

_LISTED = re.compile(r"^\d+:\s+(\S+?)(?:@\S+)?\s+inet(6?)\s+(\S+)\s?(.*)$")
_DEV = re.compile(r"\bdev (\S+)")
_BOOT_RULE = re.compile(r"^(0:\s+from all lookup local|\d+:\s+from all lookup (main|default))\s*$")


@dataclass(frozen=True)
class Network:
    """Addresses and routes of a host. `own` is (interface, family, address, network) each;

    `routes` is (family, network, interface), `plain`: nothing but the main table routes.
    """

    own: tuple[tuple[str, int, int, Spans], ...]
    routes: tuple[tuple[int, Spans, str], ...]
    forwards: Mapping[int, bool]
    plain: bool

    def addresses(self, family: int) -> Spans:
        return Spans.one(*(number for _, of, number, _ in self.own if of == family))

    def global_addresses(self, family: int) -> list[tuple[str, int]]:
        """(interface, address) of each that is neither of loopback nor link-local."""
        return [
            (device, number)
            for device, of, number, _ in self.own
            if of == family and device != "lo" and not _near(number, family)
        ]

    def interfaces(self) -> list[str]:
        return sorted({device for device, *_ in self.own if device != "lo"})

    def local(self, number: int, family: int) -> bool:
        if family == 4 and number >> 24 == 127:
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
        for held, device in sorted(mine, key=lambda pair: pair[0].size):
            fresh = (held & every) - claimed
            if device in routed:
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


@dataclass(frozen=True)
class Firewall:
    """Everything loaded, and the network around it."""

    rules: Rules
    network: Network
    loaded: tuple[str, ...]

    def sports(self) -> list[int]:
        """One source port of each kind that the rules tell apart: the sender chooses it."""
        edges = {40_000}
        for numeric in numerics(self.rules):
            if numeric.field == "sport":
                for low, high in numeric.values.ranges:
                    edges |= {max(low, 1), min(high + 1, 65_535), max(low - 1, 1)}
        return sorted(edges)[:64]

    def reach(self, packet: Packet, sources: Spans, *, natted: bool = False) -> Reach:
        """What becomes of a new packet from each of the sources.

        With `natted`, only packets count that arrive at another destination than their first.
        """
        dropped: list[Flow] = []
        start = replace(packet, first_daddr=packet.daddr, first_dport=packet.dport)
        flows = [Flow(start, sources)]
        flows = self.rules.through("ingress", flows, dropped)
        flows = self.rules.through("prerouting", flows, dropped)
        here: list[Flow] = []
        away: list[Flow] = []
        for flow in flows:
            routed = self._routed(flow)
            (here if routed.packet.local else away).append(routed)
        arrived = self.rules.through("input", here, dropped)
        away = [flow for flow in away if self._forwarded(flow, dropped)]
        arrived += self.rules.through("forward", away, dropped)
        if natted:
            dropped += [replace(f, why="nothing listens") for f in arrived if not f.packet.natted]
            arrived = [flow for flow in arrived if flow.packet.natted]
        return Reach.of(merged(arrived), dropped)

    def _routed(self, flow: Flow) -> Flow:
        packet = flow.packet
        family = packet.family
        if not packet.natted:
            return flow
        if packet.local and packet.daddr == packet.first_daddr:
            return flow
        local = self.network.local(packet.daddr, family)
        loopback = local and family == 4 and packet.daddr >> 24 == 127
        oif = None if local else self.network.way(packet.daddr, family)
        doubt = flow.doubt or loopback
        return replace(flow, packet=replace(packet, local=local, oif=oif), doubt=doubt)

    def _forwarded(self, flow: Flow, dropped: list[Flow]) -> bool:
        if self.network.forwards.get(flow.packet.family, False):
            return True
        dropped.append(replace(flow, why="forwarding is off"))
        return False


@dataclass(frozen=True)
class Reach:
    """Sources whose packets certainly arrive, and those for which that cannot be told.

    `natted` says that some arrive at another destination; `why` is the rule that lets most in,
    `why_not` the one that keeps most out.
    """

    yes: Spans
    unknown: Spans
    why: str
    why_not: str
    natted: bool
    targets: tuple[tuple[int, int], ...]

    @staticmethod
    def of(arrived: list[Flow], dropped: list[Flow]) -> Reach:
        sure, doubtful, lost = NONE, NONE, NONE
        for flow in arrived:
            if flow.doubt:
                doubtful |= flow.sources
            else:
                sure |= flow.sources
        for flow in dropped:
            lost |= flow.sources
        yes = sure | (doubtful - lost)
        targets = {(f.packet.daddr, f.packet.dport) for f in arrived if f.packet.natted}
        return Reach(
            yes,
            doubtful - yes,
            _widest(arrived),
            _widest(dropped),
            bool(targets),
            tuple(sorted(targets)),
        )


def _widest(flows: list[Flow]) -> str:
    return max(flows, key=lambda flow: flow.sources.size).why if flows else ""


def numerics(rules: Rules) -> list[Numeric]:
    """Every numeric match of the rules, however deep it stands."""
    found: list[Numeric] = []
    pending: list[Step] = [
        step for chain in rules.chains.values() for rule in chain for step in rule.steps
    ]
    while pending:
        step = pending.pop()
        if isinstance(step, Numeric):
            found.append(step)
        elif isinstance(step, OneOf):
            pending += [match for group in step.alternatives for match in group]
    return found


def published(rules: Rules) -> list[tuple[Rule, Rewrite, list[Numeric]]]:
    """Every rule that rewrites a destination, with the numeric matches that stand before it."""
    found = []
    for chain in rules.chains.values():
        for rule in chain:
            for at, step in enumerate(rule.steps):
                if isinstance(step, Rewrite):
                    before = [s for s in rule.steps[:at] if isinstance(s, Numeric)]
                    found.append((rule, step, before))
    return found


# --- from a capture ------------------------------------------------------------------------------


def firewall(capture: Capture) -> Firewall:
    """Raises FactError where any of the kernel's rules could not be seen or read."""
    sets = _sets(capture)
    nft = capture.read("firewall.nft").text()
    chains: dict[str, tuple[Rule, ...]] = {}
    bases: list[Base] = []
    loaded: list[str] = []
    tables = [] if nft.strip() == "none" else nftables.tables(nft, "firewall.nft")
    translated = {"ip": _saved(capture, 4, "", sets), "ip6": _saved(capture, 6, "", sets)}
    for table in tables:
        twin = next((s for s in translated.get(table.family, []) if s.name == table.name), None)
        source: nftables.Table | iptables.Saved = table
        if table.compatible and twin is not None:
            source = twin
        chains |= source.chains
        bases += source.bases
        if source.bases:
            loaded.append(f"nft {table.family} {table.name}")
    others = [*_saved(capture, 4, "_legacy", sets), *_saved(capture, 6, "_legacy", sets)]
    if nft.strip() == "none":
        others += [*translated["ip"], *translated["ip6"]]
    for saved in others:
        chains |= saved.chains
        bases += saved.bases
        loaded.append(f"{'iptables' if saved.family == 4 else 'ip6tables'} {saved.name}")
    return Firewall(Rules(chains, tuple(bases)), network_of(capture), tuple(loaded))


def _saved(
    capture: Capture, family: int, tag: str, sets: Mapping[str, tuple[int, Spans] | None]
) -> list[iptables.Saved]:
    read = f"firewall.{'iptables' if family == 4 else 'ip6tables'}{tag}"
    text = capture.read(read).text()
    tables, _ = iptables.saved(text, family, read, sets, tag.replace("_", "-"))
    return tables


def _sets(capture: Capture) -> dict[str, tuple[int, Spans] | None]:
    """Sets of `ipset save` that hold addresses only; the others are known by name alone."""
    text = capture.read("firewall.ipset").text()
    kinds: dict[str, tuple[str, int]] = {}
    held: dict[str, list[tuple[int, int]] | None] = {}
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["create"] and len(words) > 2:
            kinds[words[1]] = (words[2], 6 if "inet6" in words else 4)
            held[words[1]] = [] if words[2] in ("hash:ip", "hash:net") else None
        elif words[:1] == ["add"] and len(words) > 2 and words[1] in kinds:
            ranges = held[words[1]]
            if ranges is None:
                continue
            if "nomatch" in words:
                held[words[1]] = None
                continue
            try:
                ranges += network(words[2], kinds[words[1]][1]).ranges
            except ValueError:
                raise NotUnderstood("firewall.ipset", f"no address: {line!r}") from None
    return {
        name: None if ranges is None else (kinds[name][1], Spans.of(ranges))
        for name, ranges in held.items()
    }


def network_of(capture: Capture) -> Network:
    """Raises FactError when interfaces and routes could not be seen."""
    result = capture.read("firewall.network")
    text = result.text()
    if "== end" not in text:
        raise CouldNotLook("firewall.network", "there is no ip command")
    parts = dict(re.findall(r"^== (\w+)\n(.*?)(?=^== )", text, re.MULTILINE | re.DOTALL))
    settings = dict(re.findall(r"^(/proc/\S+)=(\d*)$", text, re.MULTILINE))
    own = []
    for line in parts["addresses"].splitlines():
        match = _LISTED.match(line)
        if match is None:
            if " inet" in line:
                raise NotUnderstood("firewall.network", f"no address: {line!r}")
            continue
        family = 6 if match[2] else 4
        _, number = address(match[3].split("/")[0])
        own.append((match[1], family, number, network(match[3], family)))
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
    return Network(tuple(own), tuple(routes), forwards, plain)


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
                raise NotUnderstood("firewall.network", f"no route: {line!r}") from None
        device = _DEV.search(line)
        if device and target:
            found.append((target, device[1]))
    return found


# --- at boot -------------------------------------------------------------------------------------

_NFT_FILES = ("/etc/nftables.conf", "/etc/sysconfig/nftables.conf", "/etc/nftables/")
_SAVED_FILES = {
    4: ("/etc/iptables/rules.v4", "/etc/sysconfig/iptables"),
    6: ("/etc/iptables/rules.v6", "/etc/sysconfig/ip6tables"),
}


def at_boot(capture: Capture, family: int) -> list[str]:
    """The services that load rules of the family at boot, by files that deny something.

    Raises FactError when services or files could not be seen.
    """
    started = services(capture)
    texts = {
        file.path: re.sub(r"#.*", "", file.text("firewall.saved"))
        for file in capture.read("firewall.saved").present()
    }
    nft = any(
        path.startswith(_NFT_FILES) and _nft_denies(text, family) for path, text in texts.items()
    )
    kept = any(
        re.search(r"^:INPUT DROP|^-A INPUT .*-j (?:DROP|REJECT)", texts.get(path, ""), re.MULTILINE)
        for path in _SAVED_FILES[family]
    )
    ufw = re.search(r"^ENABLED=[\"']?yes", texts.get("/etc/ufw/ufw.conf", ""), re.MULTILINE)
    known = {
        "nftables": nft,
        "netfilter-persistent": kept,
        "iptables" if family == 4 else "ip6tables": kept,
        "ufw": bool(ufw),
        # its default zones deny what they do not name
        "firewalld": True,
    }
    return [name for name, denies in known.items() if denies and started.starts_at_boot(name)]


def _nft_denies(text: str, family: int) -> bool:
    tables = r"\btable\s+(?:inet|ip6)\b" if family == 6 else r"\btable\s+(?:inet|ip)\b"
    hook = re.search(r"\bhook\s+(?:input|prerouting|ingress)\b", text)
    return bool(hook and re.search(tables, text) and re.search(r"\b(?:drop|reject)\b", text))
