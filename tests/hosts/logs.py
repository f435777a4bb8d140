"""What is kept: rsyslog and its files, logrotate, journald, auditd, the jobs of cron.

Forms: /etc/rsyslog.conf of EL in the old directives (8.24 of EL 7) or with modules by load()
(8.1911 and later), of Ubuntu with /etc/rsyslog.d/50-default.conf; times of the traditional
format or RFC 3339 (Debian 12 and later, Ubuntu 24.04); auditctl of audit 2.3 to 4.0 (tags of
audit-userspace).
"""

from __future__ import annotations

import gzip
import struct
from datetime import UTC, datetime, timedelta, timezone

from tests.cases import AT
from tests.hosts.facts import Facts
from tests.hosts.root import CLOCK, DAY, PLAYED, Root

_ZONE = timezone(timedelta(hours=8))
_WEEKS = 29
_LOGIN = "sshd[912]: Accepted publickey for ops from 10.20.1.9 port 50122 ssh2"
_EL = {
    "messages": "systemd: Started Session 4 of user ops.",
    "secure": _LOGIN,
    "cron": "CROND[4411]: (root) CMD (run-parts /etc/cron.hourly)",
    "maillog": "postfix/master[1201]: daemon started",
}
_DEB = {
    "syslog": "systemd[1]: Started Daily apt download activities.",
    "auth.log": _LOGIN,
    "kern.log": "kernel: audit: type=1400",
    "mail.log": "postfix/master[1201]: daemon started",
}


def _time(facts: Facts, at: datetime) -> str:
    here = at.astimezone(_ZONE)
    if facts.iso:
        return here.isoformat(timespec="microseconds")
    return f"{here:%b} {here.day:>2} {here:%H:%M:%S}"


def _lines(facts: Facts, text: str, first: datetime, days: int) -> str:
    host = facts.name
    every = (first + timedelta(days=n) for n in range(days))
    texts = [text]
    if text == _LOGIN:
        texts += [
            f"sshd[912]: pam_unix(sshd:session): session {said} for user ops"
            for said in ("opened", "closed")
        ]
    return "".join(f"{_time(facts, at)} {host} {one}\n" for at in every if at < AT for one in texts)


def written(facts: Facts) -> list[str]:
    """The files that rsyslog holds open."""
    return [f"/var/log/{name}" for name in (_DEB if facts.deb else _EL)]


def syslog(root: Root, facts: Facts) -> None:
    """rsyslog's settings, and files rotated every week as logrotate of the family does it."""
    named = _DEB if facts.deb else _EL
    where = {
        "messages": "*.info;mail.none;authpriv.none;cron.none",
        "secure": "authpriv.*",
        "cron": "cron.*",
        "maillog": "mail.*",
        "syslog": "*.*;auth,authpriv.none",
        "auth.log": "auth,authpriv.*",
        "kern.log": "kern.*",
        "mail.log": "mail.*",
    }
    rules = [f"{where[name]:<56} -/var/log/{name}" for name in named]
    new = facts.rsyslog >= "8.37" and not facts.rsyslog.startswith("7")
    head = (
        ['module(load="imuxsock")', 'module(load="imjournal" StateFile="imjournal.state")']
        if new and not facts.deb
        else ["$ModLoad imuxsock", "$ModLoad imjournal"]
    )
    if facts.deb:
        head = ['module(load="imuxsock")', 'module(load="imklog")']
    head += [] if facts.iso else ["$ActionFileDefaultTemplate RSYSLOG_TraditionalFileFormat"]
    body = [*head, "$IncludeConfig /etc/rsyslog.d/*.conf"]
    if facts.deb and "ubuntu" in facts.os_release.lower():
        root.file("/etc/rsyslog.d/50-default.conf", "\n".join([*rules, ""]))
        body += ["$FileOwner syslog", "$FileGroup adm", "$FileCreateMode 0640"]
        rules = []
    root.folder("/etc/rsyslog.d")
    if "forward" in facts.quirks:
        root.file("/etc/rsyslog.d/remote.conf", f"*.* @@{facts.quirks['forward']}\n")
    root.file("/etc/rsyslog.conf", "\n".join([*body, *rules, ""]))
    owner = (0, 4) if facts.deb else (0, 0)
    mode = 0o640 if facts.deb else 0o600
    weeks = _WEEKS if facts.held else 4
    sunday = AT - timedelta(days=(AT.weekday() + 1) % 7, hours=9)
    for name, text in named.items():
        for week in range(weeks):
            until = sunday - timedelta(weeks=week)
            content = _lines(facts, text, until - timedelta(days=7), 7)
            age = CLOCK - until.timestamp()
            if facts.deb:
                packed = week > 0
                data: str | bytes = gzip.compress(content.encode(), mtime=0) if packed else content
                root.file(
                    f"/var/log/{name}.{week + 1}{'.gz' if packed else ''}",
                    data,
                    mode=mode,
                    owner=owner,
                    age=age,
                )
            else:
                root.file(
                    f"/var/log/{name}-{until:%Y%m%d}", content, mode=mode, owner=owner, age=age
                )
        root.file(
            f"/var/log/{name}", _lines(facts, text, sunday, 4), mode=mode, owner=owner, age=600
        )
    _logins(root, facts)
    _logrotate(root, facts, list(named), sunday)


def _logins(root: Root, facts: Facts) -> None:
    """wtmp with a login a week, as struct utmp of glibc on x86_64 has it (384 bytes)."""
    records = b""
    for back in range(30 if facts.held else 6, -1, -1):
        at = CLOCK - back * 7 * DAY - 3600
        for kind, name, later in ((7, b"ops", 0), (8, b"", 600)):
            address = b"10.20.1.9" if kind == 7 else b""
            records += struct.pack(
                "<hxxi32s4s32s256shhiii4i20s",
                kind,
                912,
                b"pts/0",
                b"ts/0",
                name,
                address,
                0,
                0,
                0,
                at + later,
                0,
                0x0901140A if kind == 7 else 0,
                0,
                0,
                0,
                b"",
            )
    root.file("/var/log/wtmp", records, mode=0o664, owner=(0, 22), age=3600)
    root.file("/var/log/btmp", b"", mode=0o600, owner=(0, 22), age=20 * DAY)
    if facts.quirks.get("lastlog", True):
        said = "Username         Port     From             Latest\n" + "".join(
            f"{name:<16} pts/0    10.20.1.9        Tue Nov 24 10:12:01 +0800 2026\n"
            for name in (("ops", "ops2", "audit1") if facts.held else ("ops", "root"))
        )
        root.file("/var/log/lastlog", b"\0" * 292, mode=0o664, age=DAY)
        root.says("/usr/bin/lastlog", [("*", said)])
    else:
        # what auth.log or secure has, from the process that wrote it
        heard = datetime.fromtimestamp(CLOCK - 3600, UTC)
        root.file(f"{PLAYED}/journal.sshd", f"{heard:%Y-%m-%dT%H:%M:%S+0000} host {_LOGIN}\n")


def _logrotate(root: Root, facts: Facts, names: list[str], sunday: datetime) -> None:
    rotate = 30 if facts.held else 4
    conf = ["weekly", f"rotate {rotate}", "create"]
    conf += ["compress"] if facts.quirks.get("compress") else []
    conf += [] if facts.deb else ["dateext"]
    conf.append("include /etc/logrotate.d")
    months = 8 if facts.held else 1
    login = [
        f"/var/log/{name} {{\n    missingok\n    monthly\n    create {mode} root utmp\n"
        f"    rotate {months}\n}}"
        for name, mode in (("wtmp", "0664"), ("btmp", "0600"))
    ]
    root.file("/etc/logrotate.conf", "\n".join([*conf, *login, ""]))
    files = "\n".join(f"/var/log/{name}" for name in names)
    if facts.deb:
        body = (
            f"{{\n    rotate {rotate}\n    weekly\n    missingok\n    notifempty\n    compress\n"
            "    delaycompress\n    sharedscripts\n    postrotate\n"
            "        /usr/lib/rsyslog/rsyslog-rotate\n    endscript\n}\n"
        )
    else:
        body = (
            "{\n    missingok\n    sharedscripts\n    postrotate\n        /usr/bin/systemctl "
            "kill -s HUP rsyslog.service >/dev/null 2>&1 || true\n    endscript\n}\n"
        )
    root.file(
        "/etc/logrotate.d/rsyslog" if facts.deb else "/etc/logrotate.d/syslog", f"{files}\n{body}"
    )
    state = "/var/lib/logrotate/status" if facts.deb else "/var/lib/logrotate/logrotate.status"
    if facts.quirks.get("old_state"):
        state = "/var/lib/logrotate.status"
    here = sunday.astimezone(_ZONE)
    lines = [
        f'"/var/log/{name}" {here.year}-{here.month}-{here.day}-3:{here.minute}:1' for name in names
    ]
    root.file(state, "logrotate state -- version 2\n" + "\n".join([*lines, ""]), age=4 * DAY / 24)
    root.says("/usr/sbin/logrotate", [("--version", f"logrotate {facts.logrotate}\n")])
    if facts.logrotate_by == "cron":
        root.file(
            "/etc/cron.daily/logrotate",
            "#!/bin/sh\n/usr/sbin/logrotate /etc/logrotate.conf\nexit 0\n",
            mode=0o755,
        )


def cron(root: Root, facts: Facts) -> None:
    if facts.deb:
        root.file(
            "/etc/crontab",
            "SHELL=/bin/sh\n17 * * * * root cd / && run-parts --report /etc/cron.hourly\n"
            "25 6 * * * root test -x /usr/sbin/anacron || ( cd / && run-parts --report "
            "/etc/cron.daily )\n",
        )
        root.says("/usr/bin/run-parts", [("--version", "Debian run-parts program, version 5.7\n")])
        return
    root.file("/etc/crontab", "SHELL=/bin/bash\nPATH=/sbin:/bin:/usr/sbin:/usr/bin\nMAILTO=root\n")
    root.file(
        "/etc/cron.d/0hourly",
        "SHELL=/bin/bash\nPATH=/sbin:/bin:/usr/sbin:/usr/bin\nMAILTO=root\n01 * * * * root "
        "run-parts /etc/cron.hourly\n",
    )
    root.file(
        "/etc/anacrontab",
        "SHELL=/bin/sh\nPATH=/sbin:/bin:/usr/sbin:/usr/bin\nMAILTO=root\nRANDOM_DELAY=45\nSTART_HOURS_RANGE=3-22\n"
        "1\t5\tcron.daily\t\tnice run-parts /etc/cron.daily\n7\t25\tcron.weekly\t\tnice "
        "run-parts /etc/cron.weekly\n",
    )
    root.file("/etc/cron.hourly/0anacron", "#!/bin/sh\n/usr/sbin/anacron -s\n", mode=0o755)
    root.program("/usr/sbin/anacron", "exit 0\n")
    # that of cronie takes its first word for a folder
    root.program(
        "/usr/bin/run-parts",
        'echo "Not a directory: $1"; echo "Usage: run-parts [--test] <dir>"; exit 1\n',
    )


def journald(root: Root, facts: Facts) -> None:
    storage = (
        "Storage=persistent\nMaxRetentionSec=1year\nSystemMaxUse=4G\n"
        if facts.persistent_journal
        else "#Storage=auto\n"
    )
    root.file("/etc/systemd/journald.conf", f"[Journal]\n{storage}")
    kept = "/var/log/journal" if facts.persistent_journal else "/run/log/journal"
    id = "7c1f0d4b6e1d4b5f9b0a5d3c2e1f0a9b"
    root.file(f"{kept}/{id}/system.journal", b"\0" * 4096, mode=0o640, age=60)
    days = 210 if facts.persistent_journal else 20
    first = AT - timedelta(days=days)
    header = (
        f"File Path: {kept}/{id}/system.journal\nState: ONLINE\n"
        f"Head Realtime Timestamp: {first:%a %Y-%m-%d %H:%M:%S} UTC\n"
        f"Tail Realtime Timestamp: {AT:%a %Y-%m-%d %H:%M:%S} UTC\n"
    )
    if facts.systemd < 245:
        header = header.replace("Path", "path").replace("Realtime Timestamp", "realtime timestamp")
    root.file(f"{PLAYED}/journal.header", header)
    stamp = "%Y-%m-%dT%H:%M:%S+0000" if facts.systemd < 252 else "%Y-%m-%dT%H:%M:%S+00:00"
    texts = [
        _LOGIN,
        "sshd[912]: pam_unix(sshd:session): session closed for user ops",
        "systemd[1]: Started Session 4 of user ops.",
    ]
    lines = [
        f"{(first + timedelta(days=n)):{stamp}} {facts.name} {text}"
        for n in range(days)
        for text in texts
    ]
    root.file(f"{PLAYED}/journal.days", "\n".join([*lines, ""]))
    root.file(f"{PLAYED}/journal.last", "\n".join([*lines[-3:], ""]))


_CALLS = {
    "time-change": ("adjtimex,settimeofday,clock_settime", ""),
    "mounts": ("mount,umount2", ""),
    "delete": ("rename,unlink,unlinkat,renameat", ""),
    "privileged": ("execve", " -F euid=0"),
}


def audit(root: Root, facts: Facts, pid: int) -> None:
    """The kernel's audit by auditctl, auditd's settings, log and rules."""
    root.file(
        "/etc/audit/auditd.conf",
        "log_file = /var/log/audit/audit.log\nlog_format = ENRICHED\nflush = "
        "INCREMENTAL_ASYNC\nfreq = 50\n"
        f"max_log_file = {'50' if facts.held else '8'}\nnum_logs = "
        f"{'20' if facts.held else '5'}\nmax_log_file_action = "
        f"{'keep_logs' if facts.held else 'ROTATE'}\n"
        "space_left = 75\nspace_left_action = SYSLOG\nadmin_space_left = 50\n"
        "admin_space_left_action = SUSPEND\n"
        "disk_full_action = SUSPEND\ndisk_error_action = SUSPEND\n",
        mode=0o640,
    )
    loaded, written = [], ["-D", "-b 8192", "-f 1"]
    version = tuple(map(int, facts.kernel.split(".")[:2]))
    modern = version >= (3, 15) or ".el7" in facts.kernel
    if facts.held:
        for path in ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"):
            loaded.append(f"-w {path} -p wa -k identity")
        for path in ("/var/log/wtmp", "/var/log/lastlog"):
            loaded.append(f"-w {path} -p wa -k logins")
        written += loaded
        for arch in ("b64", "b32"):
            for key, (calls, more) in _CALLS.items():
                if key == "delete" and modern:
                    calls += ",renameat2"
                if key == "mounts" and version >= (5, 2) and not facts.quirks.get("old_calls"):
                    calls += ",move_mount"
                rule = f"-a always,exit -F arch={arch} -S {calls}{more}"
                loaded.append(f"{rule} -F auid!=-1 -F key={key}")
                written.append(f"{rule} -F auid!=unset -k {key}")
    status = [
        ("enabled", 1),
        ("failure", 1),
        ("pid", pid),
        ("rate_limit", 0),
        ("backlog_limit", 8192),
        ("lost", 0),
        ("backlog", 0),
    ]
    lines = [f"{key} {value}" for key, value in status]
    if facts.audit >= "2.4":
        lines.append("backlog_wait_time 60000")
    if facts.audit >= "3.0":
        lines.append("backlog_wait_time_actual 0")
    if facts.audit >= "2.4":
        lines.append("loginuid_immutable 0 unlocked")
    root.says(
        "/usr/sbin/auditctl",
        [("-s", "\n".join([*lines, ""])), ("-l", "\n".join(loaded or ["No rules"]) + "\n")],
    )
    root.file("/etc/audit/rules.d/audit.rules", "\n".join([*written, ""]), mode=0o600)
    root.file("/etc/audit/audit.rules", "\n".join([*written, ""]), mode=0o600)
    begun = CLOCK - (200 * DAY if facts.held else 30 * DAY)
    events = [
        f"type=DAEMON_START msg=audit({begun}.120:7720): op=start ver={facts.audit} "
        f"format=enriched kernel={facts.kernel} res=success"
    ]
    for at in range(begun + DAY, CLOCK, DAY):
        events.append(
            f"type=USER_START msg=audit({at}.001:{at % 90000}): pid=912 uid=0 auid=1000 "
            'ses=4 msg=\'op=PAM:session_open acct="ops" exe="/usr/sbin/sshd" res=success\''
        )
    root.file("/var/log/audit/audit.log", "\n".join([*events, ""]), mode=0o600, age=60)
    root.folder("/var/log/audit", mode=0o700)
