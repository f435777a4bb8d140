"""Holes in logs: files as daemons write them, looked at by the read's own shell text."""

from __future__ import annotations

import gzip
import struct
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.files import READS
from collector.facts.logs.gaps import Gap, Gaps, gaps
from collector.facts.logs.journald.coverage import journal_days
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
START = AT - timedelta(days=184)


def _capture(times: str, journal: str = "none\n") -> Capture:
    reads = {
        "audit.config": ReadResult("audit.config", ReadStatus.ABSENT),
        "log_files.times": ReadResult("log_files.times", ReadStatus.OK, stdout=times.encode()),
        "journal_days.days": ReadResult(
            "journal_days.days", ReadStatus.OK, stdout=journal.encode()
        ),
    }
    return Capture(
        "h",
        HostStatus.COMPLETE,
        head={"kernel": "Linux 6.1 x86_64", "zone": "+0000"},
        collected_at=AT,
        reads=reads,
    )


def _gaps(folder: Path, journal: str = "none\n") -> Gaps:
    (read,) = READS
    body = read.body.replace("/var/log", str(folder)).replace("/etc/logrotate", f"{folder}/none")
    body = body.replace("</proc/sys/kernel/hostname", f"<{folder.parent / 'own'}")
    (folder.parent / "own").write_text("web1\n")
    said = subprocess.run(["sh", "-c", body], capture_output=True, text=True, check=True).stdout
    return gaps(_capture(said.replace(str(folder), "/var/log"), journal))


def _day(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


def _lines(start: datetime, end: datetime, host: str = "web1", hours: int = 6) -> str:
    lines = []
    while start < end:
        lines.append(f"{start:%Y-%m-%dT%H:%M:%S}.000001+00:00 {host} cron[1]: x\n")
        start += timedelta(hours=hours)
    return "".join(lines)


def _weekly(folder: Path, name: str, weeks: int, *, without: int = 0, pack: bool = True) -> None:
    """`name`, `name.1`, `name.2.gz` …, each of a week, up to AT."""
    end = AT
    for number in range(weeks):
        start = AT - timedelta(days=7 * (number + 1))
        text = _lines(start, end)
        if number != without or not without:
            if number > 1 and pack:
                with gzip.open(folder / f"{name}.{number}.gz", "wt") as out:
                    out.write(text)
            else:
                (folder / (f"{name}.{number}" if number else name)).write_text(text)
        end = start


def _utmp(moment: datetime, kind: int, user: bytes) -> bytes:
    seconds = int(moment.timestamp())
    form = "<hxxi32s4s32s256shhiii16s20x"
    return struct.pack(form, kind, 1, b"~", b"", user, b"", 0, 0, 0, seconds, 0, b"")


def _holes(found: Gaps, start: datetime = START) -> list[Gap]:
    return found.holes(found.general, start, AT)


def test_no_hole(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    _weekly(folder, "syslog", 27)
    found = _gaps(folder)
    log = found.logs["/var/log/syslog"]
    assert log.steady
    assert log.gaps == ()
    assert log.unseen == ()
    assert log.first == AT - timedelta(days=189)
    assert _holes(found) == []


def test_a_rotated_file_was_removed(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    _weekly(folder, "syslog", 27, without=9)
    found = _gaps(folder)
    (gap,) = found.logs["/var/log/syslog"].gaps
    assert gap.missing == "/var/log/syslog.9"
    assert gap.explained_by == ""
    assert (gap.end - gap.start).days == 7
    assert _holes(found) == [Gap(gap.start, gap.end)]


def test_a_missing_file_of_a_log_that_may_be_quiet(tmp_path: Path) -> None:
    """Nobody need visit a site, but a file that is missing in the row was taken away."""
    folder = tmp_path / "log"
    (folder / "nginx").mkdir(parents=True)
    for number, day in ((1, 20), (2, 10), (4, 1)):
        (folder / f"nginx/access.log.{number}").write_text(
            f'192.0.2.1 - - [{day:02}/Nov/2026:03:00:00 +0000] "GET /"\n'
        )
    (folder / "nginx/access.log").write_text("")
    first, second = _gaps(folder).logs["/var/log/nginx/access.log"].gaps
    assert (first.missing, first.explained_by) == ("/var/log/nginx/access.log.3", "")
    assert (second.missing, second.explained_by) == ("", "quiet")


def test_a_hole_inside_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "messages").write_text(_lines(_day(11, 1), _day(11, 9)) + _lines(_day(11, 12), AT))
    (gap,) = _gaps(folder).logs["/var/log/messages"].gaps
    assert (gap.start, gap.end) == (_day(11, 8, 18), _day(11, 12))


def _off(folder: Path, *records: bytes) -> Gaps:
    (folder / "messages").write_text(_lines(_day(11, 1), _day(11, 9)) + _lines(_day(11, 12), AT))
    (folder / "wtmp").write_bytes(b"".join(records))
    return _gaps(folder)


def test_a_shutdown_explains_it(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    found = _off(
        folder,
        _utmp(_day(11, 1), 2, b"reboot"),
        _utmp(_day(11, 8, 19), 1, b"shutdown"),
        _utmp(_day(11, 12) - timedelta(minutes=1), 2, b"reboot"),
    )
    (gap,) = found.logs["/var/log/messages"].gaps
    assert gap.explained_by == "shutdown"
    assert [g.explained_by for g in _holes(found, _day(11, 1))] == ["shutdown"]


def test_a_loss_of_power(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    boots = _utmp(_day(11, 1), 2, b"reboot"), _utmp(_day(11, 12), 2, b"reboot")
    assert _off(folder, *boots).logs["/var/log/messages"].gaps[0].explained_by == "boot"


def test_a_shutdown_while_others_wrote_explains_nothing(tmp_path: Path) -> None:
    """The host was up: another log goes on. So its own records of being off are not true."""
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "dpkg.log").write_text("2026-11-10 12:00:00 install x\n")
    found = _off(
        folder,
        _utmp(_day(11, 1), 2, b"reboot"),
        _utmp(_day(11, 8, 19), 1, b"shutdown"),
        _utmp(_day(11, 12), 2, b"reboot"),
    )
    assert found.logs["/var/log/messages"].gaps[0].explained_by == ""


def test_a_short_shutdown_explains_no_long_hole(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    found = _off(
        folder,
        _utmp(_day(11, 10), 1, b"shutdown"),
        _utmp(_day(11, 10, 1), 2, b"reboot"),
    )
    assert found.logs["/var/log/messages"].gaps[0].explained_by == ""


def _journal(*spans: tuple[datetime, datetime], end: str = "all") -> str:
    lines = []
    for start, stop in spans:
        day = start
        while day < stop:
            last = min(day + timedelta(hours=23), stop)
            lines.append(f"d 9 {day:%Y-%m-%dT%H:%M:%S}+0000 {last:%Y-%m-%dT%H:%M:%S}+0000")
            day += timedelta(days=1)
    return "\n".join([*lines, end, ""])


def test_the_journal_holds_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "syslog").write_text(_lines(_day(11, 1), _day(11, 9)) + _lines(_day(11, 12), AT))
    found = _gaps(folder, _journal((_day(10, 1), AT)))
    (gap,) = found.logs["/var/log/syslog"].gaps
    assert gap.explained_by == "/var/log/journal"
    assert _holes(found, _day(10, 1)) == []


def test_the_journals_own_hole_and_its_boots(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    held = _journal((_day(10, 1), _day(10, 20)), (_day(10, 25), AT))
    (gap,) = _gaps(folder, held).logs["/var/log/journal"].gaps
    assert gap == Gap(_day(10, 19, 23), _day(10, 25))
    boot = "b 2026-10-19T23:00:00+0000 2026-10-25T00:00:00+0000 1 1\n"
    (gap,) = _gaps(folder, boot + held).logs["/var/log/journal"].gaps
    assert gap.explained_by == "shutdown"
    # the first entry of that boot is no start: files between were taken away
    boot = boot.replace("1 1", "0 0")
    (gap,) = _gaps(folder, boot + held).logs["/var/log/journal"].gaps
    assert gap.explained_by == ""


def test_steps_through_a_big_journal(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    at = [_day(10, 1) + timedelta(hours=23 * n) for n in range(20)]
    steps = "".join(f"h {int(t.timestamp())}\n" for t in at)
    log = _gaps(folder, f"{steps}steps\n").logs["/var/log/journal"]
    assert log.spans == ((at[0], at[-1]),)
    later = int(_day(11, 1).timestamp())
    log = _gaps(folder, f"{steps}h {later}\ncut\n").logs["/var/log/journal"]
    assert [(g.start, g.end) for g in log.gaps] == [(at[-1], _day(11, 1))]
    assert log.unseen[0].start == _day(11, 1)


def test_what_was_not_looked_into_is_told(tmp_path: Path) -> None:
    """A packed file that cannot be unpacked is no hole, and no proof of the contrary."""
    folder = tmp_path / "log"
    folder.mkdir()
    _weekly(folder, "syslog", 5)
    (folder / "syslog.2.gz").write_bytes(b"no gzip")
    log = _gaps(folder).logs["/var/log/syslog"]
    assert log.gaps == ()
    assert log.unseen[0].paths == ("/var/log/syslog.2.gz",)


def test_a_file_of_another_host(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    _weekly(folder, "syslog", 5, pack=False)
    path = folder / "syslog.3"
    path.write_text(path.read_text().replace("web1", "other"))
    log = _gaps(folder).logs["/var/log/syslog"]
    assert log.foreign == ("/var/log/syslog.3",)
    # a host that got its name later is no stranger to itself
    for number in (3, 4):
        path = folder / f"syslog.{number}"
        path.write_text(path.read_text().replace("web1", "other"))
    assert _gaps(folder).logs["/var/log/syslog"].foreign == ()


def test_time_that_runs_back(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "syslog").write_text(
        _lines(_day(11, 1), _day(11, 9))
        + _lines(_day(11, 2), _day(11, 3))
        + _lines(_day(11, 9), AT)
    )
    log = _gaps(folder).logs["/var/log/syslog"]
    assert log.gaps == ()
    assert [(a.day, b.day) for a, b, _ in log.backwards] == [(8, 2)]


def test_forged_lines_fill_no_hole_backwards(tmp_path: Path) -> None:
    """Old lines at the end of the newest file do not lengthen what is known to go on."""
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "syslog").write_text(
        _lines(_day(11, 1), AT) + "2026-06-01T00:00:00+00:00 web1 x: forged\n"
    )
    found = _gaps(folder)
    assert [(g.end, g.explained_by) for g in _holes(found)] == [(_day(11, 1), "")]


def test_logins_may_be_rare(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "wtmp").write_bytes(_utmp(_day(6, 1), 7, b"a") + _utmp(_day(11, 1), 7, b"a"))
    log = _gaps(folder).logs["/var/log/wtmp"]
    assert (log.gaps, log.unseen) == ((), ())


def test_a_log_that_has_stopped(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / "syslog").write_text(_lines(_day(10, 1), _day(11, 20)))
    assert [g.end for g in _holes(_gaps(folder), _day(10, 1))] == [AT]


def test_general_messages_on_another_disk(tmp_path: Path) -> None:
    """Those of this host; what others send to a log server is none of its own."""
    folder = tmp_path / "log"
    (folder / "data").mkdir(parents=True)
    (folder / "hosts").mkdir()
    (folder / "data" / "messages").write_text(_lines(_day(10, 1), AT))
    (folder / "hosts" / "messages").write_text(_lines(_day(9, 1), AT, host="db7"))
    found = _gaps(folder)
    assert [log.path for log in found.general] == ["/var/log/data/messages"]
    assert found.general[0].first == _day(10, 1)


def test_dates_in_names(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    for week in range(4):
        start = _day(10, 28) + timedelta(days=7 * week)
        end = min(start + timedelta(days=7), AT)
        name = f"messages-{end:%Y%m%d}" if end < AT else "messages"
        (folder / name).write_text(_lines(start, end))
    log = _gaps(folder).logs["/var/log/messages"]
    assert (log.first, log.gaps) == (_day(10, 28), ())
    (folder / "messages-20261111").unlink()
    (gap,) = _gaps(folder).logs["/var/log/messages"].gaps
    assert gap.start.day == 3


@pytest.mark.parametrize("olddir", ["old", "/var/log/old", "/srv/archive"])
def test_old_files_in_another_folder(tmp_path: Path, olddir: str) -> None:
    """Also one outside of /var/log is looked into, where logrotate puts them there."""
    folder = tmp_path / "log"
    old = tmp_path / olddir[1:] if olddir.startswith("/srv") else folder / "old"
    folder.mkdir()
    old.mkdir(parents=True)
    text = f"/var/log/messages {{\n weekly\n rotate 30\n olddir {olddir}\n}}\n"
    real = text.replace("/srv", f"{tmp_path}/srv").replace("/var/log", str(folder))
    (tmp_path / "none.conf").write_text(real)
    (folder / "messages").write_text(_lines(_day(11, 18), AT))
    (old / "messages-20261118").write_text(_lines(_day(11, 11), _day(11, 18)))
    (old / "messages-20261111").write_text(_lines(_day(10, 1), _day(11, 9)))
    (read,) = READS
    body = read.body.replace("/var/log", str(folder))
    body = body.replace("/etc/logrotate", f"{tmp_path}/none")
    said = subprocess.run(["sh", "-c", body], capture_output=True, text=True, check=True).stdout
    said = said.replace(str(folder), "/var/log").replace(f"{tmp_path}/srv", "/srv")
    plain = _capture(said)
    config = CapturedFile("/etc/logrotate.conf", ReadStatus.OK, 0o644, 0, 0, 9, 9, text.encode())
    asked = {
        "logrotate.config": ReadResult("logrotate.config", ReadStatus.OK, files=(config,)),
        "logrotate.state": ReadResult("logrotate.state", ReadStatus.OK),
        "logrotate.version": ReadResult(
            "logrotate.version", ReadStatus.OK, stdout=b"logrotate 3.21.0\n"
        ),
    }
    log = gaps(replace(plain, reads={**plain.reads, **asked})).logs["/var/log/messages"]
    assert log.first == _day(10, 1)
    (gap,) = log.gaps
    assert (gap.start.day, gap.end) == (8, _day(11, 11))


@pytest.mark.parametrize(
    "text", ["", "d 1 x y\nall\n", "h 12\nsteps\n", "missing\n", "d 1 2026-11-01T00:00:00+0000\n"]
)
def test_what_is_not_understood_of_the_journal(text: str) -> None:
    with pytest.raises((NotUnderstood, CouldNotLook)):
        journal_days(_capture("@Z\n", text))
