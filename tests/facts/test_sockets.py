"""ss of several iproute2, and /proc/net where there is none."""

from __future__ import annotations

import pytest

from collector.errors import NotUnderstood
from collector.facts.network.listeners import sockets
from collector.model import Capture, HostStatus, ReadResult, ReadStatus


def seen(text: str) -> list[tuple[str, int, str, int, str]]:
    result = ReadResult("sockets.listening", ReadStatus.OK, stdout=text.encode())
    found = sockets(Capture("h", HostStatus.COMPLETE, reads={"sockets.listening": result}))
    return [(s.proto, s.family, s.shown, s.port, s.process) for s in found]


# iproute2 6.15
NEW = """\
bindv6only=0
== ss
Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess
udp   UNCONN 0   0      127.0.0.53%lo:53         0.0.0.0:*    users:(("resolved",pid=5,fd=13))
tcp   LISTEN 0      128          0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=48,fd=6))
tcp   LISTEN 0      128             [::]:22            [::]:*    users:(("sshd",pid=48,fd=7))
tcp   LISTEN 0      511                *:80               *:*    users:(("apache2",pid=9,fd=4))
tcp   LISTEN 0      50   [::ffff:10.0.0.5]:9200             *:*    users:(("java",pid=7,fd=4))
== end
"""
# iproute2 4.11 (CentOS 7): `*` is IPv4, `:::` is IPv6
OLD = """\
bindv6only=0
== ss
Netid State      Recv-Q Send-Q     Local Address:Port       Peer Address:Port
tcp    LISTEN     0      128         *:22                    *:*    users:(("sshd",pid=1012,fd=3))
tcp    LISTEN     0      128        :::80                   :::*    users:(("httpd",pid=2012,fd=4))
== end
"""
# iproute2 3.10 of CentOS 7.0 to 7.2, the form of public notes
BARE = """\
bindv6only=0
== ss
Netid State      Recv-Q Send-Q     Local Address:Port       Peer Address:Port
tcp    LISTEN     0      128        :::22                   :::*    users:(("sshd",1188,4))
tcp    LISTEN     0      128         *:6390                  *:*    users:(("redis-server",902,4))
== end
"""
PROC = """\
bindv6only=0
== proc
/proc/net/tcp:   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
/proc/net/tcp6: 1: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0
== end
"""


def test_new() -> None:
    assert seen(NEW) == [
        ("tcp", 4, "0.0.0.0", 22, "sshd"),
        ("tcp", 6, "::", 22, "sshd"),
        ("tcp", 4, "0.0.0.0", 80, "apache2"),
        ("tcp", 6, "::", 80, "apache2"),
        ("tcp", 4, "10.0.0.5", 9200, "java"),
        ("udp", 4, "127.0.0.53%lo", 53, "resolved"),
    ]


def test_a_process_without_its_word() -> None:
    assert seen(BARE) == [
        ("tcp", 4, "0.0.0.0", 22, "sshd"),
        ("tcp", 6, "::", 22, "sshd"),
        ("tcp", 4, "0.0.0.0", 6390, "redis-server"),
    ]


def test_old() -> None:
    assert seen(OLD) == [
        ("tcp", 4, "0.0.0.0", 22, "sshd"),
        ("tcp", 4, "0.0.0.0", 80, "httpd"),
        ("tcp", 6, "::", 80, "httpd"),
    ]
    assert ("tcp", 4, "0.0.0.0", 80, "httpd") not in seen(OLD.replace("only=0", "only=1"))


# composed after what CentOS 7.9 prints (ss170501 with the brackets of 4.13), not recorded on one
EL7 = """\
bindv6only=0
version=ss utility, iproute2-ss170501
== ss
Netid State      Recv-Q Send-Q Local Address:Port               Peer Address:Port
udp    UNCONN     0      0         *:68                    *:*    users:(("dhclient",pid=7,fd=6))
tcp    LISTEN     0      128       *:3306                  *:*    users:(("mysqld",pid=8,fd=9))
tcp    LISTEN     0      511    [::]:6379               [::]:*    users:(("redis-server",pid=9,fd=6))
== end
"""


def test_brackets_of_el_7_take_ipv4_and_its_star_takes_no_ipv6() -> None:
    both = [("tcp", 4, "0.0.0.0", 6379, "redis-server"), ("tcp", 6, "::", 6379, "redis-server")]
    assert seen(EL7) == [
        ("tcp", 4, "0.0.0.0", 3306, "mysqld"),
        *both,
        ("udp", 4, "0.0.0.0", 68, "dhclient"),
    ]
    assert seen(EL7.replace("v6only=0", "v6only=1"))[1:-1] == both[1:]


def test_the_same_listing_is_read_by_its_version() -> None:
    # `ss -V` of the tags v4.13.0, v4.14.0, v5.0.0 and of Debian 13
    for version in ("ss170905", "ss171112", "ss190107", "6.15.0"):
        families = [(s[1], s[3]) for s in seen(EL7.replace("ss170501", version))]
        if version == "ss170905":
            assert families == [(4, 3306), (4, 6379), (6, 6379), (4, 68)]
        else:
            assert families == [(4, 3306), (6, 3306), (6, 6379), (4, 68), (6, 68)]


def test_without_a_version_the_listing_itself_may_tell() -> None:
    old = EL7.replace("version=ss utility, iproute2-ss170501\n", "")
    for unknown in (old, EL7.replace("ss170501", "of-ours")):
        with pytest.raises(NotUnderstood):
            seen(unknown)
        # an address of IPv4 whose peer is `*` is written by the old ones alone
        told = unknown.replace("      *:3306 ", "10.0.0.9:3306 ")
        assert [(s[1], s[3]) for s in seen(told)] == [(4, 3306), (4, 6379), (6, 6379), (4, 68)]
        # where no `[::]` is, nothing can be hidden
        plain = "\n".join(line for line in unknown.splitlines() if "[::]" not in line)
        assert {s[1] for s in seen(plain)} == {4, 6}


def test_proc() -> None:
    assert seen(PROC) == [
        ("tcp", 4, "0.0.0.0", 80, ""),
        ("tcp", 6, "::", 80, ""),
        ("tcp", 4, "127.0.0.1", 5432, ""),
    ]


def test_cut_off_or_strange() -> None:
    with pytest.raises(NotUnderstood):
        seen(NEW.replace("== end\n", ""))
    with pytest.raises(NotUnderstood):
        seen(NEW.replace("0.0.0.0:22 ", "nonsense "))


def test_a_socket_beside_ipv4_s_own_wildcard_is_for_ipv6_alone() -> None:
    # iproute2 6.15 that reads /proc does not know of IPV6_V6ONLY
    listening = seen(
        "bindv6only=0\n== ss\n"
        'tcp LISTEN 0 0 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=48,fd=6))\n'
        'tcp LISTEN 0 0 *:22 *:* users:(("sshd",pid=48,fd=7))\n'
        'tcp LISTEN 0 0 *:80 *:* users:(("web",pid=49,fd=7))\n== end\n'
    )
    assert [(port, family) for _, family, _, port, _ in listening] == [
        (22, 4),
        (22, 6),
        (80, 4),
        (80, 6),
    ]
