"""Mandatory access control as the kernel has it: SELinux, AppArmor, and what is set for boot."""

from __future__ import annotations

import re
from dataclasses import dataclass

from collector.errors import NotUnderstood
from collector.facts.base.redaction import NO_WORD_OF_PEOPLE
from collector.facts.system.kysec import Kysec, kysec
from collector.i18n.message import msg
from collector.model import Capture, Read, Text, shell

READS: tuple[Read, ...] = (
    shell(
        "mandatory.state",
        r"""
for f in /sys/fs/selinux/enforce /selinux/enforce /sys/module/apparmor/parameters/enabled \
  /sys/kernel/security/lsm; do
  [ -r "$f" ] || continue
  v=; read -r v <"$f"; printf '%s=%s\n' "$f" "$v"
done
for f in /sys/kernel/security/kysec/*; do
  v=; { [ -f "$f" ] && read -r v <"$f"; } 2>/dev/null
  case $v in '' | *[!0-9]*) ;; *) printf '%s=%s\n' "$f" "$v" ;; esac
done
[ -d /sys/kernel/security/apparmor ] && {
  echo '== profiles'
  sed -n 's/.*(\([a-z]*\))$/\1/p' /sys/kernel/security/apparmor/profiles | sort | uniq -c
  echo '== confined'
  grep -a . /proc/[0-9]*/attr/apparmor/current /dev/null 2>/dev/null | grep -c '(enforce)'
}
echo '== boot'
sed -n '/^[[:space:]]*SELINUX[A-Z]*=/p' /etc/selinux/config 2>/dev/null
grep -o -E '(selinux|enforcing|apparmor|security)=[a-z0-9]*' /proc/cmdline 2>/dev/null
sed -n 's/^[[:space:]]*\(kysec_[a-z]*\)[[:space:]]*=[[:space:]]*\([0-9]\{1,\}\).*/\1=\2/p' \
  /etc/kysec/kysec.conf 2>/dev/null
command -v getstatus >/dev/null 2>&1 && [ -d /etc/kysec ] && getstatus 2>/dev/null | head -n 20
echo '== end'
""",
        limit=16_384,
        redact=NO_WORD_OF_PEOPLE,
        privileged=True,
        why=Text(
            "SELinux、AppArmor 等强制访问控制是否生效", "whether SELinux or AppArmor is enforced"
        ),
    ),
)


_LINES = re.MULTILINE | re.IGNORECASE


@dataclass(frozen=True, slots=True)
class Mandatory:
    """`selinux`: enforcing, permissive or empty (not in the kernel); `boot` the same for boot.

    `apparmor`: is it on; `profiles` in enforce mode, `confined` processes under one of them.
    """

    selinux: str
    boot: str
    apparmor: bool
    profiles: int
    confined: int
    kysec: Kysec
    lines: tuple[str, ...]


def mandatory(capture: Capture) -> Mandatory:
    """Raises FactError when the kernel's state could not be seen."""
    text = capture.read("mandatory.state").text()
    if not text.rstrip().endswith("== end"):
        raise NotUnderstood("mandatory.state", msg("ends_before_end"))
    state = dict(re.findall(r"^(/\S+)=(.*)$", text, re.MULTILINE))
    enforce = state.get("/sys/fs/selinux/enforce", state.get("/selinux/enforce"))
    if enforce not in (None, "0", "1"):
        raise NotUnderstood("mandatory.state", msg("selinux_enforce", enforce=enforce))
    boot = text.partition("== boot\n")[2]
    # libselinux goes by the first line that holds a mode and begins with the name
    at_boot = re.search(r"^SELINUX=\s*(enforcing|permissive|disabled)", boot, _LINES)
    word = at_boot[1].lower() if at_boot else ""
    if re.search(r"^(selinux=0)$", boot, re.MULTILINE):
        word = "disabled"
    elif re.search(r"^enforcing=0$", boot, re.MULTILINE):
        word = "permissive"
    elif re.search(r"^enforcing=1$", boot, re.MULTILINE):
        word = "enforcing"
    profiles = re.search(r"^[^\S\n]*(\d+) enforce$", text, re.MULTILINE)
    confined = re.search(r"^== confined\n(\d+)$", text, re.MULTILINE)
    return Mandatory(
        {None: "", "0": "permissive", "1": "enforcing"}[enforce],
        word,
        state.get("/sys/module/apparmor/parameters/enabled") == "Y",
        int(profiles[1]) if profiles else 0,
        int(confined[1]) if confined else 0,
        kysec(text),
        tuple(x.strip() for x in text.splitlines() if x.strip() and x.strip() != "== end"),
    )
