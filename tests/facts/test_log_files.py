"""What lies under /var/log: the shell that looks, run for real, and the reading of its output."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import struct
import subprocess
import tarfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.logs.files import READS, log_files
from collector.facts.logs.log_heads import utmp_time
from collector.facts.logs.model.families import family_of, log_of
from collector.facts.logs.model.shapes import LogFile, LogFiles, Look
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from tests.own_world import led_to

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)

FORMS = {
    "rsyslog, Debian 12": ("2026-05-01T03:04:05.678901+08:00 web1 sshd: x", "2026-04-30T19:04:05"),
    "rsyslog traditional": ("May  1 03:04:05 web1 sshd[1]: x", "2026-04-30T19:04:05"),
    "traditional, last year": ("Dec  1 03:04:05 web1 sshd[1]: x", "2025-11-30T19:04:05"),
    "traditional, leap day": ("Feb 29 03:04:05 web1 sshd[1]: x", "2024-02-28T19:04:05"),
    "traditional with year": ("May  1 03:04:05 2026 web1 sshd[1]: x", "2026-04-30T19:04:05"),
    "audit": ("type=USER_LOGIN msg=audit(1777575845.123:45): pid=1", "2026-04-30T19:04:05"),
    "audit with node": ("node=web1 type=X msg=audit(1777575845.123:45): ", "2026-04-30T19:04:05"),
    "nginx access": ('192.0.2.1 - - [01/May/2026:03:04:05 +0800] "GET /"', "2026-04-30T19:04:05"),
    "nginx error": ("2026/05/01 03:04:05 [error] 7#7: *1 open()", "2026-04-30T19:04:05"),
    "apache error": ("[Fri May 01 03:04:05.123456 2026] [core:notice] x", "2026-04-30T19:04:05"),
    "IIS": ("2026-05-01 03:04:05 192.0.2.1 GET / - 80", "2026-04-30T19:04:05"),
    "dpkg": ("2026-05-01 03:04:05 install x", "2026-04-30T19:04:05"),
    "apt history": ("Start-Date: 2026-05-01  03:04:05", "2026-04-30T19:04:05"),
    "apt term": ("Log started: 2026-05-01  03:04:05", "2026-04-30T19:04:05"),
    "dnf": ("2026-05-01T03:04:05+0800 INFO --- logging initialized", "2026-04-30T19:04:05"),
    "mysql": ("2026-04-30T19:04:05.123456Z 0 [Note] x", "2026-04-30T19:04:05"),
    "mysql 5.6": ("260501  3:04:05 [Note] x", "2026-04-30T19:04:05"),
    "mariadb": ("2026-05-01  3:04:05 0 [Note] x", "2026-04-30T19:04:05"),
    "redis": ("1234:M 01 May 2026 03:04:05.123 * Ready", "2026-04-30T19:04:05"),
    "postgresql": ("2026-04-30 19:04:05.123 UTC [7] LOG: x", "2026-04-30T19:04:05"),
    "postgresql, CST": ("2026-05-01 03:04:05.123 CST [7] LOG: x", "2026-04-30T19:04:05"),
    "mongodb": ('{"t":{"$date":"2026-05-01T03:04:05.123+08:00"},"s":"I"', "2026-04-30T19:04:05"),
    "firewalld": ("2026-05-01 03:04:05 WARNING: x", "2026-04-30T19:04:05"),
    "RFC 5424": ("<34>1 2026-04-30T19:04:05.003Z web1 su - ID47 - x", "2026-04-30T19:04:05"),
    "logback": ("2026-05-01 03:04:05,123 [main] INFO  a.b.C - x", "2026-04-30T19:04:05"),
    "spring boot 3": ("2026-05-01T03:04:05.123+08:00  INFO 1 --- x", "2026-04-30T19:04:05"),
    "tomcat": ("01-May-2026 03:04:05.123 INFO [main] x", "2026-04-30T19:04:05"),
    "java.util.logging": ("May 1, 2026 3:04:05 AM org.apache.x", "2026-04-30T19:04:05"),
    "vsftpd": ("Fri May  1 03:04:05 2026 [pid 3] CONNECT", "2026-04-30T19:04:05"),
    "named": ("01-May-2026 03:04:05.123 general: info: x", "2026-04-30T19:04:05"),
    "squid": ("1777575845.123     23 192.0.2.1 TCP_MISS/200", "2026-04-30T19:04:05"),
    "caddy": ('{"level":"info","ts":1777575845.123,"msg":"x"', "2026-04-30T19:04:05"),
    "Docker": (
        '{"log":"at 12:00 x\\n","stream":"stdout","time":"2026-04-30T19:04:05.123456789Z"}',
        "2026-04-30T19:04:05",
    ),
    "Docker, a record's own time": (
        '{"log":"2026-05-01 03:04:04 x\\n","stream":"stderr","time":"2026-04-30T19:04:05.1Z"}',
        "2026-04-30T19:04:05",
    ),
    "MariaDB server_audit": (
        "20260501 03:04:05,vm,root,localhost,3,4968,QUERY,,'select 1',0", "2026-04-30T19:04:05"
    ),
    "date(1)": ("Fri May  1 03:04:05 CST 2026 backup done", "2026-04-30T19:04:05"),
}  # fmt: skip


def _parse(
    stdout: str,
    machine: str = "x86_64",
    status: ReadStatus = ReadStatus.OK,
    zone: str = "+0000",
) -> LogFiles:
    result = ReadResult("log_files.times", status, stdout=stdout.encode())
    return log_files(
        Capture(
            "h",
            HostStatus.COMPLETE,
            head={"kernel": f"Linux 6.1 {machine}", "zone": zone},
            collected_at=AT,
            reads={"log_files.times": result},
        )
    )


def _look(folder: Path, shell: str = "sh", *, patient: bool = False) -> str:
    """The read's own shell text, with /var/log moved to `folder`, and its redaction.

    Patient: what it opens is bounded by its estimate of cost only, however slow the machine is.
    """
    (read,) = READS
    body = led_to(read.body, folder)
    if patient:
        assert body.count("${now:-0} + 3))") == 1
        body = body.replace("${now:-0} + 3))", "${now:-0} + 600))")
    found = shutil.which(shell.split(maxsplit=1)[0])
    if found is None:
        pytest.skip(f"no {shell} here")
    with subprocess.Popen(
        [found, *shell.split()[1:], "-c", body],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "LC_ALL": "C"},
    ) as looked:
        return subprocess.run(
            ["sed", "-e", read.redact], stdin=looked.stdout, capture_output=True, check=True
        ).stdout.decode("utf-8", "replace")


def _seen(folder: Path, shell: str = "sh") -> LogFiles:
    return _parse(_look(folder, shell))


def _file(seen: LogFiles, path: Path) -> LogFile:
    return seen.files[str(path)]


def _utmp(
    moment: datetime, kind: int = 7, user: bytes = b"ann", host: bytes = b"192.0.2.9"
) -> bytes:
    form = "<hxxi32s4s32s256shhiii16s20x"
    seconds = int(moment.timestamp())
    return struct.pack(form, kind, 1, b"", b"", user, host, 0, 0, 0, seconds, 0, b"")


def _day(month: int, day: int, hour: int = 3) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


@pytest.mark.parametrize("shell", ["dash", "bash", "ksh", "busybox sh"])
def test_look_and_read(tmp_path: Path, shell: str) -> None:
    (tmp_path / "syslog").write_text(
        "Nov 20 00:00:01 h a: token=hunter2\nNov 25 00:00:02 h b: token=hunter2\n"
    )
    (tmp_path / "my app").mkdir()
    (tmp_path / "my app" / "a b.log").write_text("\n\n2026-10-01 01:02:03 first\n")
    with gzip.open(tmp_path / "syslog.2.gz", "wt") as out:
        out.write("May  1 00:00:01 h a: token=hunter2\nMay  4 00:00:01 h a: x\n")
    (tmp_path / "wtmp").write_bytes(
        _utmp(_day(4, 1), 2, b"reboot") + _utmp(_day(4, 1)) + _utmp(_day(4, 2), 8, b"", b"")
        + _utmp(_day(4, 3), 1, b"shutdown", b"")
    )  # fmt: skip
    with gzip.open(tmp_path / "wtmp-20260301.gz", "wb") as out:
        out.write(_utmp(_day(3, 1)))
    (tmp_path / "btmp").write_bytes(_utmp(_day(4, 9), 6, b"hunter2"))
    (tmp_path / "empty.log").touch()
    output = _look(tmp_path, shell)
    assert "hunter2" not in output
    seen = _parse(output)
    found = {path.removeprefix(f"{tmp_path}/"): file for path, file in seen.files.items()}
    assert found["syslog"].first == datetime(2026, 11, 20, 0, 0, 1, tzinfo=UTC)
    assert found["syslog"].last == datetime(2026, 11, 25, 0, 0, 2, tzinfo=UTC)
    assert [day.count for day in found["syslog"].days] == [1, 1]
    assert found["syslog.2.gz"].first == datetime(2026, 5, 1, 0, 0, 1, tzinfo=UTC)
    assert found["syslog.2.gz"].last == datetime(2026, 5, 4, 0, 0, 1, tzinfo=UTC)
    assert found["my app/a b.log"].first == datetime(2026, 10, 1, 1, 2, 3, tzinfo=UTC)
    assert found["wtmp"].first == _day(4, 1)
    assert found["wtmp"].last == _day(4, 3)
    assert found["wtmp-20260301.gz"].first == _day(3, 1)
    assert found["btmp"].first == _day(4, 9)
    assert found["empty.log"].first is None
    wtmp = seen.records[f"{tmp_path}/wtmp"]
    assert (wtmp.records, wtmp.logins, wtmp.logouts, wtmp.addressed) == (4, 1, 1, 1)
    assert wtmp.boots == (_day(4, 1),)
    assert wtmp.downs == (_day(4, 3),)
    assert (wtmp.zeroed, wtmp.torn, wtmp.whole) == (0, False, True)


PACKERS = [("gz", "gzip"), ("xz", "xz"), ("bz2", "bzip2"), ("zst", "zstd"), ("lzma", "xz -Flzma")]


@pytest.mark.parametrize(("end", "program"), PACKERS)
def test_packed(tmp_path: Path, end: str, program: str) -> None:
    words = program.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"no {words[0]} here")
    text = "Nov  1 00:00:01 h a\nNov  2 23:00:01 h a\n"
    packed = subprocess.run([*words, "-c"], input=text.encode(), capture_output=True, check=True)
    (tmp_path / f"messages-20261103.{end}").write_bytes(packed.stdout)
    (tmp_path / f"messages-20261104.{end}").write_bytes(packed.stdout[:20])
    (tmp_path / f"messages-20261105.{end}").write_bytes(b"no such form")
    seen = _seen(tmp_path)
    whole = _file(seen, tmp_path / f"messages-20261103.{end}")
    assert whole.look is Look.WHOLE
    assert whole.last == datetime(2026, 11, 2, 23, 0, 1, tzinfo=UTC)
    # what cannot be unpacked was not looked into
    for day in (4, 5):
        broken = _file(seen, tmp_path / f"messages-2026110{day}.{end}")
        assert broken.look is Look.NONE
        assert broken.first is None


def test_archives_of_one_file(tmp_path: Path) -> None:
    (tmp_path / "secure").write_text("Nov  3 00:00:01 h a\n")
    (tmp_path / "app-20261103").write_text("Nov  1 00:00:01 h a\nNov  2 23:00:01 h a\n" * 50)
    with zipfile.ZipFile(tmp_path / "messages-20261103.zip", "w", zipfile.ZIP_DEFLATED) as out:
        out.write(tmp_path / "app-20261103", "messages-20261103")
    for end in ("tar.gz", "tgz"):
        with tarfile.open(tmp_path / f"secure-20261103.{end}", "w:gz") as tar:
            tar.add(tmp_path / "app-20261103", "secure-20261103")
    (tmp_path / "secure-20261110.7z").write_bytes(b"7z no such program")
    seen = _seen(tmp_path)
    for name in ("messages-20261103.zip", "secure-20261103.tar.gz", "secure-20261103.tgz"):
        file = _file(seen, tmp_path / name)
        assert file.first is not None, name
        assert file.first.day in (1, 2), "the header of tar may take the first line with it"
        assert file.packed, name
    secure = {f.path.rsplit("/", 1)[1] for f in seen.grouped()[str(tmp_path / "secure")]}
    assert secure == {"secure", "secure-20261103.tar.gz", "secure-20261103.tgz",
                      "secure-20261110.7z"}  # fmt: skip
    assert seen.unopened == (str(tmp_path / "secure-20261110.7z"),)


def test_no_unpacker_here(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "syslog.2.gz", "wt") as out:
        out.write("Nov  1 00:00:01 h a\n")
    body = _look(tmp_path)
    assert re.search(r"@e \. \d", body)
    (read,) = READS
    changed = read.body.replace("x=gzip", "x=no-such-program").replace("/var/log", str(tmp_path))
    said = subprocess.run(["sh", "-c", changed], capture_output=True, text=True, check=True).stdout
    assert _file(_parse(said), tmp_path / "syslog.2.gz").look is Look.NONE


@pytest.mark.parametrize("name", FORMS)
def test_forms(tmp_path: Path, name: str) -> None:
    """Each form as real software writes it, told alike by the read and by record_time."""
    line, expected = FORMS[name]
    (tmp_path / "app.log").write_text(f"{line} password=hunter2\n\tat hunter2\n")
    output = _look(tmp_path)
    assert "hunter2" not in output
    found = _parse(output, zone="+0800").files[f"{tmp_path}/app.log"]
    assert found.first == datetime.fromisoformat(expected).replace(tzinfo=UTC)
    assert found.last == found.first
    assert found.lines == 2


def test_a_log_cannot_speak_for_another(tmp_path: Path) -> None:
    """Whoever writes whole lines into one log cannot give another log an older record."""
    forged = [
        f"==> {tmp_path}/auth.log <==", f"@P {tmp_path}/auth.log", "@S login", "@Z", "@e . 1",
        "@d 1 - 2020-01-01T00:00:00 2020-01-01T00:00:00", f"@F 9 9 S {tmp_path}/auth.log",
    ]  # fmt: skip
    (tmp_path / "app.log").write_text("\n".join([*forged, "2026-11-01 00:00:00 x\n"]))
    with gzip.open(tmp_path / "app.log.1.gz", "wt") as out:
        out.write("\n".join([*forged, "2026-10-01 00:00:00 x\n"]))
    (tmp_path / "auth.log").write_text("2026-11-20 00:00:00 real\n")
    found = _seen(tmp_path)
    assert _file(found, tmp_path / "auth.log").first == datetime(2026, 11, 20, tzinfo=UTC)
    assert _file(found, tmp_path / "app.log").first == datetime(2026, 11, 1, tzinfo=UTC)
    assert _file(found, tmp_path / "app.log.1.gz").first == datetime(2026, 10, 1, tzinfo=UTC)


OLD = "@F 9 9 /var/log/app.log\n@F 9 9 /var/log/auth.log\n@S folders\n@S head\n"


def test_captures_of_the_first_form() -> None:
    """Bundles that hold them must be judged still, and a forged heading must not pass."""
    ends = "@S packed\n@S tail\n==> /var/log/app.log <==\n2026-11-02 00:00:00\n@S login\n"
    found = _parse(f"{OLD}==> /var/log/app.log <==\n2026-11-01 00:00:00\n{ends}")
    assert not found.detailed
    app = found.files["/var/log/app.log"]
    assert (app.first, app.last) == (
        datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    )  # fmt: skip
    twice = "==> /var/log/auth.log <==\n2020-01-01 00:00:00\n==> /var/log/auth.log <==\n"
    with pytest.raises(NotUnderstood, match="stands twice"):
        _parse(f"{OLD}{twice}{ends}")
    with pytest.raises(NotUnderstood, match="stands twice"):
        _parse(f"{OLD}@S tail\n{ends}")


def test_too_many_files_are_not_taken_for_all() -> None:
    with pytest.raises(CouldNotLook, match="more than"):
        _parse("@O more\n@F 1 1 - /var/log/a\n@Z\n")


@pytest.mark.parametrize("word", ["awk", "stat", "find"])
def test_no_such_command(word: str) -> None:
    with pytest.raises(CouldNotLook, match=word):
        _parse(f"@O {word}\n@Z\n")


def test_half_an_answer_is_none() -> None:
    with pytest.raises(CouldNotLook):
        _parse("@F 1 1 S /var/log/syslog\n@P /var/log/syslog\n")
    with pytest.raises(CouldNotLook):
        _parse("@Z\n", status=ReadStatus.TRUNCATED)


def test_odd_files(tmp_path: Path) -> None:
    """Names, links, junk: each is looked into or told as not looked into, and nothing hangs."""
    (tmp_path / "中文 日志.log").write_text("2026-10-01 01:02:03 a\n")
    (tmp_path / "a=b.log").write_text("2026-10-02 01:02:03 a\n")
    (tmp_path / "-n.log").write_text("2026-10-03 01:02:03 a\n")
    (tmp_path / "two\nlines.log").write_text("2026-10-04 01:02:03 a\n")
    (tmp_path / "junk.log").write_bytes(bytes(range(256)) * 400)
    (tmp_path / "trace.log").write_text("\tat a\n" * 9 + "2026-10-05 01:02:03 a\n")
    (tmp_path / "header.log").write_text("# MySQL\n")
    (tmp_path / "long.log").write_text("x" * 3_000_000)
    os.link(tmp_path / "a=b.log", tmp_path / "hard.log")
    far = tmp_path.parent / f"far-{tmp_path.name}"
    far.mkdir()
    (far / "access.log").write_text("2026-10-06 01:02:03 a\n")
    (tmp_path / "nginx").symlink_to(far)
    (tmp_path / "link.log").symlink_to(far / "access.log")
    (tmp_path / "out.log").symlink_to("/dev/stdout")
    (tmp_path / "kmsg.log").symlink_to("/proc/kmsg")
    (tmp_path / "gone.log").symlink_to(far / "none")
    (tmp_path / "proc").symlink_to("/proc")
    (tmp_path / "round").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.log")
    seen = _seen(tmp_path)
    told = {
        path.removeprefix(f"{tmp_path}/"): file.first.day if file.first else None
        for path, file in seen.files.items()
    }
    assert told.pop("kmsg.log") is None
    assert told == {
        "中文 日志.log": 1, "a=b.log": 2, "hard.log": 2, "-n.log": 3, "junk.log": None,
        "trace.log": 5, "header.log": None, "long.log": None, "nginx/access.log": 6, "link.log": 6,
    }  # fmt: skip
    assert seen.hindered == ("newline",)


def test_big_files_are_sampled(tmp_path: Path) -> None:
    """A file of 200 MB and a sparse one of 2 GB: their ends and some places in them, never all."""
    with (tmp_path / "syslog").open("wb") as out:
        for hour in range(200):
            moment = _day(11, 1) + timedelta(hours=hour)
            out.seek(hour * 1_000_000)
            line = f"\n{moment:%Y-%m-%dT%H:%M:%S}+00:00 h a: x"
            out.write(line.encode() * 31_000)
    with (tmp_path / "app.log").open("wb") as out:
        out.write(b"2026-11-01 00:00:00 a\n")
        out.seek(1 << 31)
        out.write(b"\n2026-11-20 00:00:00 a\n")
    seen = _seen(tmp_path)
    big, app = _file(seen, tmp_path / "syslog"), _file(seen, tmp_path / "app.log")
    assert big.look is Look.SAMPLED
    assert len(big.days) == 9
    assert app.look is Look.ENDS
    assert (app.first, app.last) == (_day(11, 1, 0), _day(11, 20, 0))


def test_what_unpacks_to_very_much_is_cut(tmp_path: Path) -> None:
    text = b"2026-11-01T00:00:00+00:00 h a: x\n" * 2_500_000
    with gzip.open(tmp_path / "syslog.2.gz", "wb", compresslevel=1) as out:
        out.write(text + b"2026-11-09T00:00:00+00:00 h a: x\n")
    found = _file(_seen(tmp_path), tmp_path / "syslog.2.gz")
    assert found.first == _day(11, 1, 0)
    assert found.look is Look.HEAD
    assert found.last is None


def test_times_that_cannot_be(tmp_path: Path) -> None:
    """Forged lines at the top of a file do not make it older or newer."""
    real = "".join(
        f"2026-11-{d:02}T{h:02}:00:00+00:00 h a: x\n" for d in range(1, 25) for h in range(24)
    )
    (tmp_path / "syslog").write_text("2020-01-01T00:00:00+00:00 h a: forged\n" + real)
    (tmp_path / "app.log").write_text("2031-01-01 00:00:00 x\n2026-11-03 00:00:00 x\n")
    (tmp_path / "messages").write_text("1970-01-01T00:00:09+00:00 h kernel: x\n" + real)
    seen = _seen(tmp_path)
    assert _file(seen, tmp_path / "syslog").first == _day(11, 1, 0)
    assert _file(seen, tmp_path / "messages").first == _day(11, 1, 0)
    assert _file(seen, tmp_path / "app.log").first == _day(11, 3, 0)


def test_years_of_times_without_a_year(tmp_path: Path) -> None:
    """Each file is at least as old as the next newer one, whatever the day says by itself."""
    for number, line in enumerate(
        ["Jan  9", "Oct  1", "Nov 28", "Feb 28"], 1
    ):  # rotated once in a while, over three years
        (tmp_path / f"messages.{number}").write_text(f"{line} 03:00:00 h a: x\n")
    (tmp_path / "messages").write_text("Nov 20 03:00:00 h a: x\n")
    seen = _seen(tmp_path)
    firsts = [_file(seen, tmp_path / f"messages.{n}").first for n in (1, 2, 3, 4)]
    assert firsts == [
        datetime(2026, 1, 9, 3, tzinfo=UTC), datetime(2025, 10, 1, 3, tzinfo=UTC),
        datetime(2024, 11, 28, 3, tzinfo=UTC), datetime(2024, 2, 28, 3, tzinfo=UTC),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "form", ["-%m%d", ".%m%d", "-%d", ".%d", "-%y%m%d", "-%d%m%Y", "-%d-%m-%Y", "_%Y%m%d"]
)
def test_names_that_count_up(tmp_path: Path, form: str) -> None:
    """Eight weeks stay eight weeks, whatever dateformat made of the names."""
    for week in range(8):
        end = AT - timedelta(days=7 * week + 1)
        line = f"{end - timedelta(days=3):%b %e} 03:00:00 h a: x\n"
        (tmp_path / f"messages{end:{form}}").write_text(line)
    (tmp_path / "messages").write_text("Nov 24 03:00:00 h a: x\n")
    seen = _seen(tmp_path)
    firsts = [f.first for f in seen.files.values() if f.first]
    assert len(firsts) == 9
    assert min(firsts) > AT - timedelta(days=60)


def test_numbers_left_beside_dates(tmp_path: Path) -> None:
    """Since dateext was set the numbers are the older ones, and nothing removes them."""
    (tmp_path / "messages").write_text("Nov 24 03:00:00 h a: x\n")
    for name, day in (("1", "Aug 30"), ("2", "Aug 23")):
        (tmp_path / f"messages.{name}").write_text(f"{day} 03:00:00 h a: x\n")
    (tmp_path / "messages-20261122").write_text("Nov 20 03:00:00 h a: x\n")
    firsts = [f.first for f in _seen(tmp_path).files.values() if f.first]
    assert (len(firsts), min(firsts)) == (4, _day(8, 23))


def test_a_file_of_more_than_a_year(tmp_path: Path) -> None:
    """Without years; and a file that was put together in the wrong order is none of these."""
    days = [AT - timedelta(days=n) for n in range(430)]
    text = "".join(f"{d:%b %e} 0{h}:00:00 h a: x\n" for d in days[::-1] for h in (1, 9))
    (tmp_path / "messages").write_text(text)
    (tmp_path / "cron").write_text(
        "".join(f"{d:%b %e} 01:00:00 h a: x\n" for d in (*days[9::-1], *days[20:9:-1]))
    )
    # a clock that ran some days ahead at the end makes nothing older
    (tmp_path / "secure").write_text(
        "".join(f"{d:%b %e} 01:00:00 h a: x\n" for d in days[40::-1])
        + "Nov 28 01:00:00 h a: x\nNov 29 01:00:00 h a: x\n"
    )
    seen = _seen(tmp_path)
    assert _file(seen, tmp_path / "secure").first == _day(10, 16, 1)
    file = _file(seen, tmp_path / "messages")
    assert file.first == datetime(2025, 9, 22, 1, tzinfo=UTC)
    assert [day.first.date() for day in file.days] == [d.date() for d in days[::-1]]
    assert _file(seen, tmp_path / "cron").first == _day(11, 16, 1)


def test_login_records_that_were_tampered_with(tmp_path: Path) -> None:
    (tmp_path / "wtmp").write_bytes(
        _utmp(_day(4, 1)) + b"\0" * 384 * 3 + _utmp(_day(5, 9)) + _utmp(_day(4, 2)) + b"half"
    )
    wtmp = _seen(tmp_path).records[f"{tmp_path}/wtmp"]
    assert wtmp.zeroed == 3
    assert wtmp.torn
    assert wtmp.backwards == ((_day(5, 9), _day(4, 2)),)


def test_lines_of_logins(tmp_path: Path) -> None:
    (tmp_path / "auth.log").write_text(
        "2026-11-01T00:00:00+00:00 h sshd[1]: Accepted publickey for ann from 192.0.2.9 port 5 ssh2\n"
        "2026-11-01T00:00:00+00:00 h sshd[1]: pam_unix(sshd:session): session opened for user ann\n"
        "2026-11-01T01:00:00+00:00 h sshd[1]: pam_unix(sshd:session): session closed for user ann\n"
    )
    told = _seen(tmp_path).lines[f"{tmp_path}/auth.log"]
    assert (told.accepted, told.addressed, told.opened, told.closed) == (1, 1, 1, 1)


def test_many_files_stay_within_their_budget(tmp_path: Path) -> None:
    """3,000 files of 40 GB: the edges of each log are looked into, the rest is told as not."""
    for app in range(60):
        folder = tmp_path / f"app{app}"
        folder.mkdir()
        for number in range(50):
            name = f"out.log.{number}" if number else "out.log"
            with (folder / name).open("wb") as out:
                out.write(f"2026-11-{25 - number // 2:02} 00:00:00 x\n".encode())
                out.truncate(14_000_000)
    (read,) = READS
    assert read.limit <= 1 << 21
    seen = _parse(_look(tmp_path, patient=True))
    assert len(seen.files) == 3000
    opened = [f for f in seen.files.values() if f.look is not Look.NONE]
    assert len(opened) < 1000
    assert len(seen.unopened) == 3000 - len(opened)
    assert _file(seen, tmp_path / "app7" / "out.log.49").first == _day(11, 1, 0)
    assert _file(seen, tmp_path / "app7" / "out.log").first == _day(11, 25, 0)


def test_login_records_of_other_machines() -> None:
    """64-bit times in 400 bytes on aarch64 (Kunpeng, Phytium) and loongarch64 (Loongson)."""
    moment = datetime(2026, 3, 1, 3, tzinfo=UTC)
    data = bytearray(400)
    struct.pack_into("<q", data, 344, int(moment.timestamp()))
    assert utmp_time(bytes(data), "aarch64") == moment
    assert utmp_time(_utmp(moment), "x86_64") == moment
    assert utmp_time(b"", "x86_64") is None
    with pytest.raises(NotUnderstood):
        utmp_time(bytes(data), "s390x")


def test_the_read_on_a_machine_of_64_bit_times(tmp_path: Path) -> None:
    data = bytearray(400)
    struct.pack_into("<h", data, 0, 7)
    struct.pack_into("<q", data, 344, int(_day(3, 1).timestamp()))
    (tmp_path / "wtmp").write_bytes(bytes(data) * 3)
    (read,) = READS
    body = read.body.replace("/var/log", str(tmp_path)).replace("uname -m", "echo aarch64")
    said = subprocess.run(["sh", "-c", body], capture_output=True, text=True, check=True).stdout
    found = _parse(said, machine="aarch64")
    assert _file(found, tmp_path / "wtmp").first == _day(3, 1)
    assert found.records[f"{tmp_path}/wtmp"].logins == 3
    # of a machine whose form is not known nothing is said
    assert _parse(said, machine="s390x").records == {}


@pytest.mark.parametrize(
    ("path", "log"),
    [
        ("/var/log/syslog.1", "/var/log/syslog"),
        ("/var/log/syslog.12.gz", "/var/log/syslog"),
        ("/var/log/messages-20261101", "/var/log/messages"),
        ("/var/log/messages-20261101.gz", "/var/log/messages"),
        ("/var/log/cron-2026110103.xz", "/var/log/cron"),
        ("/var/log/app-20261101.log", "/var/log/app.log"),
        ("/var/log/pg/pg-15-main.log", "/var/log/pg/pg-15-main.log"),
        ("/var/log/apt/history.log.1.gz", "/var/log/apt/history.log"),
        ("/var/log/audit/audit.log.4", "/var/log/audit/audit.log"),
        ("/var/log/app_20261101.log", "/var/log/app.log"),
        ("/var/log/app.2026-11-01.log", "/var/log/app.log"),
        ("/var/log/app-202611.log.gz", "/var/log/app.log"),
        ("/var/log/app.log_20261101.zip", "/var/log/app.log"),
        ("/var/log/app.log.2026-11-01.tar.gz", "/var/log/app.log"),
        ("/var/log/app.log-20261101-1793491200", "/var/log/app.log"),
        ("/var/log/app.log-20261101_0312.xz", "/var/log/app.log"),
        ("/var/log/app.log-2026-11-01T03:12:01", "/var/log/app.log"),
        ("/var/log/app.log-01112026", "/var/log/app.log"),
        ("/var/log/app.log-01-11-2026", "/var/log/app.log"),
        ("/var/log/app.log-261101", "/var/log/app.log"),
        ("/var/log/app.log_2026-11-25_013001.log.gz", "/var/log/app.log"),
        ("/var/log/other_20261101.log", "/var/log/other_20261101.log"),
    ],
)  # fmt: skip
def test_rotated_files_belong_to_their_log(path: str, log: str) -> None:
    assert log_of(path, {"/var/log/app.log"}) == log


@pytest.mark.parametrize(
    ("path", "family"),
    [
        ("/var/log/secure", "login"),
        ("/var/log/auth.log", "login"),
        ("/var/log/btmp", "login"),
        ("/var/log/audit/audit.log", "audit"),
        ("/var/log/messages", "syslog"),
        ("/var/log/cron", "syslog"),
        ("/var/log/nginx/access.log", "web"),
        ("/www/wwwlogs/example.com.log", "web"),
        ("/usr/local/nginx/logs/access.log", "web"),
        ("/var/log/mysql/error.log", "database"),
        ("/var/log/mysqld.log", "database"),
        ("/var/log/maillog", "mail"),
        ("/var/log/dnf.rpm.log", "packages"),
        ("/var/log/yum.log", "packages"),
        ("/var/log/myapp/out.log", "other"),
    ],
)
def test_families(path: str, family: str) -> None:
    assert family_of(path) == family
