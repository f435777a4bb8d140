"""The files that a node needs, and those of the centre: Receptor's, systemd's, nftables'.

NODE/receptor.conf            in the form of Receptor 1 (a list of actions)
NODE/node.crt, node.key       this node's, by the mesh's own CA (ca.crt): both sides show one
NODE/work-verify.pub          what a node checks work by; the centre has work-signing.key
NODE/worker.key, worker.age   what captures are signed with, what shards are read with
NODE/hostpledge-mesh.service  runs Receptor; its data lie in /run, which is memory
NODE/hostpledge-mesh.nft      the firewall: a node dials out, and nobody dials in
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from collector import private
from collector.errors import BadInput
from collector.i18n.message import msg
from collector.resources import package_text
from collector.run.mesh import authority, known_nodes, node_keys
from collector.run.mesh.control import SERVICE, TLS, WORK
from collector.run.mesh.known_nodes import KnownNode
from collector.schema import load_json

PORT = 27199
_MESH = "mesh.json"
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_HOLDS = "10m"


@dataclass(frozen=True, slots=True)
class Places:
    """Where files will lie at a node, what runs there, and as whom."""

    folder: str = "/etc/hostpledge-mesh"
    runtime: str = "/run/hostpledge-mesh"
    program: str = "/usr/bin/hostpledge"
    receptor: str = "/usr/bin/receptor"
    user: str = "hostpledge-mesh"


def split(address: str) -> tuple[str, int]:
    """HOST:PORT, [IPv6]:PORT or HOST alone; raises BadInput for anything else."""
    host, _, port = address.rpartition(":")
    if not host or address.endswith("]"):
        host, port = address, str(PORT)
    host = host.removeprefix("[").removesuffix("]")
    if port.isdecimal() and 0 < int(port) < 65536:
        try:
            ipaddress.ip_address(host)
            return host, int(port)
        except ValueError:
            if _HOST.fullmatch(host):
                return host, int(port)
    raise BadInput(msg("mesh_no_address", address=address), mend=msg("mesh_address_mend"))


def add(
    node: str, out: Path, centre: str, *, places: Places, days: int, bind: str
) -> tuple[KnownNode, Path]:
    """Writes a node's files to the new folder `out`, and the centre's own where they are not

    there yet: returns what is known of the node, and the centre's folder. `centre` is what nodes
    dial. Raises BadInput for a name that is taken, a folder that exists, a bad address.
    """
    node_keys.check_name(node)
    host, port = split(centre)
    if out.exists():
        raise BadInput(msg("exists_already"), where=str(out), mend=msg("choose_another_place"))
    here = known_nodes.place()
    if (here / "nodes" / f"{node}.json").exists() or node == "centre":
        raise BadInput(
            msg("mesh_node_known_already", node=node), mend=msg("mesh_remove_it_first", node=node)
        )
    _centre(here, host, port, bind, days, places)
    certificate, key, until = authority.certify(here, node, days)
    with private.set_aside(private.BESIDE, _above(out)) as aside:
        made = private.folder(aside / "node")
        recipient, pem = node_keys.make(made, node, places.runtime)
        _tls(made, here, certificate, key)
        private.write_aside(made / "work-verify.pub", authority.signing_public(here))
        conf = _of_node(node, host, port, places)
        private.write_aside(made / "receptor.conf", _yaml(conf))
        _system(made, "node", places, {"PORT": str(port), "OUTPUT": _output(host, port)})
        made.rename(out)
    return known_nodes.keep(node, recipient, pem, until), here / "centre"


def _above(out: Path) -> Path:
    return private.folder(out.parent)


def _centre(here: Path, host: str, port: int, bind: str, days: int, places: Places) -> None:
    """The centre's files, anew where it is dialled by another name than before."""
    path = here / _MESH
    known: dict[str, Any] = {"addresses": []}
    if path.exists():
        known = load_json(path.read_bytes(), where=str(path))
        if host in known["addresses"] and port == known["port"]:
            return
    addresses = [*known["addresses"], *([host] if host not in known["addresses"] else [])]
    ca = authority.authority(here)
    folder = private.folder(here / "centre")
    certificate, key, _ = authority.certify(here, "centre", days, addresses)
    _tls(folder, here, certificate, key, ca)
    private.write_aside(folder / authority.SIGNING, (here / authority.SIGNING).read_bytes())
    own = Places(str(folder), places.runtime, places.program, places.receptor, places.user)
    private.write_aside(folder / "receptor.conf", _yaml(_of_centre(bind, port, own)))
    _system(folder, "centre", own, {"PORT": str(port)})
    private.write_aside(path, json.dumps({"addresses": addresses, "port": port}).encode() + b"\n")


def _tls(folder: Path, here: Path, certificate: bytes, key: bytes, ca: bytes | None = None) -> None:
    private.write_aside(folder / "ca.crt", ca or authority.authority(here))
    private.write_aside(folder / "node.crt", certificate)
    private.write_aside(folder / "node.key", key)


def _common(node: str, places: Places, rules: Sequence[Mapping[str, str]]) -> list[Any]:
    folder = places.folder
    shown = {"cert": f"{folder}/node.crt", "key": f"{folder}/node.key", "mintls13": True}
    return [
        {
            "node": {
                "id": node,
                "datadir": f"{places.runtime}/data",
                "firewallrules": [dict(rule) for rule in rules],
            }
        },
        {"log-level": {"level": "warning"}},
        {
            "tls-server": {
                "name": TLS,
                **shown,
                "clientcas": f"{folder}/ca.crt",
                "requireclientcert": True,
            }
        },
        {"tls-client": {"name": TLS, **shown, "rootcas": f"{folder}/ca.crt"}},
        {
            "control-service": {
                "service": SERVICE,
                "filename": f"{places.runtime}/control.sock",
                "permissions": 0o600,
                "tls": TLS,
            }
        },
    ]


def _of_node(node: str, host: str, port: int, places: Places) -> list[Any]:
    rules = [
        {"action": "accept", "fromnode": "centre"},
        {"action": "accept", "fromnode": node},
        {"action": "drop", "fromnode": "/.*/"},
    ]
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return [
        *_common(node, places, rules),
        {"tcp-peer": {"address": address, "tls": TLS, "redial": True}},
        {"work-verification": {"publickey": f"{places.folder}/work-verify.pub"}},
        {
            "work-command": {
                "worktype": WORK,
                "command": places.program,
                "params": f"worker --keys {places.folder}",
                "verifysignature": True,
            }
        },
    ]


def _of_centre(bind: str, port: int, places: Places) -> list[Any]:
    # a node speaks with the centre alone, and asks nothing of its control service
    rules = [
        {"action": "accept", "fromnode": "centre"},
        {"action": "drop", "tonode": "centre", "toservice": SERVICE},
        {"action": "accept", "tonode": "centre"},
        {"action": "drop", "fromnode": "/.*/"},
    ]
    return [
        *_common("centre", places, rules),
        {"tcp-listener": {"bindaddr": bind, "port": port, "tls": TLS}},
        {
            "work-signing": {
                "privatekey": f"{places.folder}/{authority.SIGNING}",
                "tokenexpiration": _HOLDS,
            }
        },
    ]


def _yaml(actions: list[Any]) -> bytes:
    text: str = yaml.safe_dump(actions, sort_keys=False, default_flow_style=False)
    return text.encode()


def _system(folder: Path, kind: str, places: Places, more: Mapping[str, str]) -> None:
    """What of the machine's own a node needs."""
    values = {
        "FOLDER": places.folder,
        "RUNTIME": places.runtime.removeprefix("/run/"),
        "RECEPTOR": places.receptor,
        "USER": places.user,
        # of the centre's units it is known afterwards whose they are; a node's begin anew
        "PRESERVE": "restart" if kind == "centre" else "no",
        **more,
    }
    for name, source in (
        ("hostpledge-mesh.service", "mesh.service"),
        ("hostpledge-mesh.nft", f"mesh_{kind}.nft"),
    ):
        text = package_text(f"run/mesh/{source}")
        for word, value in values.items():
            text = text.replace(f"@{word}@", value)
        private.write_aside(folder / name, text.encode())


def _output(host: str, port: int) -> str:
    """A node that dials an address dials no other one; what a name stands for may change."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    family = "ip6" if address.version == 6 else "ip"
    return f"{family} daddr != {address} tcp dport {port} counter reject"
