"""What jobs delete, by their words; and what is foretold of it, held to real restic, borg and find."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.facts.backup.commands.jobs import BackupJob
from collector.facts.backup.retention import Keeping, daily, keeping_of, prunes
from collector.facts.scheduling.models import Job
from collector.model import Capture, CapturedFile, HostStatus, ReadResult, ReadStatus


def _capture(*lines: str) -> Capture:
    tab = "".join(f"0 4 * * * root {line}\n" for line in lines).encode()
    reads = {
        id: ReadResult(id, ReadStatus.OK, stdout=said)
        for id, said in (
            ("schedules.flavour", b"Debian\n"),
            ("schedules.called", b""),
            ("schedules.timers", b"no systemd\n"),
        )
    }
    reads["schedules.tabs"] = ReadResult(
        "schedules.tabs",
        ReadStatus.OK,
        files=(CapturedFile("/etc/cron.d/b", ReadStatus.OK, 0o644, 0, 0, 1, 1, tab),),
    )
    for id in ("schedules.spool", "schedules.periodic", "backup.settings"):
        reads[id] = ReadResult(id, ReadStatus.ABSENT)
    return Capture("h", HostStatus.COMPLETE, reads=reads)


def _backup(tool: str, *words: str, when: str = "0 2 * * *") -> BackupJob:
    text = " ".join((tool, *words))
    job = Job("cron", "/etc/cron.d/b", when, "root", text, text, True, "", "schedules.tabs", "", "")
    return BackupJob(job, tool, ("/srv",), words=(tool, *words))


def _rules(line: str, job: BackupJob, files: list[str] | None = None) -> tuple[Keeping, ...]:
    capture = _capture(line)
    return keeping_of(capture, job, files or [], prunes(capture), (job,))


RESTIC = _backup("restic", "-r", "/r", "backup", "/srv")
BORG = _backup("borg", "create", "/r::{now}", "/srv")


@pytest.mark.parametrize(
    ("line", "count", "most", "certain"),
    [
        ("restic -r /r forget --keep-last 2", 2, 2, True),
        ("restic -r /r forget -l 2 --prune", 2, 2, True),
        ("restic -r /r forget --keep-daily 7 --keep-weekly=5 -m 6", 18, 186, True),
        ("restic -r /r forget --keep-within 1m5d", None, 36, True),
        ("restic -r /r forget --keep-within-daily 14d --keep-last 1", None, 14, True),
        ("restic -r /r forget --keep-daily unlimited", None, None, True),
        ("restic -r /r forget --keep-daily $KEEP", None, 0, False),
        ("restic -r /r forget --keep-last 1 --tag db", 1, 1, False),
        ("restic -r /r forget --keep-last 1 --host web", 1, 1, False),
    ],
)
def test_restic(line: str, count: int | None, most: float | None, certain: bool) -> None:
    (rule,) = _rules(line, RESTIC)
    assert (rule.count, rule.most, rule.certain) == (count, most, certain)


@pytest.mark.parametrize(
    "line",
    [
        "restic -r /other forget --keep-last 1",
        "restic -r /r forget --keep-last 1 --dry-run",
        "restic -r /r forget -n --keep-last 1",
        "restic -r /r forget 4e390983",
        "restic -r /r prune",
        "borg prune --keep-daily 2 /r",
        "find /srv -mtime +1 -print",
    ],
)
def test_what_deletes_nothing_of_it(line: str) -> None:
    assert _rules(line, RESTIC) == ()


@pytest.mark.parametrize(
    ("line", "certain"),
    [
        ("borg prune --keep-daily 7 /r", True),
        ("borg prune -d 7 --glob-archives '{hostname}-*' /r", True),
        ("borg prune -d 7 -a 'db-*' /r", False),
        ("borg prune --keep-daily=7 --prefix x /r", False),
    ],
)
def test_borg(line: str, certain: bool) -> None:
    (rule,) = _rules(line, BORG)
    assert (rule.count, rule.most, rule.certain) == (7, 7, certain)


def test_borg_counts_a_week_only_where_a_day_does_not_keep_it() -> None:
    """On a Monday, 3 days and 2 weeks reach back 15 days: the Sunday is kept as a day."""
    (rule,) = _rules("borg prune --keep-daily 3 --keep-weekly 2 /r", BORG)
    assert (rule.count, rule.most) == (5, 17)


FILES = ["/b/shop-1.gz", "/b/shop-2.gz"]


@pytest.mark.parametrize(
    ("line", "most", "certain"),
    [
        ("find /b -name 'shop-*' -mtime +7 -delete", 8, True),
        ("find /b/ -type f -mtime +7 -exec rm -f {} +", 8, True),
        ("find /b -mtime +7 -print0 | xargs -0 rm -f", 8, True),
        ("find /b -mmin +1440 -delete", 1441 / 1440, True),
        ("find /b -mtime +7 -name 'shop-1*' -delete", 8, False),
        ("find /b -mtime +7 ! -name 'shop-*' -delete", 8, False),
        ("ls -1t /b/*.gz | tail -n +4 | xargs rm -f", 3, True),
        ("ls -t /b/shop-*.gz | tail -n +4 | xargs -r rm", 3, True),
        ("cd /b && ls -t | tail -n +4 | xargs rm -f", 3, True),
        ("cd /b && ls -1t *.gz | tail +4 | xargs -I{} rm -- {}", 3, True),
        ("cd /b; rm -f $(ls -t *.gz | tail -n +4)", 3, True),
    ],
)
def test_files(line: str, most: float, certain: bool) -> None:
    (rule,) = _rules(line, _backup("mysqldump", "shop"), FILES)
    assert (rule.most, rule.certain) == (most, certain)


def test_files_of_others() -> None:
    job = _backup("mysqldump", "shop")
    assert _rules("find /other -mtime +7 -delete", job, FILES) == ()
    assert _rules("find /b -mtime -7 -delete", job, FILES) == ()
    assert _rules("find /b -mtime +7", job, FILES) == ()


@pytest.mark.parametrize(
    ("when", "said"),
    [("0 2 * * *", True), ("*/5 * * * *", True), ("@daily", True), ("daily", True),
     ("0 2 * * 1-5", False), ("0 2 1 * *", False), ("@weekly", False), ("weekly", False)],
)  # fmt: skip
def test_daily(when: str, said: bool) -> None:
    assert daily(_backup("restic", when=when).job) is said


def test_by_number_alone_it_reaches_back_far_where_one_comes_a_week() -> None:
    (rule,) = _rules(
        "restic -r /r forget --keep-daily 7",
        _backup("restic", "-r", "/r", "backup", "/srv", when="0 2 * * 0"),
    )
    assert rule.most is None


# --- the real ones -------------------------------------------------------------------------------

_DAYS = 16
POLICIES = ["--keep-last 2", "--keep-daily 7", "--keep-daily 3 --keep-weekly 2", "--keep-weekly 3",
            "--keep-monthly 1", "--keep-within 10d", "--keep-last 1 --keep-within 2d"]  # fmt: skip


def _held(policy: str, tool: str, ages: list[float]) -> None:
    act = {"restic": "-r /r forget", "borg": "prune"}[tool]
    job = RESTIC if tool == "restic" else BORG
    (rule,) = _rules(f"{tool} {act} {policy}{' /r' if tool == 'borg' else ''}", job)
    assert ages, policy
    if rule.count is not None:
        assert len(ages) <= rule.count
    if rule.most is not None:
        assert max(ages) <= rule.most
    assert max(ages) >= min(rule.least, _DAYS - 1) - 7  # a week's last one may be six days younger


def _run(*words: str, cwd: Path) -> str:
    env = {"PATH": os.environ["PATH"], "HOME": str(cwd), "TZ": "UTC", "RESTIC_PASSWORD": "x",
           "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=env, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("borg") is None, reason="there is no borg here")
@pytest.mark.parametrize("weekday", range(7))
def test_real_borg(weekday: int, tmp_path: Path) -> None:
    """One a day; what each policy would leave, counted from the last of these weekdays."""
    (tmp_path / "data").write_text("x")
    _run("borg", "init", "-e", "none", "r", cwd=tmp_path)
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    now -= timedelta(days=(now.weekday() - weekday) % 7)
    for day in range(_DAYS):
        when = (now - timedelta(days=day)).isoformat()
        _run("borg", "create", "--timestamp", when, f"r::d{day}", "data", cwd=tmp_path)
    for policy in POLICIES:
        if "within" in policy:
            continue
        listed = subprocess.run(
            ["borg", "prune", "--dry-run", "--list", *policy.split(), "r"],
            capture_output=True, text=True, check=True, cwd=tmp_path,
            env={**os.environ, "HOME": str(tmp_path), "TZ": "UTC",
                 "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"},
        ).stderr  # fmt: skip
        kept = re.findall(r"^Keeping archive .*?:\s+d(\d+)\s", listed, re.MULTILINE)
        _held(policy, "borg", [int(x) for x in kept])


@pytest.mark.skipif(shutil.which("restic") is None, reason="there is no restic here")
def test_real_restic(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    _run("restic", "-q", "-r", "r", "init", cwd=tmp_path)
    now = datetime.now(UTC).replace(microsecond=0)
    for day in range(_DAYS):
        when = f"{now - timedelta(days=day):%Y-%m-%d %H:%M:%S}"
        _run("restic", "-q", "-r", "r", "backup", "--time", when, "data", cwd=tmp_path)
    for policy in POLICIES:
        told = json.loads(
            _run(
                "restic", "-r", "r", "forget", "--dry-run", "--json", *policy.split(), cwd=tmp_path
            )
        )
        ages = [
            (now - datetime.fromisoformat(s["time"][:19] + "+00:00")).total_seconds() / 86400
            for s in told[0]["keep"]
        ]
        _held(policy, "restic", ages)


@pytest.mark.parametrize("days", [0, 1, 7, 30])
def test_real_find(days: int, tmp_path: Path) -> None:
    """Hour by hour: nothing is left that is older than foretold, nothing younger goes."""
    now = time.time()
    for hour in range(33 * 24):
        path = tmp_path / f"f-{hour}.gz"
        path.touch()
        os.utime(path, (now - hour * 3600 - 60, now - hour * 3600 - 60))
    line = f"find {tmp_path} -mtime +{days} -delete"
    files = [str(p) for p in tmp_path.iterdir()]
    (rule,) = _rules(line, _backup("mysqldump", "shop"), files)
    subprocess.run(["sh", "-c", line], check=True)
    oldest = max(now - p.stat().st_mtime for p in tmp_path.iterdir()) / 86400
    assert rule.most is not None
    assert rule.least <= oldest <= rule.most
