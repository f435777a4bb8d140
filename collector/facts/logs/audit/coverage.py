"""Which events the audit rules record: by what a rule matches, never by how it is written.

The kernel goes down its rules in their order, and the first that matches an event decides, rules
on paths and rules on system calls alike; `task` rules come before all (a `never` there switches
the rest off), and what `exclude` names is dropped at the end (kernel/auditsc.c, auditctl(8)).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from collector.facts.base.paths import within
from collector.facts.logs.audit.rules import Rule

Outcome = Literal["recorded", "missing", "voided"]
_UNSET = ("-1", "4294967295", "unset")
# ordinary users begin here (login.defs); older systems began at 500
_FIRST_USER = 1000
# a rule with one of these is about one program or one thread of work, not about all that happens
_NARROW = (
    "exe",
    "pid",
    "ppid",
    "devmajor",
    "devminor",
    "inode",
    "fstype",
    "sessionid",
    "saddr_fam",
)
# of the system calls that change a file, those that name it by a path today
_TELLING = {"w": "openat", "r": "openat", "a": "fchmodat", "x": "execve"}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that must be recorded, done by a person who has logged in.

    Either a system `call`, or an access `perm` (one of `rwxa`) to `path`; `root`: done with
    effective uid 0. `arch` is b64 or b32. `plain` holds conditions that this event always meets.
    """

    arch: str
    call: str = ""
    path: str = ""
    perm: str = ""
    root: bool = False
    plain: frozenset[tuple[str, str, str]] = field(default_factory=frozenset)


def decides(rules: Sequence[Rule], event: Event) -> tuple[Outcome, Rule | None]:
    """What becomes of the event, and the rule that decides it."""
    for rule in rules:
        if rule.filter == "task" and rule.action == "never" and not _narrow(rule):
            return "voided", rule
    for rule in rules:
        if rule.filter not in ("exit", "entry") or not _about(rule, event):
            continue
        if rule.action == "always" and _always(rule, event):
            return _not_excluded(rules, 1300, rule)
        if rule.action == "never" and not _narrow(rule):
            return "voided", rule
    return "missing", None


def message(rules: Iterable[Rule], number: int) -> Rule | None:
    """The rule that keeps messages of programs (1100–1199) of this type out, if there is one."""
    rules = list(rules)
    for rule in rules:
        if rule.filter == "user" and not _narrow(rule):
            if rule.action == "never":
                return rule
            break
    outcome, excluded = _not_excluded(rules, number, None)
    return excluded if outcome == "voided" else None


def _not_excluded(
    rules: Iterable[Rule], number: int, rule: Rule | None
) -> tuple[Outcome, Rule | None]:
    """In the list `exclude` the action does not matter: what matches is dropped."""
    for other in rules:
        if other.filter == "exclude" and not _narrow(other):
            types = [f for f in other.fields if f[0] == "msgtype"]
            if all(_is_type(number, operator, said) for _, operator, said in types):
                return "voided", other
    return "recorded", rule


# <linux/audit.h>; of the types only those that are asked for
_TYPES = {"SYSCALL": 1300, "USER_AUTH": 1100, "USER_START": 1105, "USER_LOGIN": 1112}


def _is_type(number: int, operator: str, said: str) -> bool:
    value = _TYPES.get(said.upper(), int(said) if said.isdecimal() else 0)
    return {
        "=": number == value,
        "!=": number != value,
        ">": number > value > 0,
        ">=": number >= value > 0,
        "<": number < value,
        "<=": number <= value,
    }.get(operator, True)


def _about(rule: Rule, event: Event) -> bool:
    """Can the rule match such an event at all?"""
    if rule.archs is not None and event.arch not in rule.archs:
        return False
    if rule.archs is None and rule.calls is not None and event.arch == "b32":
        return False  # numbers of calls without an architecture are those of the machine's own
    if event.call:
        return not (rule.path or rule.tree) and (rule.calls is None or event.call in rule.calls)
    if rule.perms is not None and event.perm not in rule.perms:
        return False
    # with arch= and perm=, auditctl 4 spells out the calls that the permissions mean
    if rule.calls is not None and (rule.perms is None or _TELLING[event.perm] not in rule.calls):
        return False
    if not (rule.path or rule.tree):
        return rule.calls is None
    path, tree = merged(rule.path), merged(rule.tree)
    below = bool(tree) and within(event.path, tree)
    return event.path == path or below


def merged(path: str) -> str:
    """The path on a system where /bin, /sbin and /var/run are links (it watches the same file)."""
    for old, new in (("/bin/", "/usr/bin/"), ("/sbin/", "/usr/sbin/"), ("/var/run/", "/run/")):
        if path.startswith(old):
            return new + path.removeprefix(old)
    return path


def _always(rule: Rule, event: Event) -> bool:
    """Does the rule match the event whoever of the users does it, and whenever it succeeds?"""
    for compare in rule.compares:
        if not (event.root and compare in ("uid!=euid", "euid!=uid")):
            return False
    return all(_wide(*condition, event) for condition in rule.fields)


def _wide(name: str, operator: str, value: str, event: Event) -> bool:
    if (name, operator, value) in event.plain:
        return True
    if name == "auid":
        if operator == "!=" and value in (*_UNSET, "0", "root"):
            return True
        return operator in (">", ">=") and value.isdecimal() and int(value) <= _FIRST_USER
    if name == "success":
        return (operator, value) in (("=", "1"), ("=", "yes"), ("!=", "0"), ("!=", "no"))
    if name in ("euid", "fsuid"):
        return event.root and operator == "=" and value in ("0", "root")
    return name == "filetype" and operator == "=" and value == "file" and bool(event.path)


def _narrow(rule: Rule) -> bool:
    """Is it about less than what people do: one program, a service's account, what fails?"""
    for name, operator, value in rule.fields:
        if name in _NARROW or name.startswith(("subj_", "obj_")):
            return True
        if operator != "=":
            continue
        if name == "auid" and value in _UNSET:
            return True
        if name in ("uid", "euid", "fsuid", "auid") and _service(value):
            return True
        if name == "success" and value in ("0", "no"):
            return True
        if name == "exit" and value.startswith("-"):
            return True
    return False


def _service(account: str) -> bool:
    """An account of the system other than root; a name that is none of a person's own."""
    if account.isdecimal():
        return 0 < int(account) < _FIRST_USER
    return account in ("chrony", "_chrony", "ntp", "systemd-timesync", "zabbix", "nagios")
