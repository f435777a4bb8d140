"""Commands of cron jobs that remove logs by age, against what find(1) itself removes."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from collector.errors import NotUnderstood
from collector.facts.logs.deletions import removals
from collector.facts.logs.model.removals import Removal
from collector.facts.scheduling.models import Job


def _job(text: str, when: str = "") -> Job:
    return Job(
        "cron", "/etc/cron.d/x", when, "root", text, text, True, "", "schedules.tabs", "", ""
    )


def _found(text: str, when: str = "") -> list[Removal]:
    return removals(_job(text, when))


FINDS = [
    "find LOGS -type f -mtime +30 -delete",
    "/usr/bin/find LOGS/ -mtime +30 -name '*.log' -exec rm -rf {} \\;",
    'find LOGS -name "*.log" -type f -mtime +7 | xargs rm -f',
    "cd / && find LOGS -mmin +20160 -delete > /dev/null 2>&1",
    "find LOGS -mtime 9 -delete",
    "D=LOGS\nKEEP=12\nfind $D -name '*.log' -mtime +${KEEP} -delete",
    "cd LOGS || exit 1\nfind . -type f -mtime +4 -delete",
    "find LOGS \\\n  -type f -mtime +5 \\\n  -delete",
    "find LOGS -type f -mtime +6|xargs rm -f",
    "for f in $(find LOGS -mtime +8); do rm -f $f; done",
    "for f in `find LOGS -name '*.log' -mtime +8`\ndo\n  rm -f $f\ndone",
    'find LOGS -type f -mtime +9 | while read -r f; do rm -f "$f"; done',
    "rm -f $(find LOGS -name '*.log' -mtime +10)",
    "rm -f `find LOGS -type f -mtime +11`",
    "find LOGS -type f ! -newermt '-12 days' -delete",
    "find LOGS -type f -mtime +13 -exec unlink {} \\;",
]


@pytest.mark.parametrize("command", FINDS)
def test_age_at_which_find_removes(command: str, tmp_path: Path) -> None:
    """The youngest file that the real find takes is as many days old as was said."""
    (removal,) = _found(command.replace("LOGS", str(tmp_path)))
    now = time.time()
    for days in range(60):
        path = tmp_path / f"{days}.log"
        path.touch()
        os.utime(path, (now - days * 86400 - 3600, now - days * 86400 - 3600))
    subprocess.run(["sh", "-c", command.replace("LOGS", str(tmp_path))], check=True)
    left = {int(path.stem) for path in tmp_path.iterdir()}
    assert min(set(range(60)) - left) == removal.days
    assert removal.takes(f"{tmp_path}/40.log")


@pytest.mark.parametrize(
    "command",
    [
        "find /var/log -mtime +30 -name '*.log' -print",
        "find /var/log -type f -empty -delete",
        "cd /tmp && rm -f x.log",
        "cd /var/log && tar czf /backup/logs.tgz *.log",
        "gzip -c /var/log/app.log > /var/log/app.log.1.gz && : > /var/log/app.log",
        "for f in /var/log/*.log; do wc -l $f; done",
        "echo find -mtime +3; ls /var/log",
        "rm -f /tmp/find",
    ],
)
def test_other_commands_remove_nothing_by_age(command: str) -> None:
    assert _found(command) == []


def test_names_and_folders() -> None:
    first, second = _found("find /var/log/nginx /data/logs -mtime +7 -name '*.gz' -delete")
    assert (first.folder, second.folder) == ("/var/log/nginx", "/data/logs")
    assert first.takes("/var/log/nginx/access.log.2.gz")
    assert not first.takes("/var/log/nginx/access.log")
    assert not first.takes("/var/log/nginx-old/access.log.2.gz")


def test_vacuum() -> None:
    (removal,) = _found("journalctl --vacuum-time=2weeks >/dev/null 2>&1")
    assert (removal.folder, removal.days) == ("/var/log/journal", 14)


@pytest.mark.parametrize(
    ("text", "room"),
    [("journalctl --vacuum-size=500M", 500 << 20), ("journalctl --vacuum-files=10", -1),
     ("journalctl --rotate --vacuum-size 1G >/dev/null", 1 << 30)],
)  # fmt: skip
def test_vacuum_by_size(text: str, room: int) -> None:
    (removal,) = _found(text)
    assert (removal.folder, removal.room) == ("/var/log/journal", room)


def test_vacuum_by_both() -> None:
    one, other = _found("journalctl --vacuum-time=200d --vacuum-size=1G")
    assert (one.days, one.room, other.room) == (200, None, 1 << 30)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("rm -f /var/log/app-$(date -d '30 days ago' +%Y%m%d).log", 30),
        ('D=`date -d "-7 day" +%F`\nrm -rf /var/log/*${D}*.log', 7),
        ("DEL=$(date -d yesterday +%F)\nrm -f /var/log/app-$DEL.log", 1),
        ('KEEP=200\nrm -f /var/log/app-$(date -d "$KEEP days ago" +%F).log', 200),
        ("find /var/log -name \"*-$(date -d '-90 days' +%Y%m%d)*\" -delete", 90),
        ("tmpwatch 720 /var/log", 30),
        ("find /var/log -mtime +9 -print0 | while IFS= read -r -d '' f; do rm \"$f\"; done", 10),
        ("/usr/sbin/tmpwatch -um -x /var/log/a -X '/var/log/b*' 10d /var/log /tmp", 10),
        ("tmpreaper 7d /var/log", 7),
        ("find /var/log -name '*.log' -exec truncate -s 0 {} \\;", 1),
        ("find /var/log -name '*.log' -exec sh -c 'cat /dev/null > {}' \\;", 1),
    ],
)
def test_other_ways_to_remove_by_age(text: str, days: int) -> None:
    taken = {r.days for r in _found(text) if r.takes("/var/log/app-20261101.log")}
    assert taken == {days}


@pytest.mark.parametrize(
    ("when", "days"), [("30 1 * * *", 180), ("0 * * * *", 7), ("30 1 * * 0", 1260)]
)
def test_logs_that_a_panel_cuts(when: str, days: int) -> None:
    """Its script: so many old files stay, and each run makes one."""
    (all_sites,) = _found("btpython -u /www/server/panel/script/logsBackup ALL 180", when)
    assert (all_sites.days, all_sites.takes("/www/wwwlogs/a.example.log")) == (days, True)
    (one,) = _found("python /www/server/panel/script/logsBackup a.example.log 180", when)
    assert one.takes("/www/wwwlogs/a.example.log_2026-11-25_013001.log")
    assert not one.takes("/www/wwwlogs/b.example.log")


@pytest.mark.parametrize(
    "text", ["cd /var/log\nls -t | tail -n +30 | xargs rm -f", "rm -f $(ls -t /var/log/app-*)"]
)
def test_removed_by_their_order(text: str) -> None:
    with pytest.raises(NotUnderstood, match="by their order"):
        _found(text)


@pytest.mark.parametrize(
    "text",
    ["for log in /var/log/audit/audit.log.*\ndo\n  [ ${log##*.} -gt 30 ] && rm -f $log\ndone",
     'cd /var/log\nfor f in app-*; do rm -f "${f}"; done'],
)  # fmt: skip
def test_removed_one_by_one(text: str) -> None:
    with pytest.raises(NotUnderstood, match="in a loop"):
        _found(text)


def test_all_but_some() -> None:
    (removal,) = _found("find /var/log ! -name '*.gz' -mtime +3 -delete")
    assert removal.takes("/var/log/syslog")


@pytest.mark.parametrize(
    "line",
    [
        "> /var/log/messages",
        ": >/var/log/messages",
        "cat /dev/null > /var/log/messages",
        "echo > /var/log/messages",
        'echo "" > /var/log/messages',
        "sh -c '>/var/log/messages'",
        "cp /dev/null /var/log/messages",
        "truncate -s 0 /var/log/messages",
        "truncate --size=0 /var/log/*",
        "rm -f /var/log/messages /var/log/secure",
        "/bin/rm -f /var/log/mess*",
        "find /var/log -type f -delete",
    ],
)
@pytest.mark.parametrize(
    ("when", "days"),
    [("0 3 * * *", 1), ("*/5 * * * *", 1), ("0 3 * * 0", 7), ("@weekly", 7), ("0 3 1 * *", 31),
     ("monthly", 31), ("0 3 1 1 *", 366), ("@yearly", 366)],
)  # fmt: skip
def test_emptied_at_each_run(line: str, when: str, days: int) -> None:
    found = [r for r in _found(line, when) if r.takes("/var/log/messages")]
    assert [r.days for r in found] == [days]


@pytest.mark.parametrize(
    "text",
    [
        "cp /var/log/messages /data/messages.$(date +%F)\n> /var/log/messages",
        "gzip -c /var/log/messages > /data/m.gz && : > /var/log/messages",
        "tar czf /data/log.tgz /var/log/messages-* && rm -f /var/log/messages-*",
        "mv /var/log/messages.1 /data/; rm -f /var/log/messages.1",
        "exec >> /var/log/messages",
        "echo done >> /var/log/messages",
        "/usr/local/bin/report > /var/log/messages",
        "rm -f /var/run/x.pid /tmp/messages",
        "ls /var/log/messages; rm -f /tmp/x",
        "mv /var/log/messages /data/messages-$(date -d yesterday +%F); > /var/log/messages",
        "find /var/log -type f | while read -r f; do gzip $f; done; rm -f /run/x.pid",
        "for f in /var/log/app-*; do gzip -c $f > /data/$f.gz; rm -f $f; done",
        "for f in /var/log/app-*; do echo $f; done; rm -f /tmp/x",
    ],
)
def test_rotation_of_ones_own_empties_nothing(text: str) -> None:
    assert _found(text, "daily") == []


@pytest.mark.parametrize(
    "text",
    [
        "for d in /var/log/nginx /var/log/app; do\n  find $d -mtime +7 -delete\ndone",
        'find "$(readlink -f /var/log/app)" -mtime +7 -delete',
    ],
)
def test_a_folder_that_does_not_show(text: str) -> None:
    with pytest.raises(NotUnderstood):
        _found(text)


def test_a_folder_that_does_not_show_in_a_job_without_logs() -> None:
    assert _found("for d in /data/a /data/b; do find $d -mtime +7 -delete; done") == []


@pytest.mark.parametrize(
    ("command", "path"),
    [
        ("find -L /var/log -mtime +7 -delete", "/var/log/syslog"),
        ('rm -f "/var/log/syslog.1" "/var/log/auth.log.1"', "/var/log/auth.log.1"),
        (': > "/var/log/syslog"', "/var/log/syslog"),
        ('D=/var/log ; rm -f "$D"/syslog.* "$D"/auth.log.*', "/var/log/auth.log.2.gz"),
        ("rm -f /var/log/{syslog,auth.log}.*.gz", "/var/log/auth.log.2.gz"),
        ("rm -rf /var/log", "/var/log/nginx/access.log"),
        ("tail -n 9 /var/log/syslog > /tmp/s && cat /tmp/s > /var/log/syslog", "/var/log/syslog"),
        ("mv /var/log/syslog /var/log/auth.log /tmp/", "/var/log/auth.log"),
        ("sed -i /sshd/d /var/log/auth.log", "/var/log/auth.log"),
    ],
)
def test_spellings_of_removal(command: str, path: str) -> None:
    assert any(removal.takes(path) for removal in _found(command))


@pytest.mark.parametrize(
    "command",
    [
        'for f in /var/log/*.log /var/log/syslog; do : > "$f"; done',
        "ls /var/log/*.log | while read f; do truncate -s 0 $f; done",
        "find /var/log -type f -name '*log' | while read f; do : > \"$f\"; done",
        "cd /var/log && rm -f *.gz *.1",
        "find /var/log -name '*.log' -size +100M -delete",
        "find /var/log ! -newer /etc/hostname -type f -delete",
    ],
)
def test_removal_that_is_not_followed(command: str) -> None:
    with pytest.raises(NotUnderstood):
        _found(command)
