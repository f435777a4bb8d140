"""Which operating system it is (os-release(5)), what PID 1 is, whether it is a container."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.base.redaction import NO_REMARKS
from collector.facts.shell import quoting
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, files, shell

READS: tuple[Read, ...] = (
    files(
        "platform.release",
        "/etc/os-release",
        "/usr/lib/os-release",
        "/etc/redhat-release",
        "/etc/kylin-release",
        "/etc/openEuler-release",
        "/etc/debian_version",
        "/etc/.productinfo",
        limit=4096,
        redact=NO_REMARKS,
        why=Text("操作系统名称与版本", "name and version of the operating system"),
    ),
    shell(
        "platform.init",
        r"""
comm=; [ -r /proc/1/comm ] && read -r comm </proc/1/comm; printf '%s\n' "init=$comm"
for p in /run/systemd/system /run/.containerenv /.dockerenv; do
  [ -e "$p" ] && printf '%s\n' "exists=$p"
done
if command -v systemd-detect-virt >/dev/null 2>&1; then
  printf '%s\n' "virt=$(systemd-detect-virt --container 2>/dev/null)"
fi
true
""",
        limit=4096,
        why=Text(
            "1 号进程是否为 systemd，本机是否为容器",
            "whether PID 1 is systemd, and whether this is a container",
        ),
    ),
)

_OLD = re.compile(r"^(?P<name>.+?)(?<!\s)\s++(?:Linux\s++)?release\s++(?P<version>[\w.]+)")


@dataclass(frozen=True, slots=True)
class Platform:
    """The operating system: `id`, `version` and `like` as os-release(5) has them, in lower case.

    `init` is the name of PID 1, `systemd` whether systemd runs the host (sd_booted(3)),
    `container` whether the host is itself a container; `codenames` are those that its archives
    may go by: of a derived system also that of the one it takes its packages from.
    """

    id: str
    version: str
    name: str
    like: tuple[str, ...]
    init: str
    systemd: bool
    container: bool
    codenames: tuple[str, ...] = ()

    @property
    def major(self) -> int | None:
        """The leading number of the version: 7 for `7.9`, None where there is none (sid)."""
        match = re.match(r"[Vv]?(\d+)", self.version)
        return int(match[1]) if match else None

    def is_like(self, *ids: str) -> bool:
        """Is it one of `ids`, or derived from one of them?"""
        return any(id in (self.id, *self.like) for id in ids)


def platform(capture: Capture) -> Platform:
    """Raises FactError when the release files or PID 1 cannot be seen."""
    release = _release(capture)
    state = _pairs(capture.read("platform.init").text())
    if not state:
        raise NotUnderstood("platform.init", msg("printed_nothing"))
    seen = state.get("exists", ())
    virt = state.get("virt", ("",))[0]
    return Platform(
        id=release.get("ID", "").lower(),
        version=release.get("VERSION_ID", ""),
        name=" ".join(filter(None, (release.get("PRETTY_NAME", ""), _service_pack(capture)))),
        like=tuple(release.get("ID_LIKE", "").lower().split()),
        init=state.get("init", ("",))[0],
        systemd="/run/systemd/system" in seen,
        container=virt not in ("", "none")
        or bool({"/run/.containerenv", "/.dockerenv"} & set(seen)),
        codenames=_codenames(release),
    )


def _codenames(release: dict[str, str]) -> tuple[str, ...]:
    keys = ("VERSION_CODENAME", "UBUNTU_CODENAME", "DEBIAN_CODENAME")
    told = [release[key].lower() for key in keys if release.get(key)]
    # older ones have it in brackets alone: `9 (stretch)`
    shown = re.search(r"\((\w+)\)", release.get("VERSION", ""))
    return tuple(dict.fromkeys(told or ([shown[1].lower()] if shown else [])))


def _service_pack(capture: Capture) -> str:
    """The service pack of a Kylin, which os-release(5) there does not tell: `(SP3)`.

    SP1 is Tercel, SP2 Sword, SP3 Lance; the file says `release V10 (SP3) /(Lance)-…`.
    """
    for file in capture.read("platform.release").present():
        if file.path == "/etc/.productinfo":
            match = re.search(r"\brelease V\d+ (\(SP\d\))", file.text("platform.release"))
            return match[1] if match else ""
    return ""


def _release(capture: Capture) -> dict[str, str]:
    found = {file.path: file for file in capture.read("platform.release").present()}
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        if path in found:
            return _os_release(found[path].text("platform.release"))
    for path in ("/etc/kylin-release", "/etc/openEuler-release", "/etc/redhat-release"):
        if path in found:
            line = found[path].text("platform.release").strip()
            match = _OLD.match(line)
            if match is None:
                raise NotUnderstood("platform.release", msg("at", where=path, what=repr(line)))
            word = match["name"].split()[0].lower()
            id = {"red": "rhel"}.get(word, word)
            return {"ID": id, "VERSION_ID": match["version"], "PRETTY_NAME": line}
    if "/etc/debian_version" in found:
        version = found["/etc/debian_version"].text("platform.release").strip()
        return {"ID": "debian", "VERSION_ID": version, "PRETTY_NAME": f"Debian {version}"}
    return {}


def _os_release(text: str) -> dict[str, str]:
    """Assignments as os-release(5) has them: shell quoting, no expansion."""
    known: dict[str, str] = {}
    for line in text.splitlines():
        name, separator, value = line.strip().partition("=")
        if not separator or not re.fullmatch(r"[A-Z0-9_]+", name):
            continue
        try:
            words = quoting.split(value)
        except ValueError:
            raise NotUnderstood("platform.release", msg("not_os_release_5", line=line)) from None
        known[name] = " ".join(words)
    return known


def _pairs(text: str) -> dict[str, tuple[str, ...]]:
    pairs: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator:
            pairs.setdefault(name, []).append(value)
    return {name: tuple(values) for name, values in pairs.items()}
