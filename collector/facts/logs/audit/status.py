"""The kernel's audit: auditctl(8) -s, the kernel command line, auditd.conf(5), loginuid."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.redaction import NO_WORD_OF_PEOPLE, any_case
from collector.i18n.message import msg
from collector.model import Capture, Read, ReadStatus, Text, command, files

# Of the kernel's command line audit= alone leaves. As the kernel takes it (next_arg, parse_args):
# a value or a whole parameter may stand in quotes, with blanks in it; what follows `--` is init's.
_ONLY_AUDIT = r"""/^[0-9]\{1,10\}$/b
y/<>/((/
s/^/ /
s/$/ /
s/[[:space:]]"\(audit=[A-Za-z0-9]\{1,8\}\)"[[:space:]]/ \1 /g
s/\([[:space:]]audit=\)"\([A-Za-z0-9]\{1,8\}\)"/\1\2/g
s/"[^"]*"/***/g
s/".*//
s/[[:space:]]--[[:space:]].*/ /
t hpk
:hpk
s/[[:space:]]\(audit=[A-Za-z0-9]\{1,8\}\)[[:space:]]/ <\1> /
t hpk
s/^[^<]*/***/
s/>[^<]*/ /g
s/</ /g
s/[[:space:]]*$//
s/   */ /g"""

LOG = "/var/log/audit/audit.log"

# Shell text that sets `a` to where auditd writes; its keywords are taken in either case.
WHERE = r"""
a=/var/log/audit/audit.log
[ -r /etc/audit/auditd.conf ] && while IFS=' =	' read -r k v _; do
  case $k in [Ll][Oo][Gg]_[Ff][Ii][Ll][Ee]) case $v in /*) a=$v;; esac;; esac
done </etc/audit/auditd.conf
"""

CONFIG = files(
    "audit.config",
    "/etc/audit/auditd.conf",
    # the script that an action runs, and nothing behind it
    redact=NO_WORD_OF_PEOPLE
    + "\n"
    + rf"s/\({any_case('exec')}[[:space:]]\{{1,\}}[A-Za-z0-9_.\/+-]*\).*/\1/",
    why=Text("审计日志的大小、个数与写满后的动作", "size and number of audit logs, and what then"),
)

READS: tuple[Read, ...] = (
    command(
        "audit.status",
        "auditctl",
        "-s",
        privileged=True,
        why=Text(
            "内核审计是否启用、有无丢失", "whether the kernel audits, and whether it lost any"
        ),
    ),
    CONFIG,
    files(
        "audit.kernel",
        "/proc/cmdline",
        "/proc/self/loginuid",
        limit=4096,
        redact=_ONLY_AUDIT,
        why=Text("内核启动参数 audit=，登录 UID", "the kernel parameter audit=, the login uid"),
    ),
)

# what auditd does when its file is full, the disk is short of room, full, or fails
ACTIONS = (
    "max_log_file_action",
    "space_left_action",
    "admin_space_left_action",
    "disk_full_action",
    "disk_error_action",
)

_OUTER = re.compile(
    r"Operation not permitted|No such device|Connection refused|Protocol not supported"
    r"|You must be root"
)


@dataclass(frozen=True, slots=True)
class AuditStatus:
    """What the kernel says: `enabled` 0 off, 1 on, 2 locked; `pid` of the daemon that listens.

    `lost` counts records since the boot; `backlog` records wait now, of at most `backlog_limit`;
    `rate_limit` is in records a second, 0 for none. Each is -1 where auditctl does not name it.
    """

    enabled: int
    pid: int
    lost: int
    failure: int
    lines: tuple[str, ...]
    backlog: int = -1
    backlog_limit: int = -1
    rate_limit: int = -1


@dataclass(frozen=True, slots=True)
class Audit:
    """`status` is None where auditctl is not there, or where the kernel did not answer it.

    `refused` is then what auditctl said. `boot` is the value of audit= on the kernel's command
    line, empty where it is not given. `config` holds auditd.conf in lower case, None where there
    is no such file.
    """

    status: AuditStatus | None
    refused: str
    tool: bool
    boot: str
    loginuid: str
    config: Mapping[str, str] | None

    def setting(self, name: str, default: str) -> str:
        return (self.config or {}).get(name, default)

    def room(self, name: str, size: int) -> int | None:
        """Bytes that `space_left` or `admin_space_left` means on a file system of `size` bytes.

        In MiB or in percent; None where it is not set.
        """
        match = re.fullmatch(r"(\d{1,9})(%?)", self.setting(name, ""))
        if match is None:
            return None
        return size * int(match[1]) // 100 if match[2] else int(match[1]) << 20

    def actions(self, *wanted: str) -> tuple[str, ...]:
        """The settings `*_action` of auditd.conf(5) that are set to one of `wanted`, as lines.

        `ignore` loses records without a word, `suspend` stops writing them, `halt` and `single`
        take the host down.
        """
        return tuple(
            f"{name} = {value}"
            for name, value in (self.config or {}).items()
            if name in ACTIONS and value.split(" ")[0] in wanted
        )


def audit(capture: Capture) -> Audit:
    """Raises FactError when the host did not let us look, or auditctl said something new."""
    result = capture.read("audit.status")
    status, refused = None, ""
    said = f"{result.stderr} {result.stdout.decode('utf-8', 'replace')}".strip()
    if result.status is ReadStatus.REFUSED and not capture.root:
        result.text()
    elif result.status in (ReadStatus.EXIT, ReadStatus.REFUSED) and _OUTER.search(said):
        refused = said.splitlines()[0]
    elif not result.absent:
        status = _status(result.text())
    kernel = {f.path: f for f in capture.read("audit.kernel").present()}
    line = kernel.get("/proc/cmdline")
    if line is None:
        raise CouldNotLook("audit.kernel", msg("no_proc_cmdline"))
    given = re.findall(r"(?:^|\s)audit=(\S+)", line.text("audit.kernel"))
    login = kernel.get("/proc/self/loginuid")
    config = capture.read("audit.config").one()
    return Audit(
        status,
        refused,
        not result.absent,
        given[-1] if given else "",
        login.text("audit.kernel").strip() if login else "",
        _config(config.text("audit.config")) if config else None,
    )


def audit_log(capture: Capture) -> str:
    """Where auditd writes: its log_file. Raises FactError where its settings were not seen."""
    config = capture.read(CONFIG.id).one()
    text = config.text(CONFIG.id) if config else ""
    named = re.findall(r"(?im)^[ \t]*log_file[ \t]*=[ \t]*(/\S*)", text)
    return named[-1] if named else LOG


def _status(text: str) -> AuditStatus:
    """`enabled 1` on lines of their own (2.3 and later), or all on one line before that."""
    found = {
        key: int(value)
        for key, value in re.findall(r"(?:^|[\s:])([a-z_]+)[ =](-?\d+)(?=\s|$)", text)
    }
    missing = {"enabled", "pid", "lost"} - set(found)
    if missing:
        raise NotUnderstood(
            "audit.status", msg("auditctl_s_names_no", names=", ".join(sorted(missing)))
        )
    lines = tuple(line for line in text.splitlines() if line.strip())
    return AuditStatus(
        found["enabled"],
        found["pid"],
        found["lost"],
        found.get("failure", -1),
        lines,
        *(found.get(name, -1) for name in ("backlog", "backlog_limit", "rate_limit")),
    )


def _config(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {
        key.strip().lower(): value.strip().lower()
        for key, _, value in pairs
        if not key.lstrip().startswith("#")
    }
