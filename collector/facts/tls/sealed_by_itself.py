"""Listeners that neither TLS nor HTTP is asked of: they encrypt by themselves, or carry no data.

The list makes an answer better, never cleaner: whatever speaks neither and is not of it is untold.
"""

from __future__ import annotations

from collector.facts.tls.probe import Served

# the kernel keeps 15 bytes of a program's name
_ENCRYPTED = frozenset((
    "sshd", "sshd-session", "dropbear", "openvpn", "tailscaled", "zerotier-one", "tincd",
    "salt-master",
))  # fmt: skip
# Routing, names of services, measures of the host itself: nobody's passwords, nobody's records.
_NO_DATA = frozenset((
    "rpcbind", "portsentry", "epmd", "chronyd", "ntpd", "iscsid", "bgpd", "bird", "gobgpd",
    "zabbix_agentd", "zabbix_agent2", "munin-node", "pmcd", "node_exporter", "systemd-resolve",
    "systemd-resolved", "lldpd", "keepalived", "named", "unbound", "dnsmasq",
))  # fmt: skip
# what is known to have no TLS by its port alone (`tls_ask.sh`): SSH, DNS, portmapper, exporter
_BY_PORT = frozenset({22, 53, 111, 9100})
# LLMNR; and the X protocol of MySQL, which is asked for by its settings
_BESIDE = frozenset({("", 5355), ("mysqld", 33060), ("mariadbd", 33060)})


def sealed_by_itself(served: Served) -> bool:
    """Does nothing that needs TLS pass through it in the clear, as far as is known here?"""
    process, port = served.process, served.port
    if process in _ENCRYPTED or process in _NO_DATA or process.startswith("rpc."):
        return True
    if (process, port) in _BESIDE or (served.state == "skip" and port in _BY_PORT):
        return True
    return served.ssh
