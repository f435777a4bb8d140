"""What packets meet on their way in beside the rules of a packet filter.

Programs of XDP and of traffic control, ebtables, IPVS, socket lookup. None of it is modelled:
where there is any, an answer is in doubt. What can only drop puts "reachable" in doubt; what may
change a packet or send it elsewhere puts "closed" in doubt too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.network.ipvs import Virtual, virtual_services
from collector.i18n.message import msg

_READ = "network.state"
_LINK = re.compile(r"^\d+: ([^\s@:]+)(?:@([^\s:]+))?: <[^>]*>(.*)$")
_XDP = re.compile(r"\sxdp(?:drv|generic|offload|multi)?\s")
# of tc-actions(8): a packet that meets these is dropped, or goes on as it was
_DROPPING = re.compile(
    r"^gact action |^police |^sample|^csum|^mirred \(\w+ Mirror to|^simple|^gate"
    # a device for shaping gives the packet back where it came in
    r"|^mirred \(Egress Redirect to device ifb"
)
_CLASSIFIERS = {"u32", "flower", "matchall", "basic", "fw", "route", "flow", "cgroup"}
# systemd's own limit the addresses of one unit (systemd.resource-control(5)): `unit_limits`
_OF_SYSTEMD = re.compile(r"^sd_")


@dataclass(frozen=True, slots=True)
class Hook:
    """Something that packets meet which come in by `device` (empty: by any).

    `opens`: it may let in what the rules would not.
    """

    device: str
    what: str
    opens: bool


@dataclass(frozen=True)
class Hooks:
    """Everything found, and for each interface those that lie upon it (bridge, bond, VLAN)."""

    found: tuple[Hook, ...] = ()
    above: Mapping[str, frozenset[str]] | None = None
    virtual: tuple[Virtual, ...] = ()

    def above_of(self, device: str) -> frozenset[str]:
        return (self.above or {}).get(device, frozenset())

    def on(self, device: str) -> tuple[Hook, ...]:
        """What packets meet that the host takes as coming in by this interface."""
        return tuple(
            hook
            for hook in self.found
            if hook.device in ("", device) or device in self.above_of(hook.device)
        )


def hooks(text: str, bridges: Iterable[str]) -> Hooks:
    """From the parts of the read of the network that tell of them. Raises NotUnderstood."""
    parts = dict(re.findall(r"^== (\w+)\n(.*?)(?=^== )", text, re.MULTILINE | re.DOTALL))
    if "links" not in parts or "hooks" not in parts:
        raise NotUnderstood(_READ, msg("tells_nothing_packets_meet"))
    above: dict[str, set[str]] = {}
    found: list[Hook] = []
    for line in parts["links"].splitlines():
        match = _LINK.match(line)
        if match is None:
            continue
        name, lower, rest = match.groups()
        if lower:
            above.setdefault(lower, set()).add(name)
        if master := re.search(r"\smaster (\S+)", rest):
            above.setdefault(name, set()).add(master[1])
        if _XDP.search(rest):
            found.append(Hook(name, msg("program_xdp", name=name), opens=True))
    found += _traffic_control(parts["hooks"])
    found += _programs(parts.get("bpf", ""))
    tables = re.findall(r"^Bridge table: (\w+)\n(.*?)(?=^Bridge table:|\Z)", parts["hooks"], _MS)
    for table, listed in tables:
        if re.search(r"policy: DROP|^[^\S\n]*(?!Bridge)\S.*-j ", listed, re.MULTILINE):
            found += [Hook(b, f"ebtables {table}", opens=table != "filter") for b in bridges]
    if "ebtables: missing" in parts["hooks"]:
        found += [Hook(b, msg("ebtables_not_read"), opens=True) for b in bridges]
    return Hooks(
        tuple(dict.fromkeys(found)), _closed(above), virtual_services(parts.get("ipvs", ""))
    )


_MS = re.MULTILINE | re.DOTALL


def _closed(above: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    """Not only the next one above, but all."""
    closed: dict[str, frozenset[str]] = {}
    for name in above:
        seen: set[str] = set()
        pending = [name]
        while pending:
            fresh = above.get(pending.pop(), set()) - seen
            seen |= fresh
            pending += fresh
        closed[name] = frozenset(seen - {name})
    return closed


def _traffic_control(text: str) -> list[Hook]:
    found: list[Hook] = []
    if re.search(r"^tc: (missing|refused)$", text, re.MULTILINE):
        found.append(Hook("", msg("filters_traffic_control_could_not"), opens=True))
    for device, listed in re.findall(r"^tc (\S+)\n(.*?)(?=^tc[ :]|^Bridge|\Z)", text, _MS):
        if "refused" in listed:
            what = msg("filters_traffic_control_could", device=device)
            found.append(Hook(device, what, opens=True))
            continue
        kinds = set(re.findall(r"^filter .*?pref \d+ (\S+)", listed, re.MULTILINE))
        actions = re.findall(r"^\s*(?:action order \d+:\s*|(?=police 0x))(\S.*)$", listed, _MS_LINE)
        if not kinds:
            continue
        opens = bool(kinds - _CLASSIFIERS) or not all(_DROPPING.match(a) for a in actions)
        if opens or any(_drops(action) for action in actions):
            told = ", ".join(sorted(kinds) + [a.strip()[:60] for a in actions[:3]])
            found.append(
                Hook(device, msg("filters_traffic_control", device=device, told=told), opens)
            )
    return found


_MS_LINE = re.MULTILINE


def _drops(action: str) -> bool:
    """May it drop the first packet of a quiet sender? A limit with room for one does not."""
    if action.startswith("police"):
        burst = re.search(r"burst (\d+)(K|M)?b", action)
        room = int(burst[1]) * {"K": 1024, "M": 1 << 20}.get(burst[2], 1) if burst else 0
        return room < 2048
    return not re.match(
        r"gact action (pass|continue|pipe|ok)\b|sample|csum|mirred \(|simple", action
    )


def _programs(text: str) -> list[Hook]:
    """What bpftool(8) lists: programs, then what is attached to the network."""
    found: list[Hook] = []
    text, _, links = text.partition("links as of ")
    elsewhere = _elsewhere(links)
    for id, kind, name in re.findall(r"^(\d+): (\w+)(?:\s+name (\S+))?", text, re.MULTILINE):
        if id in elsewhere:
            continue
        if kind in ("sk_lookup", "lwt_in", "lwt_xmit"):
            found.append(Hook("", f"a BPF program {kind} {name}".rstrip(), opens=True))
        elif kind == "cgroup_skb" and not _OF_SYSTEMD.match(name):
            found.append(Hook("", msg("bpf_program_control_group", name=name or "-"), opens=False))
        elif kind == "netfilter":
            found.append(Hook("", msg("bpf_program_netfilter", name=name or "-"), opens=False))
    for device, where, what in re.findall(
        r"^([^\s(]+)\(\d+\) ((?:tcx|netkit|clsact)/\S+) (.*)$", text, re.MULTILINE
    ):
        if "ingress" in where or where.startswith("netkit"):
            found.append(Hook(device, f"a BPF program {where} {what}"[:120], opens=True))
    return found


def _elsewhere(links: str) -> set[str]:
    """The programs all of whose links to a network namespace are to another than the host's."""
    own = re.match(r"net:\[(\d+)\]$", links, re.MULTILINE)
    held = re.findall(r"^\d+: .*?\bprog (\d+)\b.*?\bnetns_ino (\d+)\b", links, re.MULTILINE)
    if own is None:
        return set()
    here = {program for program, namespace in held if namespace == own[1]}
    return {program for program, _ in held} - here
