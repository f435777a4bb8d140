"""A mesh in network namespaces: a centre, nodes, and hosts that only nodes reach.

Names begin with our pid: nothing of anyone else is touched, and all of it is ended. A node's
Receptor is started again as systemd would (`hostpledge-mesh.service`): what it had begun ends with
it, and its data, which lie in memory, are gone; the centre's data stay.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from collector import catalog, script
from collector.run.mesh.control import Control

ROOT = Path(__file__).parents[2]
PORT, SSH = 27199, 2222
RECORDED = "0" * 32
_PLAYED = """read -r nonce
nonce=${nonce#HP_NONCE=}
cat >/dev/null
exec sed "s/%s/$nonce/g" %s
"""
_numbers = itertools.count(1)


def lacking() -> str:
    """Why there can be no mesh here; empty where there can."""
    if os.geteuid() != 0:
        return "namespaces need root"
    for name in ("receptor", "ip", "sshd", "mount"):
        if not _program(name):
            return f"{name} is not here"
    return ""


def _program(name: str) -> str:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or ""


def sweep() -> None:
    """Takes away what a run left that was killed."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    for line in listed.stdout.splitlines():
        match = re.match(r"hpm(\d+)x", line)
        if match and not Path(f"/proc/{match[1]}").exists():
            subprocess.run(["ip", "netns", "del", line.split()[0]], check=False)


class Node:
    """A namespace with a Receptor in it."""

    def __init__(self, lab: Lab, name: str, conf: Path, runtime: Path, space: str) -> None:
        self.lab, self.name, self.conf = lab, name, conf
        self.runtime, self.space = runtime, space
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.runtime / "data" / self.name

    def units(self) -> list[Path]:
        """What lies in its datadir."""
        return sorted(self.data.iterdir()) if self.data.is_dir() else []

    def start(self) -> None:
        log = (self.lab.folder / f"{self.name}.log").open("ab")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.space, _program("receptor"), "-c", str(self.conf)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            env={**os.environ, "TMPDIR": str(self.runtime / "tmp")},
        )  # fmt: skip

    def kill(self) -> None:
        """kill -9, and what systemd does then."""
        if self.process is not None:
            _kill_group(self.process)
        if self.name != "centre":
            for pid in self.inside():
                _kill(pid)
            for part in self.data.parent.glob("*"):
                shutil.rmtree(part, ignore_errors=True)
            for part in (self.runtime / "tmp").glob("*"):
                shutil.rmtree(part, ignore_errors=True)
        (self.runtime / "control.sock").unlink(missing_ok=True)

    def inside(self) -> list[int]:
        """All processes in its namespace."""
        listed = subprocess.run(
            ["ip", "netns", "pids", self.space], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in listed.stdout.split()]

    def workers(self) -> list[int]:
        """The processes of `hostpledge worker` themselves, not what they started."""
        found = []
        for pid in self.inside():
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"worker" in words and b"collector" in words:
                found.append(pid)
        return found


class Lab:
    """Use as a context manager. `hosts` are addresses that play a recorded capture back."""

    def __init__(
        self, folder: Path, nodes: int, hosts: int, *, families: Sequence[str] = ("monitoring",),
        size: str = "64m",
    ) -> None:  # fmt: skip
        sweep()
        self.folder = folder
        self.tag = f"hpm{os.getpid()}x{next(_numbers)}"
        self.home = folder / "home"
        self.addresses = [f"10.213.{n // 250}.{n % 250 + 2}" for n in range(hosts)]
        self.families = families
        self._count, self._size = nodes, size
        self.nodes: dict[str, Node] = {}
        self._spaces: list[str] = []
        self._mounts: list[Path] = []
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._network()
            self._targets()
            self._mesh()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what a test does ------------------------------------------------------------------------

    @property
    def centre(self) -> Node:
        return self.nodes["centre"]

    @property
    def control(self) -> Control:
        return Control(self.centre.runtime / "control.sock", 10)

    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "HOSTPLEDGE_HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(self.folder / "tmp"),
        }

    def command(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """`hostpledge` in the namespace of the centre, begun."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.centre.space, sys.executable, "-m", "collector", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.env() | more, start_new_session=True,
        )  # fmt: skip

    def inventory(self, name: str = "hosts.yml", more: str = "") -> Path:
        """All addresses, as hosts that nodes reach by ssh."""
        ssh = (
            f"-F none -o UserKnownHostsFile={self.folder}/known_hosts -o IdentitiesOnly=yes "
            "-o BatchMode=yes"
        )
        lines = [
            "all:", "  vars:", "    ansible_user: root", f"    ansible_port: {SSH}",
            f"    ansible_ssh_private_key_file: {self.folder}/key",
            f"    ansible_ssh_common_args: '{ssh}'", more, "  hosts:",
            *(f"    '{address}':" for address in self.addresses),
        ]  # fmt: skip
        path = self.folder / name
        path.write_text("\n".join(line for line in lines if line) + "\n")
        return path

    def cut(self, node: str, *, off: bool) -> None:
        """The wire between a node and the centre."""
        _ip(self.centre.space, "link", "set", f"n{node[1:]}", "down" if off else "up")

    def wait_for(self, *names: str, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                if set(names) <= self.control.reachable():
                    return
            except Exception:
                pass
            time.sleep(0.2)
        raise AssertionError(f"no way to {names} after {seconds} s")

    # --- how it is made --------------------------------------------------------------------------

    def _space(self, name: str) -> str:
        full = f"{self.tag}{name}"
        _run("ip", "netns", "add", full)
        self._spaces.append(full)
        _ip(full, "link", "set", "lo", "up")
        return full

    def _network(self) -> None:
        self._centre_space, self._target_space = self._space("c"), self._space("t")
        self._node_spaces = [self._space(f"n{n}") for n in range(1, self._count + 1)]
        for number, space in enumerate(self._node_spaces, 1):
            self._wire(self._centre_space, f"n{number}", space, "centre", f"10.214.{number}")
            self._wire(self._target_space, f"n{number}", space, "hosts", f"10.215.{number}")
            _ip(space, "route", "add", "10.213.0.0/16", "via", f"10.215.{number}.1")
        # every one of them is this namespace's own, none has to be added
        _ip(self._target_space, "route", "add", "local", "10.213.0.0/16", "dev", "lo")

    def _wire(self, one: str, device: str, other: str, far: str, net: str) -> None:
        _ip(one, "link", "add", device, "type", "veth", "peer", "name", far, "netns", other)
        for space, name, address in ((one, device, f"{net}.1/24"), (other, far, f"{net}.2/24")):
            _ip(space, "addr", "add", address, "dev", name)
            _ip(space, "link", "set", name, "up")

    def _targets(self) -> None:
        for name in ("key", "host"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name))
        chosen = catalog.select(tuple(self.families), 2)
        text = script.collector_script(catalog.reads_for(chosen).values())
        done = subprocess.run(
            ["sh", "-s"], input=script.with_nonce(text, RECORDED).encode(), capture_output=True,
            check=True,
        )  # fmt: skip
        (self.folder / "recorded").write_bytes(done.stdout)
        (self.folder / "play.sh").write_text(_PLAYED % (RECORDED, self.folder / "recorded"))
        public = (self.folder / "host.pub").read_text()
        (self.folder / "known_hosts").write_text(f"[10.213.*]:{SSH} {public}")
        key = (self.folder / "key.pub").read_text()
        forced = f'command="sh {self.folder}/play.sh" '
        (self.folder / "authorized_keys").write_text(forced + key)
        (self.folder / "sshd").write_text(
            f"Port {SSH}\nHostKey {self.folder}/host\nPidFile none\nStrictModes no\nUsePAM no\n"
            f"AuthorizedKeysFile {self.folder}/authorized_keys\nPermitRootLogin yes\n"
            "MaxStartups 1000\n"
        )
        Path("/run/sshd").mkdir(exist_ok=True)
        self._processes.append(
            subprocess.Popen(
                ["ip", "netns", "exec", self._target_space, _program("sshd"), "-D", "-e", "-f",
                 str(self.folder / "sshd")],
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
            )
        )  # fmt: skip

    def _mesh(self) -> None:
        program = self.folder / "hostpledge"
        program.write_text(
            f'#!/bin/sh\nPYTHONPATH={ROOT} LC_ALL=C.UTF-8 exec {sys.executable} -m collector "$@"\n'
        )
        program.chmod(0o755)
        (self.folder / "tmp").mkdir()
        for number, space in enumerate(self._node_spaces, 1):
            name = f"n{number}"
            runtime = self._runtime(name)
            done = subprocess.run(
                [sys.executable, "-m", "collector", "mesh", "add", name, "-o",
                 str(self.folder / name), "--centre", f"10.214.{number}.1:{PORT}",
                 "--place", str(self.folder / name), "--runtime", str(runtime),
                 "--program", str(program)],
                env=self.env(), capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            conf = self.folder / name / "receptor.conf"
            self.nodes[name] = Node(self, name, conf, runtime, space)
        runtime = self._runtime("centre")
        conf = self.folder / "centre.conf"
        made = (self.home / "mesh" / "centre" / "receptor.conf").read_text()
        # `mesh add` gave all the same place, each its own machine
        first = str(self.nodes[f"n{self._count}"].runtime)
        conf.write_text(made.replace(first, str(runtime)))
        self.nodes["centre"] = Node(self, "centre", conf, runtime, self._centre_space)
        for node in self.nodes.values():
            node.start()
        self.wait_for(*self.nodes)

    def _runtime(self, name: str) -> Path:
        runtime = self.folder / f"run-{name}"
        for part in ("data", "tmp"):
            (runtime / part).mkdir(parents=True, mode=0o700)
        # as in /run: memory, and not without end
        _run("mount", "-t", "tmpfs", "-o", f"size={self._size},mode=0700", "tmpfs",
             str(runtime / "data"))  # fmt: skip
        self._mounts.append(runtime / "data")
        return runtime

    def close(self) -> None:
        for node in self.nodes.values():
            node.kill()
        for process in self._processes:
            _kill_group(process)
        for space in self._spaces:
            listed = subprocess.run(
                ["ip", "netns", "pids", space], capture_output=True, text=True, check=False
            )
            for pid in listed.stdout.split():
                _kill(int(pid))
            subprocess.run(["ip", "netns", "del", space], check=False)
        for mount in self._mounts:
            subprocess.run(["umount", "-l", str(mount)], check=False)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def _ip(space: str, *words: str) -> None:
    _run("ip", "-n", space, *words)


def _run(*words: str) -> None:
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stderr.decode()}"
