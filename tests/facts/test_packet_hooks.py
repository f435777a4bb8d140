"""What packets meet beside the rules: never "closed" where it may open, never "open" for certain."""

from __future__ import annotations

import platform
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collector.facts.base.intervals import address
from collector.facts.firewall.exposure import Exposure, exposures
from collector.facts.network.kernel_hooks import Hook, hooks
from collector.model import Capture, ReadResult, ReadStatus
from tests.facts import netlab_programs as programs
from tests.facts.netlab import HOST4, SOURCES, Lab, Try
from tests.facts.test_exposure import DROP, NETWORK, SOCKETS, host, redis
from tests.facts.truth import needs_kernel

_LINK = "{0}: {1}: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 {2}qdisc noqueue {3}state UP mode DEFAULT\n"
LINKS = _LINK.format(2, "eth0", "", "") + _LINK.format(3, "eth1", "", "")


def beside(
    *rules: str, links: str = LINKS, told: str = "", more: str = "", sockets: str = SOCKETS
) -> Capture:
    """A host with this in the parts `links` and `hooks` of its network, and more parts."""
    plain = NETWORK.partition("== links")[0]
    text = f"{plain}== links\n{links}== hooks\n{told}{more}== end\n"
    capture = host(*rules)
    texts = {"network.state": f"bridges:\nbridge=eth1\n{text}", "sockets.listening": sockets}
    reads = {k: ReadResult(k, ReadStatus.OK, stdout=v.encode()) for k, v in texts.items()}
    return replace(capture, reads={**capture.reads, **reads})


# --- by the forms in which ip, tc, ebtables and the kernel tell it -------------------------------

# public material: iproute2's own selftests and documentation of tc-u32(8), tc-mirred(8)
U32 = """\
tc eth0
filter protocol ip pref 1 u32 chain 0
filter protocol ip pref 1 u32 chain 0 fh 800: ht divisor 1
filter protocol ip pref 1 u32 chain 0 fh 800::800 order 2048 key ht 800 bkt 0 terminal flowid not_in_hw
  match 00000016/0000ffff at 20
        action order 1: {0}
         index 1 ref 1 bind 1
"""
POLICE = " police 0x1 rate 8Mbit burst {0} mtu 2Kb action drop overhead 0b"
EBTABLES = "Bridge table: {0}\n\nBridge chain: INPUT, entries: 1, policy: ACCEPT\n-p IPv4 -i vnet0 -j {1}\n"


@pytest.mark.parametrize(
    ("told", "opened", "closed"),
    [
        ("", "yes", "no"),
        ("tc eth0\n", "yes", "no"),
        (U32.format("gact action drop"), "unknown", "no"),
        (U32.format("gact action pass"), "yes", "no"),
        (U32.format(POLICE.format("10Kb")), "yes", "no"),
        (U32.format(POLICE.format("1b")), "unknown", "no"),
        (U32.format("mirred (Egress Redirect to device ifb0) stolen"), "yes", "no"),
        (U32.format("mirred (Ingress Mirror to device eth1) pipe"), "yes", "no"),
        (U32.format("mirred (Egress Redirect to device eth1) stolen"), "unknown", "unknown"),
        (U32.format("mirred (Ingress Redirect to device eth1) stolen"), "unknown", "unknown"),
        (U32.format(" pedit action pass keys 1"), "unknown", "unknown"),
        (U32.format("skbedit  mark 5 pipe"), "unknown", "unknown"),
        ("tc eth0\nfilter protocol all pref 7 bpf chain 0 handle 0x1 direct-action\n", "unknown", "unknown"),
        ("tc eth0\nrefused\n", "unknown", "unknown"),
        ("tc: refused\n", "unknown", "unknown"),
        ("tc: missing\n", "unknown", "unknown"),
    ],
)  # fmt: skip
def test_traffic_control(told: str, opened: str, closed: str) -> None:
    """What it does to eth0, by which all but 10.1.0.0/16 comes in."""
    for rules, said in (((), opened), ((DROP,), closed)):
        capture = beside(*rules, told=told)
        (found,) = [
            e for e in exposures(capture, address("203.0.113.9")) if e.listener.port == 6379
        ]
        assert found.reachable == said, found.why
        assert said != "unknown" or "traffic control" in found.why
        inside = redis(capture, "10.1.7.7")
        assert inside.reachable == ("no" if rules else "yes") or told.startswith("tc: ")


@pytest.mark.parametrize(
    ("told", "opened", "closed"),
    [
        (EBTABLES.format("filter", "DROP"), "unknown", "no"),
        (EBTABLES.format("broute", "redirect --redirect-target DROP"), "unknown", "unknown"),
        ("Bridge table: filter\n\nBridge chain: INPUT, entries: 0, policy: ACCEPT\n", "yes", "no"),
        ("Bridge table: filter\n\nBridge chain: INPUT, entries: 0, policy: DROP\n", "unknown", "no"),
        ("ebtables: missing\n", "unknown", "unknown"),
    ],
)  # fmt: skip
def test_ebtables_is_for_bridges(told: str, opened: str, closed: str) -> None:
    for rules, said in (((), opened), ((DROP,), closed)):
        capture = beside(*rules, told=told)
        assert redis(capture, "10.1.7.7").reachable == said
        assert redis(capture, "203.0.113.9").reachable == ("no" if rules else "yes")


def test_a_bond_is_seen_through_its_parts() -> None:
    """XDP and an ingress chain on what lies below; a VLAN upon it."""
    links = (
        _LINK.format(2, "ens1", "xdp ", "master eth0 ").replace(
            "DEFAULT\n", "DEFAULT\\    prog/xdp id 5\n"
        )
        + _LINK.format(3, "eth0", "", "")
        + _LINK.format(4, "eth1@eth0", "", "")
    )
    found = hooks(f"== links\n{links}== hooks\n== end\n", ())
    assert [hook.device for hook in found.on("eth1")] == ["ens1"]
    assert redis(beside(DROP, links=links)).reachable == "unknown"
    links = links.replace("xdp ", "").replace("prog/xdp id 5", "")
    assert redis(beside(DROP, links=links)).reachable == "no"


@pytest.mark.parametrize(
    ("line", "opened", "closed"),
    [
        ("103: sk_lookup  name steer  tag b11459a0e11ca14c  gpl", "unknown", "unknown"),
        ("104: cgroup_skb  name limit  tag b11459a0e11ca14c  gpl", "unknown", "no"),
        ("104: cgroup_skb  name sd_fw_ingress  tag 6deef7357e7b4530  gpl", "yes", "no"),
        ("eth0(3) tcx/ingress cil_from_netdev prog_id 101 link_id 89", "unknown", "unknown"),
        ("eth0(3) tcx/egress cil_to_netdev prog_id 101 link_id 89", "yes", "no"),
    ],
)
def test_what_bpftool_lists(line: str, opened: str, closed: str) -> None:
    for rules, said in (((), opened), ((DROP,), closed)):
        assert redis(beside(*rules, more=f"== bpf\n{line}\n"), "203.0.113.9").reachable == said


# as bpftool 7.5 tells a program with one link to the host's network namespace, or to others
STEER = "103: sk_lookup  name steer  tag b11459a0e11ca14c  gpl\n"
NETNS = "{0}: netns  prog 103  \tnetns_ino {1}  attach_type sk_lookup  \n"


@pytest.mark.parametrize(
    ("links", "opened", "closed"),
    [
        ("links as of net:[4026531840]\n" + NETNS.format(7, 4026531840), "unknown", "unknown"),
        ("links as of net:[4026531840]\n" + NETNS.format(7, 4026533104), "yes", "no"),
        (
            "links as of net:[4026531840]\n"
            + NETNS.format(7, 4026533104)
            + NETNS.format(8, 4026531840),
            "unknown",
            "unknown",
        ),
        # where it hangs is not told, or which one is the host's own is not
        ("links as of net:[4026531840]\n", "unknown", "unknown"),
        ("links as of \n" + NETNS.format(7, 4026533104), "unknown", "unknown"),
    ],
)
def test_a_socket_lookup_is_of_its_network_namespace(links: str, opened: str, closed: str) -> None:
    for rules, said in (((), opened), ((DROP,), closed)):
        capture = beside(*rules, more=f"== bpf\n{STEER}{links}")
        assert redis(capture, "203.0.113.9").reachable == said


# public material: the form of ip_vs_info_seq_show (Linux, net/netfilter/ipvs/ip_vs_ctl.c)
IPVS = """\
== ipvs
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0000205:1F90 rr
  -> 0A010005:18EB      Local   1      0          0
  -> 0A010009:18EB      Masq    1      0          0
FWM  00000001 wlc
"""


@pytest.mark.parametrize(
    ("rules", "behind", "published"),
    [((), "yes", "unknown"), ((DROP,), "unknown", "no"),
     (("-A INPUT -p tcp -m tcp --dport 8080 -j ACCEPT", DROP), "unknown", "unknown")],
)  # fmt: skip
def test_ipvs_publishes(rules: tuple[str, ...], behind: str, published: str) -> None:
    """10.1.0.5:6379 is a server behind 192.0.2.5:8080; that port passes input by itself."""
    capture = beside(*rules, more=IPVS)
    assert redis(capture).reachable == behind
    (service,) = [e for e in exposures(capture) if e.listener.port == 8080]
    assert service.reachable == published
    assert service.targets == ("10.1.0.5:6379", "10.1.0.9:6379")


UNITS = """\
== units
pid 48 /system.slice/redis.service
Id=redis.service
IPAddressAllow={0}
IPAddressDeny={1}
IPIngressFilterPath={2}

Id=system.slice
IPAddressAllow=
IPAddressDeny=
IPIngressFilterPath=
== end
"""


@pytest.mark.parametrize(
    ("allow", "deny", "program", "office", "anyone"),
    [
        ("", "", "", "yes", "yes"),
        ("198.51.100.0/24", "0.0.0.0/0 ::/0", "", "yes", "unknown"),
        ("127.0.0.0/8 ::1/128", "0.0.0.0/0 ::/0", "", "unknown", "unknown"),
        ("", "198.51.100.0/24", "", "unknown", "yes"),
        ("198.51.100.0/24", "", "/sys/fs/bpf/keep", "unknown", "unknown"),
    ],
)
def test_addresses_denied_to_a_unit(
    allow: str, deny: str, program: str, office: str, anyone: str
) -> None:
    listed = SOCKETS.replace("== end\n", UNITS.format(allow, deny, program))
    capture = beside(sockets=listed)
    assert redis(capture, "198.51.100.7").reachable == office
    found = redis(capture, "203.0.113.9")
    assert found.reachable == anyone
    assert anyone == "yes" or "redis.service" in found.why
    assert redis(beside(DROP, sockets=listed)).reachable == "no"


def test_units_that_could_not_be_asked() -> None:
    listed = SOCKETS.replace(
        "== end\n", "== units\npid 48 /system.slice/redis.service\nrefused\n== end\n"
    )
    assert redis(beside(sockets=listed)).reachable == "unknown"
    assert redis(beside(DROP, sockets=listed)).reachable == "no"


def test_what_was_not_asked_is_unknown() -> None:
    capture = host()
    text = NETWORK.partition("== links")[0] + "== end\n"
    state = ReadResult("network.state", ReadStatus.OK, stdout=text.encode())
    assert (
        redis(replace(capture, reads={**capture.reads, "network.state": state})).reachable
        == "unknown"
    )


# --- the real ones ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    made.close()


def answers(lab: Lab, port: int = 80) -> tuple[set[str], set[bool]]:
    """What the engine says of sources on the link, and what happens to a connection from them."""
    lab.still.clear()
    found: list[Exposure] = [
        e for source in SOURCES[4] for e in exposures(lab.capture(), address(source))
    ]
    mine = [e for e in found if (e.listener.proto, e.listener.port) == ("tcp", port)]
    got = lab.sent([Try("tcp", 4, source, HOST4, port) for source in SOURCES[4]], 0.5)
    return {e.reachable for e in mine}, set(got.values())


BPF = pytest.mark.skipif(
    platform.machine() != "x86_64" or shutil.which("bpftool") is None, reason="needs bpftool, amd64"
)


@needs_kernel
@pytest.mark.parametrize(
    ("where", "verdict", "through"),
    [("xdp", 1, False), ("xdp", 2, True), pytest.param("tcx", 2, False, marks=BPF),
     pytest.param("tcx", 0, True, marks=BPF), pytest.param("sk_lookup", 0, False, marks=BPF),
     pytest.param("sk_lookup", 1, True, marks=BPF)],
)  # fmt: skip
def test_a_program_of_bpf(lab: Lab, where: str, verdict: int, through: bool) -> None:
    """It drops all or nothing: the rules are the same, and no answer is certain."""
    if platform.machine() != "x86_64":
        pytest.skip("the number of bpf(2) is that of amd64")
    assert not lab.load("nft", "")
    assert answers(lab) == ({"yes"}, {True})
    program = lab._start(lab.host, programs.ATTACH, where, "wan", str(verdict))
    assert program.stdout is not None
    if program.stdout.readline() != b"attached\n":
        pytest.skip(f"this kernel takes no program of {where}")
    try:
        assert answers(lab) == ({"unknown"}, {through})
    finally:
        program.communicate(timeout=60)
    assert answers(lab) == ({"yes"}, {True})


@needs_kernel
@BPF
def test_a_program_of_another_network_namespace(lab: Lab) -> None:
    """It steers the packets of the container, and none of the host's."""
    assert not lab.load("nft", "")
    program = lab._start(lab.container, programs.ATTACH, "sk_lookup", "in", "0")
    assert program.stdout is not None
    if program.stdout.readline() != b"attached\n":
        pytest.skip("this kernel takes no program of sk_lookup")
    try:
        assert answers(lab) == ({"yes"}, {True})
    finally:
        program.communicate(timeout=60)


@needs_kernel
def test_filters_of_traffic_control(lab: Lab) -> None:
    if shutil.which("tc") is None:
        pytest.skip("there is no tc")
    closed = "table ip f { chain i { type filter hook input priority 0; tcp dport 80 drop; } }"

    def tc(*argv: str) -> None:
        lab._must("ip", "netns", "exec", lab.host, "tc", *argv)

    assert not lab.load("nft", "")
    tc("qdisc", "add", "dev", "wan", "clsact")
    try:
        assert answers(lab) == ({"yes"}, {True})
        # a classic program: its number is the verdict (2: drop)
        tc("filter", "add", "dev", "wan", "ingress", "bpf", "da", "bytecode", "1,6 0 0 2")
        assert answers(lab) == ({"unknown"}, {False})
        assert not lab.load("nft", closed)
        assert answers(lab) == ({"unknown"}, {False})
        tc("filter", "del", "dev", "wan", "ingress")
        tc("filter", "add", "dev", "wan", "ingress", "protocol", "ip", "u32", "match", "ip", "dport",
           "80", "0xffff", "action", "mirred", "egress", "redirect", "dev", "ct")  # fmt: skip
        assert answers(lab) == ({"unknown"}, {False})
        # only what goes out
        tc("filter", "del", "dev", "wan", "ingress")
        tc("filter", "add", "dev", "wan", "egress", "bpf", "da", "bytecode", "1,6 0 0 2")
        assert answers(lab) == ({"no"}, {False})
    finally:
        tc("qdisc", "del", "dev", "wan", "clsact")
        lab.still.clear()


def test_ipvs_is_read_where_the_kernel_has_it() -> None:
    found = hooks("== links\n== hooks\n" + IPVS + "== end\n", ())
    assert [(v.proto, v.port, len(v.servers)) for v in found.virtual] == [
        ("tcp", 8080, 2),
        ("", 0, 0),
    ]
    assert found.found == ()
    path = Path("/proc/net/ip_vs")
    if path.exists():
        text = path.read_text()
        assert hooks(f"== links\n== hooks\n== ipvs\n{text}== end\n", ()).on("x") == ()


def test_a_hook_is_of_its_interface() -> None:
    links = LINKS.replace("mtu 1500 qdisc", "mtu 1500 xdpgeneric qdisc", 1)
    found = hooks(f"== links\n{links}== hooks\n== end\n", ())
    assert found.on("eth0") == (Hook("eth0", "a program of XDP on eth0", opens=True),)
    assert found.on("eth1") == ()


def test_the_name_of_a_process_is_no_holder_of_a_socket() -> None:
    """Anyone calls his process `",pid=48`, and ss prints it as it is (iproute2 6.1)."""
    listed = SOCKETS.replace("== end\n", UNITS.format("", "0.0.0.0/0 ::/0", ""))
    assert redis(beside(sockets=listed)).reachable == "unknown"
    forged = re.sub(r"(:6379 .*users:).*", r'\1(("",pid=48",pid=900,fd=3))', listed)
    assert forged != listed
    found = redis(beside(sockets=forged))
    assert (found.reachable, found.listener.process, found.listener.pid) == ("yes", "", 0)


def test_a_unit_of_a_users_own_manager_is_not_the_systems() -> None:
    """user@1000.service starts what bob calls as he likes, and asked for is the system's."""
    listed = SOCKETS.replace("== end\n", UNITS.format("", "0.0.0.0/0 ::/0", ""))
    own = "/user.slice/user-1000.slice/user@1000.service/app.slice/redis.service"
    listed = listed.replace("/system.slice/redis.service", own)
    assert redis(beside(sockets=listed)).reachable == "yes"
