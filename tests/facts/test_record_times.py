"""The time inside a record, in the forms that real software writes."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta, timezone

import pytest

from collector.facts.base.timestamps import ONLY_TIMES, record_time, zone_of

AT = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
CHINA = timezone(timedelta(hours=8))
SECRET = "password=hunter2"

RECORDS = {
    "rsyslog, Debian 12": ("2026-05-01T03:04:05.678901+08:00 web1 sshd: x", "2026-04-30T19:04:05"),
    "rsyslog traditional": ("May  1 03:04:05 web1 sshd[1]: x", "2026-04-30T19:04:05"),
    "traditional, last year": ("Dec  1 03:04:05 web1 sshd[1]: x", "2025-11-30T19:04:05"),
    "traditional, leap day": ("Feb 29 03:04:05 web1 sshd[1]: x", "2024-02-28T19:04:05"),
    "audit": ("type=USER_LOGIN msg=audit(1777575845.123:45): pid=1", "2026-04-30T19:04:05"),
    "audit with node": ("node=web1 type=X msg=audit(1777575845.123:45): ", "2026-04-30T19:04:05"),
    "nginx access": ('192.0.2.1 - - [01/May/2026:03:04:05 +0800] "GET /"', "2026-04-30T19:04:05"),
    "nginx error": ("2026/05/01 03:04:05 [error] 7#7: *1 open()", "2026-04-30T19:04:05"),
    "apache error": ("[Fri May 01 03:04:05.123456 2026] [core:notice] x", "2026-04-30T19:04:05"),
    "dpkg": ("2026-05-01 03:04:05 install x", "2026-04-30T19:04:05"),
    "apt history": ("Start-Date: 2026-05-01  03:04:05", "2026-04-30T19:04:05"),
    "apt term": ("Log started: 2026-05-01  03:04:05", "2026-04-30T19:04:05"),
    "dnf": ("2026-05-01T03:04:05+0800 INFO --- logging initialized", "2026-04-30T19:04:05"),
    "mysql": ("2026-04-30T19:04:05.123456Z 0 [Note] x", "2026-04-30T19:04:05"),
    "redis": ("1234:M 01 May 2026 03:04:05.123 * Ready", "2026-04-30T19:04:05"),
    "postgresql": ("2026-04-30 19:04:05.123 UTC [7] LOG: x", "2026-04-30T19:04:05"),
    "a zone that is no number": ("2026-05-01 03:04:05.123 CST [7] LOG: x", "2026-04-30T19:04:05"),
    "as the reads tell it": ("--05-01T03:04:05", "2026-04-30T19:04:05"),
    "as the reads tell an epoch": ("@1777575845", "2026-04-30T19:04:05"),
    "firewalld": ("2026-05-01 03:04:05 WARNING: x", "2026-04-30T19:04:05"),
    "RFC 5424": ("<34>1 2026-04-30T19:04:05.003Z web1 su - ID47 - x", "2026-04-30T19:04:05"),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_time_of_a_record(name: str) -> None:
    line, expected = RECORDS[name]
    assert record_time(line, AT, CHINA) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("shell", ["sed", "busybox"])
def test_no_line_of_a_log_leaves_the_host(name: str, shell: str) -> None:
    """What the read makes of records passes; a record itself does not."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    program = ["busybox", "sed"] if shell == "busybox" else ["sed"]
    line, _ = RECORDS[name]
    assert _sed(f"{line} {SECRET}\n@d {SECRET}\n@e . {SECRET}\n@u {SECRET}\n", program) == ""


@pytest.mark.parametrize("shell", ["sed", "busybox"])
def test_what_the_read_says_passes(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    program = ["busybox", "sed"] if shell == "busybox" else ["sed"]
    text = (
        "@F 12 1795602169 S /var/log/a b.log\n@F 0 -1 - /var/log/x\n@O newline\n@D - /var/log/\n"
        "@P /var/log/a b.log\n@d 12 - 2026-11-25T10:22:47+0800 2026-11-25T10:39:16Z\n@b\n"
        "@d 1 0 --11-25T10:33:03 @1795602169\n@a 1 1 0 2\n@e . 23\n@e  4\n@u 2 1795602169\n"
        "@u < 1795602169 1795602000\n@u . 1 2 3 4 5 1795602169 1795602169\n@Z\n"
        "@W 2026-11-25T10:22:47+0000\n@w b 2026-11-25T10:22:47+0000 -\n@w l 2026-11-25T10:22:47+0000\n@w . 1 2 3\n"
    )
    assert _sed(f"{text}{SECRET}\n", program) == text


def _sed(text: str, program: list[str] | None = None) -> str:
    return subprocess.run(
        [*(program or ["sed"]), "-e", ONLY_TIMES],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_no_time_is_not_made_up() -> None:
    assert record_time("Traceback (most recent call last):", AT, UTC) is None
    assert record_time("1970-01-01T00:00:09+00:00 h kernel: the clock is not set", AT, UTC) is None
    assert record_time("2026-13-45 01:02:03 no such day", AT, UTC) is None


def test_a_time_without_year_is_never_older_than_it_shows() -> None:
    """A clock a little ahead is still this year's; anything later is last year's."""
    assert record_time("Nov 25 12:00:00 h x", AT, UTC) == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert record_time("Nov 27 12:00:00 h x", AT, UTC) == datetime(2025, 11, 27, 12, tzinfo=UTC)


def test_zone_of() -> None:
    assert zone_of("-0330") == timezone(-timedelta(hours=3, minutes=30))
    assert zone_of("CST") is UTC
