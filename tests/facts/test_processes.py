"""/proc as the collector printed it on Debian 13."""

from __future__ import annotations

import re
import subprocess

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.system.processes import READS, Processes, processes
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

STATUS = """\
/proc/1/status:Name:\tsystemd
/proc/1/status:State:\tS (sleeping)
/proc/1/status:PPid:\t0
/proc/1/status:Uid:\t0\t0\t0\t0
/proc/1/status:VmSize:\t   22000 kB
/proc/2/status:Name:\tkthreadd
/proc/2/status:State:\tS (sleeping)
/proc/2/status:PPid:\t0
/proc/2/status:Uid:\t0\t0\t0\t0
/proc/35/status:Name:\tdbus-daemon
/proc/35/status:State:\tS (sleeping)
/proc/35/status:PPid:\t1
/proc/35/status:Uid:\t997\t997\t997\t997
/proc/35/status:VmSize:\t    8000 kB
/proc/49/status:Name:\tsshd
/proc/49/status:State:\tS (sleeping)
/proc/49/status:PPid:\t1
/proc/49/status:Uid:\t0\t0\t0\t0
/proc/49/status:VmSize:\t   11000 kB
"""
GROUPS = """\
/proc/1/cgroup:0::/init.scope
/proc/35/cgroup:0::/system.slice/dbus.service
/proc/49/cgroup:1:name=systemd:/system.slice/ssh.service
/proc/49/cgroup:0::/
"""
LINES = "/proc/49/cmdline:sshd: /usr/sbin/sshd -D [listener]\n/proc/49/cmdline:second line\n"
LINKS = """\
lrwxrwxrwx 1   0   0 0 Nov 25 02:14 /proc/1/exe -> /usr/lib/systemd/systemd
lrwxrwxrwx 1   0   0 0 Nov 25 02:14 /proc/2/exe
lrwxrwxrwx 1 997 997 0 Nov 25 02:14 /proc/35/exe
lrwxrwxrwx 1   0   0 0 Nov 25 02:14 /proc/49/exe -> /usr/sbin/sshd (deleted)
"""


def seen(status: str = STATUS, links: str = LINKS, places: str = "") -> Processes:
    text = f"{status}{GROUPS}{LINES}== exe\n{links}{places}"
    result = ReadResult("processes.all", ReadStatus.OK, stdout=text.encode())
    return processes(Capture("h", HostStatus.COMPLETE, reads={"processes.all": result}))


def test_what_runs() -> None:
    found = seen()
    assert [p.pid for p in found.all] == [1, 35, 49]
    assert found.complete
    (sshd,) = found.running("/usr/sbin/sshd")
    assert sshd.deleted
    assert sshd.unit == "ssh.service"
    assert sshd.cmdline.endswith("second line")
    assert found.running("/usr/*") == ()


def test_unseen_is_not_absent() -> None:
    found = seen()
    assert found.absent("/usr/sbin/clamd")
    assert not found.absent("/usr/sbin/sshd")
    with pytest.raises(CouldNotLook):
        found.absent("/usr/bin/dbus-daemon")
    hidden = seen(re.sub(r"(?m)^/proc/1/.*\n", "", STATUS))
    with pytest.raises(CouldNotLook):
        hidden.absent("/usr/sbin/clamd")


def test_a_second_link_of_one_pid_is_made_up() -> None:
    """A program whose path holds a line end could otherwise pass for another process."""
    forged = LINKS + "lrwxrwxrwx 1 0 0 0 Nov 25 02:14 /proc/35/exe -> /usr/sbin/clamd\n"
    assert seen(links=forged).running("/usr/sbin/clamd") == ()


def test_nothing_seen_is_not_understood() -> None:
    with pytest.raises(NotUnderstood):
        seen("")


@pytest.mark.parametrize(
    "garbled",
    ["Uid:\t0\tx\t0\t0", "Uid:\t0", "Uid:\t0\t²\t0\t0", "Uid:", "Uid:\t0\t-1\t0\t0"],
)
def test_garbled_numbers_are_not_understood(garbled: str) -> None:
    with pytest.raises(NotUnderstood):
        seen(re.sub(r"(?m)(?<=^/proc/35/status:)Uid:.*", garbled, STATUS))


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("mysqld --password=hunter2 --port 3306", "hunter2"),
        ("mysql -uroot -phunter2", "hunter2"),
        ("agent --token hunter2", "hunter2"),
        ("java -Ddb.passwd=hunter2", "hunter2"),
        ("curl https://u:hunter2@example.org/", "hunter2"),
        ("app API_KEY=hunter2", "hunter2"),
    ],
)
def test_secrets_stay_on_the_host(line: str, secret: str) -> None:
    text = f"/proc/7/cmdline:{line}\n/proc/7/status:Name:\tpasswd x\n"
    done = subprocess.run(
        ["sed", "-e", READS[0].redact], input=text, capture_output=True, text=True, check=True
    )
    assert secret not in done.stdout
    assert "passwd x" in done.stdout


@pytest.mark.parametrize(
    ("uid", "group", "exe", "own"),
    [
        (0, "/user.slice/user-0.slice/session-1.scope", "/usr/sbin/rsyslogd", True),
        (0, "/system.slice/rsyslog.service", "/data/rsyslog/rsyslogd", True),
        (104, "/system.slice/rsyslog.service", "/usr/sbin/rsyslogd (deleted)", True),
        (104, "/", "/usr/sbin/rsyslogd", True),
        (1000, "/", "/usr/sbin/rsyslogd", False),
        (65534, "/", "/usr/sbin/rsyslogd", False),
        (65534, "/system.slice/cron.service", "/usr/sbin/rsyslogd", False),
        (104, "/system.slice/system-getty.slice/getty@tty1.service", "/usr/bin/rsyslogd", False),
        (
            1000,
            "/user.slice/user-1000.slice/user@1000.service/app.slice/rsyslog.service",
            "/usr/sbin/rsyslogd",
            False,
        ),
        (1000, "/system.slice/apache2.service", "/home/bob/rsyslogd", False),
        (1000, "/system.slice/apache2.service", "/usr/bin/perl", False),
        (0, "/system.slice/rsyslog.service", "/tmp/rsyslogd", False),
        (0, "/system.slice/docker-0123456789abcdef.scope", "/usr/sbin/rsyslogd", False),
    ],
)
def test_whose_program_it_is(uid: int, group: str, exe: str, own: bool) -> None:
    """Truth table: a name alone makes no program the system's."""
    status = (
        f"/proc/9/status:Name:\trsyslogd\n/proc/9/status:PPid:\t1\n"
        f"/proc/9/status:Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n/proc/9/status:VmSize:\t9 kB\n"
        f"/proc/9/cgroup:0::{group}\n"
    )
    link = f"lrwxrwxrwx 1 {uid} {uid} 0 Nov 25 02:14 /proc/9/exe -> {exe}\n"
    places = "== spaces\n9 same host\n== files\n-rwxr-xr-x 1 0 0 9 Jul  1 12:00 /proc/9/exe\n"
    assert bool(seen(STATUS + status, LINKS + link, places).of_the_system("rsyslogd")) is own


_CLAMD = """\
/proc/9/status:Name:\tclamd
/proc/9/status:PPid:\t1
/proc/9/status:Uid:\t995\t995\t995\t995
/proc/9/status:VmSize:\t9 kB
/proc/9/cgroup:0::/system.slice/webapp.service
"""


@pytest.mark.parametrize(
    ("place", "mode", "own", "foreign"),
    [
        ("same host", "-rwxr-xr-x 1 0 0", True, False),
        ("newer host", "-rwxr-xr-x 0 0 0", True, False),
        # a unit with PrivateUsers=
        ("same root", "-rwxr-xr-x 1 0 0", True, False),
        ("same user", "-rwxr-xr-x 1 0 0", False, True),
        ("other host", "-rwxr-xr-x 1 0 0", False, True),
        ("other user", "-rwxr-xr-x 1 995 995", False, True),
        ("gone user", "-rwxr-xr-x 0 995 995", False, True),
        ("gone host", "-rwxr-xr-x 0 0 0", None, False),
        ("same -", "-rwxr-xr-x 1 0 0", None, False),
        ("reach host", "-rwxr-xr-x 1 0 0", False, False),
        ("same host", "-rwxr-xr-x 1 995 995", False, False),
        ("same host", "-rwxrwxr-x 1 0 4", False, False),
        ("same host", "-rwxrwxr-x 1 0 0", True, False),
        ("same host", "-rwxr-xrwx 1 0 0", False, False),
        ("same host", "", False, False),
    ],
)
def test_whose_file_it_is(place: str, mode: str, own: bool | None, foreign: bool) -> None:
    link = "lrwxrwxrwx 1 995 995 0 Nov 25 02:14 /proc/9/exe -> /usr/sbin/clamd\n"
    places = f"== spaces\n9 {place}\n== files\n{mode} 9 Jul  1 12:00 /proc/9/exe\n"
    (clamd,) = seen(STATUS + _CLAMD, LINKS + link, places).running("/usr/sbin/clamd")
    assert (clamd.own, clamd.foreign, clamd.container) == (own, foreign, foreign)
    assert clamd.systems("clamd") is own


def test_a_capture_from_before_does_not_tell() -> None:
    link = "lrwxrwxrwx 1 995 995 0 Nov 25 02:14 /proc/9/exe -> /usr/sbin/clamd\n"
    with pytest.raises(CouldNotLook, match="clamd"):
        seen(STATUS + _CLAMD, LINKS + link).of_the_system("clamd")
    with pytest.raises(NotUnderstood):
        seen(places="== spaces\n9 fine host\n")


def test_a_process_called_like_a_part_of_the_read_hides_none() -> None:
    forged = STATUS.replace("dbus-daemon", "== exe")
    assert [p.pid for p in seen(forged).all] == [1, 35, 49]
    assert seen(forged).running("/usr/sbin/sshd")


def test_a_program_that_was_not_seen_may_be_the_systems() -> None:
    with pytest.raises(CouldNotLook):
        seen(links=LINKS.replace(" -> /usr/sbin/sshd (deleted)", "")).of_the_system("sshd")
