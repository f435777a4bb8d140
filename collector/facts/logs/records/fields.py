"""What each record that counts tells: time, subject, type, result, source address.

GB/T 22239-2019 8.1.4.3 b. Which records count:

- logs of logins: what sshd says of each attempt, sessions that PAM opens and closes, commands of
  sudo, changes by su and login, sessions of systemd-logind, accounts made or changed. A source
  address is wanted of network logins; what happens on the host itself has a terminal. Other
  messages of the same programs (a port they listen on, a connection that ends) do not count.
- audit: records of users (USER_*, CRED_*, accounts), of logins, changes of configuration and
  system calls; a source address where the terminal is ssh.
- access logs of web servers: the client's address is the subject.
- syslog: time and program; the kernel and services have no user.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from collector.facts.logs.records.samples import READS as _SAMPLE_READS
from collector.facts.logs.records.samples import Sampled, records
from collector.model import Capture, Read

READS: tuple[Read, ...] = _SAMPLE_READS

_ADDRESS = r"(?:\d{1,3}\.\d{1,3}\.\*\.\*|[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}:\*|::ffff:[\d.*]+|::1)"
_NAME = r"[A-Za-z*][A-Za-z*_.@\\-]*"
_TIME = re.compile(
    r"^(?:<\d+>(?:1 )?)?(?:[A-Z][a-z]{2} [ \d]\d [\d:]{8}|\d{4}-\d\d-\d\d[T ][\d:]{8}[.,\d]*"
    r"(?: ?(?:Z|[-+]\d\d:?\d\d))?) "
)
_PROGRAM = re.compile(
    r"(?:^|[ /(])(sshd|sshd-session|sudo|su|su-l|login|systemd-logind|passwd|chpasswd|useradd"
    r"|userdel|usermod|groupadd|vsftpd|dropbear)(?:\[\d+\])?: +(.*)$"
)
_LISTED = re.compile(r"(?:^| )[A-Za-z(][\w.()/@-]*(?:\[\d+\])?:")
# Masking leaves of a tag such as k3s its first letter. Only behind time and host is that a tag:
# further on it is any word of a message. busybox writes facility and level before it. The plugin by
# which rpm tells of packages calls itself [RPM].
_TAG = re.compile(
    r"[^ ]+ (?:[\w*]+\.[\w*]+ )?"
    r"(?:[A-Za-z(*][\w.()/@*-]*(?:\[[\w.*-]+\])?|\[R(?:PM|\*\*)\]\[[\d*]+\]):(?: |$)"
)

# Of each kind: what its message looks like, and what must be found in it besides.
_NETWORK, _LOCAL = ("subject", "address"), ("subject",)
_LOGINS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"(?:Accepted|Failed) \S+(?: for|$)"), _NETWORK),
    (re.compile(r"Invalid user "), _NETWORK),
    (re.compile(r"message repeated [\d*]+ times: \[ ?(?:Accepted|Failed) "), _NETWORK),
    (re.compile(r"pam_unix\(\S+session\): session (?:opened|closed)"), _LOCAL),
    (re.compile(r"\S+ : (?:.* ; )?(?:TTY|PWD|USER|COMMAND)="), _LOCAL),
    (re.compile(r"(?:FAILED SU )?\(to "), _LOCAL),
    (re.compile(r"(?:ROOT )?LOGIN ON|FAILED LOGIN"), _LOCAL),
    (re.compile(r"New session \S+ of user "), _LOCAL),
    (re.compile(r"new user: |pam_unix\(\S*chauthtok\): password changed"), _LOCAL),
)
_SUBJECTS = re.compile(
    rf"(?:for (?:invalid user |illegal user )?|user |name=|BY |FOR ['\"]?|\(to )({_NAME})"
    rf"|^({_NAME}) : |^(ROOT) LOGIN|(Failed|Accepted) \S+ for (?:invalid user )? from"
)
_AUDITED = re.compile(r"type=(USER_\w+|CRED_\w+|(?:ADD|DEL|GRP)_\w+|LOGIN|CONFIG_CHANGE|SYSCALL) ")
_AUDIT = {
    "time": re.compile(r"msg=audit\(\d+\.\d+:\d+\)"),
    "subject": re.compile(rf'(?:acct="?{_NAME}|\b(?:id|auid|uid)=\d+|\bauid=unset|ID=")'),
    "result": re.compile(r"\b(?:res|success)=(?:success|failed|yes|no|1|0)\b"),
}
_WEB = {
    "time": re.compile(
        r"\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]{8}|\d{4}-\d\d-\d\d[T ][\d:]{8}|\b1[6-9]\d{8}\.\d"
    ),
    "address": re.compile(_ADDRESS),
    "type": re.compile(
        r"\b(?:GET|POST|HEAD|PUT|DELETE|OPTIONS|PATCH|CONNECT|TRACE|PROPFIND) "
        r'|"[\w-]*(?:ur[il]|path)[\w-]*":|"-"|[" ]/'
    ),
    "result": re.compile(r'(?:^|[ :"|,=])[1-5]\d\d(?=$|[ ,"}|])'),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """One record that counts, and which of the wanted fields it lacks."""

    family: str
    path: str
    line: str
    missing: tuple[str, ...]


def checked(capture: Capture) -> tuple[Checked, ...]:
    """Every sampled record that counts. Raises FactError when the logs could not be looked at."""
    found: list[Checked] = []
    for log in records(capture).logs.values():
        held = [record for line in log.lines for record in _check(log, line)]
        # with LogLevel QUIET sshd names no address, and its sessions have none
        if log.kind == "auth" and not any("Accepted " in record.line for record in held):
            held = [_unnamed(r) if "(sshd:session): session opened" in r.line else r for r in held]
        found += held
    return tuple(found)


def _unnamed(record: Checked) -> Checked:
    return replace(record, missing=(*record.missing, "address"))


def _check(log: Sampled, line: str) -> Iterator[Checked]:
    if log.kind == "auth" and (missing := _login(line)) is not None:
        yield Checked("login", log.path, line, missing)
    elif log.kind == "audit" and _AUDITED.search(line):
        lacking = [name for name, form in _AUDIT.items() if not form.search(line)]
        remote = re.search(r"terminal=ssh\b", line)
        if remote and not re.search(rf"\b(?:addr|hostname)={_ADDRESS}", line):
            lacking.append("address")
        yield Checked("audit", log.path, line, tuple(lacking))
    elif log.kind == "web":
        lacking = [name for name, form in _WEB.items() if not form.search(line)]
        yield Checked("web", log.path, line, tuple(lacking))
    elif log.kind == "syslog":
        time = _TIME.match(line)
        lacking = [] if time else ["time"]
        if not (_TAG.match(line, time.end()) if time else _LISTED.search(line)):
            lacking.append("type")
        yield Checked("syslog", log.path, line, tuple(lacking))


def _login(line: str) -> tuple[str, ...] | None:
    """What a record of a login lacks; None where it is none."""
    program = _PROGRAM.search(line)
    if program is None:
        return None
    message = program[2]
    wanted = next((needs for form, needs in _LOGINS if form.match(message)), None)
    if wanted is None:
        return None
    missing = [] if _TIME.match(line) else ["time"]
    if "subject" in wanted and not _SUBJECTS.search(message):
        missing.append("subject")
    if "address" in wanted and not re.search(rf"(?:from|rhost=) ?{_ADDRESS}", message):
        missing.append("address")
    return tuple(missing)
