"""Starts hosts, and says how to reach them: addresses, a key, known_hosts, an Ansible inventory."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fleet import images, reaching
from tests.fleet.hosts import BECOME_PASSWORD, HOSTS, LOGIN_PASSWORD, OTHERS, Host
from tests.fleet.machine import NETWORK, STATE, CannotRun, locked, podman, podman_argv, why_not
from tests.fleet.reaching import Running

LABEL = "hostpledge.fleet"
_OWNER = "hostpledge.owner"
# One start script serves every image: the users' keys, and host keys of this host alone.
_COMMON = """set -eu
for account in $users; do
  home=/root
  if [ "$account" != root ]; then
    home=/home/$account
    # one that knows TMOUT, where it is there
    shell=/bin/bash
    [ -x "$shell" ] || shell=/bin/sh
    [ -d "$home" ] || useradd -m -s "$shell" "$account"
  fi
  mkdir -p "$home/.ssh"
  printf '%s\\n' "$key" >"$home/.ssh/authorized_keys"
  chmod 700 "$home/.ssh"
  chmod 600 "$home/.ssh/authorized_keys"
  chown -R "$account" "$home/.ssh"
done
if command -v dropbearkey >/dev/null 2>&1; then
  dropbearkey -t ed25519 -f /etc/dropbear/dropbear_ed25519_host_key >/dev/null 2>&1
  dropbearkey -y -f /etc/dropbear/dropbear_ed25519_host_key | grep '^ssh-'
else
  for type in ed25519 ecdsa; do
    [ -e "/etc/ssh/ssh_host_${type}_key" ] ||
      ssh-keygen -q -t "$type" -N '' -f "/etc/ssh/ssh_host_${type}_key"
  done
  cat /etc/ssh/ssh_host_*_key.pub
fi
"""
# until systemd answers, which takes longer on a busy machine
_WAIT = """
n=0
until systemctl show-environment >/dev/null 2>&1 || [ "$n" -ge 200 ]; do
  n=$((n + 1)); sleep 0.3
done
"""
_RESTART = """
n=0
until systemctl is-active --quiet multi-user.target || [ "$n" -ge 20 ]; do
  n=$((n + 1)); sleep 0.3
done
unit=ssh.service
[ -e "/usr/lib/systemd/system/$unit" ] || unit=sshd.service
systemctl reset-failed "$unit"
systemctl restart "$unit"
"""


class Fleet:
    """Hosts that run for as long as this object is entered, or until `stop`.

    `folder` gets the key pair, `known_hosts` and `inventory.yml`. `prefix` names the containers;
    starting ends whatever a killed run left behind under the same prefix. With `keep` the hosts
    outlive this process.
    """

    def __init__(
        self, names: Iterable[str], *, folder: Path, prefix: str = "fleet", keep: bool = False
    ) -> None:
        self.names = tuple(dict.fromkeys(names))
        self.folder = folder.absolute()
        self.prefix = prefix
        self.keep = keep
        self.hosts: dict[str, Running] = {}

    @property
    def key(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def inventory(self) -> Path:
        return self.folder / "inventory.yml"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Raises CannotRun where containers cannot run or a host does not come up."""
        if reason := why_not():
            raise CannotRun(reason)
        every = HOSTS | OTHERS
        unknown = [name for name in self.names if name not in every]
        if unknown:
            raise CannotRun(f"no such host: {', '.join(unknown)}; there are {', '.join(every)}")
        images.ensure({every[name].image for name in self.names})
        stop(self.prefix)
        stop_orphans()
        self._make_key()
        try:
            with ThreadPoolExecutor(2) as pool:
                found = pool.map(self._start_host, (every[name] for name in self.names))
                self.hosts = {running.host.name: running for running in found}
            reaching.write(self.folder, self.hosts.values(), self.ssh_options())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        stop(self.prefix)
        self.hosts = {}

    def restart(self, name: str) -> None:
        """Boots a host of systemd anew, from its disk; it answers at another address then."""
        old = self.hosts[name]
        podman("restart", "--time=30", old.container)
        self._shell(old.container, _WAIT + _RESTART)
        new = replace(old, address=_address(old.container))
        _wait_for_banner(name, new.address)
        self.hosts[name] = new
        reaching.write(self.folder, self.hosts.values(), self.ssh_options())

    def execute(
        self, name: str, *argv: str, data: bytes = b"", seconds: float = 120
    ) -> subprocess.CompletedProcess[bytes]:
        """Runs `argv` in the host as root, past its SSH server; never raises for its status."""
        return podman(
            *("exec", "--interactive", self.hosts[name].container, *argv),
            data=data,
            check=False,
            seconds=seconds,
        )

    def execute_argv(self, name: str, *argv: str) -> list[str]:
        return podman_argv("exec", "--interactive", self.hosts[name].container, *argv)

    def ssh(self, name: str, user: str = "root") -> list[str]:
        """The words of an ssh command line up to the host; add what the host shall run."""
        return ["ssh", *self.ssh_options(), f"{user}@{self.hosts[name].address}"]

    def ssh_options(self) -> list[str]:
        return [
            *("-i", str(self.key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"),
            *("-o", "StrictHostKeyChecking=yes", "-o", "GlobalKnownHostsFile=/dev/null"),
            *("-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "ConnectTimeout=10"),
        ]

    def _make_key(self) -> None:
        shutil.rmtree(self.folder / "ansible", ignore_errors=True)
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (self.key, self.key.with_suffix(".pub")):
            path.unlink(missing_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "fleet", "-f", str(self.key)],
            check=True,
        )

    def _start_host(self, host: Host) -> Running:
        container = f"{self.prefix}-{host.name}"
        owner = "-" if self.keep else _me()
        _run(
            container,
            f"--hostname={host.name}",
            *(f"--label={LABEL}={self.prefix}", f"--label={_OWNER}={owner}"),
            *(f"--network={NETWORK}", "--cap-add=NET_ADMIN,SYS_PTRACE", "--stop-signal=SIGRTMIN+3"),
            # Podman would lay a tmpfs over the journal; a real Debian keeps it on its disk.
            *(
                ("--systemd=always", "--volume=/var/log/journal")
                if host.systemd
                else ("--systemd=false",)
            ),
            *(("--cap-add=SYS_ADMIN",) if host.refuses_files or host.mounts else ()),
            images.tag(host.image),
        )
        users = {str(entry["ansible_user"]) for entry in host.inventory().values()}
        public = self.key.with_suffix(".pub").read_text().strip()
        given = f"users={shlex.quote(' '.join(sorted(users | {'root', 'plain'})))}\n"
        given += f"key={shlex.quote(public)}\n"
        if host.systemd:
            self._shell(container, _WAIT)
        keys = self._shell(container, given + _COMMON)
        recipe = images.RECIPES / f"{host.start or host.name}.start.sh"
        if recipe.exists():
            password = f"password={shlex.quote(BECOME_PASSWORD)}\n"
            password += f"login={shlex.quote(LOGIN_PASSWORD)}\n"
            self._shell(container, "set -eu\n" + password + recipe.read_text())
        if host.systemd:
            self._shell(container, _RESTART)
        address = _address(container)
        _wait_for_banner(host.name, address)
        return Running(
            host,
            container,
            address,
            tuple(" ".join(line.split()[:2]) for line in keys.splitlines() if line),
        )

    def _shell(self, container: str, text: str) -> str:
        done = podman(*("exec", "--interactive", container, "sh"), data=text.encode(), check=False)
        if done.returncode != 0:
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise CannotRun(f"{container}: {' | '.join(said[-3:]) or done.returncode}")
        return done.stdout.decode("utf-8", "replace")


def _address(container: str) -> str:
    seen = podman(
        *("inspect", container, "--format"),
        f'{{{{(index .NetworkSettings.Networks "{NETWORK}").IPAddress}}}}',
    )
    return seen.stdout.decode().strip()


def stop(prefix: str) -> None:
    """Ends every host of the prefix, whoever started it."""
    _remove("--filter", f"label={LABEL}={prefix}")


def stop_all() -> None:
    _remove("--filter", f"label={LABEL}")


def stop_orphans() -> None:
    """Ends hosts whose starter was killed before it could stop them."""
    for container in _containers():
        owner = str((container.get("Labels") or {}).get(_OWNER, "-"))
        if owner != "-" and owner != _start_of(owner.partition(":")[0]):
            podman(
                "rm",
                "--force",
                "--volumes",
                "--ignore",
                "--time=0",
                str(container["Id"]),
                check=False,
            )


def listing() -> list[tuple[str, str]]:
    """(name, state) of every container of any fleet."""
    return [(str(found["Names"][0]), str(found["State"])) for found in _containers()]


def default_folder(prefix: str) -> Path:
    return STATE / "fleets" / prefix


def _containers() -> list[dict[str, Any]]:
    found = podman("ps", "--all", "--filter", f"label={LABEL}", "--format=json")
    containers: list[dict[str, Any]] = json.loads(found.stdout or b"[]")
    return containers


def _remove(*filters: str) -> None:
    with locked("stop"):
        found = podman("ps", "--all", "--quiet", *filters).stdout.decode().split()
        if not found:
            return
        remove = ("rm", "--force", "--volumes", "--ignore", "--time=0", *found)
        # the first only stops one whose keeper a killed run took with it
        if podman(*remove, check=False).returncode != 0:
            podman(*remove)


def _run(container: str, *arguments: str) -> None:
    """Starts a container; once more where its cgroup was taken away from under it.

    The last container that ends takes the cgroup above all of them along, which may be the very
    moment another one has asked for it.
    """
    start = ("run", "--detach", f"--name={container}", *arguments)
    try:
        podman(*start)
    except CannotRun as failed:
        if "is not available under" not in str(failed):
            raise
        podman("rm", "--force", container)
        podman(*start)


def _me() -> str:
    return _start_of(str(os.getpid()))


def _start_of(pid: str) -> str:
    """`pid:start time`, which no later process shares; empty when there is no such process."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return f"{pid}:{stat.rpartition(')')[2].split()[19]}"


def _wait_for_banner(name: str, address: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with socket.create_connection((address, 22), timeout=2) as connection:
                connection.settimeout(5)
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise CannotRun(f"{name}: no SSH server answers at {address} within {seconds:.0f} s")
