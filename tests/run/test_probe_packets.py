"""What leaves the control node, counted in a network namespace whose packets go nowhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_ABLE = os.geteuid() == 0 and shutil.which("unshare") and shutil.which("ip")

pytestmark = pytest.mark.skipif(not _ABLE, reason="needs root: a network namespace is made")

# 192.0.2.0/24 (RFC 5737) lies behind a device that takes packets and answers nothing
_NET = "ip link set lo up; ip link add d0 type veth peer name d1; "
_NET += "ip link set d1 up; ip addr add 192.0.2.1/24 dev d0; "
_NET += "ip link set d0 up; ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev d0; "
_NET += "ip route add default via 192.0.2.9; "
# every IPv4 packet on the device: when, to whom, and a TCP packet's two ports
_LISTEN = """
import json, socket, struct, threading, time
taken, link = [], socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
link.bind(("d0", 0))
link.settimeout(0.5)
over = threading.Event()
def listen():
    while not over.is_set():
        try:
            data = link.recv(2048)
        except TimeoutError:
            continue
        if data[12:14] == b"\\x08\\x00":
            ports = struct.unpack("!HH", data[34:38]) if data[23] == 6 else (0, 0)
            taken.append([time.monotonic(), socket.inet_ntoa(data[30:34]), *ports])
thread = threading.Thread(target=listen)
thread.start()
"""
_END = "\ntime.sleep(0.7); over.set(); thread.join(); print(json.dumps(taken))\n"


def _packets(act: str, **env: str) -> list[tuple[float, str, int, int]]:
    """What was on the wire while Python did `act`."""
    words = [sys.executable, "-c", f"{_LISTEN}{act}{_END}"]
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", f'{_NET} exec "$@"', "sh", *words],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [(at, to, a, b) for at, to, a, b in json.loads(done.stdout.splitlines()[-1])]


def test_ports_are_asked_at_the_rate_that_is_told_and_of_the_host_alone() -> None:
    """At most ten connections are begun in any second; a retransmission begins none."""
    act = "from collector.run.probing.from_here import ask_ports\n"
    act += "ask_ports('192.0.2.9', range(20_000, 20_040))\n"
    seen = _packets(act)
    assert {to for _, to, _, _ in seen} == {"192.0.2.9"}
    # the kernel may take a port of its own for a second connection, to another port
    begun: dict[tuple[int, int], float] = {}
    for at, _, source, port in seen:
        begun.setdefault((source, port), at)
    assert len({port for _, _, _, port in seen}) == len(begun) == 40
    times = sorted(begun.values())
    # ten lie a second apart, but for what a busy machine blurs
    assert all(b - a > 0.95 for a, b in zip(times, times[10:], strict=False))


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_a_second_node_asks_at_the_same_rate_and_that_host_alone() -> None:
    """Its sh text, as it runs there: 24 ports, silent all of them."""
    wanted = " ".join(map(str, range(20_000, 20_024)))
    act = "import subprocess\nfrom collector.run.probing import texts\n"
    act += f"given = {{'TARGET': '192.0.2.9', 'PORTS': '{wanted}'}}\n"
    act += "text = texts.act('second_ports', '0' * 16, given)\n"
    act += "done = subprocess.run(['sh', '-s'], input=text, text=True, capture_output=True)\n"
    act += "lines = done.stdout.splitlines()\n"
    act += "assert lines[0] == 'source 192.0.2.1' and lines[-1] == '== end', done\n"
    act += "silent = [x for x in lines if x.startswith('port ') and x.endswith(' silent')]\n"
    act += "assert len(silent) == 24 and len(lines) == 26, done\n"
    seen = _packets(act)
    assert {to for _, to, _, _ in seen} == {"192.0.2.9"}
    begun: dict[tuple[int, int], float] = {}
    for at, _, source, port in seen:
        begun.setdefault((source, port), at)
    assert len({port for _, _, _, port in seen}) == len(begun) == 24
    times = sorted(begun.values())
    assert all(b - a > 0.95 for a, b in zip(times, times[10:], strict=False))


@pytest.mark.parametrize("words", [[], ["--check", "--yes"], ["--pledge", "campus-7", "--yes"]])
def test_without_consent_nothing_is_sent(tmp_path: Path, words: list[str]) -> None:
    """Nobody to ask; a plan alone; a record in which nobody agreed, or that is not there."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("all: {hosts: {web-1: {ansible_host: 192.0.2.9}}}\n", encoding="utf-8")
    names = [w for n in ("time", "failed_login", "outside_ports") for w in ("--probe", n)]
    line = ["probe", "-i", str(inventory), "-o", str(tmp_path / "out"), *names, *words]
    act = "import subprocess, sys\n"
    act += f"done = subprocess.run([sys.executable, '-m', 'collector', *{line!r}],"
    act += " capture_output=True, stdin=subprocess.DEVNULL)\n"
    act += f"assert done.returncode == {0 if '--check' in words else 2}, done\n"
    assert _packets(act, HOSTPLEDGE_HOME=str(tmp_path / "home")) == []


def test_with_consent_something_is() -> None:
    """That the count counts."""
    act = "from collector.run.probing.from_here import connects\n"
    assert len(_packets(f"{act}connects('192.0.2.9', 22, wait=0.3)\n")) == 1
