"""What a file of rules needs when it is loaded at boot: else it is refused as a whole.

nft says "Interface does not exist" of `iif wg0` (which is a number in the kernel; `iifname` is a
name, and waits), iptables-restore "Set offices doesn't exist": then not one of its rules is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from collector.errors import NotUnderstood
from collector.facts.network.interfaces import network_of
from collector.facts.system.services import Services
from collector.i18n.message import msg
from collector.model import Capture

_READ = "firewall.saved"
_BY_NUMBER = re.compile(
    r"(?<![\w.-])(?:iif|oif)\s+(?:[=!]=\s*)?((?:vmap|map)\s*)?"
    r"(\{[^}]*\}|\"[^\"\n]*\"|[A-Za-z_][\w.@:-]*)"
    r"|\btype\s+iface_index\b()[^{}]*elements\s*=\s*(\{[^}]*\})"
)
_DEFINED = re.compile(r"\bdefine\s+(\w+)\s*=\s*(\{[^}]*\}|\"?[\w.@-]+\"?)")
# what is not there before something made it: tunnels, bridges, bonds, what containers bring
_MADE = re.compile(
    r"(?:wg|tun|tap|ppp|br|docker|virbr|veth|bond|team|vlan|vxlan|dummy|ipsec|vti|gre|sit|cni"
    r"|flannel|cali|lxc|lxd|podman|tailscale|zt|macvlan|ipvlan)|.*[.@:]"
)
_LINK = re.compile(r"^\d+:\s+([^\s@:]+)(@\S+)?:.*?\blink/(\w+)", re.MULTILINE)
_SETS = {
    "/etc/iptables/ipsets": "/usr/share/netfilter-persistent/plugins.d/10-ipset",
    "/etc/sysconfig/ipset": "",
    "/etc/sysconfig/ipset.d/": "",
}


def refuse_late(capture: Capture, path: str, texts: Mapping[str, str]) -> None:
    """Raises NotUnderstood where the file names an interface that boot may not have by then.

    It is loaded before the network is up. A card is there by then, as a rule; one that is missing
    now, or that other software makes, is not.
    """
    included = "include" in texts[path]
    used = [path, *(p for p in texts if included and p.startswith("/etc/nftables") and p != path)]
    state = capture.read("network.state").text()
    links = {name: (upper, kind) for name, upper, kind in _LINK.findall(state)}
    around = network_of(capture)
    here = set(links) | set(around.interfaces())
    for file in used:
        for name in _interfaces(texts[file]):
            upper, kind = links.get(name, ("", "ether"))
            card = kind == "ether" and not upper and name not in (around.bridges or ())
            if name not in here or not card or _MADE.match(name):
                raise NotUnderstood(_READ, msg("interface_at_boot", path=file, name=name))


def _interfaces(text: str) -> Iterator[str]:
    """Those that are named by number, lo left out.

    >>> sorted(_interfaces('define W = { wg0, lo }; iif $W drop; iif vmap { lo : accept, a1 : b }'))
    ['a1', 'wg0']
    >>> list(_interfaces('fib saddr . iif oif missing drop; iifname "wg0" accept; iif lo accept'))
    []
    """
    plain = re.sub(r"(?m)(?:^|\s)#.*", "", text)
    for name, value in _DEFINED.findall(plain):
        plain = re.sub(rf"\${name}\b", lambda _, value=value: value, plain)  # type: ignore[misc]
    plain = re.sub(r"\bfib\s[\w .]*", " ", plain)
    for match in _BY_NUMBER.finditer(plain):
        listed = match[2] or match[4]
        if match[1]:
            listed = re.sub(r":[^,}]*", "", listed)
        for word in re.split(r"[\s,{}]+", listed):
            name = word.strip('"')
            # a number is none of a name, and a set that is named has its elements elsewhere
            if name and name != "lo" and not name.isdecimal() and name[0] not in "$@":
                yield name


def refuse_unmade(started: Services, path: str, texts: Mapping[str, str]) -> None:
    """Raises NotUnderstood where the file asks for a set that nothing is seen to make at boot."""
    wanted = set(re.findall(r"--(?:match|add|del|map)-set (\S+)", texts[path]))
    made: set[str] = set()
    for file, plugin in _SETS.items():
        loaded = plugin in texts if plugin else started.starts_at_boot("ipset")
        for held, text in texts.items() if loaded else ():
            if held == file or (file.endswith("/") and held.startswith(file)):
                made |= set(re.findall(r"(?m)^\s*(?:create|-N|--create) (\S+)", text))
    for name in sorted(wanted - made):
        raise NotUnderstood(_READ, msg("set_at_boot", path=path, name=name))
