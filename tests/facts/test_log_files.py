"""What lies under /var/log: the shell that looks, run for real, and the reading of its output."""

from __future__ import annotations

import gzip
import struct
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.errors import CouldNotLook, NotUnderstood
from collector.facts.log_families import family_of, log_of
from collector.facts.log_files import MOST, READS, LogFiles, log_files, utmp_time
from collector.model import Capture, HostStatus, ReadResult, ReadStatus

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)


def _parse(stdout: str, machine: str = "x86_64", status: ReadStatus = ReadStatus.OK) -> LogFiles:
    result = ReadResult("log_files.times", status, stdout=stdout.encode())
    return log_files(
        Capture(
            "h",
            HostStatus.COMPLETE,
            head={"kernel": f"Linux 6.1 {machine}", "zone": "+0000"},
            collected_at=AT,
            reads={"log_files.times": result},
        )
    )


def _look(folder: Path, shell: str = "sh") -> str:
    """The read's own shell text, with /var/log moved to `folder`, and its redaction."""
    (read,) = READS
    body = read.body.replace("/var/log", str(folder)).replace("/www/wwwlogs", f"{folder}/none")
    return subprocess.run(
        [shell, "-c", f"{{ {body}\n}} | sed -e '{read.redact}'"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def _utmp(moment: datetime) -> bytes:
    form = "<hxxi32s4s32s256shhiii16s20x"
    seconds = int(moment.timestamp())
    return struct.pack(form, 7, 1, b"", b"", b"", b"", 0, 0, 0, seconds, 0, b"")


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_look_and_read(tmp_path: Path, shell: str) -> None:
    (tmp_path / "syslog").write_text(
        "Nov 20 00:00:01 h a: token=hunter2\nNov 25 00:00:02 h b: token=hunter2\n"
    )
    (tmp_path / "my app").mkdir()
    (tmp_path / "my app" / "a b.log").write_text("\n\n2026-10-01 01:02:03 first\n")
    with gzip.open(tmp_path / "syslog.2.gz", "wt") as out:
        out.write("May  1 00:00:01 h a: token=hunter2\n")
    first, last = datetime(2026, 4, 1, 3, tzinfo=UTC), datetime(2026, 4, 2, 3, tzinfo=UTC)
    (tmp_path / "wtmp").write_bytes(_utmp(first) + _utmp(last))
    with gzip.open(tmp_path / "wtmp-20260301.gz", "wb") as out:
        out.write(_utmp(datetime(2026, 3, 1, 3, tzinfo=UTC)))
    (tmp_path / "empty.log").touch()
    output = _look(tmp_path, shell)
    assert "hunter2" not in output
    found = {path.removeprefix(f"{tmp_path}/"): file for path, file in _parse(output).files.items()}
    assert found["syslog"].first == datetime(2026, 11, 20, 0, 0, 1, tzinfo=UTC)
    assert found["syslog"].last == datetime(2026, 11, 25, 0, 0, 2, tzinfo=UTC)
    assert found["syslog.2.gz"].first == datetime(2026, 5, 1, 0, 0, 1, tzinfo=UTC)
    assert found["my app/a b.log"].first == datetime(2026, 10, 1, 1, 2, 3, tzinfo=UTC)
    assert found["wtmp"].first == first
    assert found["wtmp-20260301.gz"].first == datetime(2026, 3, 1, 3, tzinfo=UTC)
    assert found["empty.log"].first is None


def test_a_log_cannot_speak_for_another(tmp_path: Path) -> None:
    """Whoever writes whole lines into one log cannot give another log an older record."""
    (tmp_path / "app.log").write_text(
        f"==> {tmp_path}/auth.log <==\n2020-01-01 00:00:00 forged\n2026-11-01 00:00:00 x\n"
    )
    (tmp_path / "auth.log").write_text("2026-11-20 00:00:00 real\n")
    with pytest.raises(NotUnderstood, match="stands twice"):
        _parse(_look(tmp_path))


def test_a_log_cannot_end_a_part(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("@S tail\n2020-01-01 00:00:00 forged\n")
    with pytest.raises(NotUnderstood, match="stands twice"):
        _parse(_look(tmp_path))


def test_too_many_files_are_not_taken_for_all() -> None:
    listed = "".join(f"@F 1 1 /var/log/{n}\n" for n in range(MOST + 1))
    with pytest.raises(CouldNotLook, match="more than"):
        _parse(f"{listed}@S folders\n@S head\n@S packed\n@S tail\n@S login\n")


def test_half_an_answer_is_none() -> None:
    with pytest.raises(CouldNotLook):
        _parse("@F 1 1 /var/log/syslog\n@S folders\n@S head\n")
    with pytest.raises(CouldNotLook):
        _parse("@S login\n", status=ReadStatus.TRUNCATED)


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
