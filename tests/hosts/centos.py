"""CentOS 7 by point releases: what a provider's old fleet is made of."""

from __future__ import annotations

from tests.hosts.facts import Facts

_NAME = """NAME="CentOS Linux"
VERSION="7 (Core)"
ID="centos"
ID_LIKE="rhel fedora"
VERSION_ID="7"
PRETTY_NAME="CentOS Linux 7 (Core)"
CPE_NAME="cpe:/o:centos:centos:7"
"""


def _releases(minor: str) -> dict[str, str]:
    text = f"CentOS Linux release 7.{minor} (Core)\n"
    return {"/etc/centos-release": text, "/etc/redhat-release": text}


C7_9 = Facts(
    "centos-7.9",
    _NAME,
    releases=_releases("9.2009"),
    kernel="3.10.0-1160.119.1.el7.x86_64",
    systemd=219,
    openssh=(7, 4),
    ss="iproute2-ss170501",
    pam="1.1.8",
    pam_form="el7",
    pwquality="1.2.3",
    faillock_conf=False,
    nft="",
    chrony="3.4",
    timedatectl="old",
    audit="2.8.5",
    rsyslog="8.24.0",
    logrotate="3.8.6",
    cache="yum",
    repositories=("updates",),
    dist="el7",
    quirks={"forward": "10.20.0.5:514"},
)
C7_4 = C7_9.but(
    "centos-7.4",
    releases=_releases("4.1708"),
    kernel="3.10.0-693.el7.x86_64",
    ss="iproute2-ss130716",
    chrony="3.1",
    audit="2.7.6",
    firewall="iptables-services",
    clock="ntp",
    quirks={
        "minclass_alone": True,
        "listens": (("tcp", "any4", 6379, "redis-server"),),
        "daemons": (("redis-server", ["/usr/bin/redis-server", "*:6379"], "redis.service"),),
    },
)
C7_0 = C7_9.but(
    "centos-7.0",
    releases=_releases("0.1406"),
    kernel="3.10.0-123.el7.x86_64",
    systemd=208,
    openssh=(6, 6),
    ss="iproute2-ss130716",
    chrony="1.29.1",
    audit="2.3.3",
    rsyslog="7.4.7",
    held=False,
    mac="disabled",
    quirks={
        "old_state": True,
        "forward": "10.20.0.5:514",
        "bare_pid": True,
        "listens": (("tcp", "any4", 6390, "redis-server"),),
        "daemons": (("redis-server", ["/usr/bin/redis-server", "*:6390"], "redis.service"),),
    },
)
HOSTS = (C7_9, C7_4, C7_0)
