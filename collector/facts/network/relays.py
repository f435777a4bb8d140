"""Listeners that hand on to another port whatever comes: where to, no list of sockets tells.

Their settings and arguments are not read here (they carry passwords), so that behind each there
may be any port of this host, also one that listens on loopback alone.
"""

from __future__ import annotations

from collector.facts.network.listeners import Listener
from collector.facts.network.socket_owners import holders

# the kernel keeps 15 bytes of a program's name
_RELAYS = frozenset((
    "systemd-socket-", "socat", "socat1", "rinetd", "redir", "simpleproxy", "6tunnel", "xinetd",
    "inetd", "ncat", "nc", "nc.openbsd", "nc.traditional", "netcat", "sslh", "sslh-fork",
    "sslh-select", "sslh-ev", "stunnel", "stunnel4", "stunnel5", "hitch", "pen", "balance", "ssh",
    "autossh", "frps", "frpc", "gost", "nps", "npc", "chisel", "v2ray", "xray", "sing-box",
    "trojan", "trojan-go", "ss-server", "ssserver", "ss-tunnel", "ss-redir", "danted", "sockd",
    "microsocks", "3proxy", "tinyproxy", "squid", "privoxy", "realm", "brook", "ghostunnel",
    "kcptun", "kcptun-server", "udp2raw", "goproxy", "proxy", "portfwd", "tcpproxy", "lcx", "ew",
    "iox", "venom", "hysteria", "naive", "shadowsocks-se",
))  # fmt: skip
# these hand on as well; at the ports of the web they are taken for servers of it
_WEB = frozenset((
    "nginx", "openresty", "tengine", "angie", "haproxy", "envoy", "traefik", "caddy", "apache2",
    "httpd", "pingora",
))  # fmt: skip
# what systemd holds for a program that is not started yet, by the port that it is known for
_HELD = frozenset((22, 111, 631, 9090))
COCKPIT = 9090


def held_by_systemd(listener: Listener) -> bool:
    """Does systemd alone hold it, for what it starts when somebody comes?"""
    return {name for name, _ in holders(listener.line)} == {"systemd"}


def relay(listener: Listener) -> str:
    """Whose socket may lead on to another port of this host; empty where that is not so."""
    names = {name for name, _ in holders(listener.line)} or {listener.process}
    known = sorted(names & _RELAYS)
    if known:
        return known[0]
    if names & _WEB and not _of_the_web(listener.port):
        return min(names & _WEB)
    return "systemd" if held_by_systemd(listener) and listener.port not in _HELD else ""


def _of_the_web(port: int) -> bool:
    return port in (80, 443, 4443) or 81 <= port <= 90 or 8000 <= port <= 9999
