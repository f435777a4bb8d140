"""The packet filter as the kernel has it: nftables, iptables of both back ends, ipset."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from collector.facts.firewall.iptables import save as iptables
from collector.facts.firewall.iptables.ipset import IpSet, ipsets
from collector.facts.firewall.nftables import ruleset as nftables
from collector.facts.firewall.reachability import Firewall
from collector.facts.firewall.redaction import REMARKS
from collector.facts.firewall.rules.evaluator import Rules
from collector.facts.firewall.rules.rules import Base, Go, Rewrite, Rule, Set
from collector.facts.network.interfaces import READS as _NETWORK_READS
from collector.facts.network.interfaces import network_of
from collector.facts.network.kernel_hooks import Hook, Hooks
from collector.model import Capture, Read, Text, shell

_WHY = Text("内核中已加载的防火墙规则", "the firewall rules as the kernel has them")
_LEGACY = (
    "grep -q . /proc/net/{file} 2>/dev/null || exit 0\n"
    "if command -v {command}-legacy-save >/dev/null 2>&1; then exec {command}-legacy-save; fi\n"
    'case "$({command} -V 2>/dev/null)" in *nf_tables*) exit 0;; esac\n'
    "exec {command}-save"
)
# asking a kernel without nf_tables would make it load the module
_LOADED = """
if [ -r /proc/modules ] && ! grep -q '^nf_tables ' /proc/modules; then
  m=/lib/modules/$(uname -r)/modules.builtin
  if [ -r "$m" ] && ! grep -q '/nf_tables\\.ko' "$m"; then {otherwise}exit 0; fi
fi
"""
_NFT = (
    _LOADED.replace("{otherwise}", "")
    + 'case "$({command} -V 2>/dev/null)" in *nf_tables*) exec {command}-save;; esac\ntrue'
)

READS: tuple[Read, ...] = (
    shell(
        "firewall.nft",
        _LOADED.replace("{otherwise}", """echo '{"nftables": []}'; """)
        + r"""
command -v nft >/dev/null 2>&1 || { echo none; exit 0; }
nft -j list ruleset 2>/dev/null && exit 0
# built without JSON
echo '# listing'; exec nft list ruleset
""",
        limit=1 << 23,
        redact=REMARKS,
        privileged=True,
        why=_WHY,
    ),
    shell(
        "firewall.iptables",
        _NFT.format(command="iptables"),
        limit=1 << 22,
        redact=REMARKS,
        privileged=True,
        why=_WHY,
    ),
    shell(
        "firewall.ip6tables",
        _NFT.format(command="ip6tables"),
        limit=1 << 22,
        redact=REMARKS,
        privileged=True,
        why=_WHY,
    ),
    shell(
        "firewall.iptables_legacy",
        _LEGACY.format(command="iptables", file="ip_tables_names"),
        limit=1 << 22,
        redact=REMARKS,
        privileged=True,
        why=_WHY,
    ),
    shell(
        "firewall.ip6tables_legacy",
        _LEGACY.format(command="ip6tables", file="ip6_tables_names"),
        limit=1 << 22,
        redact=REMARKS,
        privileged=True,
        why=_WHY,
    ),
    shell(
        "firewall.ipset",
        "command -v ipset >/dev/null 2>&1 || exit 0\n"
        "if [ -r /proc/modules ] && ! grep -q '^ip_set ' /proc/modules; then exit 0; fi\n"
        "exec ipset save",
        limit=1 << 22,
        redact=REMARKS,
        privileged=True,
        why=Text("规则所引用的地址集合", "the address sets that rules refer to"),
    ),
    *_NETWORK_READS,
)


def firewall(capture: Capture) -> Firewall:
    """Raises FactError where any of the kernel's rules could not be seen or read."""
    around = network_of(capture)
    sets = growing(ipsets(capture.read("firewall.ipset").text(), "firewall.ipset"), capture)
    nft = capture.read("firewall.nft").text()
    chains: dict[str, tuple[Rule, ...]] = {}
    bases: list[Base] = []
    loaded: list[str] = []
    if nft.strip() == "none":
        tables = []
    elif nft.startswith("# listing"):
        tables = nftables.written(nft, "firewall.nft", lambda _: [])
    else:
        tables = nftables.tables(nft, "firewall.nft")
    translated = {"ip": _saved(capture, 4, "", sets), "ip6": _saved(capture, 6, "", sets)}
    for table in tables:
        twin = next((s for s in translated.get(table.family, []) if s.name == table.name), None)
        source: nftables.Table | iptables.Saved = table
        if table.compatible and twin is not None:
            source = twin
        chains |= source.chains
        if table.family == "bridge":
            bases += _on_bridges(table.bases, around.bridges)
            continue
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
    own = tuple((device, of, number) for device, of, number, _ in around.own)
    below = _below(bases, chains, around.hooks)
    seen = replace(around, hooks=replace(around.hooks, found=(*around.hooks.found, *below)))
    return Firewall(Rules(chains, tuple(bases), own, around.more), seen, tuple(loaded))


def _below(bases: list[Base], chains: Mapping[str, tuple[Rule, ...]], around: Hooks) -> list[Hook]:
    """Chains of an interface that others lie upon: what comes in by those passes them first."""
    found: list[Hook] = []
    for base in bases:
        steps = [s for rule in chains.get(base.chain, ()) for s in rule.steps]
        if base.hook != "ingress" or not (steps or not base.accept):
            continue
        opens = any(isinstance(s, Set | Rewrite) or s == Go("unknown") for s in steps)
        for device in base.devices:
            found += [
                Hook(upper, f"{base.chain} on {device}", opens) for upper in around.above_of(device)
            ]
    return found


def growing(sets: Mapping[str, IpSet], capture: Capture) -> dict[str, IpSet]:
    """Marks the sets that a rule adds to for a quiet sender who was not in them."""
    names: set[str] = set()
    for tag in ("iptables", "ip6tables", "iptables_legacy", "ip6tables_legacy"):
        for line in capture.read(f"firewall.{tag}").text().splitlines():
            for name in re.findall(r"--(?:add|map)-set (\S+)", line):
                if not re.search(rf"-above|--hitcount|--match-set {re.escape(name)} ", line):
                    names.add(name)
    return {name: replace(held, grows=name in names) for name, held in sets.items()}


def _on_bridges(bases: tuple[Base, ...], bridges: frozenset[str] | None) -> list[Base]:
    """Only what comes in by a bridge passes them; every interface may be one where none says."""
    if bridges is None:
        return list(bases)
    return [replace(base, devices=bridges) for base in bases] if bridges else []


def _saved(
    capture: Capture, family: int, tag: str, sets: Mapping[str, IpSet]
) -> list[iptables.Saved]:
    read = f"firewall.{'iptables' if family == 4 else 'ip6tables'}{tag}"
    text = capture.read(read).text()
    tables, _ = iptables.saved(text, family, read, sets, tag.replace("_", "-"))
    return tables
