"""openEuler 20.03, 22.03 and 24.03, and what is made of it: BC-Linux 21.10, Kylin V10, UOS of rpm.

openEuler has no authselect: its pam writes system-auth and password-auth with arguments, and the
firewalld 0.6 of 20.03 (and of Kylin V10) works with iptables.
"""

from __future__ import annotations

from tests.hosts.facts import Facts
from tests.hosts.rhel import named


def _release(version: str, full: str) -> tuple[str, dict[str, str]]:
    pretty = f"openEuler {full}"
    return (
        named("openEuler", full, "openEuler", pretty, VERSION_ID=version),
        {"/etc/openEuler-release": f"openEuler release {full}\n"},
    )


_2003, _RELEASES_2003 = _release("20.03", "20.03 (LTS-SP4)")
_2203, _RELEASES_2203 = _release("22.03", "22.03 (LTS-SP4)")
_2403, _RELEASES_2403 = _release("24.03", "24.03 (LTS-SP3)")

E_2003 = Facts(
    "openeuler-20.03",
    _2003,
    releases=_RELEASES_2003,
    kernel="4.19.90-2312.1.0.0255.oe2003sp4.x86_64",
    systemd=243,
    openssh=(8, 2),
    ss="iproute2-ss191125",
    pam="1.3.1",
    pam_form="euler",
    faillock_conf=False,
    nft="",
    chrony="3.5",
    audit="3.0",
    rsyslog="8.2002.0",
    logrotate="3.16.0",
    repositories=("update",),
    dist="oe1",
    held=False,
)
E_2203 = E_2003.but(
    "openeuler-22.03",
    os_release=_2203,
    releases=_RELEASES_2203,
    kernel="5.10.0-216.0.0.115.oe2203sp4.x86_64",
    systemd=249,
    openssh=(8, 8),
    ss="iproute2-5.15.0",
    pam="1.5.2",
    faillock_conf=True,
    nft="1.0.0",
    chrony="4.1",
    audit="3.0.1",
    rsyslog="8.2110.0",
    logrotate="3.20.1",
    dist="oe2203sp4",
    held=True,
    quirks={"forward": "10.20.0.5:514"},
)
E_2403 = E_2203.but(
    "openeuler-24.03",
    os_release=_2403,
    releases=_RELEASES_2403,
    kernel="6.6.0-132.0.0.111.oe2403sp3.x86_64",
    systemd=255,
    openssh=(9, 6),
    ss="iproute2-6.6.0",
    pam="1.5.3",
    nft="1.0.8",
    chrony="4.5",
    audit="3.1.2",
    rsyslog="8.2312.0",
    logrotate="3.21.0",
    dist="oe2403sp3",
    behind=("openssh-server",),
)
BCLINUX_21 = E_2003.but(
    "bclinux-21.10",
    os_release=named(
        "BigCloud Enterprise Linux",
        "21.10 (LTS-SP2)",
        "bclinux",
        "BigCloud Enterprise Linux For Euler 21.10 LTS",
        VERSION_ID="21.10",
    ),
    releases=dict.fromkeys(
        ("/etc/bclinux-release", "/etc/redhat-release"),
        "BigCloud Enterprise Linux For Euler release 21.10 (LTS-SP2)\n",
    ),
    kernel="4.19.90-2107.6.0.0192.8.oe1.bclinux.x86_64",
    held=True,
)

_ON = (
    "KySec status: Normal\n\nexec control: on\nfile protect: on\nkmod protect: on\nthree admin "
    ": off\n"
)
_IDLE = (
    "KySec status: Normal\n\nexec control: off\nfile protect: off\nkmod protect: off\nthree "
    "admin : off\n"
)


def _kylin(point: str, word: str, kernel: str, *, on: bool, held: bool) -> Facts:
    info = f"Kylin Linux Advanced Server\nrelease V10 ({point}) /({word})-x86_64-Build09/20210524\n"
    switch = 1 if on else 0
    return E_2003.but(
        f"kylin-v10-{point.lower()}",
        os_release=named(
            "Kylin Linux Advanced Server",
            f"V10 ({word})",
            "kylin",
            f"Kylin Linux Advanced Server V10 ({word})",
            VERSION_ID="V10",
        ),
        releases={
            "/etc/kylin-release": f"Kylin Linux Advanced Server release V10 ({word})\n",
            "/etc/.productinfo": info,
        },
        kernel=kernel,
        repositories=("ks10-adv-updates",),
        dist="ky10",
        mac="kysec",
        held=held,
        quirks={
            "kysec": dict.fromkeys(("exectl", "fpro", "kmodpro"), switch),
            "kysec_conf": dict.fromkeys(("exectl", "fpro", "kmodpro"), switch),
            "getstatus": _ON if on else _IDLE,
        },
    )


KYLIN_SP1 = _kylin("SP1", "Tercel", "4.19.90-17.ky10.x86_64", on=False, held=False)
KYLIN_SP2 = _kylin("SP2", "Sword", "4.19.90-24.4.v2101.ky10.x86_64", on=True, held=True)
KYLIN_SP3 = _kylin("SP3", "Lance", "4.19.90-52.22.v2207.ky10.x86_64", on=True, held=True)
UOS = E_2003.but(
    "uos-20-1070e",
    os_release=(
        'PRETTY_NAME="UOS Server 20"\nNAME="UOS Server 20"\nVERSION_ID="20"\nVERSION="20"\n'
        'ID=uos\nVERSION_CODENAME=fuyu\nPLATFORM_ID="platform:uel20"\n'
    ),
    releases={"/etc/redhat-release": "UOS Server release 20 (fuyu)\n"},
    kernel="4.19.90-2403.3.0.0270.87.uel20.x86_64",
    pam="1.5.2",
    pam_form="deepin",
    faillock_conf=True,
    dist="uel20",
    mac="permissive",
    held=True,
    repositories=("UnionTechOS-Server-20-update",),
)
HOSTS = (E_2003, E_2203, E_2403, BCLINUX_21, KYLIN_SP1, KYLIN_SP2, KYLIN_SP3, UOS)
