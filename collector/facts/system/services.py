"""What the init system runs and starts at boot: systemd units (219 and later), System V links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.i18n.message import msg
from collector.model import Capture, Read, ReadStatus, Text, command, shell

_TYPES = "--type=service,socket,timer,path"

# The fifth column may be a whole command line: systemd-run makes its description of one, and
# systemctl prints it with its line breaks. Of what begins as a unit and goes on as none, its name
# stays, so that it is not taken for nothing.
_MARKED, _BLANKS, _WORD = r"[^A-Za-z0-9_]*", r"[[:space:]]\{1,\}", r"[^[:space:]]\{1,\}"
_LOADED = ("loaded", "not-found", "bad-setting", "error", "merged", "masked", "stub")
_KINDS = ("service", "socket", "timer", "path")
_NO_DESCRIPTION = "\n".join(
    [
        *(
            rf"s/^\({_MARKED}{_WORD}\.[a-z]*{_BLANKS}{load}\({_BLANKS}[a-z-]\{{1,\}}\)\{{2\}}\)"
            r"\([[:space:]].*\)\{0,1\}$/\1/"
            for load in _LOADED
        ),
        "t",
        *(rf"s/^{_MARKED}\({_WORD}\.{kind}\)[[:space:]].*/\1 ?/" for kind in _KINDS),
        "t",
        "d",
    ]
)

READS: tuple[Read, ...] = (
    command(
        "services.units",
        "systemctl",
        "list-units",
        "--all",
        "--full",
        "--plain",
        "--no-legend",
        "--no-pager",
        _TYPES,
        limit=1 << 18,
        redact=_NO_DESCRIPTION,
        why=Text("哪些服务正在运行", "which services run now"),
    ),
    command(
        "services.unit_files",
        "systemctl",
        "list-unit-files",
        "--full",
        "--no-legend",
        "--no-pager",
        _TYPES,
        seconds=30,
        limit=1 << 18,
        why=Text("哪些服务随系统启动", "which services start with the system"),
    ),
    shell(
        "services.boot",
        OPENED
        + r"""
[ -d /run/systemd/system ] && echo systemd
for p in /etc/rc[0-6S].d/S* /etc/rc.d/rc[0-6].d/S* /etc/runlevels/*/* \
  /etc/systemd/system/*.wants/* /etc/systemd/system/*.requires/*; do
  if { [ -e "$p" ] || [ -L "$p" ]; } && hp_plain "$p"; then printf '%s\n' "$p"; fi
done
for p in /etc/init.d/*; do [ -x "$p" ] && [ -f "$p" ] && hp_plain "$p" && printf '%s\n' "$p"; done
true
""",
        limit=1 << 17,
        why=Text(
            "SysV/OpenRC 启动项与 systemd 的启用链接",
            "System V and OpenRC boot entries, enablement links of systemd",
        ),
    ),
)

_NOT_BOOTED = re.compile(
    r"not been booted with systemd|Running in chroot|Failed to (?:connect|get D-Bus connection)"
    r"|Can't operate",
    re.IGNORECASE,
)
_MARK = re.compile(r"^[\s●○×↻*]+")
_SYSV = re.compile(r"^/etc/(?:rc\.d/)?rc([0-6S])\.d/S\d*(.+)$")
_OPENRC = re.compile(r"^/etc/runlevels/([^/]+)/(.+)$")
_WANTS = re.compile(r"^/etc/systemd/system/[^/]+\.(?:wants|requires)/(.+)$")


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit. `load`, `state` (active state) and `sub` are systemd's words, `file` the state of

    its unit file (`enabled`, `disabled`, `static`, `masked`, `generated` …), each empty where
    systemd does not know it. `enabled`: it is started at boot by a link of its own.
    """

    name: str
    load: str = ""
    state: str = ""
    sub: str = ""
    file: str = ""
    enabled: bool = False

    @property
    def active(self) -> bool:
        """Is it up? A oneshot that has ended well and remains counts, as in systemd."""
        return self.state in ("active", "reloading", "activating") and self.load != "not-found"

    @property
    def known(self) -> bool:
        """Is there such a unit, running or not?"""
        return bool(self.file) or self.load not in ("", "not-found")

    @property
    def masked(self) -> bool:
        return "masked" in (self.load, self.file) or self.file == "masked-runtime"

    @property
    def line(self) -> str:
        """The unit as one line of evidence."""
        return " ".join(
            (self.name, self.load or "-", self.state or "-", self.sub or "-", self.file or "-")
        )


@dataclass(frozen=True, slots=True)
class Services:
    """All units by name. Where PID 1 is not systemd, `systemd` is False and nothing is active.

    `at_boot` holds the names (without `.service`) that System V or OpenRC start at boot,
    `scripts` the names of init scripts that are there.
    """

    systemd: bool
    units: Mapping[str, Unit]
    at_boot: frozenset[str]
    scripts: frozenset[str]

    def unit(self, name: str) -> Unit:
        """The unit of that name, `.service` may be left off; one not there is not `known`."""
        full = name if re.search(r"\.(service|socket|timer|path)$", name) else f"{name}.service"
        return self.units.get(full, Unit(full))

    def any(self, *names: str) -> Unit | None:
        """The first of `names` that is known, one that is active before others."""
        known = [unit for unit in map(self.unit, names) if unit.known]
        return next((unit for unit in known if unit.active), known[0] if known else None)

    def starts_at_boot(self, name: str) -> bool:
        """Will the init system that runs this host start it at the next boot?"""
        short = name.removesuffix(".service")
        unit = self.unit(name)
        if unit.masked and self.systemd:
            return False
        if self.systemd and unit.file not in ("", "generated"):
            return unit.enabled
        return short in self.at_boot or (self.systemd and unit.enabled)


def services(capture: Capture) -> Services:
    """Raises FactError when the host did not let us see, or systemd gave no answer."""
    boot = capture.read("services.boot").text().splitlines()
    at_boot, linked, scripts = _boot(boot)
    systemd = "systemd" in boot
    files, loaded = _unit_files(capture, systemd), _units(capture, systemd)
    units = {}
    for name in {*files, *loaded, *linked}:
        load, state, sub = loaded.get(name, ("", "", ""))
        file = files.get(name) or files.get(_template(name), "")
        enabled = file == "enabled" if "@" not in name else name in linked
        if name not in files and name in linked:
            enabled = True
        units[name] = Unit(name, load, state, sub, file, enabled and file[:6] != "masked")
    return Services(systemd, units, at_boot, scripts)


def _template(name: str) -> str:
    """The unit that `NAME@INSTANCE.service` is made from."""
    head, _, rest = name.partition("@")
    instance, _, kind = rest.rpartition(".")
    return f"{head}@.{kind}" if instance else name


def _boot(lines: list[str]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    at_boot, linked, scripts = set(), set(), set()
    for line in lines:
        if match := _SYSV.match(line):
            if match[1] in "2345S":
                at_boot.add(match[2].removesuffix(".sh"))
        elif match := _OPENRC.match(line):
            if match[1] in ("default", "boot", "sysinit"):
                at_boot.add(match[2])
        elif match := _WANTS.match(line):
            linked.add(match[1])
        elif line.startswith("/etc/init.d/"):
            scripts.add(line.removeprefix("/etc/init.d/"))
    return frozenset(at_boot), frozenset(linked), frozenset(scripts)


def _answer(capture: Capture, id: str, systemd: bool) -> list[str]:
    """The lines systemctl gave; none where systemd does not run the host."""
    result = capture.read(id)
    if result.absent:
        if systemd:
            raise CouldNotLook(id, msg("systemd_runs_host_no"))
        return []
    said = f"{result.stderr}\n{result.stdout.decode('utf-8', 'replace')}"
    ended = result.status in (ReadStatus.OK, ReadStatus.EXIT, ReadStatus.REFUSED)
    booted = result.status is not ReadStatus.EXIT and not _NOT_BOOTED.search(said)
    if not systemd and ended and not booted:
        return []
    return [line for line in result.text().splitlines() if line.strip()]


def _unit_files(capture: Capture, systemd: bool) -> dict[str, str]:
    known = {}
    for line in _answer(capture, "services.unit_files", systemd):
        parts = line.split()
        if len(parts) < 2 or "." not in parts[0]:
            raise NotUnderstood("services.unit_files", msg("not_unit_file", line=line))
        known[parts[0]] = parts[1]
    if systemd and not known:
        raise NotUnderstood("services.unit_files", msg("systemd_listed_no_unit"))
    return known


def _units(capture: Capture, systemd: bool) -> dict[str, tuple[str, str, str]]:
    known = {}
    for line in _answer(capture, "services.units", systemd):
        parts = _MARK.sub("", line).split(None, 4)
        if len(parts) < 4 or "." not in parts[0]:
            raise NotUnderstood("services.units", msg("not_unit", line=line))
        known[parts[0]] = (parts[1], parts[2], parts[3])
    if systemd is not bool(known):
        why = msg("no_unit_all") if systemd else msg("units_not_seem_run")
        raise NotUnderstood("services.units", msg("systemd_listed", why=why))
    return known
