"""The rules that the files loaded at boot would give: the same engine over what they say."""

from __future__ import annotations

import fnmatch

from collector.errors import CouldNotLook
from collector.facts.firewall.boot_needs import refuse_late, refuse_unmade
from collector.facts.firewall.boot_ruleset import loaded_elsewhere
from collector.facts.firewall.exposure import Exposure, exposures, exposures_of
from collector.facts.firewall.iptables import save as iptables
from collector.facts.firewall.iptables.ipset import ipsets
from collector.facts.firewall.nftables import ruleset as nftables
from collector.facts.firewall.reachability import Firewall
from collector.facts.firewall.rules.evaluator import Rules
from collector.facts.firewall.rules.rules import Base, Rule
from collector.facts.network.interfaces import network_of
from collector.facts.system.services import services
from collector.i18n.message import msg
from collector.model import Capture

_READ = "firewall.saved"
_NFT = ("/etc/sysconfig/nftables.conf", "/etc/nftables.conf")
_SAVED = {
    "netfilter-persistent": {"/etc/iptables/rules.v4": 4, "/etc/iptables/rules.v6": 6},
    "iptables": {"/etc/sysconfig/iptables": 4},
    "ip6tables": {"/etc/sysconfig/ip6tables": 6},
}


def booted(capture: Capture) -> Firewall | None:
    """The packet filter as the files would leave it after a boot, in the network as it is now.

    None where no file alone decides: nothing loads one, or firewalld or ufw makes the rules.
    Raises FactError where a file could not be seen or read.
    """
    started = services(capture)
    if loaded_elsewhere(capture):
        return None
    texts = {file.path: file.text(_READ) for file in capture.read(_READ).present()}
    tables: list[nftables.Table | iptables.Saved] = []
    loads = False
    if started.starts_at_boot("nftables"):
        path = next((p for p in _NFT if p in texts), None)
        if path is not None:
            refuse_late(capture, path, texts)
            tables += nftables.written(texts[path], _READ, lambda named: _included(named, texts))
            loads = True
    sets = ipsets(capture.read("firewall.ipset").text(), "firewall.ipset")
    for unit, files in _SAVED.items():
        for path, family in files.items():
            if path in texts and started.starts_at_boot(unit):
                refuse_unmade(started, path, texts)
                tables += iptables.saved(texts[path], family, _READ, sets)[0]
                loads = True
    if not loads:
        return None
    chains: dict[str, tuple[Rule, ...]] = {}
    bases: list[Base] = []
    for table in tables:
        chains |= table.chains
        bases += table.bases
    around = network_of(capture)
    own = tuple((device, of, number) for device, of, number, _ in around.own)
    return Firewall(Rules(chains, tuple(bases), own, around.more), around, tuple(texts))


def opened_at_boot(capture: Capture) -> tuple[Exposure, ...]:
    """Sockets that a boot would open: `yes` is who could reach them then, and cannot now.

    Raises FactError.
    """
    filtering = booted(capture)
    if filtering is None:
        return ()
    now = {_key(e): e for e in exposures(capture)}
    found = []
    for then in exposures_of(capture, filtering):
        before = now.get(_key(then))
        fresh = then.yes if before is None else then.yes - before.yes - before.unknown
        if fresh:
            found.append(Exposure(then.listener, fresh, then.unknown, then.why, every=then.every))
    return tuple(found)


def _key(exposure: Exposure) -> tuple[str, int, int, int, str]:
    listener = exposure.listener
    return listener.proto, listener.family, listener.address, listener.port, listener.device


def _included(named: str, texts: dict[str, str]) -> list[str]:
    """The texts of an `include`; a file that is named and was not captured cannot be judged."""
    found = [text for path, text in sorted(texts.items()) if fnmatch.fnmatch(path, named)]
    captured = named.startswith("/etc/nftables") and "*" in named
    if not found and not captured:
        raise CouldNotLook(_READ, msg("include", named=named))
    return found
