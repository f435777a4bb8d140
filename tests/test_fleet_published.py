"""Ports that real podman publishes go past INPUT: its netavark loads the rules, real packets come.

The containers run in the network of a host: a lab of network namespaces for each way in which
netavark loads its rules, and a whole host of the fleet, which is collected and judged.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector import captures, catalog
from collector.assess import assess_host
from collector.cli.commands.engines.exposure import exposure as command
from collector.facts.firewall.live_ruleset import firewall
from collector.model import Capture, Result
from collector.script import collector_script, parse_output
from tests.facts.netlab import HOST4, SOURCES, Lab, Try
from tests.facts.truth import needs_kernel
from tests.fleet import Fleet, machine

pytestmark = [pytest.mark.fleet, needs_kernel]

# one that `firewall.exposed_ports` asks about, and that nothing of a lab listens on
PORT = 6379
INPUT = "table inet own { chain i { type filter hook input priority 0; policy drop; } }"
# what keeps it from going on to the container, as one writes it beside each way
SHUT = {
    "nftables": """nft -f - <<'T'
table inet own {
  chain f {
    type filter hook forward priority -5;
    iifname wan ct original proto-dst 6379 drop
  }
}
T""",
    "iptables": "iptables -I FORWARD -i wan -p tcp -m conntrack --ctorigdstport 6379 -j DROP",
    "iptables-legacy": "iptables-legacy -N DOCKER-USER; iptables-legacy -I FORWARD -j DOCKER-USER\n"
    "iptables-legacy -A DOCKER-USER -i wan -p tcp -m conntrack --ctorigdstport 6379 -j DROP",
}


@dataclass
class Podman:
    """Podman whose containers join the network of one host; nothing of it is shared."""

    folder: Path
    network: str
    driver: str = "nftables"
    legacy: bool = False

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        conf = (machine.STATE / "containers.conf").read_text()
        conf = conf.replace(f"{machine.STATE}/libpod", f"{self.folder}/libpod")
        (self.folder / "containers.conf").write_text(f'{conf}firewall_driver = "{self.driver}"\n')
        tools = self.folder / "tools"
        tools.mkdir()
        if self.legacy:
            for name in ("iptables", "ip6tables"):
                (tools / name).symlink_to(shutil.which(f"{name}-legacy") or "/nowhere")
        bare = self.folder / "root" / "bin"
        bare.mkdir(parents=True)
        shutil.copy(shutil.which("busybox") or "/bin/busybox", bare / "busybox")

    def __call__(self, *arguments: str) -> None:
        argv = machine.inside(
            *("podman", f"--root={self.folder}/storage", f"--runroot={self.folder}/run"),
            *("--storage-driver=vfs", f"--network-config-dir={self.folder}/networks", *arguments),
        )
        path = f"{self.folder}/tools:{os.environ['PATH']}"
        done = subprocess.run(
            ["nsenter", f"--net={self.network}", "--", *argv],
            env={
                **os.environ, "PATH": path, "CONTAINERS_CONF": f"{self.folder}/containers.conf",
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def publish(self) -> None:
        """A web server at port 80 of a container, published at PORT."""
        self("network", "create", "--disable-dns", "--subnet=172.31.7.0/24", "published")
        self(
            *("run", "--detach", "--name=published", "--network=published"),
            *(f"--publish={PORT}:80", "--cgroups=disabled", "--rootfs", f"{self.folder}/root"),
            *("/bin/busybox", "httpd", "-f", "-p", "80", "-h", "/"),
        )

    def end(self) -> None:
        self("rm", "--force", "--time=0", "published")


@pytest.fixture(scope="module", autouse=True)
def containers() -> None:
    if reason := machine.why_not():
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"containers cannot run here: {reason}")
    if shutil.which("busybox") is None:
        pytest.skip("there is no busybox")


@pytest.fixture
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.close()


def told(capture: Capture, folder: Path, source: str, port: int = PORT) -> dict[str, Any]:
    """What `hostpledge exposure --from SOURCE` says of the (published) port."""
    path = folder / "host.capture.gz"
    captures.write(capture, path)
    run = CliRunner().invoke(
        command, [str(path), "--format", "json", "--from", source], standalone_mode=False
    )
    found = [
        entry
        for entry in json.loads(run.stdout)["exposure"]
        if (entry["port"], entry["proto"], entry["family"]) == (port, "tcp", "ipv4")
    ]
    assert len(found) == 1
    entry: dict[str, Any] = found[0]
    return entry


def judged(capture: Capture, name: str) -> tuple[Result, str]:
    (found,) = assess_host(capture, [catalog.control(f"firewall.{name}")], at=datetime.now(UTC))
    return found.result, f"{found.reason} {found.message.en}"


@pytest.mark.parametrize("way", ["nftables", "iptables", "iptables-legacy"])
def test_netavark_opens_what_input_closes(lab: Lab, tmp_path: Path, way: str) -> None:
    if shutil.which("nft" if way == "nftables" else way) is None:
        pytest.skip(f"there is no {way}")
    legacy = way.endswith("-legacy")
    assert not lab.load("nft", INPUT)
    podman = Podman(tmp_path / "podman", f"/run/netns/{lab.host}", way[:8], legacy)
    podman.publish()
    tries = [Try("tcp", 4, source, HOST4, PORT) for source in SOURCES[4]]
    try:
        lab.still.clear()
        seen = lab.capture()
        assert ("nft inet netavark" in firewall(seen).loaded) is (way == "nftables")
        for source in SOURCES[4]:
            entry = told(seen, tmp_path, source)
            assert entry["reachable"] == "yes", entry
            assert re.fullmatch(r"172\.31\.7\.\d+:80", *entry["leads_to"])
        assert set(lab.sent(tries, 2).values()) == {True}
        assert judged(seen, "exposed_ports")[0] is Result.FAIL
        # what was not published stays shut, by the same rules
        (other,) = lab.sent([Try("tcp", 4, SOURCES[4][0], HOST4, 80)], 0.3).values()
        assert not other

        lab._must("ip", "netns", "exec", lab.host, "sh", "-ec", SHUT[way])
        seen = lab.capture()
        for source in SOURCES[4]:
            entry = told(seen, tmp_path, source)
            assert entry["reachable"] == "no", entry
            assert "6379" in entry["why"]
        assert set(lab.sent(tries, 1).values()) == {False}
        assert judged(seen, "exposed_ports")[0] is Result.PASS
    finally:
        podman.end()
        lab.legacy = legacy
        lab.load("nft", "")


def test_a_whole_host_that_denies_by_default(tmp_path: Path) -> None:
    """Its own rules drop what is forwarded too, until someone makes room for the container."""
    with Fleet(["good"], folder=tmp_path / "fleet", prefix=f"published-{os.getpid()}") as fleet:
        running = fleet.hosts["good"]
        pid = machine.podman("inspect", "--format={{.State.Pid}}", running.container)
        podman = Podman(tmp_path / "podman", f"/proc/{int(pid.stdout)}/ns/net")
        podman.publish()
        try:
            seen = collected(fleet)
            entry = told(seen, tmp_path, "192.0.2.7")
            assert entry["reachable"] == "no", entry
            assert not connects(running.address)
            assert judged(seen, "exposed_ports")[0] is Result.PASS
            assert judged(seen, "default_deny")[0] is Result.PASS

            opened = fleet.execute("good", "nft", "flush chain inet filter forward;"
                                   " delete chain inet filter forward")  # fmt: skip
            assert opened.returncode == 0, opened.stderr
            seen = collected(fleet)
            entry = told(seen, tmp_path, "192.0.2.7")
            assert entry["reachable"] == "yes", entry
            assert re.fullmatch(r"172\.31\.7\.\d+:80", *entry["leads_to"])
            assert connects(running.address)
            result, said = judged(seen, "exposed_ports")
            assert result is Result.FAIL, said
            assert f"{PORT}/tcp" in said
            # what systemd may hold back from sshd is in doubt, for those sources alone
            assert told(seen, tmp_path, "10.99.1.1", 22)["reachable"] == "yes"
            deny = ("systemctl", "set-property", "--runtime", "ssh.service")
            assert not fleet.execute("good", *deny, "IPAddressDeny=10.99.0.0/16").returncode
            limited = collected(fleet)
            entry = told(limited, tmp_path, "10.99.1.1", 22)
            assert entry["reachable"] == "unknown", entry
            assert "ssh.service" in entry["why"]
            assert told(limited, tmp_path, "10.98.1.1", 22)["reachable"] == "yes"
            # a port that nobody named is still denied, and still after a boot
            result, said = judged(seen, "default_deny")
            assert result is Result.PASS, said
        finally:
            podman.end()


def collected(fleet: Fleet) -> Capture:
    """As from a person who runs the script alone."""
    reads = catalog.reads_for(catalog.select(["firewall"]))
    done = subprocess.run(
        [*fleet.ssh("good", "ops"), "sudo sh -s"],
        input=collector_script(reads.values()).encode(),
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return parse_output(done.stdout, host="good")


def connects(address: str) -> bool:
    try:
        with socket.create_connection((address, PORT), timeout=2):
            return True
    except OSError:
        return False
