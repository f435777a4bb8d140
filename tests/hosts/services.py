"""systemctl(1) and journalctl(1): units as facts, printed in the form of the host's systemd.

Forms: systemctl of 219 (EL 7) sets two blanks or a sign before each unit of a list, and knows
neither the third column of list-unit-files (since 245) nor IPAddressDeny (235) nor TimersCalendar
(printed since 227): NEWS and src/systemctl of systemd's tags.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.hosts.facts import Facts
from tests.hosts.root import CLOCK, DAY, PLAYED, UP, Root

_SHOW = f"""
d={PLAYED}/units
case "$1" in
(--version) exec cat {PLAYED}/systemd.version;;
(list-unit-files) case "$*" in (*type=timer*) exec cat $d.files.timer;; esac; exec cat $d.files;;
(list-units) case "$*" in (*type=timer*) exec cat $d.units.timer;; esac; exec cat $d.units;;
(is-active|is-enabled) u=$2; case "$u" in (*.*) ;; (*) u=$u.service;; esac
  k=ActiveState; [ "$1" = is-active ] || k=UnitFileState
  a=inactive; [ "$1" = is-active ] || a=disabled
  [ ! -f "$d/$u" ] || while IFS= read -r l; do
    case "$l" in ("$k="*) a=${{l#*=}};; esac
  done <"$d/$u"
  printf '%s\\n' "$a"; case "$a" in (active|enabled|static) exit 0;; (*) exit 3;; esac;;
(show) ;;
(*) exit 1;;
esac
k=' '; u=; shift
while [ $# -gt 0 ]; do
  case "$1" in
    (-p) IFS=,; for p in $2; do k="$k$p "; done; unset IFS; shift;;
    (--*) ;;
    (*) u="$u $1";;
  esac
  shift
done
e=
for n in $u; do
  for f in $d/$n; do
    [ -z "$e" ] || echo
    e=1
    if [ -f "$f" ]; then
      while IFS= read -r l; do
        case "$k" in (*" ${{l%%=*}} "*) printf '%s\\n' "$l";; esac
      done <"$f"
    else
      case "$k" in (*' Id '*) printf 'Id=%s\\n' "$n";; esac
      case "$k" in (*' LoadState '*) echo LoadState=not-found;; esac
      case "$k" in (*' ActiveState '*) echo ActiveState=inactive;; esac
    fi
  done
done
"""
_JOURNAL = f"""
case "$*" in
(--version) exec cat {PLAYED}/systemd.version;;
(*--header*) exec cat {PLAYED}/journal.header;;
(*'-D '*'short-iso') exec cat {PLAYED}/journal.days;;
(*'short-iso -n 20000 '*_UID=0' _COMM=sshd'*) cat {PLAYED}/journal.sshd 2>/dev/null;;
(*'short-iso -n 3') exec cat {PLAYED}/journal.last;;
esac
exit 0
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """`state` of the unit file; `active` as ActiveState/SubState; `more` are further properties."""

    id: str
    state: str = "enabled"
    active: str = "active/running"
    pid: int = 0
    start: str = ""
    more: tuple[str, ...] = ()


def systemd(root: Root, facts: Facts, units: list[Unit]) -> None:
    """All of systemctl and journalctl, with the links by which units start at boot."""
    from datetime import UTC, datetime

    v = facts.systemd
    root.file(f"{PLAYED}/systemd.version", f"systemd {v}\n+PAM +AUDIT +SELINUX\n")
    root.folder("/run/systemd/system")
    root.program("/usr/bin/systemctl", _SHOW)
    root.program("/usr/bin/journalctl", _JOURNAL)
    then = datetime.fromtimestamp(CLOCK - UP + 120, UTC).strftime("%a %Y-%m-%d %H:%M:%S UTC")
    listed, files = [], []
    for unit in units:
        active, _, sub = unit.active.partition("/")
        lines = [
            f"Id={unit.id}",
            "LoadState=loaded",
            f"ActiveState={active}",
            f"SubState={sub}",
            f"UnitFileState={unit.state}",
            f"FragmentPath=/usr/lib/systemd/system/{unit.id}",
        ]
        if unit.id.endswith(".service"):
            lines += [
                "Type=notify",
                f"MainPID={unit.pid}",
                f"ExecMainStartTimestamp={then if unit.pid else ''}",
                f"StateChangeTimestamp={then}",
                "Result=success",
                "User=",
                "Restart=no",
                "RefuseManualStop=no",
            ]
            if unit.start:
                lines.append(
                    f"ExecStart={{ path={unit.start.split()[0]} ; argv[]={unit.start} ; "
                    "ignore_errors=no ; start_time=[n/a] ; stop_time=[n/a] ; pid=0 ; "
                    "code=(null) ; status=0/0 }"
                )
            if v >= 235:
                lines += ["IPAddressAllow=", "IPAddressDeny="]
        own = {line.partition("=")[0] for line in unit.more}
        lines = [line for line in lines if line.partition("=")[0] not in own]
        root.file(f"{PLAYED}/units/{unit.id}", "\n".join([*lines, *unit.more, ""]))
        root.file(f"/usr/lib/systemd/system/{unit.id}", "[Unit]\n")
        before = "  " if v < 230 else ""
        listed.append(f"{before}{unit.id:<42} loaded    {active:<8} {sub:<9} {unit.id}")
        preset = " enabled" if v >= 245 else ""
        files.append(f"{unit.id:<42} {unit.state:<9}{preset}")
        if unit.state == "enabled":
            kind = "timers" if unit.id.endswith(".timer") else "multi-user"
            root.link(
                f"/etc/systemd/system/{kind}.target.wants/{unit.id}",
                f"/usr/lib/systemd/system/{unit.id}",
            )
    for name, lines in (("units", listed), ("files", files)):
        root.file(f"{PLAYED}/units.{name}", "\n".join([*lines, ""]))
        timers = [line for line in lines if ".timer" in line.split()[0]]
        root.file(f"{PLAYED}/units.{name}.timer", "\n".join([*timers, ""]) if timers else "")


def timer(name: str, command: str, calendar: str) -> list[Unit]:
    """A timer by the calendar and its service, as their properties are printed."""
    from datetime import UTC, datetime

    last = datetime.fromtimestamp(CLOCK - DAY // 6, UTC).strftime("%a %Y-%m-%d %H:%M:%S UTC")
    more = (
        f"Unit={name}.service",
        f"LastTriggerUSec={last}",
        "Result=success",
        f"TimersCalendar={{ OnCalendar={calendar} ; next_elapse=Thu 2026-11-26 00:00:00 UTC }}",
    )
    ran = (
        f"ExecMainStartTimestamp={last}",
        f"ExecMainExitTimestamp={last}",
        "ExecMainCode=1",
        "ExecMainStatus=0",
        "ConditionResult=yes",
        f"ConditionTimestamp={last}",
    )
    return [
        Unit(f"{name}.timer", "enabled", "active/waiting", more=more),
        Unit(f"{name}.service", "static", "inactive/dead", start=command, more=ran),
    ]
