"""What logrotate should have done and did not: by its state file, and by what it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from collector.facts.logs.files import LogFile
from collector.facts.logs.logrotate.config import Logrotate, logrotate
from collector.facts.logs.logrotate.directives import Problem, Rotation
from collector.facts.logs.logrotate.schedule import Runs
from collector.facts.logs.rotated import Rotated, rotated
from collector.i18n.message import msg
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus


def _capture(*found: CapturedFile, state: CapturedFile | None = None) -> Capture:
    kept = ReadStatus.OK if state else ReadStatus.ABSENT
    reads = (
        ReadResult("logrotate.config", ReadStatus.OK, files=found),
        ReadResult("logrotate.state", kept, files=(state,) if state else ()),
        ReadResult("logrotate.version", ReadStatus.OK, stdout=b"logrotate 3.22.0\n"),
    )
    return Capture("h", HostStatus.COMPLETE, reads={r.id: r for r in reads})


def _owned(**said: object) -> dict[str, Rotation | Problem]:
    return {"/var/log/a": replace(Rotation(interval="daily", count=7), **said)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "days", "late"),
    [
        ({}, 2, False),
        ({}, 4, True),
        ({"interval": "weekly"}, 8, False),
        ({"interval": "weekly"}, 10, True),
        ({"interval": "monthly"}, 32, False),
        ({"interval": "monthly"}, 34, True),
        ({"interval": "yearly"}, 300, False),
        # these rest until they are written to, or large enough
        ({"notifempty": True}, 40, False),
        ({"minsize": 1 << 20}, 40, False),
        ({"minage": 9}, 40, False),
        ({"interval": "size"}, 400, False),
    ],
)
def test_what_should_have_been_rotated_since(
    said: dict[str, object], days: int, *, late: bool
) -> None:
    """By the state file, in the host's own zone; a run a day is granted on top."""
    zone = timezone(timedelta(hours=8))
    now = datetime(2026, 11, 25, 3, 0, tzinfo=zone)
    then = now.replace(tzinfo=None) - timedelta(days=days)
    known = Logrotate(True, last={"/var/log/a": then})
    assert known.overdue(_owned(**said), now) == ({"/var/log/a": then} if late else {})
    assert known.overdue({}, now) == {}


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="no logrotate here")
def test_when_the_real_one_ran(tmp_path: Path) -> None:
    """The state file of a real run, also one in which nothing was due."""
    log, rules, state = tmp_path / "a.log", tmp_path / "rules", tmp_path / "status"
    log.write_text("x\n")
    rules.write_text(f"{log} {{\n  monthly\n  rotate 7\n}}\n")
    rules.chmod(0o644)
    program = shutil.which("logrotate") or ""
    subprocess.run([program, "-s", state, rules], check=True, capture_output=True)
    os.utime(state, (1, 1))
    before = datetime.now(UTC) - timedelta(seconds=2)
    subprocess.run([program, "-s", state, rules], check=True, capture_output=True)
    held = CapturedFile(
        "/var/lib/logrotate/status",
        ReadStatus.OK,
        data=state.read_bytes(),
        mtime=int(state.stat().st_mtime),
    )
    main = CapturedFile("/etc/logrotate.conf", ReadStatus.OK, 0o644, 0, 0, data=rules.read_bytes())
    known = logrotate(_capture(main, state=held))
    assert known.last_run is not None
    assert known.last_run > before
    assert known.last[str(log)].date() >= before.date() - timedelta(days=1)
    assert logrotate(_capture(main)).last_run is None


def test_a_section_in_force_that_tells_no_days_is_not_called_refused() -> None:
    files = (LogFile("/var/log/a", 9, 0, datetime(2026, 1, 1, tzinfo=UTC)),)
    by = Rotated(Runs("logrotate.timer"), {}, datetime(2026, 11, 25, tzinfo=UTC))
    why = msg("old_files_rotated_again", path="/etc/logrotate.d/x", line=3)
    taken = Problem("/etc/logrotate.d/a", 1, why, refused=False)
    log = rotated("/var/log/a", files, taken, by, ("", None))
    assert not log.known
    assert "refuses" not in log.why.en
    assert log.why.zh == (
        "logrotate 采用其配置，但保留多久无从推算"
        "（/etc/logrotate.d/a:1：其旧文件又被轮转（/etc/logrotate.d/x 第 3 行））"
    )
    refused = replace(taken, why=msg("bad_value_of", word="rotate", value="x"), refused=True)
    assert "logrotate 拒绝其配置（/etc/logrotate.d/a:1：rotate 的值 'x' 无效）" in (
        rotated("/var/log/a", files, refused, by, ("", None)).why.zh
    )
