"""What the tests have done in the guest: rules loaded, the script run, events made to happen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from collector import catalog
from collector.assess import assess_host
from collector.facts.logs.audit.coverage import Event
from collector.model import Capture, Finding
from collector.script import collector_script, parse_output
from tests.vm.machine import Machine

_BOTH = ("b64", "b32")
_RECORD = "^type=SYSCALL.*key=.K."
# that each command is started, too, is an event of its own: it counts where it is the one meant
_START = "syscall=59 "
SU = "becoming root with su"
CALLS = {
    "time-change": "adjtimex,settimeofday,clock_settime",
    "mounts": "mount,move_mount",
    "delete": "unlink,unlinkat,rename,renameat,renameat2",
}
IDENTITY = [
    f"-w /etc/{name} -p wa -k identity" for name in ("passwd", "shadow", "group", "gshadow")
]
GOOD = [
    *IDENTITY,
    *(
        f"-a always,exit -F arch={a} -S {calls} -k {key}"
        for key, calls in CALLS.items()
        for a in _BOTH
    ),
    *(f"-a always,exit -F arch={a} -S execve -F euid=0 -k rootcmd" for a in _BOTH),
    "-w /var/log/wtmp -p wa -k logins",
]

# a command as a person who logged in as uid 1000 and became root, and the events that it is made of
EVENTS: dict[str, tuple[str, tuple[Event, ...]]] = {
    "chmod passwd": ("chmod 644 /etc/passwd", (Event("b64", path="/etc/passwd", perm="a"),)),
    "write gshadow": (": >>/etc/gshadow", (Event("b64", path="/etc/gshadow", perm="w"),)),
    "date": ('date -s "@$(date +%s)" >/dev/null', (Event("b64", "clock_settime"),)),
    "rm": ("rm /tmp/a", (Event("b64", "unlinkat"),)),
    "mv": ("mv /tmp/b /tmp/c", (Event("b64", "renameat2"),)),
    "mount": ("mount -t tmpfs x /mnt", (Event("b64", "move_mount"),)),
    SU: (
        "setpriv --reuid 1000 --clear-groups /usr/bin/su --version >/dev/null",
        (Event("b64", path="/usr/bin/su", perm="x"), Event("b64", "execve", root=True)),
    ),
}


def load(machine: Machine, rules: list[str], *, filed: list[str] | None = None) -> None:
    """The rules into the kernel, and (`filed`, else the same) into rules.d."""
    text = "\n".join(rules)
    files = "\n".join(["-D", "-b 8192", "-f 1", *(rules if filed is None else filed)])
    machine.shell(
        f"cat >/etc/audit/rules.d/audit.rules <<'E'\n{files}\nE\n"
        f"cat >/tmp/rules <<'E'\n{text}\nE\n"
        "auditctl -e 1 >/dev/null; auditctl -D >/dev/null; auditctl -R /tmp/rules >/dev/null 2>&1"
    )


def collected(machine: Machine, *controls: str) -> Capture:
    """What the collector script of these controls brings home; kept where the tester wants it."""
    known = catalog.controls()
    reads = catalog.reads_for([known[name] for name in controls])
    # an emulated machine is ten times slower than a host that the limits are made for
    patient = [replace(read, seconds=120) for read in reads.values()]
    script = collector_script(patient).encode()
    output = machine.ssh("sh", "-s", data=script, seconds=300)
    if folder := os.environ.get("HOSTPLEDGE_VM_KEEP"):
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        number = len(list(place.glob("*.capture")))
        (place / f"{number:02d}-{machine.suite}.capture").write_bytes(output)
    return parse_output(output, host="vm")


def judged(
    capture: Capture,
    control: str,
    grade: int = 2,
    attached: Mapping[str, bytes] | None = None,
) -> Finding:
    assert capture.collected_at is not None
    (found,) = assess_host(
        capture,
        [catalog.controls()[control]],
        grade=grade,
        at=capture.collected_at,
        attached=attached,
    )
    return found


def recorded(machine: Machine, rules: list[str]) -> tuple[str, dict[str, bool]]:
    """`auditctl -l` under these rules, and of each event whether the kernel recorded it."""
    load(machine, rules)
    lines = ["log=/var/log/audit/audit.log", "auditctl -l", "echo @"]
    for name, (command, _) in EVENTS.items():
        start = "" if name == SU else f"| grep -av '{_START}' "
        lines.append(
            "umount /mnt 2>/dev/null || true; touch /tmp/a /tmp/b; rm -f /tmp/c; sleep 0.2; "
            f"n=$(stat -c %s $log); (echo 1000 >/proc/self/loginuid; {command}); sleep 0.4; "
            f'echo "{name}=$(tail -c +$((n + 1)) $log {start}| grep -ac "{_RECORD}" || true)"'
        )
    said = machine.shell("\n".join(lines), seconds=300)
    listing, _, counts = said.partition("@\n")
    pairs = (line.partition("=") for line in counts.splitlines())
    return listing, {name: int(count) > 0 for name, _, count in pairs}
