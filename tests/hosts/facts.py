"""What a played host is made from: versions, which daemons it has, and how it was set up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Facts:
    """One host. Versions are numbers where a form hangs on them, words where only printed."""

    name: str
    os_release: str
    """os-release(5), one `KEY=value` a line."""
    family: str = "rpm"
    """rpm or deb: the package manager, and with it sysconfig or default, messages or syslog."""
    releases: Mapping[str, str] = field(default_factory=dict)
    """Other files that name the system: path → text."""
    kernel: str = ""
    shell: str = "bash"
    """/bin/sh: bash, dash or mksh (busybox puts programs of its own before played ones)."""
    awk: str = "gawk"
    systemd: int = 239
    openssh: tuple[int, int] = (8, 0)
    ss: str = "iproute2-5.12.0"
    """What `ss -V` prints behind `ss utility, `."""
    pam: str = "1.3.1"
    pam_form: str = "authselect"
    """el7, authselect, euler, debian, deepin: how the stacks are laid out; see access.py."""
    faillock_conf: bool = True
    """Does the module read faillock.conf?"""
    pwquality: str = "1.4.4"
    """libpwquality; before 1.4.0 digits and letters gave credit by default."""
    hashing: str = "sha512"
    firewall: str = "firewalld"
    """firewalld, iptables-services, nftables, ufw or none."""
    nft: str = "1.0.4"
    """Version of nft; empty where firewalld works with iptables (before 0.6, or by setting)."""
    clock: str = "chrony"
    """chrony, ntp or timesyncd."""
    chrony: str = "4.2"
    timedatectl: str = "new"
    """old: systemd before 239 (`NTP enabled`)."""
    audit: str = "3.0.7"
    rsyslog: str = "8.2102.0"
    iso: bool = False
    """Do rsyslog's files begin with ISO 8601 times?"""
    logrotate: str = "3.14.0"
    logrotate_by: str = "cron"
    """cron (cron.daily, by anacron or crond) or timer."""
    persistent_journal: bool = False
    mac: str = "enforcing"
    """enforcing, permissive, disabled (SELinux), apparmor, kysec or none."""
    cache: str = "dnf"
    """yum, dnf, libdnf5 or apt: the lists of fixes."""
    repositories: tuple[str, ...] = ("baseos", "appstream")
    """Ids of the repositories that bring updateinfo; the first has the advisories."""
    behind: tuple[str, ...] = ()
    """Packages of which the lists have a newer one for security."""
    packages: Mapping[str, str] = field(default_factory=dict)
    """Further installed packages: name → version-release."""
    dist: str = "el8"
    """The end of a package's release."""
    held: bool = True
    """Hardened as the family does it; else as installed."""
    quirks: Mapping[str, Any] = field(default_factory=dict)
    """What one host alone has; each is asked for where it is played."""

    def but(self, name: str, **changes: Any) -> Self:
        """The same with another name and these changes."""
        return replace(self, name=name, **changes)

    @property
    def deb(self) -> bool:
        return self.family == "deb"
