"""Hosts to change: one is changed, another is somebody else who tries to reach it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.resources import shared
from tests.fleet.machine import why_not
from tests.fleet.running import Fleet

BIN = Path(sys.executable).parent
_TRY = """
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def comes_in(target):
    address, port = target
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as tried:
        tried.settimeout(1.5)
        try:
            tried.connect((address, port))
        except OSError:
            return False
    return True
targets = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps(list(pool.map(comes_in, targets))))
"""


def comes_in(
    targets: Sequence[tuple[str, int]], runs: Callable[..., str] | None = None
) -> list[bool]:
    """Do TCP connections to (address, port) come in, from here or where `runs` runs programs?"""
    words = ("-c", _TRY, json.dumps(targets))
    if runs:
        said = runs("python3", *words)
    else:
        said = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, check=True
        ).stdout
    return list(json.loads(said))


@dataclass
class Hosts:
    """`bare` is changed; `bare-12` is somewhere else on its network."""

    fleet: Fleet
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def play(
        self, tasks: list[Any] | None = None, *words: str, limit: str = "bare", **play: Any
    ) -> subprocess.CompletedProcess[str]:
        """Runs a play of our roles by ansible-playbook."""
        return subprocess.run(
            [*self.play_argv(tasks, limit=limit, **play), *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def play_argv(self, tasks: list[Any] | None, *, limit: str, **play: Any) -> list[str]:
        path = self.folder / "play.yml"
        whole = {"hosts": "all", "gather_facts": False, **play}
        path.write_text(yaml.safe_dump([{**whole, "tasks": tasks or []}]))
        program = str(BIN / "ansible-playbook")
        return [program, "-i", str(self.fleet.inventory), "-l", limit, str(path)]

    def run(self, host: str, *argv: str) -> str:
        """Runs in the host, past its network; returns what it printed."""
        done = self.fleet.execute(host, *argv)
        return done.stdout.decode() + done.stderr.decode()

    def logs_in(self, host: str = "bare") -> bool:
        """Does a new SSH connection of the control node work?"""
        argv = [
            *self.fleet.ssh(host),
            "-o",
            "ControlPath=none",
            "-o",
            "ConnectTimeout=2",
            "-n",
            "echo in",
        ]
        # the address comes before the options that were added: ssh takes both
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout == "in\n"

    def reached(self, *targets: tuple[str, int], elsewhere: bool) -> list[bool]:
        """Do TCP connections to (address, port) come in, from here or from elsewhere?"""
        if not elsewhere:
            return comes_in(targets)
        return comes_in(targets, lambda *argv: self.run("bare-12", *argv))

    def verdicts(self, name: str) -> dict[str, str]:
        """What the controls of the family `firewall` say of `bare`, by a capture of its own."""
        captures = self.folder / name
        for words in (
            ("collect", "-i", str(self.fleet.inventory), "--family", "firewall", "-o", captures),
            ("assess", str(captures), "--format", "json"),
        ):
            done = subprocess.run(
                [str(BIN / "hostpledge"), *map(str, words)],
                env=self.environment,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        found = json.loads(done.stdout)["hosts"]["bare"]["findings"]
        named = [f for f in found if f["control"].startswith("firewall.")]
        return {f["control"].split(".")[1]: f["verdict"] for f in named}


@pytest.fixture(scope="package")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosts]:
    if reason := why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    folder = tmp_path_factory.mktemp("harden")
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("ANSIBLE_")},
        "ANSIBLE_ROLES_PATH": str(shared("roles")),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "HOME": str(folder),
    }
    names = ["bare", "bare-12", "busybox", "sysvinit"]
    # sockets must have short names
    with tempfile.TemporaryDirectory(prefix="hp-") as sockets:
        environment["ANSIBLE_SSH_CONTROL_PATH_DIR"] = sockets
        with Fleet(names, folder=folder / "fleet", prefix=f"harden-{os.getpid()}") as up:
            yield Hosts(up, folder, environment)
