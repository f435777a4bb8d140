"""Commands of cron jobs that remove logs by age, against what find(1) itself removes."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from collector.facts.jobs import Job
from collector.facts.log_removals import Removal, _finds, _vacuums


def _job(text: str) -> Job:
    return Job("cron", "/etc/cron.d/x", "", "root", text, text, True, "", "schedules.tabs", "", "")


def _found(line: str) -> list[Removal]:
    return [*_finds(_job(line), line), *_vacuums(_job(line), line)]


FINDS = [
    "find LOGS -type f -mtime +30 -delete",
    "/usr/bin/find LOGS/ -mtime +30 -name '*.log' -exec rm -rf {} \\;",
    'find LOGS -name "*.log" -type f -mtime +7 | xargs rm -f',
    "cd / && find LOGS -mmin +20160 -delete > /dev/null 2>&1",
    "find LOGS -mtime 9 -delete",
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
        "find /var/log -type f -size +100M -delete",
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
