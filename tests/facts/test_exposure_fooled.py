"""Hosts made to fool the engine: real rules and sockets, real packets, and no word of it wrong."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from collector.facts.base.intervals import address
from collector.facts.firewall.exposure import Exposure, exposures
from tests.facts import netlab_programs as programs
from tests.facts.fooling import CLOSED, FOGGY, OPEN
from tests.facts.netlab import CONTAINER4, GATE4, HOST4, SECOND4, SOURCES, Lab, Try
from tests.facts.truth import hold, needs_kernel

pytestmark = needs_kernel
_ALL = [*OPEN, *CLOSED, *FOGGY]
DROP = "table inet f { chain i { type filter hook input priority 0; policy drop; } }"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.close()


@pytest.fixture
def own() -> Iterator[Lab]:
    """One whose network a test may change."""
    made = Lab()
    yield made
    made.close()


@pytest.mark.parametrize(("name", "loader", "text"), _ALL, ids=[r[0] for r in _ALL])
def test_what_is_said_is_what_happens(lab: Lab, name: str, loader: str, text: str) -> None:
    if "legacy" in text and shutil.which("iptables-legacy") is None:
        pytest.skip("there is no iptables-legacy")
    failed = lab.load(loader, text)
    if failed and "flowtable" in text:
        pytest.skip("this kernel has no flowtables")
    assert not failed, failed
    foggy = name in {ruleset[0] for ruleset in FOGGY}
    hold(lab, f"{name}\n{text}", may_be_unknown=foggy, inside="172.30.0.2" not in text)


def inside(lab: Lab, *argv: str) -> str:
    return lab._must("ip", "netns", "exec", lab.host, *argv)


def said(lab: Lab, source: str, port: int, proto: str = "tcp", place: str = "") -> Exposure:
    """Of IPv4, from one source; `place`: bound to this address."""
    lab.still.clear()
    number = address(place)[1] if place else None
    (found,) = [
        e
        for e in exposures(lab.capture(), address(source))
        if (e.listener.proto, e.listener.family, e.listener.port) == (proto, 4, port)
        and number in (None, e.listener.address)
    ]
    return found


def happens(lab: Lab, source: str, target: str, port: int, proto: str = "tcp") -> bool:
    (got,) = lab.sent([Try(proto, 4, source, target, port)], 0.6).values()
    return got


def test_redirected_to_loopback(own: Lab) -> None:
    """What is bound to loopback is reached where the interface routes loopback, and only there."""
    assert not own.load("nft", DROP.replace("drop; }", "drop; tcp dport 5002 accept; }") +
        '\ntable ip n { chain p { type nat hook prerouting priority -100; iifname "wan" tcp dport'
        " 9000 dnat to 127.0.0.1:5002; } }")  # fmt: skip
    source = SOURCES[4][0]
    assert said(own, source, 9000).reachable == "no"
    assert not happens(own, source, HOST4, 9000)
    inside(own, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/wan/route_localnet")
    found = said(own, source, 9000)
    assert (found.reachable, found.targets) == ("yes", ("127.0.0.1:5002",))
    assert happens(own, source, HOST4, 9000)


def test_loopback_itself_from_the_link(own: Lab) -> None:
    """With route_localnet whoever is on the link may send to 127.0.0.1 (CVE-2020-8558)."""
    assert not own.load("nft", "")
    source = SOURCES[4][0]
    assert said(own, source, 5002, "udp").reachable == "no"
    # the sender must not keep what is for loopback to itself
    for name, argv in (
        (own.outside, "ip link set lo down; ip route flush table local dev lo;"
                      " ip route add 127.0.0.0/8 via 10.201.0.1 dev out src 10.201.0.2"),
        (own.outside, "echo 1 >/proc/sys/net/ipv4/conf/out/route_localnet"),
    ):  # fmt: skip
        own._must("ip", "netns", "exec", name, "sh", "-c", argv)
    assert not happens(own, source, "127.0.0.1", 5002, "udp")
    inside(own, "sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/wan/route_localnet")
    assert said(own, source, 5002, "udp").reachable == "yes"
    assert said(own, "203.0.113.5", 5002, "udp").reachable == "no"
    assert happens(own, source, "127.0.0.1", 5002, "udp")
    assert not own.load("nft", DROP)
    assert said(own, source, 5002, "udp").reachable == "no"
    assert not happens(own, source, "127.0.0.1", 5002, "udp")


def test_a_whole_network_of_its_own(own: Lab) -> None:
    """A local route: the host takes addresses that no interface has."""
    inside(own, "ip", "route", "add", "local", "10.99.0.0/24", "dev", "lo")
    own._must("ip", "-n", own.outside, "route", "add", "10.99.0.0/24", "via", HOST4)
    rules = f"ip daddr {{ {HOST4}, {SECOND4}, {GATE4} }} drop"
    assert not own.load(
        "nft", f"table ip f {{ chain i {{ type filter hook input priority 0; {rules}; }} }}"
    )
    source = SOURCES[4][0]
    assert said(own, source, 80).reachable == "yes"
    assert happens(own, source, "10.99.0.7", 80)
    assert not happens(own, source, HOST4, 80)
    assert not own.load("nft", DROP)
    assert said(own, source, 80).reachable == "no"
    assert not happens(own, source, "10.99.0.7", 80)


def test_bound_to_an_interface(own: Lab) -> None:
    """SO_BINDTODEVICE: what comes in by another interface does not reach it."""
    program = programs.LISTEN.replace("s.bind(", "s.setsockopt(1, 25, b'ct'); s.bind(")
    process = own._start(own.host, program, json.dumps([(4, "0.0.0.0", 6000)]))
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    own.servers.append(process)
    assert not own.load("nft", "")
    for source, target, expected in (
        (SOURCES[4][0], HOST4, "no"), (SOURCES[4][0], GATE4, "no"), (CONTAINER4, GATE4, "yes"),
    ):  # fmt: skip
        found = said(own, source, 6000)
        assert found.listener.device == "ct"
        assert found.reachable == expected, found.why
        assert happens(own, source, target, 6000) is (expected == "yes")


def test_a_transparent_proxy(own: Lab) -> None:
    """TPROXY hands another port's packets to a listener whose own port is shut."""
    program = programs.LISTEN.replace("s.bind(", "s.setsockopt(0, 19, 1); s.bind(")
    process = own._start(own.host, program, json.dumps([(4, "0.0.0.0", 7070)]))
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    own.servers.append(process)
    shut = DROP.replace("drop; }", "drop; tcp dport 9999 accept; }")
    assert not own.load("nft", shut)
    source = SOURCES[4][0]
    assert said(own, source, 7070).reachable == "no"
    inside(
        own,
        "sh",
        "-c",
        "ip rule add fwmark 1 lookup 100; ip route add local default dev lo table 100",
    )
    for loader, text in (
        ("nft", "table ip t { chain p { type filter hook prerouting priority mangle; tcp dport 9999"
                " tproxy to :7070 meta mark set 1 accept; } }\n" + shut),
        ("sh", "iptables -P INPUT DROP; iptables -A INPUT -p tcp -m tcp --dport 9999 -j ACCEPT;"
               " iptables -t mangle -A PREROUTING -p tcp -m tcp --dport 9999 -j TPROXY"
               " --on-port 7070 --tproxy-mark 1"),
    ):  # fmt: skip
        failed = own.load(loader, text)
        assert not failed, failed
        found = said(own, source, 7070)
        assert found.reachable == "unknown"
        assert "another port" in found.why and "tproxy" in found.why.lower()
        assert happens(own, source, HOST4, 9999)
        assert not happens(own, source, HOST4, 7070)


def test_behind_a_bridge(own: Lab) -> None:
    """bridge-nf-call-iptables: the port of the bridge is not in the model, and that is said."""
    for argv in (
        "ip link add br9 type bridge; ip link set br9 up; ip addr flush dev wan;"
        " ip link set wan master br9",
        f"ip addr add {HOST4}/24 dev br9; ip route add default via {SOURCES[4][0]}",
        "[ ! -e /proc/sys/net/bridge ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables",
    ):
        inside(own, "sh", "-c", argv)
    own._must("ip", "-n", own.outside, "neigh", "flush", "dev", "out")
    own._must("ip", "-n", own.outside, "neigh", "del", HOST4, "dev", "out")
    source = SOURCES[4][0]
    for rules, word in (
        ("", "yes"),
        ("iptables -A INPUT -i br9 -p tcp -m tcp --dport 80 -j DROP", "no"),
        ("iptables -A INPUT -i wan -p tcp -m tcp --dport 80 -j DROP", "yes"),
        ("iptables -A INPUT -m physdev --physdev-in wan -p tcp -m tcp --dport 80 -j DROP", "unknown"),
        ("nft add table bridge b; nft 'add chain bridge b i { type filter hook input priority 0;"
         " policy drop; }'; nft add rule bridge b i ether type arp accept", "unknown"),
        ("nft add table netdev b; nft 'add chain netdev b i { type filter hook ingress device wan"
         " priority 0; }'; nft add rule netdev b i tcp dport 80 drop", "unknown"),
    ):  # fmt: skip
        failed = own.load("sh", rules or "true")
        assert not failed, failed
        found = said(own, source, 80)
        assert found.reachable == word, f"{rules}: {found.why}"
        happened = happens(own, source, HOST4, 80)
        assert word == "unknown" or happened is (word == "yes"), rules
