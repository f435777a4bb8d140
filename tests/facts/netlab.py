"""Three network namespaces of our own: outside — host — container. Real rules, real packets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from collector.facts.exposure import READS
from collector.model import Capture
from collector.script import collector_script, parse_output

HOST4, HOST6 = "10.201.0.1", "fd00:201::1"
SOURCES = {
    4: ("10.201.0.2", "10.201.0.66", "198.51.100.7"),
    6: ("fd00:201::2", "2001:db8:7::7"),
}
PORTS = (22, 80, 443, 8080)
_READS = {read.id: read for read in READS if not read.id.startswith("services.")}

_LISTEN = """
import socket, sys
ports = [int(p) for p in sys.argv[1:]]
held = []
for port in ports:
    for kind in (socket.SOCK_STREAM,):
        s = socket.socket(socket.AF_INET6, kind)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("::", port)); s.listen(64); held.append(s)
print("ready", flush=True)
import selectors
sel = selectors.DefaultSelector()
for s in held: sel.register(s, selectors.EVENT_READ)
sel.register(sys.stdin, selectors.EVENT_READ)
while True:
    for key, _ in sel.select():
        if key.fileobj is sys.stdin: sys.exit()
        c, _ = key.fileobj.accept(); c.close()
"""
_CONNECT = """
import errno, json, select, socket, sys, time
for line in sys.stdin:
    asked = json.loads(line); wait = asked["wait"]; pending = {}; answers = {}
    for n, (family, source, target, port) in enumerate(asked["tries"]):
        s = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6)
        s.setblocking(False); s.bind((source, 0))
        try: s.connect((target, port))
        except BlockingIOError: pass
        except OSError: answers[n] = False; continue
        pending[s] = n
    end = time.monotonic() + wait
    while pending and time.monotonic() < end:
        _, ready, _ = select.select([], list(pending), [], max(0, end - time.monotonic()))
        for s in ready:
            answers[pending.pop(s)] = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            s.close()
    for s, n in pending.items(): answers[n] = False; s.close()
    print(json.dumps([answers[n] for n in range(len(asked["tries"]))]), flush=True)
"""


def run(*argv: str, text: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, input=text.encode(), capture_output=True, timeout=30, check=False)


def sweep() -> None:
    """Takes away what a run left that was killed: its pid, in the names, is no longer there."""
    for line in run("ip", "netns", "list").stdout.decode().splitlines():
        match = re.match(r"hp(\d+)[hoc]\b", line)
        if match and not Path(f"/proc/{match[1]}").exists():
            run("ip", "netns", "del", line.split()[0])


class Lab:
    """Names end in our pid: nothing of anyone else is touched, and all of it is ended."""

    def __init__(self, folder: Path) -> None:
        sweep()
        tag = f"hp{os.getpid()}"
        self.host, self.outside, self.container = (f"{tag}{x}" for x in "hoc")
        self.script = folder / "collect.sh"
        self.script.write_text(collector_script(_READS.values()))
        self.running: list[subprocess.Popen[bytes]] = []
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def _build(self) -> None:
        for name in (self.host, self.outside, self.container):
            self._must("ip", "netns", "add", name)
        self._wire(self.host, "wan", self.outside, "out")
        self._wire(self.host, "ct", self.container, "in")
        self._addresses()
        self._listen(self.host, *PORTS)
        self._listen(self.container, 80)
        self.client = self._start(self.outside, _CONNECT)

    def _must(self, *argv: str) -> None:
        done = run(*argv)
        assert done.returncode == 0, f"{argv}: {done.stderr.decode()}"

    def ip(self, name: str, *argv: str) -> None:
        self._must("ip", "-n", name, *argv)

    def _wire(self, one: str, device: str, other: str, far: str) -> None:
        self.ip(one, "link", "add", device, "type", "veth", "peer", "name", far, "netns", other)
        for name, link in ((one, device), (other, far), (one, "lo"), (other, "lo")):
            self.ip(name, "link", "set", "dev", link, "up")

    def _addresses(self) -> None:
        v6 = ("nodad",)
        self.ip(self.host, "addr", "add", f"{HOST4}/24", "dev", "wan")
        self.ip(self.host, "addr", "add", f"{HOST6}/64", "dev", "wan", *v6)
        self.ip(self.host, "addr", "add", "172.30.0.1/24", "dev", "ct")
        self.ip(self.container, "addr", "add", "172.30.0.2/24", "dev", "in")
        self.ip(self.container, "route", "add", "default", "via", "172.30.0.1")
        for address in SOURCES[4]:
            self.ip(self.outside, "addr", "add", f"{address}/24", "dev", "out")
        for address in SOURCES[6]:
            self.ip(self.outside, "addr", "add", f"{address}/64", "dev", "out", *v6)
        self.ip(self.host, "route", "add", "default", "via", SOURCES[4][0])
        self.ip(self.host, "-6", "route", "add", "default", "via", SOURCES[6][0])
        self._must(
            "ip", "netns", "exec", self.host, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"
        )

    def _start(self, name: str, program: str, *argv: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-c", program, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.running.append(process)
        return process

    def _listen(self, name: str, *ports: int) -> None:
        process = self._start(name, _LISTEN, *map(str, ports))
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

    def load(self, loader: str, text: str) -> str:
        """Empties the host's rules and loads these; returns what went wrong, if anything."""
        clear = (
            "nft flush ruleset; for t in $(cat /proc/net/ip_tables_names 2>/dev/null); do"
            " iptables-legacy -t $t -F; iptables-legacy -t $t -X;"
            " [ $t = filter ] && iptables-legacy -P INPUT ACCEPT; done; true"
        )
        assert run("ip", "netns", "exec", self.host, "sh", "-c", clear).returncode == 0
        argv = ("sh", "-e") if loader == "sh" else ("nft", "-f", "-")
        if loader == "nft":
            # nft wants a line end after the brace that closes a chain
            text = text.replace("}", "\n}\n")
        done = run("ip", "netns", "exec", self.host, *argv, text=text)
        return "" if done.returncode == 0 else done.stderr.decode()

    def capture(self) -> Capture:
        done = run("ip", "netns", "exec", self.host, "sh", str(self.script))
        return parse_output(done.stdout, host="lab")

    def connect(self, tries: Iterable[tuple[int, str, str, int]], wait: float = 0.25) -> list[bool]:
        """Does each (family, source, target, port) get a connection?"""
        assert self.client.stdin is not None
        assert self.client.stdout is not None
        self.client.stdin.write(json.dumps({"tries": list(tries), "wait": wait}).encode() + b"\n")
        self.client.stdin.flush()
        answers: list[bool] = json.loads(self.client.stdout.readline())
        return answers

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        for name in (self.host, self.outside, self.container):
            run("ip", "netns", "del", name)
