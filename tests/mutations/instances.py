"""One more of what is looked after, and nobody looks after it; or another host's in its place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from collector.model import CapturedFile
from tests.cases import Case
from tests.mutations.shapes import Lines, both, changed, in_lines, spoiling, text_of

_PID = 31_999


def _process(name: str, exe: str, unit: str, uid: int = 0) -> Lines:
    """One process more in `processes.all`."""

    def lines(old: list[str]) -> Iterable[str]:
        for line in old:
            if line.startswith("== exe"):
                yield from _told(name, unit, uid)
                yield line
                yield f"lrwxrwxrwx 1 0 0 0 Nov 25 03:00 /proc/{_PID}/exe -> {exe}"
            else:
                yield line
        if not any(line.startswith("== exe") for line in old):
            yield from _told(name, unit, uid)

    return lines


def _told(name: str, unit: str, uid: int) -> Iterable[str]:
    head = f"/proc/{_PID}"
    return (
        f"{head}/status:Name:\t{name}",
        f"{head}/status:State:\tS (sleeping)",
        f"{head}/status:PPid:\t1",
        f"{head}/status:Uid:\t{uid}\t{uid}\t{uid}\t{uid}",
        f"{head}/status:VmSize:\t   69276 kB",
        f"{head}/cgroup:0::/system.slice/{unit}",
    )


def _listening(port: int, name: str) -> Lines:
    def lines(old: list[str]) -> Iterable[str]:
        for line in old:
            if line == "== end":
                yield (f"tcp   LISTEN 0      128    0.0.0.0:{port}       0.0.0.0:*"
                       f'     users:(("{name}",pid={_PID},fd=6))')  # fmt: skip
            yield line

    return lines


@spoiling
def second_sshd(case: Case) -> Case | None:
    """A second sshd of a configuration of its own, which lets root in by password."""

    def lines(old: list[str]) -> Iterable[str]:
        yield from old
        settings = (
            "port 2222", "listenaddress 0.0.0.0:2222", "usepam yes", "maxauthtries 100",
            "permitrootlogin yes", "pubkeyauthentication yes", "passwordauthentication yes",
            "kbdinteractiveauthentication yes", "permitemptypasswords yes", "clientaliveinterval 0",
            "ciphers 3des-cbc", "macs hmac-md5", "kexalgorithms diffie-hellman-group1-sha1",
            "#rc 0",
        )  # fmt: skip
        yield from (f"#sshd {_PID} /usr/sbin/sshd", "#arg -f", "#arg /etc/ssh/second")
        yield from ("#as root", *settings, "#as nobody", *settings)

    return in_lines(
        case, sshd__effective=lines,
        processes__all=_process("sshd", "/usr/sbin/sshd", "second-sshd.service"),
        sockets__listening=_listening(2222, "sshd"),
    )  # fmt: skip


@spoiling
def other_ssh_server(case: Case) -> Case | None:
    """Dropbear beside sshd."""
    return in_lines(
        case, processes__all=_process("dropbear", "/usr/sbin/dropbear", "dropbear.service"),
        sockets__listening=_listening(2222, "dropbear"),
    )  # fmt: skip


@spoiling
def database_beside(case: Case) -> Case | None:
    """A database that the inventory does not know, and that asks nobody for a password."""
    return in_lines(
        case, processes__all=_process("redis-server", "/usr/bin/redis-server", "redis.service"),
        sockets__listening=_listening(6381, "redis-server"),
    )  # fmt: skip


@spoiling
def unknown_listener(case: Case) -> Case | None:
    """A program that no catalogue knows listens to all."""
    return in_lines(
        case, processes__all=_process("zzd", "/opt/zz/zzd", "zz.service"),
        sockets__listening=_listening(9999, "zzd"),
    )  # fmt: skip


@spoiling
def telnet_beside(case: Case) -> Case | None:
    """telnetd, for all."""
    return in_lines(
        case, processes__all=_process("in.telnetd", "/usr/sbin/in.telnetd", "telnet.service"),
        sockets__listening=_listening(23, "in.telnetd"),
    )  # fmt: skip


@spoiling
def store_beside(case: Case) -> Case | None:
    """The inventory names one more database, of which nothing else is known."""
    more = (
        "  - {name: zz, kind: database, engine: postgresql, path: /srv/zz/pg, category: orders,"
        " level: important, personal: true, owner: Li Si}\n"
    )
    beside = text_of(
        case, lambda _, t: re.sub(r"(?m)^stores:[ \t]*\n", rf"\g<0>{more}", t), "inventory.document"
    )
    attached = dict(case.attached)
    if "data-inventory" in attached:
        text = attached["data-inventory"].decode()
        attached["data-inventory"] = re.sub(r"(?m)^stores:.*\n", rf"\g<0>{more}", text).encode()
    if attached == case.attached:
        return beside
    return replace(beside or case, attached=attached)


@spoiling
def account_beside(case: Case) -> Case | None:
    """One account more: with root's number, no password, a shell, and no end of its password."""
    passwd, shadow = case.capture.read("accounts.passwd"), case.capture.read("accounts.shadow")
    if not passwd.files:
        return None

    def with_line(file: CapturedFile, line: bytes) -> CapturedFile:
        data = file.data.rstrip(b"\n") + b"\n" + line + b"\n"
        return replace(file, data=data, size=len(data))

    results = [replace(passwd, files=(with_line(passwd.files[0], b"toor:x:0:0::/root:/bin/bash"),))]
    if shadow.files:
        line = with_line(shadow.files[0], b"toor::17000:0:99999:7:::")
        results.append(replace(shadow, files=(line,)))
    return changed(case, results)


@spoiling
def old_person(case: Case) -> Case | None:
    """A person's account with a weak hash of years ago, who has never logged in."""
    passwd, shadow = case.capture.read("accounts.passwd"), case.capture.read("accounts.shadow")
    if not passwd.files or not shadow.files:
        return None
    lines = (b"zoe:x:1999:1999::/home/zoe:/bin/bash", b"zoe:$1$abcdefgh$" + b"a" * 22
             + b":15000:0:99999:7:::")  # fmt: skip
    found = []
    for read, line in zip((passwd, shadow), lines, strict=True):
        data = read.files[0].data.rstrip(b"\n") + b"\n" + line + b"\n"
        found.append(replace(read, files=(replace(read.files[0], data=data, size=len(data)),)))
    return changed(case, found)


@spoiling
def of_another_host(case: Case) -> Case | None:
    """What backups, tests and logs say of the host they are of names another one."""
    names = {case.capture.host, case.capture.head.get("hostname", "")} - {""}

    def journal(old: list[str]) -> Iterable[str]:
        return (re.sub(r"^(\d+\.\d+) \S+ ", r"\1 elsewhere ", x) for x in old)

    def document(path: str, text: str) -> str:
        text = re.sub(r'("host(?:name)?"\s*:\s*")[^"]*"', r'\1elsewhere"', text)
        for name in names:
            text = re.sub(rf"\b{re.escape(name)}\b", "elsewhere", text)
        return text

    return both(
        lambda c: in_lines(c, backup__journal=journal),
        lambda c: text_of(c, document, "backup.reports", "restore_tests.records"),
    )(case)


@spoiling
def repository_of_another(case: Case) -> Case | None:
    """Every repository that is written to or asked is another one than that of the jobs."""

    def elsewhere(old: list[str]) -> Iterable[str]:
        for line in old:
            line = re.sub(
                r"^(made \S+) \S+ (\d+) .*", rf"\1 {'f' * 64} \2 ssh://elsewhere/zz", line
            )
            line = re.sub(r"^(folder) (/.*)", r"\1 /zz\2", line)
            yield re.sub(r"^(artefact \d+ \d+(?: \d+:\d+:\d+)?) (/.*)", r"\1 /zz\2", line)

    return in_lines(case, backup__artefacts=elsewhere, backup__borg=elsewhere)


@spoiling
def cache_in_a_users_home(case: Case) -> Case | None:
    """What borg remembers of its archives lies in the home of a user, who runs no job."""

    def his(old: list[str]) -> Iterable[str]:
        return (re.sub(r"^made \S+ ", "made /home/mallory ", line) for line in old)

    return in_lines(case, backup__borg=his)


@spoiling
def artefact_empty(case: Case) -> Case | None:
    """Every file of a backup has 20 bytes: an empty file, packed."""

    def small(old: list[str]) -> Iterable[str]:
        return (re.sub(r"^(artefact \d+) \d+ ", r"\1 20 ", line) for line in old)

    return in_lines(case, backup__artefacts=small)


@spoiling
def old_logs_gone(case: Case) -> Case | None:
    """Somebody removed what was rotated: of each log only the file that is written to is left."""

    def times(old: list[str]) -> Iterable[str]:
        gone = r"@F \d+ \d+ .*(?:[.-]\d+(?:\.\w+)?|-\d{8}\S*|@\S+\.journal~?|\.(?:gz|xz|bz2|zst))$"
        return (line for line in old if not re.match(gone, line))

    def held(old: list[str]) -> Iterable[str]:
        skip = False
        for line in old:
            if line.startswith(("file=", "dir=", "run=")):
                skip = line.startswith("file=") and "@" in line
            if not skip:
                yield line

    return in_lines(case, log_files__times=times, journald__held=held)
