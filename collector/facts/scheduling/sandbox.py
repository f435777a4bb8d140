"""What a systemd service is shown of the host instead of what lies there (systemd.exec(5)).

Empty folders (InaccessiblePaths=, TemporaryFileSystem=, ProtectHome=), other ones (BindPaths=),
folders of its own that go with it (PrivateTmp=), another root. `systemctl show` prints all that it
knows, defaults too; InaccessibleDirectories= is what it was called before systemd 231.

>>> told = {"ProtectHome": "tmpfs", "BindPaths": "/srv/a:/srv/b:rbind /home/x:/home/x:rbind"}
>>> [(c.folder, c.same) for c in covers(told)]
[('/home', False), ('/root', False), ('/run/user', False), ('/srv/b', False), ('/home/x', True)]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

SETTINGS = (
    "ProtectHome", "PrivateTmp", "DynamicUser", "RootDirectory", "RootImage", "InaccessiblePaths",
    "InaccessibleDirectories", "TemporaryFileSystem", "BindPaths", "BindReadOnlyPaths",
    "AmbientCapabilities",
)  # fmt: skip
# every systemd that has one of these folders has this setting
ASKED = "ProtectHome"
_HOMES = ("/home", "/root", "/run/user")
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108


@dataclass(frozen=True, slots=True)
class Covered:
    """A folder with something else over it, and the setting that says so.

    `same`: it is the host's own that lies over it.
    """

    folder: str
    setting: str
    same: bool = False


def settings_of(service: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Of what `systemctl show` printed of a service, what is told here."""
    return tuple((key, service[key]) for key in SETTINGS if key in service)


def root_of(told: Mapping[str, str]) -> str:
    """The setting that gives the service another root; empty where it has the host's."""
    for key in ("RootDirectory", "RootImage"):
        if told.get(key, "").strip("/"):
            return f"{key}={told[key]}"
    return ""


def covers(told: Mapping[str, str]) -> Iterator[Covered]:
    """What is over what; of two the deeper one is mounted last."""
    home = told.get(ASKED, "no")
    if home in ("yes", "tmpfs"):
        yield from (Covered(p, f"ProtectHome={home}") for p in _HOMES)
    if told.get("PrivateTmp", "no") not in ("no", "") or told.get("DynamicUser") == "yes":
        yield from (Covered(p, "PrivateTmp=yes") for p in _TEMPORARY)
    for key in ("InaccessiblePaths", "InaccessibleDirectories", "TemporaryFileSystem"):
        for word in told.get(key, "").split():
            path = word.lstrip("-+").partition(":")[0].rstrip("/")
            yield Covered(path or "/", f"{key}={path or '/'}")
    for key in ("BindPaths", "BindReadOnlyPaths"):
        for word in told.get(key, "").split():
            source, _, rest = word.lstrip("-+").partition(":")
            path = (rest.partition(":")[0] or source).rstrip("/")
            yield Covered(path or "/", f"{key}={source}:{path}", path == source.rstrip("/"))
