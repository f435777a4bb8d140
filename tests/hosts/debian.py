"""Debian 11–13, Ubuntu 18.04–24.04 and UOS of Debian's packages."""

from __future__ import annotations

from tests.hosts.facts import Facts


def _debian(version: str, name: str) -> str:
    return (
        f'PRETTY_NAME="Debian GNU/Linux {version} ({name})"\nNAME="Debian GNU/Linux"\n'
        f'VERSION_ID="{version}"\nVERSION="{version} ({name})"\nVERSION_CODENAME={name}\n'
        "ID=debian\n"
    )


def _lists(codename: str, suite: str) -> dict[str, str]:
    return {"origin": "Debian", "suite": suite, "codename": codename, "label": "Debian-Security"}


D12 = Facts(
    "debian-12",
    _debian("12", "bookworm"),
    family="deb",
    releases={"/etc/debian_version": "12.12\n"},
    kernel="6.1.0-40-amd64",
    shell="dash",
    awk="mawk",
    systemd=252,
    openssh=(9, 2),
    ss="iproute2-6.1.0, libbpf 1.1.0",
    pam="1.5.2-6",
    pam_form="debian",
    hashing="yescrypt",
    firewall="nftables",
    nft="1.0.6",
    clock="chrony",
    chrony="4.3",
    audit="3.0.9",
    rsyslog="8.2302.0",
    iso=True,
    logrotate="3.21.0",
    logrotate_by="timer",
    persistent_journal=True,
    mac="apparmor",
    cache="apt",
    dist="deb12",
    quirks={**_lists("bookworm", "oldstable"), "forward": "10.20.0.5:514"},
)
D11 = D12.but(
    "debian-11",
    os_release=_debian("11", "bullseye"),
    releases={"/etc/debian_version": "11.11\n"},
    kernel="5.10.0-36-amd64",
    systemd=247,
    openssh=(8, 4),
    ss="iproute2-5.10.0, libbpf 0.3.0",
    pam="1.4.0-9",
    nft="0.9.8",
    chrony="4.0",
    audit="3.0",
    rsyslog="8.2102.0",
    iso=False,
    logrotate="3.18.0",
    dist="deb11",
    quirks=_lists("bullseye", "oldoldstable"),
)
D13 = D12.but(
    "debian-13",
    os_release=_debian("13", "trixie"),
    releases={"/etc/debian_version": "13.3\n"},
    kernel="6.12.48+deb13-amd64",
    systemd=257,
    openssh=(10, 0),
    ss="iproute2-6.15.0, libbpf 1.5.0",
    pam="1.7.0-5",
    nft="1.1.3",
    clock="timesyncd",
    audit="4.0.2",
    rsyslog="8.2504.0",
    logrotate="3.22.0",
    dist="deb13",
    held=False,
    persistent_journal=False,
    quirks={**_lists("trixie", "stable"), "lastlog": False},
)


def _ubuntu(version: str, name: str, title: str) -> str:
    return (
        f'NAME="Ubuntu"\nVERSION="{version} LTS ({title})"\nID=ubuntu\nID_LIKE=debian\n'
        f'PRETTY_NAME="Ubuntu {version} LTS"\nVERSION_ID="{version}"\nVERSION_CODENAME={name}\n'
    )


def _pocket(name: str) -> dict[str, str]:
    return {"origin": "Ubuntu", "suite": name, "codename": name, "security": f"{name}-security"}


U22 = D12.but(
    "ubuntu-22.04",
    os_release=_ubuntu("22.04", "jammy", "Jammy Jellyfish"),
    releases={"/etc/debian_version": "bookworm/sid\n"},
    kernel="5.15.0-160-generic",
    systemd=249,
    openssh=(8, 9),
    ss="iproute2-5.15.0, libbpf 0.5.0",
    pam="1.4.0-11ubuntu2.6",
    firewall="ufw",
    nft="1.0.2",
    clock="timesyncd",
    chrony="",
    audit="3.0.7",
    rsyslog="8.2112.0",
    iso=False,
    logrotate="3.19.0",
    dist="jammy",
    quirks=_pocket("jammy"),
)
U18 = U22.but(
    "ubuntu-18.04",
    os_release=_ubuntu("18.04", "bionic", "Bionic Beaver"),
    releases={"/etc/debian_version": "buster/sid\n"},
    kernel="4.15.0-213-generic",
    systemd=237,
    openssh=(7, 6),
    ss="iproute2-ss180129",
    pam="1.1.8-3.6ubuntu2.18.04.6",
    faillock_conf=False,
    hashing="sha512",
    firewall="none",
    nft="",
    timedatectl="old",
    audit="",
    rsyslog="8.32.0",
    logrotate="3.11.0",
    logrotate_by="cron",
    dist="bionic",
    held=False,
    quirks={**_pocket("bionic"), "tally2": True},
)
U20 = U22.but(
    "ubuntu-20.04",
    os_release=_ubuntu("20.04", "focal", "Focal Fossa"),
    releases={"/etc/debian_version": "bullseye/sid\n"},
    kernel="5.4.0-216-generic",
    systemd=245,
    openssh=(8, 2),
    ss="iproute2-ss200127",
    pam="1.3.1-5ubuntu4.7",
    faillock_conf=False,
    hashing="sha512",
    nft="",
    audit="2.8.5",
    rsyslog="8.2001.0",
    logrotate="3.14.0",
    dist="focal",
    quirks={**_pocket("focal"), "tally2": True},
)
U24 = U22.but(
    "ubuntu-24.04",
    os_release=_ubuntu("24.04", "noble", "Noble Numbat"),
    releases={"/etc/debian_version": "trixie/sid\n"},
    kernel="6.8.0-85-generic",
    systemd=255,
    openssh=(9, 6),
    ss="iproute2-6.1.0, libbpf 1.3.0",
    pam="1.5.3-5ubuntu5.5",
    nft="1.0.9",
    audit="3.1.2",
    rsyslog="8.2312.0",
    iso=True,
    logrotate="3.21.0",
    dist="noble",
    behind=("openssl",),
    quirks=_pocket("noble"),
)
UOS = D11.but(
    "uos-20-deb",
    os_release=(
        'PRETTY_NAME="UnionTech OS Server 20"\nNAME="UnionTech OS Server 20"\nVERSION_ID="20"\n'
        'VERSION="20"\nID=UOS\nVERSION_CODENAME=fou\n'
    ),
    releases={"/etc/debian_version": "10.10\n"},
    kernel="4.19.0-amd64-server",
    systemd=241,
    openssh=(7, 9),
    ss="iproute2-ss190107",
    pam="1.3.1-5",
    pam_form="deepin",
    hashing="sha512",
    faillock_conf=False,
    nft="",
    firewall="none",
    clock="ntp",
    audit="2.8.4",
    rsyslog="8.1901.0",
    logrotate="3.14.0",
    logrotate_by="cron",
    mac="none",
    dist="uos",
    quirks={
        "listens": (("tcp", "dual", 6379, "redis-server"),),
        "daemons": (("redis-server", ["/usr/bin/redis-server", "*:6379"], "redis.service"),),
        "origin": "UnionTech",
        "suite": "fou",
        "codename": "fou",
        "tally2": True,
    },
)
HOSTS = (D11, D12, D13, U18, U20, U22, U24, UOS)
