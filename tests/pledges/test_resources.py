"""Declared resources against captures: reads as real programs print them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from collector import captures
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from collector.pledges.record.form import PledgeRecord
from collector.pledges.status.declared_resources import Undeclared, undeclared
from collector.pledges.status.observed_resources import shown
from tests.pledges.records import made

_NETWORK = """\
/proc/sys/net/ipv4/ip_forward=0
bridges:
== addresses
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: eth0    inet {four} brd 203.0.113.255 scope global eth0\\       valid_lft forever
2: eth0    inet6 {six} scope global dynamic \\       valid_lft 2591958sec
2: eth0    inet6 fe80::5054:ff:fe12:3456/64 scope link \\       valid_lft forever
3: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0\\       valid_lft forever
== rules
0:\tfrom all lookup local
32766:\tfrom all lookup main
32767:\tfrom all lookup default
== routes4
default via 203.0.113.1 dev eth0
== routes6
default via fe80::1 dev eth0 metric 1024
== local
== links
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT
3: docker0: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue state DOWN mode DEFAULT
== hooks
== bpf
== end
"""
PROCESSES = """\
/proc/1/status:Name:\tsystemd
/proc/1/status:State:\tS (sleeping)
/proc/1/status:PPid:\t0
/proc/1/status:Uid:\t0\t0\t0\t0
/proc/1/status:VmSize:\t   21680 kB
/proc/612/status:Name:\tnginx
/proc/612/status:State:\tS (sleeping)
/proc/612/status:PPid:\t1
/proc/612/status:Uid:\t0\t0\t0\t0
/proc/612/status:VmSize:\t   14676 kB
/proc/1/cgroup:0::/init.scope
/proc/612/cgroup:0::/system.slice/nginx.service
/proc/1/cmdline:/sbin/init
/proc/612/cmdline:nginx:
== exe
lrwxrwxrwx 1 0 0 0 Nov 25 10:49 /proc/1/exe -> /usr/lib/systemd/systemd
lrwxrwxrwx 1 0 0 0 Nov 25 10:49 /proc/612/exe -> /usr/sbin/nginx
"""
DECLARED = {"addresses": ["203.0.113.16/29", "2001:db8:20::/64"], "domains": ["www.yunfan.example"]}


def network(four: str = "203.0.113.18/24", six: str = "2001:db8:20::18/64") -> str:
    return _NETWORK.format(four=four, six=six)


def nginx(*names: str) -> str:
    lines = "\n".join(f"+server_name\t{name}" for name in names)
    return (
        "== nginx 612 /etc/nginx/nginx.conf\n@prefix /usr/share/nginx\n@log \n"
        f"@F /etc/nginx/nginx.conf\n{lines}\n== end\n"
    )


def host(name: str = "web-01", **reads: str) -> Capture:
    held = {
        id: ReadResult(id, ReadStatus.OK, stdout=text.encode())
        for id, text in ((name.replace("__", "."), text) for name, text in reads.items())
    }
    return Capture(name, HostStatus.COMPLETE, reads=MappingProxyType(held))


def against(record: PledgeRecord, hosts: Iterable[Capture]) -> tuple[Undeclared, ...]:
    return undeclared(record, [shown(capture) for capture in hosts])


def seen(resources: dict[str, Any], *hosts: Capture) -> list[tuple[str, str, tuple[str, ...]]]:
    found = against(made(resources=resources), hosts)
    return [(u.kind, u.value, u.hosts) for u in found if u.kind != "unseen"]


ADDRESSES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "declared": (DECLARED, network(), []),
    "another_address": (DECLARED, network("203.0.113.99/24"), ["203.0.113.99"]),
    "another_network": (DECLARED, network(six="2001:db8:21::1/64"), ["2001:db8:21::1"]),
    "nothing_declared": ({}, network(), ["2001:db8:20::18", "203.0.113.18"]),
    # behind a cloud's NAT a host does not know the address that it has outside
    "internal_only": (DECLARED, network("10.0.0.5/24"), []),
    # a campus that gives out internal addresses declares them, and then each is asked for
    "internal_declared": (
        {"addresses": ["10.1.0.0/16", "2001:db8:20::/64"]},
        network("10.0.0.5/24"),
        ["10.0.0.5"],
    ),
    "bridge_of_containers": (
        {"addresses": ["10.0.0.0/16", "2001:db8:20::/64"]},
        network("10.0.0.5/24"),
        [],
    ),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_addresses(name: str) -> None:
    resources, text, expected = ADDRESSES[name]
    found = seen(resources, host(network__state=text))
    assert [value for kind, value, _ in found if kind == "address"] == expected


def site(*names: str) -> Capture:
    return host(
        network__state=network(),
        web_servers__config=nginx(*names),
        processes__all=PROCESSES,
    )


DOMAINS: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "declared": (("www.yunfan.example",), []),
    "in_capitals_with_its_last_dot": (("WWW.Yunfan.Example.",), []),
    "below": (("img.www.yunfan.example",), []),
    "wildcard_below": (("*.www.yunfan.example",), []),
    "beside": (("api.yunfan.example",), ["api.yunfan.example"]),
    "above": (("yunfan.example",), ["yunfan.example"]),
    "looks_alike": (("www.yunfan.example.evil.example",), ["www.yunfan.example.evil.example"]),
    "ends_alike": (("xwww.yunfan.example",), ["xwww.yunfan.example"]),
    "several_on_a_line": (("www.yunfan.example\tshop.example",), ["shop.example"]),
    "all_below": (("*.shop.example",), ["*.shop.example"]),
    "idn": (("例子.example",), ["xn--fsqu00a.example"]),
    "no_domain": (("_", "localhost", "web-01", "10.0.0.1"), []),
    "for_use_inside": (("git.internal", "a.b.lan", "x.local"), []),
}


@pytest.mark.parametrize("name", DOMAINS)
def test_domains(name: str) -> None:
    names, expected = DOMAINS[name]
    found = seen(DECLARED, site(*names))
    assert [value for kind, value, _ in found if kind == "domain"] == expected


def test_what_could_not_be_seen_is_said() -> None:
    gone = Capture("db-01", HostStatus.UNREACHABLE, detail="no route to host")
    found = against(made(resources=DECLARED), [gone, site("~^(www|api)\\.")])
    unseen = [(u.value.split(":")[0], u.hosts) for u in found if u.kind == "unseen"]
    assert ("network.state", ("db-01",)) in unseen
    assert ("web_servers.config", ("web-01",)) in unseen
    asked = against(made(resources=DECLARED | {"ports": ["443/tcp"]}), [site()])
    assert [u.value for u in asked if u.kind == "unseen"] == [
        "sockets.listening: not read this time"
    ]


def test_one_line_for_many_hosts() -> None:
    hosts = [host(f"h{n}", network__state=network("203.0.113.99/24")) for n in range(9)]
    (found,) = [u for u in against(made(resources=DECLARED), hosts) if u.kind == "address"]
    assert len(found.hosts) == 9
    assert found.text.zh.endswith("（h0、h1、h2、h3 等 9 台）")
    assert found.text.en.endswith("(h0, h1, h2, h3 and 5 more)")


def test_what_the_collector_script_saw_of_a_real_nginx() -> None:
    """nginx 1.26.3 and iproute2 of Debian 13 in a network namespace, read by the whole script."""
    real = captures.load(Path(__file__).parent / "resources.capture.gz")
    assert seen(DECLARED | {"ports": ["80/tcp"]}, real) == [
        ("address", "203.0.113.99", ("web-01",)),
        ("domain", "*.shop.example", ("web-01",)),
        ("domain", "shop.example", ("web-01",)),
        ("port", "8080/tcp", ("web-01",)),
    ]
    all_of_it = {
        "addresses": ["203.0.113.0/24", "2001:db8:20::/64"],
        "domains": ["www.yunfan.example", "shop.example"],
        "ports": ["80/tcp", "8000-8100/tcp"],
    }
    assert against(made(resources=all_of_it), [real]) == ()


def test_why_something_could_not_be_compared_in_chinese() -> None:
    found = against(made(resources=DECLARED), [site("~^www"), host("h")])
    for entry in found:
        assert re.search(r"未能对照：[a-z_.]+：[一-鿿]", entry.text.zh), entry.text.zh
