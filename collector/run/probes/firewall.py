"""What the role `firewall` looks at before it changes anything: by the engines that judge later.

Who owns what comes in here, by which address and port this run came, and whether the rules to be
loaded would still let it in.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar

from ansible.errors import AnsibleActionFail

from collector import catalog
from collector.errors import BadInput, FactError
from collector.facts.access import sshd_effective as sshd
from collector.facts.access.sshd_effective import listeners
from collector.facts.base.intervals import Spans, address
from collector.facts.firewall import exposure
from collector.facts.firewall.boot_ruleset import loaded_elsewhere
from collector.facts.firewall.ingress import Place, Ways
from collector.facts.firewall.live_ruleset import firewall
from collector.facts.firewall.nftables import ruleset as nftables
from collector.facts.firewall.reachability import Firewall
from collector.facts.firewall.rules.packet import PROTOCOLS
from collector.facts.firewall.rules.rules import Base
from collector.facts.system.services import services
from collector.i18n.message import msg
from collector.model import Capture, Clock, Facts, Result
from collector.run.probes.allow_list import openings, sources
from collector.run.probes.looking import LookingAction, looked

OWN = "inet hostpledge "
FILE = "/etc/nftables.d/hostpledge.nft"
# bytes of it that are looked at: what it was made of stands ahead of the rules
_HEAD = 1 << 16
_DENY = "firewall.default_deny"
# ports on which a client waits for the answer to what it asked itself (DHCP, NTP, mDNS, LLMNR)
_ASKS_ITSELF = {("udp", port) for port in (68, 123, 323, 546, 5353, 5355)}
# tables and chains of programs that add to a firewall and do not own what comes in
_GUESTS = re.compile(
    r"^\S+ (?:f2b|fail2ban|crowdsec|sshguard|netavark|libvirt|docker|ip-docker|kube|cali|cilium|lxc"
    r"|lxd|incus|podman|cni)",
    re.IGNORECASE,
)
_GUEST_RULE = re.compile(
    r"(?:-j|jump|goto) \"?(?:f2b-|LIBVIRT_|DOCKER|CNI-|NETAVARK|KUBE-|cali-|cilium"
    r"|CROWDSEC|crowdsec|sshguard|lxc|lxd|incus)"
)
_CONTAINERS = {
    "Docker": re.compile(r" DOCKER(?:-USER|$)| docker", re.MULTILINE),
    "Podman": re.compile(r"NETAVARK|netavark|CNI-"),
    "libvirt": re.compile(r"LIBVIRT_|libvirt_network"),
    "Kubernetes": re.compile(r"KUBE-|kube-proxy|cali-|cilium"),
    "LXC": re.compile(r" (?:lxc|lxd|incus)"),
}


class ActionModule(LookingAction):
    """Without `rules`: what is there. With `rules`: would they cut the path of this run?"""

    spec: ClassVar[Mapping[str, Any]] = {
        "controls": {"type": "list", "elements": "str", "default": []},
        "engine": {"type": "str", "default": "auto"},
        "admin_sources": {"type": "list", "elements": "str", "default": []},
        "allow": {"type": "list", "elements": "raw"},
        "ssh_ports": {"type": "list", "elements": "int", "default": []},
        "rules": {"type": "str"},
    }

    def look(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """As `told` and `weighed` say. Raises CollectorError."""
        client, server, port = self._path()
        if given["rules"] is not None:
            seen = self.captured(exposure.READS)
            return looked(partial(weighed, seen, given["rules"], client, server, port))
        wanted = given if given["engine"] in ("firewalld", "ufw") else with_before(
            given, self._before()
        )  # fmt: skip
        seen = self.captured((*exposure.READS, *sshd.READS))
        return looked(partial(told, seen, wanted, client, port))

    def _path(self) -> tuple[str, str, int]:
        """The addresses of this run's own connection, as the host sees them; empty if local."""
        done = self._low_level_execute_command('echo "=$SSH_CONNECTION"', sudoable=False)
        found = re.search(r"^=(\S+) \d+ (\S+) (\d+)", str(done["stdout"]), re.MULTILINE)
        if found:
            return found[1].partition("%")[0], found[2].partition("%")[0], int(found[3])
        if self._connection.transport in ("local", "podman", "docker", "chroot", "nsenter"):
            return "", "", 0
        raise AnsibleActionFail(
            "the host does not say from where this run is connected (SSH_CONNECTION), so its "
            "firewall is not changed: connect by OpenSSH"
        )

    def _before(self) -> str:
        """The head of the file that an earlier run has made; empty where none did."""
        done = self._low_level_execute_command(f"head -c {_HEAD} {FILE} 2>/dev/null")
        return str(done["stdout"])


def with_before(given: Mapping[str, Any], file: str) -> dict[str, Any]:
    """With what an earlier run brought about, and what it was given where this one is given none.

    A control by itself would else let in again, or shut out, what another one was told of.
    """
    said = dict(re.findall(r"^# (controls|given): (.*)$", file, re.MULTILINE))
    before = said.get("controls", "").split()
    known: Any = None
    with suppress(ValueError):
        known = json.loads(said.get("given", "{}"))
    stays = known if isinstance(known, dict) else {}
    kept = {}
    if before and given["allow"] is None and isinstance(stays.get("allow"), list):
        kept["allow"] = stays["allow"]
    if "admin_sources" in before and not given["admin_sources"]:
        networks = stays.get("admin_sources")
        kept["admin_sources"] = networks if isinstance(networks, list) else []
    controls = list(dict.fromkeys([*given["controls"], *before]))
    names = [f"firewall_{name}" for name, told in kept.items() if told]
    return {**given, **kept, "controls": controls, "kept": names}


def told(capture: Capture, given: Mapping[str, Any], client: str, port: int) -> dict[str, Any]:
    """What the role's tasks decide by, as plain values.

    Raises BadInput for variables that cannot be meant, and where nothing can be done safely.
    """
    filtering = firewall(capture)
    rules = filtering.rules
    engine, why = chosen(capture, filtering, str(given["engine"]))
    forbidden = _forbidden() if "exposed_ports" in given["controls"] else None
    allow = openings(given["allow"] or (), forbidden)
    admin4, admin6 = sources(given["admin_sources"], "firewall_admin_sources")
    ports = {*_ssh_ports(capture), *given["ssh_ports"]} | ({port} if port else set())
    if engine != "leave" and given["allow"] is None and "default_deny" in given["controls"]:
        _nothing_cut_off(capture, ports)
    others = {name: chain for name, chain in rules.chains.items() if not name.startswith(OWN)}
    loaded = "\n".join([*others, *(rule.text for chain in others.values() for rule in chain)])
    return {
        "engine": engine,
        "why": why,
        "controls": given["controls"],
        "client": client,
        "client_family": ipaddress.ip_address(client).version if client else 0,
        "port": port,
        "ssh_ports": sorted(ports),
        "given": {"allow": given["allow"], "admin_sources": given["admin_sources"]},
        "kept": given.get("kept", []),
        "admin_sources": list(given["admin_sources"]),
        "admin4": list(admin4),
        "admin6": list(admin6),
        "openings": [opening.plain() for opening in allow],
        "forbidden": _shown(forbidden) if forbidden is not None else [],
        "containers": [name for name, sign in _CONTAINERS.items() if sign.search(loaded)],
        "loaded": any(base.chain.startswith(OWN) for base in rules.bases),
    }


def _nothing_cut_off(capture: Capture, ssh_ports: Collection[int]) -> None:
    """Raises BadInput where others reach a service, and nobody said what stays open."""
    reached = {
        (e.listener.port, e.listener.proto): e.listener.process or "?"
        for e in exposure.exposures(capture)
        if e.reachable != "no" and (e.listener.proto, e.listener.port) not in _ASKS_ITSELF
    }
    served = {key: who for key, who in reached.items() if key[0] not in ssh_ports}
    if not served:
        return
    shown = "; ".join(f"{proto} {port} ({who})" for (port, proto), who in sorted(served.items()))
    ports = ", ".join(str(port) for port in sorted({port for port, _ in served}))
    raise BadInput(
        msg("services_would_be_cut_off", services=shown),
        mend=msg("say_firewall_allow", ports=ports),
    )


def chosen(capture: Capture, filtering: Firewall, wanted: str) -> tuple[str, str]:
    """What brings the rules about, and why: `leave` where others already deny all by default.

    Raises BadInput where two would own what comes in.
    """
    started = services(capture)
    running = [n for n in ("firewalld", "ufw") if started.unit(n).active]
    if "ufw" in running and not _ufw_on(capture, filtering):
        running.remove("ufw")
    for name, sign in (("ufw", " ufw-"), ("firewalld", " firewalld ")):
        if name not in running and any(sign in chain for chain in filtering.rules.chains):
            running.append(name)
    if len(running) > 1:
        raise BadInput(
            msg("firewalld_ufw_both_active"),
            mend=msg("disable_one_them_then"),
        )
    if wanted != "auto" and running and wanted != running[0]:
        raise BadInput(
            msg("firewall_engine_active_here", wanted=wanted, running=running[0]),
            mend=msg("disable_leave_firewall_engine", running=running[0]),
        )
    if running:
        return running[0], f"{running[0]} is active here"
    if wanted in ("firewalld", "ufw"):
        raise BadInput(
            msg("firewall_engine_not_active", wanted=wanted),
            mend=msg("start_first_leave_firewall", wanted=wanted),
        )
    others = owners(filtering)
    if not others:
        return "nftables", "nothing else filters what comes in"
    names = ", ".join(dict.fromkeys(base.chain for base in others))
    if any(base.chain.startswith(OWN) for base in filtering.rules.bases):
        raise BadInput(
            msg("beside_rules_hostpledge_others", names=names),
            mend=msg("remove_one_two"),
        )
    if denies(capture):
        return "leave", f"rules of its own deny by default here: {names}"
    raise BadInput(
        msg("rules_others_filter_comes", names=names),
        mend=msg("let_them_deny_default"),
    )


def owners(filtering: Firewall) -> list[Base]:
    """Base chains of input that do something, are not ours, and not only guests of programs."""
    found = []
    for base in filtering.rules.bases:
        if base.hook not in ("input", "ingress") or base.kind != "filter":
            continue
        if base.chain.startswith(OWN) or _GUESTS.search(base.chain):
            continue
        rules = filtering.rules.chains.get(base.chain, ())
        if not base.accept or any(not _GUEST_RULE.search(rule.text) for rule in rules):
            found.append(base)
    return found


def denies(capture: Capture) -> bool:
    """Does our own judge say that what is loaded, and loaded at boot, denies by default?"""
    control = catalog.control(_DENY)
    try:
        verdict = control.judge(Facts(capture), control.for_grade(2), Clock(datetime.now(UTC)))
    except FactError:
        return False
    return verdict.result is Result.PASS


def weighed(capture: Capture, rules: str, client: str, server: str, port: int) -> dict[str, Any]:
    """Would a new connection like this run's own still come in? Raises BadInput where not."""
    if not client:
        return {"path": "local"}
    try:
        after = loaded_with(firewall(capture), rules)
        family, number = address(client)
        _, place = address(server)
        ways = Ways(after, family, Spans.one(number))
        found = ways.reach(PROTOCOLS["tcp"], port, [Place(place)])
    except FactError as problem:
        # nothing is proven, and the rollback is still armed around the change
        return {"path": "unknown", "warnings": [f"not weighed: {problem}"]}
    if found.yes:
        return {"path": "open"}
    if found.unknown:
        why = next(filter(None, found.lets), "")
        return {"path": "unknown", "warnings": [f"not certain: {why}"]}
    why = next(filter(None, found.keeps), "no rule lets it in")
    raise BadInput(
        msg("new_rules_would_cut", client=client, port=port, why=why),
        mend=msg("see_firewall_allow_firewall"),
    )


def loaded_with(filtering: Firewall, rules: str) -> Firewall:
    """The packet filter as it would be with our own table written anew."""
    known = filtering.rules
    chains = {k: v for k, v in known.chains.items() if not k.startswith(OWN)}
    bases = [base for base in known.bases if not base.chain.startswith(OWN)]
    for table in nftables.written(rules, FILE, lambda _: []):
        chains |= table.chains
        bases += table.bases
    return replace(filtering, rules=replace(known, chains=chains, bases=tuple(bases)))


def _ssh_ports(capture: Capture) -> set[int]:
    try:
        servers = listeners(capture)
    except FactError:
        return set()
    return {int(p) for s in servers for p in s.all("port", "root") if p.isdecimal()}


def _ufw_on(capture: Capture, filtering: Firewall) -> bool:
    return loaded_elsewhere(capture) or any(" ufw-" in c for c in filtering.rules.chains)


def _forbidden() -> Spans:
    """The ports that must not be open to everybody, of the control that says so."""
    texts = catalog.control("firewall.exposed_ports").for_grade(2).strings("ports")
    pairs = [text.partition("-") for text in texts]
    return Spans.of([(int(low), int(high or low)) for low, _, high in pairs])


def _shown(ports: Spans) -> list[str]:
    return [str(a) if a == b else f"{a}-{b}" for a, b in ports.ranges]
