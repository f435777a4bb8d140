"""The hosts of the fleet: from which image each is started, and how Ansible logs in to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

BECOME_PASSWORD = "not-a-secret-2026"
Variables = Mapping[str, str | bool]


@dataclass(frozen=True)
class Host:
    """`entries` are its names in the inventory; most hosts have one, of their own name.

    A start recipe `<name>.start.sh` runs in the running host. With `false_key` known_hosts holds
    a key that is not the host's. `answers` is False where a login never gives a working shell.
    """

    name: str
    image: str
    about: str
    entries: Mapping[str, Variables] = field(default_factory=dict)
    false_key: bool = False
    answers: bool = True
    systemd: bool = True

    def inventory(self) -> dict[str, Variables]:
        return dict(self.entries) or {self.name: {"ansible_user": "root"}}


def _become(user: str, password: str = "") -> Variables:
    entry: dict[str, str | bool] = {"ansible_user": user, "ansible_become": True}
    if password:
        entry["ansible_become_password"] = password
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
