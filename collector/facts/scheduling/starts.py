r"""What units run besides what a timer starts: around a service, and for people.

systemd.service(5): ExecStartPre=, ExecStartPost=, ExecReload=, ExecStopPost= and the rest run at
each start, reload and end; a oneshot's ExecStart= at boot. A manager of a person's own runs the
timers of his home while he is logged in, and always where he lingers (loginctl enable-linger).

>>> text = '''exec ExecStartPre /etc/systemd/system/nginx.service.d/a.conf
... |/bin/rm -f /var/log/nginx/old.gz
... == end'''
>>> [(x.key, x.unit, x.value) for x in _taken(text).settings]
[('ExecStartPre', 'nginx.service', '/bin/rm -f /var/log/nginx/old.gz')]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from collector.errors import NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.base.redaction import only_listed
from collector.facts.scheduling.jobs import called, jobs
from collector.facts.scheduling.models import Job, with_scripts
from collector.facts.system.services import READS as _SERVICE_READS
from collector.facts.system.services import Services, services
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

_READ = "schedules.starts"

READS: tuple[Read, ...] = (
    *_SERVICE_READS,
    shell(
        _READ,
        OPENED
        + r"""
[ -d /run/systemd/system ] || { echo '== end'; exit 0; }
for f in /var/lib/systemd/linger/*; do
  case ${f##*/} in *[!A-Za-z0-9._-]*) ;; *) printf '%s\n' "linger ${f##*/}";; esac
done
set -- /etc/systemd/user/*.wants/* /root/.config/systemd/user/*.wants/* \
  /home/*/.config/systemd/user/*.wants/*
for f; do
  [ -L "$f" ] || [ -e "$f" ] || continue
  case $f in *[!A-Za-z0-9/._@:-]*) ;; *) printf '%s\n' "wanted $f";; esac
done
vendors=
for d in /usr/lib/systemd/system /lib/systemd/system; do
  [ "$d" = /lib/systemd/system ] && [ "$d" -ef /usr/lib/systemd/system ] && continue
  vendors="$vendors $(grep -lE \
    '^Exec[A-Za-z]*=.*(rm|unlink|find|shred|truncate|vacuum[a-z=-]*|tmpwatch|tmpreaper|>) ' \
    "$d"/*.service "$d"/*.service.d/*.conf /dev/null 2>/dev/null | tr '\n' ' ')"
done
set -- $vendors
for d in /etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system; do
  set -- "$@" "$d"/*.service "$d"/*.service.d/*.conf "$d"/service.d/*.conf
done
for d in /etc/systemd/user /root/.config/systemd/user /home/*/.config/systemd/user; do
  set -- "$@" "$d"/*.service "$d"/*.timer "$d"/*.service.d/*.conf
done
found=
for f; do
  [ -f "$f" ] && [ -s "$f" ] || continue
  case $f in *[!A-Za-z0-9/._@:\\-]*) echo 'odd'; continue;; esac
  found="$found$f$hp_nl"
done
IFS=$hp_nl; set -f; set -- $found; set +f
[ $# -le 400 ] || { echo more; set --; }
p='^[[:space:]]*(Exec[A-Za-z]+|Type|Unit)[[:space:]]*=|\\$|^[[:space:]]+[^#;[:space:]]|^[^]#;=[]+$'
[ $# -gt 0 ] && hp_sift E "$p" "$@" |
  awk '
    function say() {
      if (key ~ /^Exec/) print "exec " key " " file "\n|" value
      else if (key == "Type" && value ~ /^[a-z]+$/) print "type " value " " file
      else if (key == "Unit" && value ~ /^[A-Za-z0-9@._:-]+$/) print "unit " value " " file
      key = ""
    }
    {
      at = match($0, /\.(service|timer|conf):/)
      if (!at) next
      f = substr($0, 1, at + RLENGTH - 2); s = substr($0, at + RLENGTH)
      if (f != file || !going) {
        if (key != "") say()
        file = f; value = s
        key = s; sub(/[ \t]*=.*/, "", key); gsub(/[ \t]/, "", key)
        if (s !~ /=/ || key !~ /^(Exec[A-Za-z]+|Type|Unit)$/) key = ""
        sub(/^[^=]*=[ \t]*/, "", value)
      } else value = value " " s
      going = value ~ /\\$/; sub(/[ \t]*\\$/, "", value); sub(/[ \t]+$/, "", value)
    }
    END { if (key != "") say() }'
echo '== end'
""",
        seconds=20,
        limit=1 << 19,
        redact=only_listed("listed"),
        why=Text(
            "服务启动前后执行的命令，用户自己的定时器（口令已屏蔽）",
            "what runs before and after services, and people's own timers (secrets masked)",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of a unit's file or drop-in. `home` is the folder of a person's units, or empty."""

    key: str
    value: str
    path: str

    @property
    def unit(self) -> str:
        """The unit that it is of: `*` where it is a drop-in of all services."""
        folder, _, name = self.path.rpartition("/")
        if name.endswith(".conf"):
            name = folder.rpartition("/")[2].removesuffix(".d")
        return "*" if name == "service" else name

    @property
    def home(self) -> str:
        at = self.path.find("/systemd/user/")
        return self.path[: at + len("/systemd/user")] if at >= 0 else ""


@dataclass(slots=True)
class _Taken:
    settings: list[Setting] = field(default_factory=list)
    linger: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)

    def of(self, unit: str, home: str) -> list[Setting]:
        """What is said of a unit of a person's, and of all of his services."""
        return [s for s in self.settings if s.home == home and s.unit in (unit, "*")]


def starts(capture: Capture) -> tuple[Job, ...]:
    """What units that run, or start by themselves, run besides. Raises FactError."""
    known = services(capture)
    if not known.systemd:
        return ()
    taken = _taken(capture.read(_READ).text())
    timed = {job.run.service for job in jobs(capture) if job.kind == "timer" and job.run}
    return (*_of_system(capture, taken, known, timed), *_of_people(capture, taken, known))


def _of_system(capture: Capture, taken: _Taken, known: Services, timed: set[str]) -> Iterator[Job]:
    oneshot = {s.unit for s in taken.settings if s.key == "Type" and s.value == "oneshot"}
    for one in taken.settings:
        if one.home or not one.key.startswith("Exec"):
            continue
        # what runs all the time is looked at by its process
        if one.key == "ExecStart" and one.unit not in oneshot:
            continue
        if one.unit == "*" or _starts(known, one.unit) or one.unit in timed:
            yield _job(capture, one, "root")


def _starts(known: Services, name: str) -> bool:
    stem, at, rest = name.partition("@")
    if at and rest.startswith("."):
        those = [n for n in known.units if n.startswith(f"{stem}@")]
        return any(_starts(known, n) for n in those if n != name)
    unit = known.unit(name)
    if unit.active or known.starts_at_boot(name):
        return True
    return unit.known and unit.file not in ("disabled", "masked", "masked-runtime")


def _of_people(capture: Capture, taken: _Taken, known: Services) -> Iterator[Job]:
    """By managers of people that run, or will: `user@UID.service`."""
    anybody = bool(taken.linger) or any(
        unit.active for name, unit in known.units.items() if name.startswith("user@")
    )
    for home in sorted({s.home for s in taken.settings if s.home}):
        user = home.split("/")[2] if home.startswith("/home/") else "root"
        own = not home.startswith("/etc/")
        if not (user in taken.linger or (anybody and not own)) and not (own and anybody):
            continue
        begun = {w.rpartition("/")[2] for w in taken.wanted if w.startswith(f"{home}/")}
        for name in sorted(begun):
            service = name
            if name.endswith(".timer"):
                service = f"{name.removesuffix('.timer')}.service"
                said = [s.value for s in taken.of(name, home) if s.key == "Unit"]
                service = said[-1] if said else service
            for one in taken.of(service, home):
                if one.key.startswith("Exec"):
                    yield _job(capture, one, user)


def _job(capture: Capture, one: Setting, user: str) -> Job:
    command = one.value.lstrip("-@:+!")
    text = with_scripts(command, called(capture))
    # how often it comes shows nowhere: each start of the service, at the latest the next boot
    return Job("timer", f"{one.unit} ({one.key})", "daily", user, command, text, True, "", _READ,
               one.path, f"{one.key}={one.value}")  # fmt: skip


def _taken(text: str) -> _Taken:
    lines = text.splitlines()
    if lines[-1:] != ["== end"]:
        raise NotUnderstood(_READ, msg("ends_before_end"))
    taken, head = _Taken(), None
    for line in lines[:-1]:
        if line.startswith("|") and head is not None:
            taken.settings.append(Setting(head[0], line[1:], head[1]))
            head = None
        elif match := re.fullmatch(r"exec (Exec[A-Za-z]+) (/.*)", line):
            head = match[1], match[2]
        elif match := re.fullmatch(r"(type|unit) (\S+) (/.*)", line):
            taken.settings.append(Setting(match[1].capitalize(), match[2], match[3]))
        elif match := re.fullmatch(r"linger (\S+)", line):
            taken.linger.add(match[1])
        elif match := re.fullmatch(r"wanted (/.*)", line):
            taken.wanted.add(match[1])
        elif line.strip():
            raise NotUnderstood(_READ, msg("not_understood", line=line[:120]))
    return taken
