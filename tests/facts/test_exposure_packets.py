"""The exposure engine held to what real packets do under real rules in the kernel."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from collector.facts.base.intervals import Spans, address
from collector.facts.firewall.exposure import exposures
from tests.facts.netlab import HOST4, SOURCES, Lab, Try
from tests.facts.rulesets import FOUND, PUBLISHED, RULESETS, UNKNOWN, WITH_IPSET
from tests.facts.truth import hold, needs_kernel

pytestmark = needs_kernel


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.close()


_ALL = [*RULESETS, *FOUND, *WITH_IPSET, *PUBLISHED]


@pytest.mark.parametrize(("name", "loader", "text"), _ALL, ids=[r[0] for r in _ALL])
def test_what_is_said_is_what_happens(lab: Lab, name: str, loader: str, text: str) -> None:
    if "legacy" in text and shutil.which("iptables-legacy") is None:
        pytest.skip("there is no iptables-legacy")
    if "--match-set" in text and shutil.which("ipset") is None:
        pytest.skip("there is no ipset")
    failed = lab.load(loader, text)
    assert not failed, failed
    hold(lab, f"{name}\n{text}", may_be_unknown=name in UNKNOWN, inside="172.30.0.2" not in text)


@pytest.mark.parametrize("name", ["docker", "docker_legacy", "netavark"])
def test_published_ports_go_past_input(lab: Lab, name: str) -> None:
    """INPUT drops everything, and the port that is published is open to anyone all the same."""
    (ruleset,) = [r for r in PUBLISHED if r[0] == name]
    assert not lab.load(*ruleset[1:])
    (found,) = [
        e
        for e in exposures(lab.capture())
        if (e.listener.proto, e.listener.family, e.listener.port) == ("tcp", 4, 8080)
    ]
    assert (found.reachable, found.targets) == ("yes", ("172.30.0.2:80",))
    tries = [Try("tcp", 4, source, HOST4, 8080) for source in SOURCES[4]]
    assert all(lab.sent(tries, 1.5).values())


# ways to publish a port other than by a rule that names it: 9000 leads to port 80 of the container
# (kube-proxy jumps, firewalld marks with iptables, podman shifts a range), or to one of the host
_CLUSTER = """
iptables -P INPUT DROP; iptables -P FORWARD DROP; iptables -t nat -N NODEPORTS
iptables -t nat -N EXT; iptables -t nat -N SEP; iptables -t nat -N MASQ
iptables -t nat -A PREROUTING -d 10.2.0.1/32 -p tcp -m tcp --dport 443 -j SEP
iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j NODEPORTS
iptables -t nat -A MASQ -j MARK --set-xmark 0x4000/0x4000
iptables -t nat -A NODEPORTS -p tcp -m tcp --dport 9000 -j EXT
iptables -t nat -A EXT -j MASQ; iptables -t nat -A EXT -j SEP
iptables -t nat -A SEP -p tcp -m tcp -j DNAT --to-destination 172.30.0.2:80
iptables -A FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
iptables -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"""
_MARKED = """
iptables -P INPUT DROP; iptables -A INPUT -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -j ACCEPT
iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
iptables -t mangle -A PREROUTING -s 10.201.0.0/24 -p tcp -m tcp --dport 9000 -j MARK --set-xmark 0x64
iptables -t nat -A PREROUTING -p tcp -m mark --mark 0x64 -j DNAT --to-destination {0}"""
_LED = [
    ("kube_proxy", "sh", _CLUSTER, "172.30.0.2:80"),
    ("firewalld_to_another", "sh", _MARKED.format("172.30.0.2:80"), "172.30.0.2:80"),
    ("firewalld_to_a_port_of_its_own", "sh", _MARKED.format(":22"), "10.201.0.1:22"),
    ("podman_range", "sh", """
iptables-legacy -t nat -A PREROUTING -p tcp -m tcp --dport 8990:9010 -j DNAT \\
  --to-destination 172.30.0.2:70-90/8990""", "172.30.0.2:80"),
    ("map_of_verdicts", "nft", """table ip n {
  chain pub { meta l4proto tcp dnat to 172.30.0.2:80; }
  chain p { type nat hook prerouting priority dstnat; meta l4proto . th dport vmap { tcp . 9000 : jump pub }; }
}""", "172.30.0.2:80"),
    ("kube_proxy_with_nftables", "nft", """table ip kube-proxy {
  set nodeport-ips { type ipv4_addr; elements = { 10.201.0.1 }; }
  map service-ips { type ipv4_addr . inet_proto . inet_service : verdict;
    elements = { 10.2.0.1 . tcp . 443 : goto service-web } }
  map service-nodeports { type inet_proto . inet_service : verdict;
    elements = { tcp . 9000 : goto external-web } }
  chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
  chain endpoint-a { ip saddr 172.30.0.2 jump mark-for-masquerade; meta l4proto tcp dnat to 172.30.0.2:80; }
  chain endpoint-b { meta l4proto tcp dnat to 172.30.0.2:80; }
  chain service-web { ip daddr 10.2.0.1 tcp dport 443 jump mark-for-masquerade;
    numgen random mod 2 vmap { 0 : goto endpoint-a, 1 : goto endpoint-b } }
  chain external-web { jump mark-for-masquerade; goto service-web; }
  chain services { ip daddr . meta l4proto . th dport vmap @service-ips;
    ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports }
  chain nat-prerouting { type nat hook prerouting priority dstnat; policy accept; jump services; }
}""", "172.30.0.2:80"),
    ("shared_out_by_a_map", "nft", """table ip n {
  chain p { type nat hook prerouting priority dstnat;
    tcp dport 9000 dnat to numgen inc mod 2 map { 0 : 172.30.0.2, 1 : 172.30.0.2 }:80; }
}""", "172.30.0.2:80"),
    ("set_of_pairs", "nft", """table ip n {
  chain p { type nat hook prerouting priority dstnat; ip daddr . tcp dport { 10.201.0.1 . 9000 } dnat to 172.30.0.2:80; }
}""", "172.30.0.2:80"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "loader", "text", "target"), _LED, ids=[r[0] for r in _LED])
def test_a_port_that_is_led_on_is_seen(
    lab: Lab, name: str, loader: str, text: str, target: str
) -> None:
    if "legacy" in text and shutil.which("iptables-legacy") is None:
        pytest.skip("there is no iptables-legacy")
    failed = lab.load(loader, text)
    assert not failed, failed
    (found,) = [
        e
        for e in exposures(lab.capture())
        if (e.listener.proto, e.listener.family, e.listener.port) == ("tcp", 4, 9000)
    ]
    assert (found.targets, found.unknown) == ((target,), Spans(()))
    tries = {source: Try("tcp", 4, source, HOST4, 9000) for source in SOURCES[4]}
    got = lab.sent(tries.values(), 1.5)
    for source, each in tries.items():
        assert (address(source)[1] in found.yes) is got[each], (name, source, found.why)
    assert any(got.values())


@pytest.mark.parametrize(
    "target",
    ["DNAT --to-destination 172.30.0.2-172.30.0.3", "REDIRECT --to-ports 20-24",
     "DNAT --to-destination 172.30.0.2:78-82", "REDIRECT --to-ports 8999-9001 --random"],
)  # fmt: skip
def test_one_of_several_destinations_is_never_closed(lab: Lab, target: str) -> None:
    """INPUT and FORWARD drop what the translation does not decide: it is told as not known."""
    text = f"iptables -P INPUT DROP; iptables -t nat -A PREROUTING -p tcp -m tcp --dport 9000 -j {target}"
    assert not lab.load("sh", text)
    (found,) = [e for e in exposures(lab.capture()) if e.listener.port == 9000]
    assert (found.reachable, found.targets) == ("unknown", ())
