"""What runs: every process with its real program, its user and the unit it belongs to.

Only /proc is read, by three greps and one ls for all processes together, so that it costs the
same on a minimal image without ps. `grep` puts the file's name before each line: what a process
calls itself cannot pass for another process.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.base.opened import OPENED
from collector.facts.system.program_files import PLACES, program_files
from collector.i18n.message import msg
from collector.model import Capture, Read, ReadStatus, Text, shell

# Arguments carry passwords in ways that nobody can list: only the program's own word stays, and of
# a title what goes for one. Besides these what is judged by: the script that a shell runs, the
# numbers of sshguard, and the log that sshd writes by itself.
_SAID = r"^\(.proc.[0-9]*.cmdline:"
_PATH = "/[A-Za-z0-9_./-]*"
_NO_ARGUMENTS = rf"""/^.proc.[0-9]*.cmdline:/{{
t hpn
:hpn
s#{_SAID}[A-Za-z0-9_./-]*sshg-blocker\( -[A-Za-z0-9] [A-Za-z0-9_./:-]*\)*\).*#\1#
t
s#{_SAID}-\{{0,1\}}[a-z0-9/]*sh\( -[a-z]*\)* {_PATH}\).*#\1#
t
s#{_SAID}[A-Za-z0-9_./-]*sshd:\{{0,1\}}\) .*-E *\({_PATH}\).*#\1 -E \2#
t
s/{_SAID}[^[:space:][:cntrl:]=:]*:\{{0,1\}}\).*/\1/
}}"""

READS: tuple[Read, ...] = (
    shell(
        "processes.all",
        OPENED
        + r"""
grep -E '^(Name|State|PPid|Uid|VmSize):' /proc/[0-9]*/status /dev/null 2>/dev/null | cut -c 1-200
grep -E '^0::|:name=systemd:' /proc/[0-9]*/cgroup /dev/null 2>/dev/null | cut -c 1-500
grep -a -m 1 . /proc/[0-9]*/cmdline /dev/null 2>/dev/null | tr '\000' ' ' | cut -c 1-400
echo '== exe'
l=$(hp_ls -ldn /proc/[0-9]*/exe 2>/dev/null); printf '%s\n' "$l"
"""
        + PLACES
        + r"""true
""",
        limit=1 << 22,
        redact=_NO_ARGUMENTS,
        why=Text(
            "正在运行的程序及其真实路径（不取命令行参数）",
            "what runs, by the real path of its program (arguments are left out)",
        ),
    ),
)

_ENTRY = re.compile(r"^/proc/(\d+)/(status|cgroup|cmdline):(.*)$")
_LINK = re.compile(r"^l\S*\s+\d+\s+\d+\s+\d+\s.*?\s/proc/(\d+)/exe(?: -> (.*))?$")
_UNIT = re.compile(r"(?<![^/])([^/]+\.(?:service|socket|scope))(?:/|$)")
_CONTAINER = re.compile(
    r"/(?:docker|libpod|crio|cri-containerd|nerdctl)-[0-9a-f]{12,}"
    r"|/(?:docker|lxc|lxc\.payload[^/]*|kubepods[^/]*|libpod_parent|machine\.slice|actions_job)/"
)
# services that start what a user says
_OF_USERS = re.compile(
    r"(cron|crond|cronie|anacron|atd|sshd?|sshd?@.*|(?:[a-z]*-)?getty@.*|user@.*)\.service"
)
_DELETED = " (deleted)"
# where only root puts programs
_PROGRAMS = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/", "/snap/", "/nix/", "/gnu/")
# where everybody does; root may keep a program anywhere else
_EVERYBODYS = ("/tmp/", "/var/tmp/", "/dev/", "/run/", "/home/", "/memfd:")  # noqa: S108


@dataclass(frozen=True, slots=True)
class Process:
    """One process in user space. `exe` is the path its program was started from, None when the

    host did not let us see it; `deleted` says that the file at that path is no longer that
    program. `uid` is the effective one, `unit` the systemd unit it belongs to (or empty).
    `login`: somebody who can log in started it, and no service of the system's. `service`: it
    lives in such a service, which does not start what a user says.
    `own`: its program is the file at that path of this host, and none but root can put one there;
    None where the capture does not tell. `foreign`: that file is another one, and it runs in no
    container known as one: any user lays a program at any path of a namespace of his. It counts as
    contained.
    """

    pid: int
    ppid: int
    uid: int
    name: str
    exe: str | None
    deleted: bool
    cmdline: str
    unit: str
    container: bool
    login: bool = False
    service: bool = False
    own: bool | None = None
    foreign: bool = False

    @property
    def line(self) -> str:
        """The process as one line of evidence."""
        exe = "?" if self.exe is None else self.exe + (_DELETED if self.deleted else "")
        return f"{self.pid} uid={self.uid} {self.name} {exe} {self.unit}".rstrip()

    def systems(self, *names: str) -> bool | None:
        """Is it the system's own program of one of `names`? None: its program was not seen.

        A name and a command line prove nothing, anyone may take them. Root started it, or a
        service of the system's did, and its program is called so, and is this host's own.

        >>> def one(uid, exe, **more):
        ...     return Process(9, 1, uid, "rsyslogd", exe, False, "", "", False, **more)
        >>> one(0, "/usr/sbin/rsyslogd").systems("rsyslogd")
        True
        >>> one(104, "/usr/sbin/rsyslogd", service=True, own=True).systems("rsyslogd")
        True
        >>> one(104, "/usr/sbin/rsyslogd", service=True).systems("rsyslogd") is None
        True
        >>> one(65534, "/usr/sbin/rsyslogd").systems("rsyslogd")
        False
        >>> one(104, "/home/bob/rsyslogd", service=True).systems("rsyslogd")
        False
        >>> one(0, "/tmp/rsyslogd").systems("rsyslogd")
        False
        >>> one(0, "/usr/bin/perl").systems("rsyslogd")
        False
        >>> one(0, None).systems("rsyslogd") is None
        True
        """
        if self.name not in names or self.container:
            return False
        if self.uid and not self.service:
            return False
        if self.exe is None:
            return None
        if self.exe.startswith(_EVERYBODYS) or (self.uid and not self.exe.startswith(_PROGRAMS)):
            return False
        base = self.exe.rpartition("/")[2]
        if not any(_called(base, name) for name in names) and (self.uid or base != "busybox"):
            return False
        # a capture from before this was looked at: no user's program is root's process
        return self.own if self.uid else True

    @property
    def hosts(self) -> bool | None:
        """Does it show what runs on this host? Root started it, or its program is the host's own.

        None where the capture does not tell of a program that root did not start.
        """
        return not self.foreign if not self.uid else self.own


def of_the_host(those: Iterable[Process]) -> tuple[Process, ...]:
    """Those that `hosts` holds of. Raises CouldNotLook where that is not told, and of none else."""
    known = tuple(those)
    found = tuple(p for p in known if p.hosts)
    for process in known:
        if process.hosts is None and not found:
            raise CouldNotLook(
                "processes.all", msg("program_process", pid=process.pid, name=process.name)
            )
    return found


@dataclass(frozen=True, slots=True)
class Processes:
    """Every process. `complete`: PID 1 was among them, so none was hidden (hidepid)."""

    all: tuple[Process, ...]
    complete: bool

    def running(self, *patterns: str) -> tuple[Process, ...]:
        """Those whose program lies at one of the glob `patterns`."""
        return tuple(p for p in self.all if p.exe is not None and _matches(p.exe, patterns))

    def named(self, *names: str) -> tuple[Process, ...]:
        """Those that go by one of `names`: a name proves nothing, anyone may take it."""
        return tuple(p for p in self.all if p.name in names)

    def of_the_system(self, *names: str) -> tuple[Process, ...]:
        """Those of `named` that are the system's own (`Process.systems`).

        Raises CouldNotLook where the program of one that may be was not to be seen.
        """
        told = [(p, p.systems(*names)) for p in self.named(*names)]
        for process, own in told:
            if own is None:
                raise CouldNotLook(
                    "processes.all", msg("program_process", pid=process.pid, name=process.name)
                )
        return tuple(process for process, own in told if own)

    def absent(self, *patterns: str) -> bool:
        """Does certainly none of `patterns` run?

        Raises CouldNotLook where a program could not be seen that might be one of them: its name
        is that of a pattern's file, or processes are hidden altogether.
        """
        if self.running(*patterns):
            return False
        if not self.complete:
            raise CouldNotLook("processes.all", msg("processes_others_hidden"))
        ends = {pattern.rsplit("/", 1)[-1][:15] for pattern in patterns}
        for process in self.all:
            if process.exe is None and _matches(process.name, ends):
                raise CouldNotLook(
                    "processes.all", msg("program_process", pid=process.pid, name=process.name)
                )
        return True


def processes(capture: Capture) -> Processes:
    """Every process of the host, its own kernel threads left out.

    Raises FactError when /proc could not be read.
    """
    result = capture.read("processes.all")
    if result.status is not ReadStatus.OK:
        result.text()
    # a process may call itself by such a head, behind the name of its file
    head, *parts = re.split(r"(?m)^== (?:exe|spaces|files)\n", result.text())
    tail, spaces, files = (*parts, "", "", "")[:3]
    found: dict[int, dict[str, str]] = {}
    for line in head.splitlines():
        match = _ENTRY.match(line)
        if match is None:
            raise NotUnderstood("processes.all", msg("not_line_proc", line=line[:120]))
        _add(found.setdefault(int(match[1]), {}), match[2], match[3])
    if not any("Name" in fields for fields in found.values()):
        raise NotUnderstood("processes.all", msg("not_single_process_seen"))
    programs, kept = _programs(tail), program_files(spaces, files)
    return Processes(
        tuple(
            _process(pid, fields, programs.get(pid), kept.get(pid))
            for pid, fields in sorted(found.items())
            if "VmSize" in fields and "Uid" in fields
        ),
        complete=1 in found and "Name" in found[1],
    )


def _add(fields: dict[str, str], kind: str, text: str) -> None:
    if kind == "status":
        name, _, value = text.partition(":")
        fields.setdefault(name, value.strip())
    elif kind == "cgroup":
        # the systemd hierarchy of cgroup v1 stands before the unified one where both are there
        path = text.split(":", 2)[-1]
        if fields.get("cgroup", "/") == "/":
            fields["cgroup"] = path
    else:
        fields["cmdline"] = f"{fields['cmdline']}\n{text}" if "cmdline" in fields else text


def _programs(text: str) -> dict[int, str | None]:
    """Where the link of each pid leads; a pid that stands twice was made up: None."""
    programs: dict[int, str | None] = {}
    for line in text.splitlines():
        if match := _LINK.match(line):
            pid = int(match[1])
            programs[pid] = None if pid in programs else match[2]
    return programs


def _process(
    pid: int, fields: dict[str, str], exe: str | None, kept: tuple[bool, bool] | None
) -> Process:
    group = fields.get("cgroup", "")
    units = _UNIT.findall(group)
    uids, parent = fields["Uid"].split(), fields.get("PPid", "0")
    if len(uids) < 2 or not _number(uids[1]) or not _number(parent):
        raise NotUnderstood(
            "processes.all",
            msg("proc_status_uid_ppid", pid=pid, fields=fields["Uid"], parent=parent),
        )
    contained = bool(_CONTAINER.search(group))
    foreign = kept is not None and kept[1] and not contained
    process = Process(
        pid=pid,
        ppid=int(parent),
        uid=int(uids[1]),
        name=fields.get("Name", ""),
        exe=exe,
        deleted=False,
        cmdline=fields.get("cmdline", "").strip(),
        unit=units[-1] if units else "",
        container=contained or foreign,
        login=_login(int(uids[1]), group, units),
        service=_service(int(uids[1]), group, units),
        own=None if kept is None else kept[0],
        foreign=foreign,
    )
    if exe is not None and exe.endswith(_DELETED):
        process = replace(process, exe=exe.removesuffix(_DELETED), deleted=True)
    return process


def _login(uid: int, group: str, units: list[str]) -> bool:
    # 60001 and up: accounts that systemd makes for a service, and nobody
    if uid < 1000 or 60000 < uid < 65536:
        return False
    if group.startswith("/user.slice/"):
        return True
    if _CONTAINER.search(group):
        return False
    unit = units[-1] if units else ""
    return not unit.endswith(".service") or bool(_OF_USERS.fullmatch(unit))


def _service(uid: int, group: str, units: list[str]) -> bool:
    """Without systemd there are no units: there it is the account that is a service's."""
    if group.startswith("/user.slice/"):
        return False
    if not units:
        return 0 < uid < 1000
    return units[0].endswith(".service") and not _OF_USERS.fullmatch(units[0])


def _called(base: str, name: str) -> bool:
    """Names are cut to 15 signs by the kernel, and versions stand behind those of programs."""
    return (
        base[:15] == name
        or re.fullmatch(rf"{re.escape(name)}[-_.\d].*|{re.escape(name)}\d+", base) is not None
    )


def _number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _matches(text: str, patterns: Iterable[str]) -> bool:
    """Glob patterns as a shell has them: `*` stops at a slash."""
    return any(
        text.count("/") == pattern.count("/") and fnmatchcase(text, pattern) for pattern in patterns
    )
