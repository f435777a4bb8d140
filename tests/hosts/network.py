"""What listens, addresses and routes: ss(8) and ip(8).

Forms: ss of EL 7.7–7.9 (`ss170501`, iproute2 4.11 with later patches) prints `[::]` for a socket of
both families and `*` for IPv4; that of EL 7.0–7.6 `*` and `:::`; since iproute2 4.14 it is
`0.0.0.0`, `[::]` and `*`; that of EL 7.0 names processes without `pid=`, and no `ss` of EL 7 knows
-H (misc/ss.c of those tags).
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.hosts.facts import Facts
from tests.hosts.root import Root

_HEAD = "Netid  State      Recv-Q Send-Q Local Address:Port               Peer Address:Port"


# the kernel tells what was acknowledged since 4.1
_TCP_INFO = (
    "cubic wscale:7,7 rto:204 rtt:3.5/1.75 ato:40 mss:1448 cwnd:10 send 33.1Mbps lastsnd:1500"
    " lastrcv:8784 lastack:1490 rcv_space:29200",
    "cubic wscale:7,7 rto:204 rtt:0.5/0.2 mss:1448 pmtu:1500 cwnd:10 bytes_sent:99281"
    " bytes_acked:99282 segs_out:71 lastsnd:1500 lastrcv:8784 lastack:1490",
)


def _user(facts: Facts, comm: str, pid: int) -> str:
    if facts.quirks.get("bare_pid"):
        return f'users:(("{comm}",{pid},3))'
    return f'users:(("{comm}",pid={pid},fd=3))'


def sockets(
    root: Root,
    facts: Facts,
    sockets: Sequence[tuple[str, str, int, str, int]],
    established: Sequence[tuple[str, int, str]] = (),
) -> None:
    """`sockets`: (tcp or udp, where, port, comm, pid), where: dual, any4, any6, local4, local6;
    `established`: (comm, pid, ADDRESS:PORT)."""
    old = "iproute2-ss1" < facts.ss < "iproute2-ss171112"
    form = {
        "dual": "*:",
        "any4": "0.0.0.0:",
        "any6": "[::]:",
        "local4": "127.0.0.1:",
        "local6": "[::1]:",
    }
    peer = {
        "dual": "*:*",
        "any4": "0.0.0.0:*",
        "any6": "[::]:*",
        "local4": "0.0.0.0:*",
        "local6": "[::]:*",
    }
    if old:
        six = ":::" if facts.ss < "iproute2-ss17" else "[::]:"
        form = {
            "dual": six,
            "any4": "*:",
            "any6": six,
            "local4": "127.0.0.1:",
            "local6": "::1:" if six == ":::" else "[::1]:",
        }
        peer = {
            "dual": f"{six}*",
            "any4": "*:*",
            "any6": f"{six}*",
            "local4": "*:*",
            "local6": f"{six}*",
        }
    lines = [_HEAD]
    for kind, where, port, comm, pid in sockets:
        state = "LISTEN" if kind == "tcp" else "UNCONN"
        lines.append(
            f"{kind:<6} {state:<10} 0      128    {form[where]}{port:<20} {peer[where]:<20} "
            f"{_user(facts, comm, pid)}"
        )
    said = "\n".join([*lines, ""])
    links, inner = "", ""
    for comm, pid, to in established:
        row = f"0      0      10.30.4.17:{40000 + pid:<20} {to:<20} {_user(facts, comm, pid)}\n"
        links += row
        inner += f"{row}\t {_TCP_INFO[0 if facts.kernel.startswith('3.10') else 1]}\n"
    head = "Recv-Q Send-Q Local Address:Port               Peer Address:Port\n"
    answers = [("-V", f"ss utility, {facts.ss}\n"), ("-lntup", said)]
    if not old:
        answers.append(("-H*established*", links))
    root.says("/usr/sbin/ss", [*answers, ("'-tnpi'*", head + inner), ("'-tnp'*", head + links)])
    addresses = (
        "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
        "1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever\n"
        "2: eth0    inet 10.30.4.17/24 brd 10.30.4.255 scope global eth0\\       valid_lft forever"
        " preferred_lft forever\n"
        "2: eth0    inet6 fe80::5054:ff:fe12:3456/64 scope link \\       valid_lft forever"
        " preferred_lft forever\n"
    )
    rules = "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n"
    links = (
        "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group"
        " default qlen 1000\\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n"
        "2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT"
        " group default qlen 1000\\    link/ether 52:54:00:12:34:56 brd ff:ff:ff:ff:ff:ff\n"
    )
    root.says(
        "/usr/sbin/ip",
        [
            (
                "'-o addr show scope global'",
                "2: eth0    inet 10.30.4.17/24 brd 10.30.4.255 scope global eth0\n",
            ),
            ("'-o addr show'", addresses),
            ("'rule show'", f"{rules}32767:\tfrom all lookup default\n"),
            ("'-6 rule show'", rules),
            (
                "'-4 route show table main'",
                "default via 10.30.4.1 dev eth0 proto static metric 100 \n"
                "10.30.4.0/24 dev eth0 proto kernel scope link src 10.30.4.17 metric 100 \n",
            ),
            (
                "'-6 route show table main'",
                "fe80::/64 dev eth0 proto kernel metric 256 pref medium\n",
            ),
            (
                "'-4 route show table local type local'",
                "local 10.30.4.17 dev eth0 proto kernel scope host src 10.30.4.17 \n"
                "local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1 \n"
                "local 127.0.0.1 dev lo proto kernel scope host src 127.0.0.1 \n",
            ),
            (
                "'-6 route show table local type local'",
                "local ::1 dev lo proto kernel metric 0 pref medium\n"
                "local fe80::5054:ff:fe12:3456 dev eth0 proto kernel metric 0 pref medium\n",
            ),
            ("'-o link show'", links),
        ],
        "exit 0",
    )
    root.says(
        "/usr/sbin/tc", [("'qdisc show'", "qdisc noqueue 0: dev lo root refcnt 2 \n")], "exit 0"
    )
