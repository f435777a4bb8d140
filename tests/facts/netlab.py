"""Three network namespaces of our own: outside — host — container. Real rules, real packets.

Everything is set up once and kept; only the rules change. Packets start in `outside`, which has
several addresses, and in `container`, which comes in by another interface.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from collector.facts.firewall.exposure import READS
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.facts import netlab_programs as programs

HOST4, HOST6 = "10.201.0.1", "fd00:201::1"
SECOND4, GATE4, GATE6 = "10.201.0.9", "172.30.0.1", "fd00:30::1"
CONTAINER4, CONTAINER6 = "172.30.0.2", "fd00:30::2"
SOURCES = {
    4: ("10.201.0.2", "10.201.0.66", "198.51.100.7"),
    6: ("fd00:201::2", "2001:db8:7::7"),
}
# what reaches the host from its own links alone: by datagram, by a connection too
SHARED = {
    "10.201.0.2": ("10.201.0.255", "255.255.255.255", "224.0.0.1"),
    "10.201.0.66": ("10.201.0.255", "255.255.255.255", "224.0.0.1"),
    CONTAINER4: ("172.30.0.255", "255.255.255.255", "224.0.0.1"),
    "fd00:201::2": ("ff02::1%out",),
    CONTAINER6: ("ff02::1%in",),
}
LINKS = {"fd00:201::2": ("fe80::1%out",), CONTAINER6: ("fe80::2%in",)}
TARGETS = {4: (HOST4, SECOND4, GATE4), 6: (HOST6, GATE6)}
PORTS = (22, 80, 443, 8080)
# bound to one address: (family, address, port); TCP and UDP each
BOUND = ((4, SECOND4, 5000), (6, HOST6, 5001), (4, "127.0.0.1", 5002))
ONLY4 = 53
_READS = {read.id: read for read in READS if not read.id.startswith("services.")}
_STILL = ("network.", "sockets.", "firewall.saved")


@dataclass(frozen=True)
class Try:
    """One new connection. `sport` 0: any; the proto is `tcp` or `udp`.

    `ttl` and `tos` 0: as usual; `size`: bytes of a datagram beyond its number.
    """

    proto: str
    family: int
    source: str
    target: str
    port: int
    sport: int = 0
    ttl: int = 0
    tos: int = 0
    size: int = 0


def run(*argv: str, text: str = "") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(argv, input=text.encode(), capture_output=True, timeout=30, check=False)


def sweep() -> None:
    """Takes away what a run left that was killed: its pid, in the names, is no longer there."""
    for line in run("ip", "netns", "list").stdout.decode().splitlines():
        match = re.match(r"hp(\d+)(?:x\d+)?[hoc]\b", line)
        if match and not Path(f"/proc/{match[1]}").exists():
            run("ip", "netns", "del", line.split()[0])


def _broken(text: str) -> str:
    """nft wants a line end around the brace that closes a chain or a table."""
    made, deep = "", 0
    for part in re.split(r"([{}])", text):
        deep += (part == "{") - (part == "}")
        made += "\n}\n" if part == "}" and deep < 2 else part
    return made


class Lab:
    """Names end in our pid: nothing of anyone else is touched, and all of it is ended."""

    made = 0

    def __init__(self) -> None:
        sweep()
        Lab.made += 1
        tag = f"hp{os.getpid()}x{Lab.made}"
        self.host, self.outside, self.container = (f"{tag}{x}" for x in "hoc")
        self.running: list[subprocess.Popen[bytes]] = []
        self.lock = Path(tempfile.gettempdir()) / f"{tag}.lock"
        self.still: dict[str, ReadResult] = {}
        self.port = 20_000
        self.legacy = False
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
        self._neighbours(self.host, "wan", self.outside, "out")
        self._neighbours(self.host, "ct", self.container, "in")
        self.servers = [
            self._listen(self.host, "host"),
            self._listen(self.container, "container"),
        ]
        self.clients = {
            place: self._start(place, programs.CONNECT) for place in (self.outside, self.container)
        }
        self.keeper = self._start(self.host, programs.KEEP, str(self.lock))
        if shutil.which("ipset"):
            done = run("ip", "netns", "exec", self.host, "ipset", "restore", text=programs.IPSETS)
            assert done.returncode == 0, done.stderr.decode()

    def _must(self, *argv: str) -> str:
        done = run(*argv)
        assert done.returncode == 0, f"{argv}: {done.stderr.decode()}"
        return done.stdout.decode()

    def ip(self, name: str, *argv: str) -> None:
        self._must("ip", "-n", name, *argv)

    def _wire(self, one: str, device: str, other: str, far: str) -> None:
        self.ip(one, "link", "add", device, "type", "veth", "peer", "name", far, "netns", other)
        for name, link in ((one, device), (other, far)):
            self.ip(name, "link", "set", "dev", link, "addrgenmode", "none")
        for name, link in ((one, device), (other, far), (one, "lo"), (other, "lo")):
            self.ip(name, "link", "set", "dev", link, "up")

    def _addresses(self) -> None:
        v6 = ("nodad",)
        self.ip(self.host, "addr", "add", f"{HOST4}/24", "dev", "wan")
        self.ip(self.host, "addr", "add", f"{SECOND4}/24", "dev", "wan")
        self.ip(self.host, "addr", "add", f"{HOST6}/64", "dev", "wan", *v6)
        self.ip(self.host, "addr", "add", f"{GATE4}/24", "dev", "ct")
        self.ip(self.host, "addr", "add", f"{GATE6}/64", "dev", "ct", *v6)
        for name, device, last in (
            (self.host, "wan", 1),
            (self.host, "ct", 2),
            (self.outside, "out", 17),
            (self.container, "in", 18),
        ):
            self.ip(name, "addr", "add", f"fe80::{last:x}/64", "dev", device, *v6)
        self.ip(self.container, "addr", "add", f"{CONTAINER4}/24", "dev", "in")
        self.ip(self.container, "addr", "add", f"{CONTAINER6}/64", "dev", "in", *v6)
        self.ip(self.container, "route", "add", "default", "via", GATE4)
        self.ip(self.container, "-6", "route", "add", "default", "via", GATE6)
        for address in SOURCES[4]:
            self.ip(self.outside, "addr", "add", f"{address}/24", "dev", "out")
        for address in SOURCES[6]:
            self.ip(self.outside, "addr", "add", f"{address}/64", "dev", "out", *v6)
        self.ip(self.outside, "route", "add", "172.30.0.0/24", "via", HOST4)
        self.ip(self.outside, "-6", "route", "add", "fd00:30::/64", "via", HOST6)
        self.ip(self.host, "route", "add", "default", "via", SOURCES[4][0])
        self.ip(self.host, "-6", "route", "add", "default", "via", SOURCES[6][0])
        forward = (
            "for f in ipv4/ip_forward ipv6/conf/all/forwarding; do echo 1 >/proc/sys/net/$f; done"
        )
        self._must("ip", "netns", "exec", self.host, "sh", "-c", forward)

    def _neighbours(self, one: str, device: str, other: str, far: str) -> None:
        """For good: what the rules do to neighbour discovery must not decide a try."""
        places: dict[str, tuple[str, list[str]]] = {}
        for name, link in ((one, device), (other, far)):
            told = json.loads(self._must("ip", "-n", name, "-j", "addr", "show", "dev", link))[0]
            mine = [entry["local"] for entry in told["addr_info"]]
            places[name] = told["address"], mine
        for name, link, peer in ((one, device, other), (other, far, one)):
            mac, addresses = places[peer]
            for address in addresses:
                self.ip(
                    name, "neigh", "replace", address, "lladdr", mac, "dev", link,
                    "nud", "permanent",
                )  # fmt: skip

    def _start(self, name: str, program: str, *argv: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-c", program, *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.running.append(process)
        return process

    def _listen(self, name: str, where: str) -> subprocess.Popen[bytes]:
        places: list[tuple[int, str, int]] = [(6, "::", port) for port in PORTS]
        if where == "host":
            places += [*BOUND, (4, "0.0.0.0", ONLY4)]
        process = self._start(name, programs.LISTEN, json.dumps(places))
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    def _ask(self, process: subprocess.Popen[bytes], question: object) -> object:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(question).encode() + b"\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    def load(self, loader: str, text: str) -> str:
        """Empties the host's rules and loads these; returns what went wrong, if anything.

        `nft` texts are made ready for `nft -f -` first, `nft-as-is` ones are not; `sh` ones go
        to sh, `restore` ones to the command named in their first line, and so on to the next
        such line.
        """
        steps = [["nft", "flush ruleset"]]
        if self.legacy:
            steps += [
                [f"{name}-legacy-restore", programs.EMPTY] for name in ("iptables", "ip6tables")
            ]
        if loader == "sh":
            steps.append(["sh -e", text])
        elif loader == "restore":
            parts = re.split(r"^@@(.*)\n", text, flags=re.MULTILINE)
            steps += [list(pair) for pair in zip(parts[1::2], parts[2::2], strict=True)]
        else:
            steps.append(["nft", _broken(text) if loader == "nft" else text])
        self.legacy = "legacy" in text
        return str(self._ask(self.keeper, {"load": steps}))

    def capture(self) -> Capture:
        """As the collector's: the same bodies of the same reads, without its frames."""
        bodies = {
            read.id: (read.body, read.redact)
            for read in _READS.values()
            if read.id not in self.still and read.kind == "shell"
        }
        answers = self._ask(self.keeper, {"read": bodies})
        assert isinstance(answers, dict)
        reads = {
            name: ReadResult(
                name, ReadStatus.OK if rc == 0 else ReadStatus.EXIT, stdout=out.encode()
            )
            for name, (rc, out) in answers.items()
        }
        self.still |= {name: read for name, read in reads.items() if name.startswith(_STILL)}
        return Capture("lab", HostStatus.COMPLETE, reads=self.still | reads)

    def listing(self) -> str:
        """The rules as nft lists them for people."""
        answer = self._ask(self.keeper, {"read": {"listing": ("nft -s list ruleset", "")}})
        assert isinstance(answer, dict)
        return str(answer["listing"][1])

    def sent(self, tries: Iterable[Try], wait: float = 0.15) -> dict[Try, bool]:
        """Does each get through: a TCP connection, a UDP datagram that is received?"""
        asked = list(tries)
        # the same ports of the same two ends are one connection: one after the other
        rounds: dict[tuple[str, int], list[tuple[int, Try, int]]] = {}
        ends: Counter[tuple[str, str, int, str, int]] = Counter()
        for number, each in enumerate(asked):
            self.port = 20_000 if self.port > 59_000 else self.port + 1
            inside = each.source in (CONTAINER4, CONTAINER6)
            place = self.container if inside else self.outside
            sport = each.sport or self.port
            both = (each.proto, each.source, sport, each.target, each.port)
            rounds.setdefault((place, ends[both]), []).append((number, each, sport))
            ends[both] += 1
        found: dict[int, bool] = {}
        for (place, _), mine in rounds.items():
            question = [
                (n, t.proto, t.family, t.source, sport, t.target, t.port, t.ttl, t.tos, t.size)
                for n, t, sport in mine
            ]
            answers = self._ask(self.clients[place], {"tries": question, "wait": wait})
            assert isinstance(answers, dict)
            found |= {int(n): said for n, said in answers.items()}
        for server in self.servers:
            heard = self._ask(server, "heard")
            assert isinstance(heard, list)
            # the container hears what it sends to all itself
            echo = server is self.servers[1]
            found |= {
                n: True
                for n in heard
                if not echo or asked[n].target not in SHARED.get(asked[n].source, ())
            }
        return {each: found[number] for number, each in enumerate(asked)}

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()
        self.lock.unlink(missing_ok=True)
        for name in (self.host, self.outside, self.container):
            run("ip", "netns", "del", name)
