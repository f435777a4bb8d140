"""Days kept as foretold against the real logrotate, run once for each day of a fake calendar."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from collector.facts.logrotate import kept
from collector.facts.logrotate_directives import Rotation
from collector.facts.logrotate_syntax import Reader
from collector.model import CapturedFile, ReadStatus

START = date(2025, 8, 28)
DAYS = 330

SECTIONS = {
    "weekly_26": "weekly\nrotate 26",
    "weekly_27": "weekly\nrotate 27",
    "weekly_on_wednesday": "weekly 3\nrotate 4",
    "weekly_each_seven_days": "weekly 7\nrotate 4",
    "daily_184": "daily\nrotate 184",
    "daily_183": "daily missingok\nrotate 183\nnosuchword here",
    "daily_7_dateext": "daily dateext\nrotate 7",
    "monthly_6": "monthly\nrotate 6",
    "monthly_7": "monthly\nrotate 7",
    "monthly_7_dateext": "monthly\nrotate 7\ndateext",
    "monthly_1": "monthly\nrotate 1",
    "hourly_but_run_daily": "hourly\nrotate 48",
    "maxage_cuts_daily": "daily\nrotate 400\nmaxage 60",
    "maxage_cuts_weekly": "weekly\nrotate 52\nmaxage 180",
    "maxage_cuts_weekly_dateext": "weekly\ndateext\nrotate 52\nmaxage 100",
    "maxage_cuts_unlimited": "daily\nrotate -1\nmaxage 90",
    "octal_number": "daily\nrotate 010",
    "maxage_longer": "weekly\nrotate 4\nmaxage 365",
    "start_at_zero": "weekly\nrotate 5\nstart 0",
    "no_count": "daily",
    "rotate_0": "weekly\nrotate 0",
    "unlimited": "daily\nrotate -1",
    "last_word_counts": "daily\nrotate 3\nweekly\nrotate 8",
    "minsize_small": "weekly\nrotate 6\nminsize 1",
    "copy_never_cuts": "weekly\nrotate 2\ncopy",
    "copytruncate": "weekly\nrotate 4\ncopytruncate",
    "size_reached_daily": "size 1\nrotate 9",
    "maxsize_hastens": "monthly\nrotate 6\nmaxsize 30",
}


def _tools() -> tuple[str, str]:
    logrotate = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    fake = next((str(p) for p in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")), None)
    if logrotate is None or fake is None:
        pytest.skip("the real logrotate and libfaketime are not here: apt-get install them")
    return logrotate, fake


def _parse(path: Path) -> dict[str, Rotation]:
    data = path.read_bytes()
    reader = Reader({str(path): CapturedFile(str(path), ReadStatus.OK, 0o644, 0, 0, data=data)})
    reader.config(str(path), Rotation())
    assert not reader.problems
    return {Path(r.patterns[0]).stem: r for r in reader.rotations}


@pytest.fixture(scope="module")
def really_kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int | None]:
    """Per section the fewest days between a run and the oldest record left; None: none removed."""
    logrotate, fake = _tools()
    folder = tmp_path_factory.mktemp("logs")
    config = folder / "logrotate.conf"
    config.write_text(_config(folder))
    config.chmod(0o644)
    logs = [folder / name / f"{name}.log" for name in SECTIONS]
    for log in logs:
        log.parent.mkdir()
    first: dict[int, date] = {}
    least: dict[str, int | None] = dict.fromkeys(SECTIONS)
    for number in range(DAYS):
        today = START + timedelta(number)
        subprocess.run(
            [logrotate, "-s", folder / "state", config],
            env={
                "LD_PRELOAD": fake,
                "FAKETIME": f"@{today} 00:10:00",
                "NO_FAKE_STAT": "1",
                "TZ": "UTC",
                "PATH": "/usr/bin:/bin",
            },
            capture_output=True,
            check=False,
        )
        noon = datetime(today.year, today.month, today.day, 12, tzinfo=UTC).timestamp()
        seen: set[int] = set()
        for log in logs:
            oldest = _oldest(log.parent, first, seen)
            if number and (oldest is None or oldest > START):
                days = (today - (oldest or today)).days
                before = least[log.stem]
                least[log.stem] = days if before is None else min(before, days)
            with log.open("a") as out:
                out.write(f"{today}\n")
            os.utime(log, (noon, noon))
        for gone in set(first) - seen:
            del first[gone]
    return least


def _config(folder: Path) -> str:
    return "\n".join(
        f"{folder}/{name}/{name}.log {{\n{body}\nmissingok\n}}" for name, body in SECTIONS.items()
    )


def _oldest(folder: Path, first: dict[int, date], seen: set[int]) -> date | None:
    """The first record of the oldest file; a file keeps its inode when it is renamed."""
    found: list[date] = []
    for entry in os.scandir(folder):
        inode = entry.inode()
        seen.add(inode)
        if "copy" in folder.name or inode not in first:
            text = Path(entry.path).read_text()
            if not text:
                first.pop(inode, None)
                continue
            first[inode] = date.fromisoformat(text[:10])
        found.append(first[inode])
    return min(found, default=None)


@pytest.mark.parametrize("name", SECTIONS)
def test_days_kept_are_foretold(
    name: str, really_kept: dict[str, int | None], tmp_path: Path
) -> None:
    config = tmp_path / "logrotate.conf"
    config.write_text(_config(tmp_path))
    if os.getuid() != 0:
        pytest.skip("logrotate's own checks of owners need root")
    said = kept(_parse(config)[name])
    real = really_kept[name]
    if not said.known:
        assert said.least is None or (real is not None and real <= said.least)
    elif said.least is None or real is None:
        assert said.least == real
    else:
        assert abs(said.least - real) <= 1, f"foretold {said.least}, really kept {real}"
