"""EL 8, 9 and 10, and what is rebuilt from EL 7 and 8 in China: Anolis, Alibaba Cloud Linux,
TencentOS, OpenCloudOS, BC-Linux 8.

os-release of each as hosts show it in public notes (the keys alone are set here); versions of
packages as the release notes of EL name them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.hosts.centos import C7_9
from tests.hosts.facts import Facts


def named(name: str, version: str, id: str, pretty: str, **more: str) -> str:
    """os-release(5) as rpm families write it: every value in quotes."""
    keys = {"NAME": name, "VERSION": version, "ID": id, **more, "PRETTY_NAME": pretty}
    return "".join(f'{key}="{value}"\n' for key, value in keys.items())


def _el(platform: str, like: str = "rhel fedora centos", **more: str) -> dict[str, str]:
    return {"ID_LIKE": like, "PLATFORM_ID": f"platform:{platform}", **more}


ROCKY_8 = Facts(
    "rocky-8.10",
    named(
        "Rocky Linux",
        "8.10 (Green Obsidian)",
        "rocky",
        "Rocky Linux 8.10 (Green Obsidian)",
        **_el("el8", VERSION_ID="8.10"),
    ),
    releases=dict.fromkeys(
        ("/etc/rocky-release", "/etc/redhat-release"), "Rocky Linux release 8.10 (Green Obsidian)\n"
    ),
    kernel="4.18.0-553.el8_10.x86_64",
    chrony="4.5",
    audit="3.1.2",
    ss="iproute2-6.2.0, libbpf 0.5.0",
    behind=("openssl",),
)
ALMA_9 = ROCKY_8.but(
    "almalinux-9.6",
    os_release=named(
        "AlmaLinux",
        "9.6 (Sage Margay)",
        "almalinux",
        "AlmaLinux 9.6 (Sage Margay)",
        **_el("el9", VERSION_ID="9.6"),
    ),
    releases=dict.fromkeys(
        ("/etc/almalinux-release", "/etc/redhat-release"), "AlmaLinux release 9.6 (Sage Margay)\n"
    ),
    kernel="5.14.0-570.12.1.el9_6.x86_64",
    systemd=252,
    openssh=(8, 7),
    pam="1.5.1",
    nft="1.0.9",
    chrony="4.6.1",
    audit="3.1.5",
    rsyslog="8.2412.0",
    logrotate="3.18.0",
    logrotate_by="timer",
    ss="iproute2-6.11.0",
    dist="el9",
    behind=(),
)
ALMA_9_STOCK = ALMA_9.but("almalinux-9.6-as-installed", held=False, quirks={"coredump": True})
ROCKY_10 = ALMA_9.but(
    "rocky-10.0",
    os_release=named(
        "Rocky Linux",
        "10.0 (Red Quartz)",
        "rocky",
        "Rocky Linux 10.0 (Red Quartz)",
        **_el("el10", VERSION_ID="10.0"),
    ),
    releases=dict.fromkeys(
        ("/etc/rocky-release", "/etc/redhat-release"), "Rocky Linux release 10.0 (Red Quartz)\n"
    ),
    kernel="6.12.0-55.12.1.el10_0.x86_64",
    systemd=257,
    openssh=(9, 9),
    pam="1.6.1",
    nft="1.1.1",
    audit="4.0.3",
    hashing="yescrypt",
    logrotate="3.22.0",
    dist="el10",
    quirks={"lastlog": False},
)


def _anolis(version: str) -> dict[str, str]:
    text = f"Anolis OS release {version}\n"
    return {"/etc/anolis-release": text, "/etc/redhat-release": text}


ANOLIS_8 = ROCKY_8.but(
    "anolis-8.8",
    os_release=named("Anolis OS", "8.8", "anolis", "Anolis OS 8.8", **_el("an8", VERSION_ID="8.8")),
    releases=_anolis("8.8"),
    kernel="5.10.134-13.an8.x86_64",
    repositories=("BaseOS", "AppStream"),
    mac="permissive",
    quirks={"old_calls": True},
    dist="an8",
    nft="0.9.3",
    audit="3.0.7",
    chrony="4.1",
    ss="iproute2-5.18.0",
    behind=(),
)
ANOLIS_23 = ALMA_9.but(
    "anolis-23",
    os_release=named(
        "Anolis OS", "23", "anolis", "Anolis OS 23", VERSION_ID="23", PLATFORM_ID="platform:an23"
    ),
    releases=_anolis("23"),
    kernel="6.6.25-2.an23.x86_64",
    systemd=255,
    openssh=(9, 3),
    pam="1.5.3",
    repositories=("os", "updates"),
    dist="an23",
    logrotate_by="cron",
    quirks={"newer_kernel": "6.6.71-3.an23.x86_64"},
)
BCLINUX_8 = ANOLIS_8.but(
    "bclinux-8.8",
    os_release=named(
        "BigCloud Enterprise Linux",
        "8.8 (Core)",
        "bclinux",
        "BigCloud Enterprise Linux 8.8 (Core)",
        **_el("an8", "rhel fedora centos anolis", VERSION_ID="8.8"),
    ),
    releases=dict.fromkeys(
        ("/etc/bclinux-release", "/etc/redhat-release"),
        "BigCloud Enterprise Linux release 8.8 (Core)\n",
    ),
    kernel="4.19.0-240.23.26.el8_2.bclinux.x86_64",
    mac="enforcing",
    quirks={},
)


def _aegis() -> Mapping[str, Any]:
    base = "/usr/local/aegis"
    return {
        "daemons": (
            ("AliYunDun", [f"{base}/aegis_client/aegis_12_63/AliYunDun"], "aegis.service"),
            (
                "AliYunDunMonitor",
                [f"{base}/aegis_client/aegis_12_63/AliYunDunMonitor"],
                "aegis.service",
            ),
            ("AliYunDunUpdate", [f"{base}/aegis_update/AliYunDunUpdate"], "aegis.service"),
            (
                "aliyun-service",
                ["/usr/local/share/aliyun-assist/2.2.3.857/aliyun-service"],
                "aliyun.service",
            ),
        ),
        "links": (("AliYunDun", "100.100.30.26:80"),),
    }


ALINUX_2 = C7_9.but(
    "alinux-2.1903",
    os_release=named(
        "Alibaba Cloud Linux",
        "2.1903 LTS (Hunting Beagle)",
        "alinux",
        "Alibaba Cloud Linux 2.1903 LTS (Hunting Beagle)",
        ID_LIKE="rhel fedora centos anolis",
        VERSION_ID="2.1903",
    ),
    releases={"/etc/redhat-release": "Alibaba Cloud Linux (Aliyun Linux) release 2.1903 LTS\n"},
    kernel="4.19.91-28.4.al7.x86_64",
    mac="disabled",
    dist="al7",
    firewall="none",
    quirks={
        **_aegis(),
        "root_too": False,
        "listens": (("tcp", "dual", 6379, "redis-server"),),
        "daemons": (
            *_aegis()["daemons"],
            ("redis-server", ["/usr/bin/redis-server", "*:6379"], "redis.service"),
        ),
    },
)
ALINUX_3 = ROCKY_8.but(
    "alinux-3",
    os_release=named(
        "Alibaba Cloud Linux",
        "3 (OpenAnolis Edition)",
        "alinux",
        "Alibaba Cloud Linux 3.2104 U12 (OpenAnolis Edition)",
        **_el(
            "al8",
            "rhel fedora centos anolis",
            VERSION_ID="3",
            ALINUX_MINOR_ID="2104",
            ALINUX_UPDATE_ID="12",
        ),
    ),
    releases={"/etc/redhat-release": "Alibaba Cloud Linux release 3 (OpenAnolis Edition)\n"},
    kernel="5.10.134-18.al8.x86_64",
    mac="disabled",
    dist="al8",
    repositories=("alinux3-updates",),
    behind=(),
    quirks=_aegis(),
)
TENCENT_2 = C7_9.but(
    "tencentos-2.4",
    os_release=named(
        "TencentOS Server",
        "2.4",
        "tencentos",
        "TencentOS Server 2.4",
        ID_LIKE="rhel fedora centos tlinux",
        VERSION_ID="2.4",
    ),
    releases={
        "/etc/tlinux-release": "TencentOS Server 2.4 (Final)\n",
        "/etc/redhat-release": "CentOS Linux release 7.2 (Final)\n",
    },
    kernel="5.4.119-19-0009.54.x86_64",
    mac="disabled",
    dist="tl2",
    firewall="none",
    clock="ntp",
    held=False,
    quirks={
        "daemons": (
            ("YDService", ["/usr/local/qcloud/YunJing/YDEyes/YDService"], "YDService.service"),
            ("YDLive", ["/usr/local/qcloud/YunJing/YDLive/YDLive"], "YDService.service"),
            ("sgagent", ["/usr/local/qcloud/stargate/bin/sgagent64"], "stargate.service"),
        )
    },
)
TENCENT_3 = ROCKY_8.but(
    "tencentos-3.3",
    os_release=named(
        "TencentOS Server",
        "3.3 (Final)",
        "tencentos",
        "TencentOS Server 3.3 (Final)",
        **_el("el8", VERSION_ID="3.3"),
    ),
    releases={"/etc/redhat-release": "TencentOS Server release 3.3 (Final)\n"},
    kernel="5.4.119-20.0009.29.tl3.x86_64",
    mac="disabled",
    dist="tl3",
    repositories=("TencentOS", "TencentOS-AppStream"),
    behind=(),
)
TENCENT_4 = ALMA_9.but(
    "tencentos-4.4",
    os_release=named(
        "TencentOS Server",
        "4.4",
        "tencentos",
        "TencentOS Server 4.4",
        **_el("tl4", "tencentos", VERSION_ID="4.4"),
    ),
    releases={"/etc/tencentos-release": "TencentOS Server 4.4\n"},
    kernel="6.6.98-40.2.tl4.x86_64",
    systemd=255,
    openssh=(9, 3),
    pam="1.5.3",
    mac="disabled",
    dist="tl4",
    repositories=("BaseOS", "AppStream"),
)
OC_8 = ROCKY_8.but(
    "opencloudos-8.5",
    os_release=named(
        "OpenCloudOS", "8.5", "opencloudos", "OpenCloudOS 8.5", **_el("oc8", VERSION_ID="8.5")
    ),
    releases=dict.fromkeys(
        ("/etc/opencloudos-release", "/etc/redhat-release"), "OpenCloudOS release 8.5\n"
    ),
    kernel="5.4.119-19.0010.ocrelease.6",
    dist="oc8",
    repositories=("BaseOS", "AppStream"),
    behind=(),
)
OC_9 = TENCENT_4.but(
    "opencloudos-9.2",
    os_release=named(
        "OpenCloudOS",
        "9.2",
        "opencloudos",
        "OpenCloudOS 9.2",
        **_el("oc9", "opencloudos", VERSION_ID="9.2"),
    ),
    releases={"/etc/opencloudos-release": "OpenCloudOS release 9.2\n"},
    kernel="6.6.47-12.oc9.x86_64",
    dist="oc9",
)
HOSTS = (
    ROCKY_8,
    ALMA_9,
    ALMA_9_STOCK,
    ROCKY_10,
    ANOLIS_8,
    ANOLIS_23,
    BCLINUX_8,
    ALINUX_2,
    ALINUX_3,
    TENCENT_2,
    TENCENT_3,
    TENCENT_4,
    OC_8,
    OC_9,
)
