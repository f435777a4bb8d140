"""The exposure engine without a kernel: doubt, rates, source ports, sets of sources, the CLI."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from collector import captures
from collector.cli.commands.engines.exposure import exposure as command
from collector.errors import BadInput
from collector.facts.base.intervals import address
from collector.facts.firewall.exposure import Exposure, exposures
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

NETWORK = """\
/proc/sys/net/ipv4/ip_forward=1
/proc/sys/net/ipv6/conf/all/forwarding=0
/proc/sys/net/ipv6/conf/all/disable_ipv6=0
== addresses
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: eth0    inet 192.0.2.5/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever
3: eth1    inet 10.1.0.5/16 brd 10.1.255.255 scope global eth1\\       valid_lft forever
== rules
0:\tfrom all lookup local
32766:\tfrom all lookup main
32767:\tfrom all lookup default
== routes4
default via 192.0.2.1 dev eth0
192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.5
10.1.0.0/16 dev eth1 proto kernel scope link src 10.1.0.5
== routes6
== links
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT
3: eth1: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT
== hooks
== end
"""
SOCKETS = """\
bindv6only=0
== ss
tcp   LISTEN 0      128          0.0.0.0:6379         0.0.0.0:*    users:(("redis",pid=48,fd=6))
tcp   LISTEN 0      128        127.0.0.1:3306         0.0.0.0:*    users:(("mysqld",pid=50,fd=6))
== end
"""
DROP = "-A INPUT -j DROP"
SELDOM = "-A INPUT -m recent ! --rcheck --seconds 300 --hitcount 2 --name k --rsource"


def host(*rules: str, policy: str = "ACCEPT", nft: str = "none\n") -> Capture:
    """A host of CentOS 7's kind with these rules of iptables, or with JSON of nft."""
    saved = f"*filter\n:INPUT {policy} [0:0]\n:KNOWN - [0:0]\n" + "\n".join(rules) + "\nCOMMIT\n"
    texts = {
        "firewall.nft": nft,
        "firewall.iptables": "",
        "firewall.ip6tables": "",
        "firewall.iptables_legacy": saved,
        "firewall.ip6tables_legacy": "",
        "firewall.ipset": "create office hash:net family inet\nadd office 198.51.100.0/24\n",
        "network.state": NETWORK,
        "sockets.listening": SOCKETS,
    }
    return Capture(
        "h",
        HostStatus.COMPLETE,
        reads={k: ReadResult(k, ReadStatus.OK, stdout=v.encode()) for k, v in texts.items()},
    )


def redis(capture: Capture, source: str | None = None) -> Exposure:
    only = address(source) if source else None
    (found,) = [e for e in exposures(capture, only) if e.listener.port == 6379]
    return found


def test_what_decides_is_the_rule_that_lets_in() -> None:
    """Not the policy of a table that comes after (nat of a host with Docker, security)."""
    after = "COMMIT\n*security\n:INPUT ACCEPT [0:0]\n:KNOWN - [0:0]\n-A INPUT -j KNOWN\n"
    after += "COMMIT\n*nat\n:INPUT ACCEPT [0:0]\n:PREROUTING ACCEPT [0:0]"
    let = "-A INPUT -s 198.51.100.0/24 -j ACCEPT"
    assert redis(host(let, DROP, after)).why == f"iptables-legacy filter {let}"
    assert redis(host("-A INPUT -j KNOWN", after)).why.endswith("INPUT policy accept")
    assert redis(host(DROP, after)).why == f"iptables-legacy filter {DROP}"


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([], "yes"),
        ([DROP], "no"),
        (["-A INPUT -m u32 --u32 0>>22&0x3C@0>>24=1 -j ACCEPT", DROP], "unknown"),
        (["-A INPUT -m u32 --u32 0>>22&0x3C@0>>24=1 -j DROP", DROP], "no"),
        (["-A INPUT -m u32 --u32 0>>22&0x3C@0>>24=1 -j LOG", DROP], "no"),
        (["-A INPUT -m strange -j ACCEPT", DROP], "unknown"),
        (["-A INPUT -j STRANGE", DROP], "unknown"),
        (["-A INPUT -m recent --rcheck --name k --rsource -j ACCEPT", DROP], "unknown"),
        (
            ["-A INPUT -m recent --update --seconds 30 --hitcount 6 --name k --rsource -j DROP"],
            "yes",
        ),
        (["-A INPUT -m recent --set --name k --mask 255.255.255.255 --rsource"], "yes"),
        ([f"{SELDOM} -j ACCEPT", DROP], "yes"),
        ([f"{SELDOM} -j DROP", "-A INPUT -j ACCEPT"], "unknown"),
        (["-A INPUT -m recent ! --rcheck --name k --rsource -j ACCEPT", DROP], "unknown"),
        (["-A INPUT -m rt --rt-type 0 -j DROP"], "yes"),
        (["-A INPUT -m limit --limit 3/min -j ACCEPT", DROP], "yes"),
        (["-A INPUT -p tcp -m tcp --sport 53 -j ACCEPT", DROP], "yes"),
        (["-A INPUT -p tcp -m tcp ! --sport 1:65535 -j ACCEPT", DROP], "no"),
        (["-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", DROP], "no"),
        (["-A INPUT -i lo -j ACCEPT", DROP], "no"),
        # a sender carries such an option or not, as he likes
        (["-A INPUT -p tcp -m tcp --tcp-option 64 -j DROP"], "yes"),
        (["-A INPUT -p tcp -m tcp --tcp-option 64 -j ACCEPT", DROP], "yes"),
        (["-A INPUT -p tcp -m tcp ! --tcp-option 64 -j DROP"], "yes"),
        (["-A INPUT -p udp -m tcp --tcp-option 64 -j ACCEPT", DROP], "no"),
        (["-A INPUT -p tcp -m tcp --tcp-option 8 -j ACCEPT", DROP], "unknown"),
        (["-A INPUT -p tcp -m tcpmss --mss 1:535 -j DROP"], "yes"),
        (["-A INPUT -p tcp -m tcpmss --mss 1:535 -j ACCEPT", DROP], "yes"),
        (["-A INPUT -p tcp -m tcpmss ! --mss 0:65535 -j ACCEPT", DROP], "yes"),
        (["-A INPUT -p udp -m tcpmss --mss 1:535 -j ACCEPT", DROP], "no"),
        (["-A INPUT -i eth+ -p tcp -m tcp --dport 6379 -j ACCEPT", DROP], "yes"),
        (["-A INPUT -p icmp -j ACCEPT", DROP], "no"),
        (["-A INPUT -p udp -m udp --dport 6379 -j ACCEPT", DROP], "no"),
        (["-A INPUT -j KNOWN", "-A KNOWN -p tcp -j ACCEPT", DROP], "yes"),
        (["-A INPUT -j KNOWN", "-A KNOWN -j RETURN", "-A KNOWN -j ACCEPT", DROP], "no"),
    ],
)
def test_one_rule(rules: list[str], said: str) -> None:
    found = redis(host(*rules))
    assert found.reachable == said, found.why


def test_sets_of_sources() -> None:
    found = redis(host("-A INPUT -s 203.0.113.0/24 -j ACCEPT", DROP))
    assert found.sources == ["203.0.113.0/24"]
    found = redis(host("-A INPUT -m set --match-set office src -j ACCEPT", DROP))
    assert found.sources == ["198.51.100.0/24"]
    assert redis(host()).sources == ["anywhere"]
    halves = [f"-A INPUT -s {half} -j ACCEPT" for half in ("0.0.0.0/1", "128.0.0.0/1")]
    assert redis(host(*halves, DROP)).sources == ["anywhere"]


def test_source_decides_the_interface() -> None:
    """A packet comes in where its answer goes out: 10.1.0.0/16 by eth1, the rest by eth0."""
    inside = host("-A INPUT -i eth1 -j ACCEPT", DROP)
    assert redis(inside).sources == ["10.1.0.0/16"]
    assert redis(inside, "10.1.7.7").reachable == "yes"
    assert redis(inside, "203.0.113.9").reachable == "no"


def test_loopback_is_not_reachable() -> None:
    (mysql,) = [e for e in exposures(host()) if e.listener.port == 3306]
    assert mysql.reachable == "no"


def nft(*expressions: list[Any], policy: str = "drop") -> str:
    chain = {"family": "inet", "table": "f", "name": "i", "handle": 1}
    base = {**chain, "type": "filter", "hook": "input", "prio": 0, "policy": policy}
    rules = [
        {"rule": {"family": "inet", "table": "f", "chain": "i", "handle": n, "expr": e}}
        for n, e in enumerate(expressions)
    ]
    table = {"table": {"family": "inet", "name": "f", "handle": 1}}
    return json.dumps({"nftables": [table, {"chain": base}, *rules]})


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ([{"accept": None}], "yes"),
        ([{"match": {"op": "==", "left": {"socket": {"key": "wild"}}, "right": 1}},
          {"accept": None}], "unknown"),
        ([{"match": {"op": "==", "left": {"meta": {"key": "skuid"}}, "right": 0}},
          {"drop": None}], "no"),
        ([{"newstatement": {}}], "unknown"),
        ([{"xt": {"type": "match", "name": "bpf"}}, {"accept": None}], "unknown"),
        ([{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "saddr"}},
                     "right": "@gone"}}, {"accept": None}], "unknown"),
        ([{"queue": {"num": 1}}], "unknown"),
    ],
)  # fmt: skip
def test_what_nft_may_say_next_year(expression: list[Any], said: str) -> None:
    found = redis(host(nft=nft(expression)))
    assert found.reachable == said, found.why


def test_rules_unseen_are_unknown() -> None:
    capture = host()
    reads = {**capture.reads, "firewall.nft": ReadResult("firewall.nft", ReadStatus.REFUSED)}
    found = redis(Capture("h", HostStatus.COMPLETE, reads=reads))
    assert found.reachable == "unknown"


def test_command(tmp_path: Path) -> None:
    path = tmp_path / "h.capture.gz"
    captures.write(host("-A INPUT -s 203.0.113.0/24 -j ACCEPT", DROP), path)
    run = CliRunner().invoke(command, [str(path), "--format", "json"], standalone_mode=False)
    assert run.return_value == 0
    entry = next(e for e in json.loads(run.stdout)["exposure"] if e["port"] == 6379)
    assert entry["reachable"] == "yes"
    assert entry["sources"] == ["203.0.113.0/24"]
    assert (entry["proto"], entry["family"], entry["process"]) == ("tcp", "ipv4", "redis")
    run = CliRunner().invoke(command, [str(path), "--from", "192.0.2.77"], standalone_mode=False)
    assert " no " in run.stdout
    for wrong in ("nonsense", "192.0.2.5"):
        run = CliRunner().invoke(command, [str(path), "--from", wrong], standalone_mode=False)
        assert isinstance(run.exception, BadInput)


BRIDGED = [
    {"table": {"family": "bridge", "name": "b", "handle": 1}},
    {"chain": {"family": "bridge", "table": "b", "name": "i", "handle": 1, "type": "filter",
               "hook": "input", "prio": 0, "policy": "drop"}},
]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "said"),
    [("", "unknown"), ("bridges:\n", "yes"), ("bridges:\nbridge=docker0\n", "yes"),
     ("bridges:\nbridge=eth0\nbridge=eth1\n", "unknown")],
)  # fmt: skip
def test_bridge_family_is_never_closed(told: str, said: str) -> None:
    """It is not modelled: what comes in by a bridge may be dropped there, or not."""
    capture = host(nft=json.dumps({"nftables": BRIDGED}))
    state = ReadResult("network.state", ReadStatus.OK, stdout=(told + NETWORK).encode())
    found = redis(replace(capture, reads={**capture.reads, "network.state": state}))
    assert found.reachable == said
    assert said != "unknown" or "the family bridge" in found.why


def _payload(protocol: str, field: str) -> dict[str, Any]:
    return {"payload": {"protocol": protocol, "field": field}}


def _match(op: str, left: Any, right: Any) -> dict[str, Any]:
    return {"match": {"op": op, "left": left, "right": right}}


_SEGMENT = {"tcp option": {"name": "maxseg", "field": "size"}}


@pytest.mark.parametrize(
    ("match", "said"),
    [
        # a packet that opens a connection comes in one piece, or its first one does
        (_match("!=", {"&": [_payload("ip", "frag-off"), 0x1FFF]}, 0), "yes"),
        (_match("!=", {"&": [_payload("ip", "frag-off"), 0x3FFF]}, 0), "yes"),
        (_match("==", {"&": [_payload("ip", "frag-off"), 0x1FFF]}, 0), "no"),
        # whether it may be cut, its sender says
        (_match("!=", _payload("ip", "frag-off"), 0), "unknown"),
        (_match("!=", {"&": [_payload("ip", "frag-off"), 0x4000]}, 0), "unknown"),
        (_match("==", _SEGMENT, {"range": [1, 535]}), "yes"),
        # or none is said, and neither holds
        (_match("==", _SEGMENT, {"range": [0, 65535]}), "yes"),
        (_match("!=", _SEGMENT, 1460), "yes"),
        (_match("==", {"exthdr": {"name": "frag"}}, True), "yes"),
        (_match("==", {"exthdr": {"name": "frag"}}, False), "no"),
    ],
)
def test_pieces_and_segments(match: dict[str, Any], said: str) -> None:
    found = redis(host(nft=nft([match, {"drop": None}], policy="accept")))
    assert found.reachable == said, found.why
