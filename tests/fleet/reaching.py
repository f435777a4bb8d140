"""How running hosts are reached: known_hosts, an ssh_config, and an inventory, in a folder."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.fleet.hosts import Host

KNOWN_HOSTS, CONFIG, INVENTORY, KEY = "known_hosts", "ssh_config", "inventory.yml", "id_ed25519"


@dataclass(frozen=True)
class Running:
    """One running host: where it answers, and the host keys it really has (`type base64`)."""

    host: Host
    container: str
    address: str
    host_keys: tuple[str, ...]


def write(folder: Path, hosts: Iterable[Running], ssh_options: Sequence[str]) -> None:
    """`ssh_options` are those of an ssh command line."""
    hosts = tuple(hosts)
    _known_hosts(folder, hosts)
    _ssh_config(folder, hosts)
    _inventory(folder, hosts, ssh_options)


def _known_hosts(folder: Path, hosts: Iterable[Running]) -> None:
    lines = []
    for running in hosts:
        keys = running.host_keys
        if running.host.false_key:
            keys = (_another_key(folder),)
        lines += [f"{running.address} {key}\n" for key in keys]
    (folder / KNOWN_HOSTS).write_text("".join(lines))


def _ssh_config(folder: Path, hosts: Sequence[Running]) -> None:
    """Each host by its name: how a jump host is reached cannot be told on a command line."""
    users = {running.host.jump: running.host.jump_user for running in hosts}
    lines = []
    for running in hosts:
        name = running.host.name
        lines += [f"Host {name}", f"  HostName {running.address}"]
        lines += [f"  User {users[name]}"] if name in users else []
        lines += [f"  UserKnownHostsFile {folder / KNOWN_HOSTS}", "  StrictHostKeyChecking yes"]
        lines += [f"  IdentityFile {folder / KEY}", "  IdentitiesOnly yes"]
    (folder / CONFIG).write_text("\n".join(lines) + "\n")


def _inventory(folder: Path, hosts: Iterable[Running], ssh_options: Sequence[str]) -> None:
    options = [
        f"-o{option}"
        for option in ssh_options
        if "=" in option and not option.startswith(("Connect", "Batch"))
    ]
    entries: dict[str, dict[str, str | bool]] = {}
    for running in hosts:
        for name, variables in running.host.inventory().items():
            entries[name] = {"ansible_host": running.address, **variables}
            if running.host.jump:
                through = ["-F", str(folder / CONFIG), f"-oProxyJump={running.host.jump}"]
                entries[name]["ansible_ssh_common_args"] = shlex.join([*through, *options])
    inventory = {
        "all": {
            "vars": {
                "ansible_ssh_private_key_file": str(folder / KEY),
                "ansible_ssh_common_args": shlex.join(options),
            },
            "hosts": entries,
        }
    }
    (folder / INVENTORY).write_text(yaml.safe_dump(inventory, sort_keys=False))


def _another_key(folder: Path) -> str:
    path = folder / "another_key"
    path.unlink(missing_ok=True)
    path.with_suffix(".pub").unlink(missing_ok=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True
    )
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])
