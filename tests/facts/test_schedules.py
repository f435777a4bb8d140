"""Jobs of real hosts, and the crontabs that cron itself would not take."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector import captures
from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.backup.commands.command_lines import ENGINES, FILE_TOOLS
from collector.facts.base.listed_words import words_program
from collector.facts.scheduling.jobs import READS, jobs, when_utc
from collector.facts.scheduling.programs import NAMES, found, there
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

RECORDED = Path(__file__).parent.parent / "captures"
DEBIAN = "Debian run-parts program, version 5.23.1\n"
ACCOUNTS = "".join(
    f"{name}:x:{uid}:{uid}::/:/bin/sh\n" for uid, name in enumerate(("root", "bak", "deploy"))
)
CRONIE = "Not a directory: --version\n"


def _file(path: str, text: str, mode: int = 0o644, uid: int = 0) -> CapturedFile:
    return CapturedFile(path, ReadStatus.OK, mode, uid, 0, len(text), 0, text.encode())


def _capture(
    *found: CapturedFile,
    flavour: str = DEBIAN,
    called: str = "",
    timers: str = "no timers\n",
    accounts: str = ACCOUNTS,
    sources: str = "passwd: files systemd\n",
    shells: str = "",
) -> Capture:
    where = {"schedules.tabs": [], "schedules.spool": [], "schedules.periodic": []}  # type: dict[str, list[CapturedFile]]
    for file in found:
        kind = "periodic" if any(f"cron.{x}/" in file.path for x in ("daily", "hourly")) else "tabs"
        where["schedules.spool" if "/spool/" in file.path else f"schedules.{kind}"].append(file)
    where["accounts.passwd"] = [_file("/etc/passwd", accounts)]
    where["schedules.sources"] = [_file("/etc/nsswitch.conf", sources)]
    reads = {
        id: ReadResult(id, ReadStatus.OK if f else ReadStatus.ABSENT, files=tuple(f))
        for id, f in where.items()
    }
    texts = {
        "schedules.flavour": flavour, "schedules.called": called, "schedules.timers": timers,
        "schedules.shells": shells,
    }  # fmt: skip
    for id, text in texts.items():
        reads[id] = ReadResult(id, ReadStatus.OK, stdout=text.encode())
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def test_real_timer_with_its_last_run() -> None:
    capture = captures.load(RECORDED / "backup-bookworm.capture.gz")
    by_name = {j.name: j for j in jobs(capture)}
    timer = by_name["restic-backup.timer"]
    assert timer.enabled
    assert timer.when == "OnCalendar=*-*-* 02:30:00"
    assert timer.run is not None
    assert timer.run.good is True
    assert timer.run.finished == datetime(2026, 11, 25, 2, 30, 33, tzinfo=UTC)
    assert "mysqldump -u root -p***" in by_name["/etc/cron.d/db-backup"].text
    assert not by_name["fstrim.timer"].enabled


def test_fields_of_a_system_crontab() -> None:
    (job,) = jobs(
        _capture(_file("/etc/crontab", 'MAILTO=""\n*/5 1-3 * jan mon-fri\tbak\t/opt/x -a\n'))
    )
    assert (job.when, job.user, job.command) == ("*/5 1-3 * jan mon-fri", "bak", "/opt/x -a")


_LINES = "0 1 * * * root x\n0 2 * * * nobody-here y\n"


@pytest.mark.parametrize(
    ("text", "flavour", "shells", "enabled"),
    [
        # as cron 3.0pl1-197 of Debian 13 ran them, and as cronie's user.c takes them
        (_LINES, DEBIAN, "", [False, False]),
        (_LINES, CRONIE, "", [True, False]),
        ("0 1 * * * root x\nSHELL=/bin/false\n0 2 * * * root y\n", DEBIAN, "", [True, False]),
        ("SHELL = '/no/such'\n0 1 * * * root x\n", DEBIAN, "- /no/such\n", [False]),
        ("SHELL=bash\n0 1 * * * root x\n", DEBIAN, "", [False]),
        ("SHELL=/usr/sbin/nologin\n0 1 * * * root x\n", DEBIAN, "", [False]),
        ('SHELL="/usr/bin/zsh"\n0 1 * * * root x\n', DEBIAN, "x /usr/bin/zsh\n", [True]),
    ],
)
def test_accounts_and_shells_that_are_not_there(
    text: str, flavour: str, shells: str, enabled: list[bool]
) -> None:
    found = jobs(_capture(_file("/etc/cron.d/a", text), flavour=flavour, shells=shells))
    assert [job.enabled for job in found] == enabled


def test_a_crontab_of_nobody_is_an_orphan() -> None:
    (job,) = jobs(_capture(_file("/var/spool/cron/crontabs/gone", "@daily /opt/x\n", 0o600, 9)))
    assert "no account gone" in job.reason


@pytest.mark.parametrize(
    ("text", "accounts", "sources"),
    [
        ("0 1 * * * gone x\n", ACCOUNTS, "passwd: files sss\n"),
        ("0 1 * * * gone x\n", ACCOUNTS + "+::::::\n", "passwd: compat\n"),
        ("SHELL=/usr/bin/zsh\n0 1 * * * root x\n", ACCOUNTS, "passwd: files\n"),
        ("0 1 * * * $_eaddb6d8 x\n", ACCOUNTS, "passwd: files\n"),
        ("SHELL=$_eaddb6d8\n0 1 * * * root x\n", ACCOUNTS, "passwd: files\n"),
    ],
)
def test_what_was_not_asked_is_not_told(text: str, accounts: str, sources: str) -> None:
    with pytest.raises(NotUnderstood):
        jobs(_capture(_file("/etc/cron.d/a", text), accounts=accounts, sources=sources))


def test_a_user_crontab_has_no_user_field() -> None:
    (job,) = jobs(_capture(_file("/var/spool/cron/crontabs/bak", "@daily /opt/x -a\n", 0o600, 9)))
    assert (job.when, job.user, job.command) == ("@daily", "bak", "/opt/x -a")


@pytest.mark.parametrize(
    ("path", "text", "mode", "uid", "flavour", "reason"),
    [
        ("/etc/cron.d/a.sh", "0 1 * * * root x\n", 0o644, 0, DEBIAN, "file name"),
        ("/etc/cron.d/a.sh", "0 1 * * * root x\n", 0o644, 0, CRONIE, ""),
        ("/etc/cron.d/a.rpmsave", "0 1 * * * root x\n", 0o644, 0, CRONIE, "file name"),
        ("/etc/cron.d/a", "0 1 * * * root x\n", 0o664, 0, DEBIAN, "writable"),
        ("/etc/cron.d/a", "0 1 * * * root x\n", 0o644, 1000, DEBIAN, "uid 1000"),
        ("/etc/cron.d/a", "0 1 * * * root x", 0o644, 0, DEBIAN, "no newline"),
        ("/etc/cron.d/a", "nightly root x\n0 1 * * * root x\n", 0o644, 0, DEBIAN, "refuses"),
        ("/etc/cron.daily/a", "#!/bin/sh\nx\n", 0o644, 0, DEBIAN, "not executable"),
        ("/etc/cron.daily/a.sh", "#!/bin/sh\nx\n", 0o755, 0, DEBIAN, "file name"),
        ("/etc/cron.daily/a.sh", "#!/bin/sh\nx\n", 0o755, 0, CRONIE, ""),
        ("/etc/cron.hourly/a", "#!/bin/sh\nx\n", 0o755, 0, DEBIAN, "no crontab runs"),
    ],
)
def test_written_down_and_never_started(
    path: str, text: str, mode: int, uid: int, flavour: str, reason: str
) -> None:
    daily = _file("/etc/crontab", "25 6 * * * root run-parts /etc/cron.daily\n")
    capture = _capture(daily, _file(path, text, mode, uid), flavour=flavour)
    job = next(j for j in jobs(capture) if j.path == path)
    assert job.enabled is (reason == "")
    assert reason in job.reason


def test_a_script_behind_and_and_must_be_executable() -> None:
    tab = _file("/etc/crontab", "0 1 * * * root cd /srv && nice=1 /opt/a.sh\n")
    (job,) = jobs(_capture(tab, called="script - all /opt/a.sh\n|#!/bin/sh\n"))
    assert job.reason == "/opt/a.sh is not executable"


def test_scripts_are_followed_two_levels_and_without_comments() -> None:
    called = (
        "script x all /opt/a.sh\n|#!/bin/sh\n|# restic backup /no\n|. /opt/b.sh\n\n"
        "script x all /opt/b.sh\n|restic backup /srv\n\n"
        "script x all /opt/b.shx\n|never\n"
    )
    (job,) = jobs(_capture(_file("/etc/crontab", "0 1 * * * root /opt/a.sh\n"), called=called))
    assert "restic backup /srv" in job.text
    assert "/no" not in job.text
    assert "never" not in job.text


TIMER = """\
Id=a.timer
Unit=a.service
LoadState=loaded
ActiveState={active}
UnitFileState={state}
LastTriggerUSec=n/a
TimersMonotonic={{ OnUnitActiveUSec=1d ; next_elapse=0 }}

Id=a.service
LoadState={load}
ActiveState=inactive
Result=success
ExecStart={{ path=/usr/bin/x ; argv[]=/usr/bin/x -a ; ignore_errors=no }}
ExecMainExitTimestamp=
ExecMainCode=0
ExecMainStatus=0
"""


def test_a_command_with_line_breaks_is_not_followed() -> None:
    """As systemd prints it: what stands below its first line is of the command."""
    timer = TIMER.format(active="active", state="enabled", load="loaded")
    timer = timer.replace("/usr/bin/x -a", "/bin/sh -c set -e\nId=b.timer\n\ntrue")
    with pytest.raises(NotUnderstood, match=r"a\.service starts holds a line break"):
        jobs(_capture(timers=timer))
    (job,) = jobs(_capture(timers=timer.replace("=active", "=inactive")))
    assert (job.name, job.enabled) == ("a.timer", False)
    cut = timer.partition("\n\ntrue")[0]
    with pytest.raises(NotUnderstood, match="without an end"):
        jobs(_capture(timers=cut))


def test_what_stands_behind_a_semicolon_is_of_the_command() -> None:
    timer = TIMER.format(active="active", state="enabled", load="loaded")
    (job,) = jobs(_capture(timers=timer.replace("/usr/bin/x -a", "/bin/sh -c x ; true")))
    assert job.command == "/bin/sh -c x ; true"


def test_each_property_that_is_asked_for_may_leave() -> None:
    """And no other: a line of a command may look like one."""
    shell = next(read.body for read in READS if read.id == "schedules.timers")
    asked = {p for told in re.findall(r"-p ([A-Z][A-Za-z,]+)", shell) for p in told.split(",")}
    let = re.search(r'split\("(Id [A-Za-z ]+)", v, " "\)', words_program())
    assert let is not None
    assert set(let[1].split()) == asked


@pytest.mark.parametrize(
    ("active", "state", "load", "reason"),
    [
        ("active", "enabled", "loaded", ""),
        ("active", "static", "loaded", ""),
        ("inactive", "disabled", "loaded", "is disabled, not active"),
        ("inactive", "enabled", "loaded", "is enabled, not active"),
        ("active", "disabled", "loaded", "does not come back after a boot"),
        ("active", "enabled", "not-found", "is not there"),
    ],
)
def test_timer(active: str, state: str, load: str, reason: str) -> None:
    text = TIMER.format(active=active, state=state, load=load)
    (job,) = jobs(_capture(timers=text))
    assert job.enabled is (reason == "")
    assert reason in job.reason
    assert job.run is not None
    assert job.run.good is None


def test_a_timer_that_has_elapsed_fires_no_more() -> None:
    """Active, with no next time: seen where OnBootSec and OnActiveSec stand alone."""
    text = TIMER.format(active="active", state="enabled", load="loaded")
    (job,) = jobs(_capture(timers=text.replace("LastTrigger", "SubState=elapsed\nLastTrigger", 1)))
    assert not job.enabled
    assert "does not fire again" in job.reason


def test_a_zone_that_is_not_utc_is_not_guessed() -> None:
    assert when_utc("Wed 2026-11-25 02:00:05 UTC", "r") == datetime(
        2026, 11, 25, 2, 0, 5, tzinfo=UTC
    )
    with pytest.raises(NotUnderstood):
        when_utc("Wed 2026-11-25 02:00:05 CST", "r")


def test_refused_is_not_empty() -> None:
    capture = _capture()
    reads = {**capture.reads, "schedules.spool": ReadResult("schedules.spool", ReadStatus.REFUSED)}
    with pytest.raises(CouldNotLook):
        jobs(Capture("h", HostStatus.COMPLETE, reads=reads))


@pytest.mark.parametrize(
    ("path", "data", "flavour", "reason"),
    [
        ("/etc/cron.daily/a", b"#!/bin/sh\r\nrestic backup /srv\r\n", DEBIAN, "carriage return"),
        ("/etc/cron.daily/a", b"#!/bin/sh\nrestic backup /srv\r\n", DEBIAN, "carriage return"),
        ("/etc/cron.daily/a", b"restic backup /srv\n", DEBIAN, "does not begin with #!"),
        # a script itself, in which bash takes it for one of its own
        ("/etc/cron.daily/a", b"restic backup /srv\n", CRONIE, ""),
        ("/etc/cron.daily/a", b"\x7fELF\x02\x01\x01\x00", DEBIAN, ""),
        ("/etc/cron.d/a", b"0 1 * * * root restic backup /srv\r\n", DEBIAN, "carriage return"),
        ("/etc/cron.d/a", b"0 1 * * * root x >/var/log/x\r\n", DEBIAN, ""),
        ("/etc/cron.d/a", b"SHELL=/bin/bash\r\n0 1 * * * root x\n", DEBIAN, "carriage return"),
    ],
)
def test_a_carriage_return_makes_another_name(
    path: str, data: bytes, flavour: str, reason: str
) -> None:
    daily = _file("/etc/crontab", "25 6 * * * root run-parts /etc/cron.daily\n")
    file = replace(_file(path, "", 0o755 if "daily" in path else 0o644), data=data)
    job = next(j for j in jobs(_capture(daily, file, flavour=flavour)) if j.path == path)
    assert (reason in job.reason) if reason else job.enabled


@pytest.mark.parametrize(
    ("called", "reason"),
    [
        ("script x all /opt/a.sh\n|#!/bin/sh\r\n|x\r\n\n", "carriage return"),
        ("script x all /opt/a.sh\n|#!/bin/sh\n|x\r\n\n", "carriage return"),
        ("script - all /opt/a.sh\n|#!/bin/sh\n|x\n\n", "not executable"),
        ("script x all /opt/a.sh\n|x\n\n", "does not begin with #!"),
        ("script x all /opt/a.sh\n|#!/bin/sh\n|x\n\n", ""),
    ],
)
def test_a_service_starts_no_file_that_is_no_program(called: str, reason: str) -> None:
    text = TIMER.format(active="active", state="enabled", load="loaded")
    service = text.replace(
        "path=/usr/bin/x ; argv[]=/usr/bin/x -a", "path=/opt/a.sh ; argv[]=/opt/a.sh"
    )
    (job,) = jobs(_capture(timers=service, called=called))
    assert (reason in job.reason) if reason else job.enabled


def test_every_tool_of_backups_is_looked_for() -> None:
    assert (set(ENGINES) | FILE_TOOLS) <= set(NAMES)


@pytest.mark.parametrize(
    ("tab", "flavour", "search"),
    [
        ("0 1 * * * root x\n", DEBIAN, "/usr/bin:/bin"),
        ("0 1 * * * root x\n", CRONIE, "/usr/bin:/bin"),
        # it hands on its own
        ("0 1 * * * root x\n", "run-parts: unrecognized option '--version'\n", ""),
        ('PATH="/opt/bin:/bin"\n0 1 * * * root x\n', DEBIAN, "/opt/bin:/bin"),
    ],
)
def test_the_path_that_cron_gives(tab: str, flavour: str, search: str) -> None:
    (job,) = jobs(_capture(_file("/etc/cron.d/a", tab), flavour=flavour))
    assert job.search == search


def test_where_programs_are_found() -> None:
    known = frozenset({"/usr/local/bin/restic", "/usr/bin/rsync"})
    assert not found("restic", "/usr/bin:/bin", known)
    assert found("restic", "/usr/bin:/usr/local/bin/", known)
    # what lies in a folder that was not looked at is not known
    assert found("restic", "/opt/restic:/bin", known)
    assert found("own-tool", "/usr/bin:/bin", known)
    assert there("/usr/local/bin/bash", known) is False
    assert there("/bin/sh", None) is True
    assert there("/opt/bash", known) is None
