"""A log that shrank between two checks: the read run for real, with the real logrotate between."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector import catalog
from collector.attest.keys.keys import PrivateKey
from collector.facts.logs.files import READS
from collector.judges import losses as lost
from collector.judges.losses import Loss
from collector.model import Capture, HostStatus, ReadResult, ReadStatus
from collector.replay import diff
from collector.verify import open_bundle
from tests import bundles
from tests.cli.running import hostpledge

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)


def losses(before: Capture, after: Capture) -> tuple[Loss, ...]:
    rule = catalog.control("logging.retention_observed").for_grade(2)
    return lost.losses(before, after, rule)


def _capture(folder: Path, at: datetime = NOW, journal: str = "") -> Capture:
    (read,) = READS
    body = read.body.replace("/var/log", str(folder)).replace("/etc/logrotate", f"{folder}/none")
    said = subprocess.run(
        ["sh", "-c", body], capture_output=True, env={**os.environ, "LC_ALL": "C"}, check=True
    ).stdout.replace(str(folder).encode(), b"/var/log")
    absent = {
        id: ReadResult(id, ReadStatus.ABSENT)
        for id in ("journald.config", "journald.version", "journald.effective")
        if id in catalog.all_reads()
    }
    reads = {
        **absent,
        read.id: ReadResult(read.id, ReadStatus.OK, stdout=said),
        "journald.held": ReadResult("journald.held", ReadStatus.OK, stdout=journal.encode()),
    }
    head = {"kernel": "Linux 6.1 x86_64", "zone": "+0000"}
    return Capture("h", HostStatus.COMPLETE, head=head, collected_at=at, reads=reads)


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Thirty days of auth.log and syslog, rotated ten days ago; the last file holds ten days."""
    folder = tmp_path / "log"
    folder.mkdir()
    for name in ("auth.log", "syslog"):
        for end, days in ((".1", range(30, 10, -1)), ("", range(10, -1, -1))):
            (folder / f"{name}{end}").write_text("".join(
                f"{NOW - timedelta(days=day, hours=hour):%Y-%m-%dT%H:%M:%S}+00:00 h a: x\n"
                for day in days for hour in (3, 2, 1)
            ))  # fmt: skip
    return folder


def _rotated(folder: Path) -> None:
    program = shutil.which("logrotate")
    if program is None:
        pytest.skip("no logrotate here")
    rules = folder.parent / "rules"
    rules.write_text(
        f"{folder}/*.log {folder}/syslog {{\n su root root\n daily\n rotate 9\n compress\n"
        " delaycompress\n}\n"
        if os.geteuid() == 0
        else f"{folder}/*.log {folder}/syslog {{\n daily\n rotate 9\n compress\n delaycompress\n}}\n"
    )
    rules.chmod(0o644)
    folder.chmod(0o755)
    subprocess.run([program, "-f", "-s", folder.parent / "state", rules], check=True)


def test_rotation_loses_nothing(logs: Path) -> None:
    before = _capture(logs)
    _rotated(logs)
    with (logs / "syslog").open("a") as out:
        out.write(f"{NOW + timedelta(hours=9):%Y-%m-%dT%H:%M:%S}+00:00 h a: x\n")
    assert (logs / "auth.log.2.gz").exists()
    assert losses(before, _capture(logs, NOW + timedelta(hours=10))) == ()
    assert losses(before, before) == ()


def _empty(folder: Path) -> None:
    (folder / "auth.log").write_text("")


def _truncate(folder: Path) -> None:
    """Emptied, and written to since."""
    late = NOW + timedelta(hours=1)
    (folder / "auth.log").write_text(f"{late:%Y-%m-%dT%H:%M:%S}+00:00 h a: x\n")


def _middle(folder: Path) -> None:
    text = (folder / "auth.log").read_text().splitlines(keepends=True)
    (folder / "auth.log").write_text("".join(text[:9] + text[15:]))


def _old_file(folder: Path) -> None:
    (folder / "auth.log.1").unlink()


def _all(folder: Path) -> None:
    for path in folder.glob("auth.log*"):
        path.unlink()


@pytest.mark.parametrize(
    ("change", "first", "last"),
    [(_empty, 10, 0), (_truncate, 10, 0), (_middle, 7, 6), (_old_file, 30, 11), (_all, 30, 0)],
)
def test_what_went(logs: Path, change: Callable[[Path], None], first: int, last: int) -> None:
    before = _capture(logs)
    change(logs)
    (found,) = losses(before, _capture(logs, NOW + timedelta(hours=2)))
    assert (found.path, found.family, found.seen) == ("/var/log/auth.log", "login", True)
    day = NOW - timedelta(hours=3)
    assert found.first == day - timedelta(days=first)
    assert found.last == day - timedelta(days=last)


def test_what_is_older_than_six_months_may_go(logs: Path) -> None:
    before = _capture(logs)
    _old_file(logs)
    after = _capture(logs, NOW + timedelta(days=160))
    (found,) = losses(before, after)
    assert found.first > NOW - timedelta(days=30)
    assert losses(before, replace(after, collected_at=NOW + timedelta(days=200))) == ()


def test_a_file_that_was_not_opened_may_hold_it(logs: Path) -> None:
    before = _capture(logs)
    (logs / "auth.log.1").unlink()
    (logs / "auth.log.2.gz").write_bytes(b"no such form")
    (found,) = losses(before, _capture(logs))
    assert not found.seen


def test_the_journal(logs: Path) -> None:
    def held(first: int) -> str:
        start, end = (int((NOW - timedelta(days=d)).timestamp()) * 10**6 for d in (first, 0))
        return f"dir=/var/log/journal\nkib=8\nfirst={start}\nlast={end}\n"

    before, after = _capture(logs, journal=held(90)), _capture(logs, journal=held(3))
    (found,) = losses(before, after)
    assert found == Loss(
        "/var/log/journal", "journal", NOW - timedelta(days=90), NOW - timedelta(days=3), True
    )
    assert losses(after, before) == ()


def test_two_bundles(logs: Path, tmp_path: Path) -> None:
    """Through `hostpledge diff`: exit status 1, the host and the log by name, in both languages."""
    key = PrivateKey.generate()
    first = _capture(logs)
    _empty(logs)
    second = _capture(logs, NOW + timedelta(hours=2))
    controls = [catalog.control("logging.logins")]
    bundles.make(tmp_path, [first], key, "a", controls=controls)
    bundles.make(tmp_path, [second], key, "b", controls=controls)
    with open_bundle(tmp_path / "a") as old, open_bundle(tmp_path / "b") as new:
        result = diff(old, new)
    assert [x.loss.path for x in result.lost] == ["/var/log/auth.log"]
    for lang, said in (("zh", "未满六个月即消失的日志记录 (1)\n  h  /var/log/auth.log  2026-11-15 至 2026-11-25"),
                       ("en", "log records gone before six months (1)\n  h  /var/log/auth.log  2026-11-15 to 2026-11-25")):  # fmt: skip
        ended = hostpledge("diff", tmp_path / "a", tmp_path / "b", "--lang", lang)
        assert ended.status == 1
        assert said in ended.out
    ended = hostpledge("diff", tmp_path / "a", tmp_path / "b", "--format", "json")
    (lost,) = json.loads(ended.out)["lost_records"]
    assert (lost["host"], lost["path"], lost["certain"]) == ("h", "/var/log/auth.log", True)
    assert hostpledge("diff", tmp_path / "a", tmp_path / "a").status == 0
