"""The hosts of the fleet: from which image each is started, and how Ansible logs in to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BECOME_PASSWORD = "not-a-secret-2026"
LOGIN_PASSWORD = 'nor is "this" $one 口令'
Variables = Mapping[str, str | bool]


@dataclass(frozen=True)
class Host:
    """`entries` are its names in the inventory; most hosts have one, of their own name.

    A start recipe `<start or name>.start.sh` runs in the running host. With `false_key`
    known_hosts holds
    a key that is not the host's. `answers` is False where a login never gives a working shell. With
    `refuses_files` it may do what scanning on access wants of the kernel (fanotify); with
    `mounts` it may mount. `jump` names the host that ssh goes through to it, as `jump_user`.
    """

    name: str
    image: str
    about: str
    entries: Mapping[str, Variables] = field(default_factory=dict)
    false_key: bool = False
    answers: bool = True
    systemd: bool = True
    refuses_files: bool = False
    mounts: bool = False
    jump: str = ""
    jump_user: str = "root"
    start: str = ""

    def inventory(self) -> dict[str, Variables]:
        return dict(self.entries) or {self.name: {"ansible_user": "root"}}


def _become(user: str, password: str = "", login: str = "") -> Variables:
    entry: dict[str, str | bool] = {"ansible_user": user, "ansible_become": True}
    if password:
        entry["ansible_become_password"] = password
    if login:
        entry["ansible_password"] = login
    return entry


HOSTS = {
    host.name: host
    for host in (
        Host(
            "good",
            "good",
            "Debian 13 that keeps its duties as far as a container can",
            {"good": _become("ops")},
        ),
        Host("bare", "trixie", "Debian 13 as installed, with an SSH server"),
        Host("nopython", "bookworm", "Debian 12 with no Python at all"),
        Host(
            "busybox", "busybox", "all tools are busybox, the SSH server is dropbear", systemd=False
        ),
        Host(
            "hangs", "trixie", "logs in, then the login shell says nothing for ever", answers=False
        ),
        Host("floods", "trixie", "logs in, then the login shell prints without end", answers=False),
        Host("wrongkey", "trixie", "its host key is not the one that is known", false_key=True),
        Host(
            "sudo",
            "trixie",
            "logins as ordinary users: sudo without a password, with one, and refused",
            {
                "sudo-free": _become("free"),
                "sudo-asked": _become("asked", BECOME_PASSWORD),
                "sudo-refused": _become("refused", BECOME_PASSWORD),
            },
        ),
    )
}

# Hosts that tests start by name, for themselves; the fleet as a whole goes without them.
OTHERS = {
    host.name: host
    for host in (
        Host(
            "whole",
            "trixie",
            "Debian 13 as installed, that may refuse files as a real host may",
            refuses_files=True,
        ),
        Host(
            "password",
            "trixie",
            "takes passwords alone: root's, and that of a user who becomes root with another",
            {
                "password": {"ansible_user": "root", "ansible_password": BECOME_PASSWORD},
                "password-sudo": _become("asked", BECOME_PASSWORD, LOGIN_PASSWORD),
            },
        ),
        Host(
            "inner",
            "trixie",
            "takes passwords alone, behind a jump host that does too",
            {"inner": _become("asked", BECOME_PASSWORD, LOGIN_PASSWORD)},
            jump="password",
            jump_user="asked",
            start="password",
        ),
        Host("bare-12", "bookworm-python", "Debian 12 as installed, with an SSH server and Python"),
        Host("sysvinit", "sysvinit", "Debian 13 without systemd", systemd=False),
        Host("rhel-9", "rhel-9", "the shape of AlmaLinux 9, made of Debian's programs"),
        Host(
            "rhel-9-roles", "rhel-9-roles", "the same with auditd, and AppStream and EPEL on disk"
        ),
        Host("shop", "story", "Debian 13 with PostgreSQL, restic and cron"),
        Host("vault", "vault", "Debian 13 that keeps the backups of another host"),
        Host(
            "effective",
            "probed",
            "Debian 13 of which the tests of probes make a good host",
            mounts=True,
        ),
        Host("hollow", "probed", "Debian 13 that looks set up, and where nothing takes effect"),
        Host("logstore", "probed", "Debian 13 that takes the logs of others"),
        Host(
            "restores",
            "restores",
            "Debian 13 with copies of every kind that is restored",
            mounts=True,
        ),
        Host("syslog-ng", "syslog-ng", "Debian 13 with syslog-ng"),
        Host("syslog-ng-12", "syslog-ng-12", "Debian 12 with syslog-ng, and no Python"),
        Host("rsyslog-12", "rsyslog-12", "Debian 12 with rsyslog, and no Python"),
    )
}
