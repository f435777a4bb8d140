"""A window in which pledges that fall due on one day are checked on many."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.cli.options import register_source
from collector.cli.options.register_source import fleet
from collector.pledges.database.rows import Evidence
from collector.pledges.due.spread import slot
from collector.pledges.register.register import Register
from tests.cli.running import hostpledge
from tests.pledges.records import made

IDS = [f"c{n:03}-2026" for n in range(120)]
WINDOW = timedelta(days=14)
# what evidence may be of age, in days
RHYTHM = 90
UNIT = Path(__file__).parents[2] / "packaging/systemd/hostpledge-due.service"


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    monkeypatch.setenv("HOSTPLEDGE_HOME", str(tmp_path))
    opened = Register.open()
    hosts = {id: {"hosts": [f"{id}-web"]} for id in IDS}
    opened.add_all([made(id=id, resources=hosts[id], findings=None) for id in IDS])
    return opened


def _due(monkeypatch: pytest.MonkeyPatch, age: int, spread: timedelta) -> frozenset[str]:
    """The pledges to be checked, all of them looked at `age` days ago (less an hour)."""
    at = datetime.now(UTC) - timedelta(days=age) + timedelta(hours=1)
    verdicts = dict.fromkeys(("2.2", "2.3", "2.4"), "pass")
    rows = {
        id: (Evidence(id, 1, "0" * 64, None, at, at, at, verdicts, Path("/nowhere")),) for id in IDS
    }
    monkeypatch.setattr(Register, "newest_and_doubts", lambda _: (rows, ()))
    monkeypatch.setattr(
        "collector.pledges.standing.finding_history.lives_of_all", lambda *_: dict[str, object]()
    )
    with fleet(["register"], None, spread=spread, only_due=True) as found:
        return found.due


@pytest.mark.usefixtures("register")
def test_they_are_parted_over_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _due(monkeypatch, RHYTHM, timedelta(0)) == frozenset()
    assert _due(monkeypatch, RHYTHM + 1, timedelta(0)) == frozenset(IDS), "all on one day"
    before: frozenset[str] = frozenset()
    each: Counter[int] = Counter()
    for day in range(RHYTHM - WINDOW.days, RHYTHM + 1):
        now = _due(monkeypatch, day, WINDOW)
        assert before <= now, "what is due stays due until it is checked"
        each[day] = len(now - before)
        before = now
    assert before == frozenset(IDS), "none later than it would be without"
    assert max(each.values()) <= len(IDS) / 4
    assert sum(1 for count in each.values() if count) >= WINDOW.days - 3


@pytest.mark.usefixtures("register")
def test_what_missed_its_window_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(register_source, "tr", lambda _, en: en)
    _due(monkeypatch, RHYTHM, WINDOW)
    assert "missed" not in capsys.readouterr().err
    _due(monkeypatch, RHYTHM + 3, WINDOW)
    told = capsys.readouterr().err
    assert f"missed: {len(IDS)} pledge(s) should have been checked by now, the first by " in told
    assert told.rstrip().endswith(f"{', '.join(IDS[:8])} …")


def test_slots_are_even_and_stay() -> None:
    found = [slot(f"p-{n}", WINDOW) for n in range(2000)]
    assert all(timedelta(0) <= one < WINDOW for one in found)
    by_day = Counter(one.days for one in found)
    assert len(by_day) == WINDOW.days
    assert max(by_day.values()) < 1.4 * 2000 / WINDOW.days
    assert slot("demo-2026", timedelta(days=10)) == timedelta(days=8, seconds=43623)


def test_the_unit_asks_for_what_there_is() -> None:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    shell, option, text = shlex.split(start.removeprefix("ExecStart=").replace("%%", "%"))
    assert (shell, option) == ("/bin/sh", "-c")
    assert subprocess.run(["sh", "-n", "-c", text], check=False).returncode == 0
    words = [word for word in shlex.split(text) if word.startswith("-")]
    helped = hostpledge("run", "--help").out
    assert [word for word in words if not re.search(rf"(?m)^ .*{word}[ ,]", helped)] == []


def test_a_window_is_of_what_is_due(tmp_path: Path) -> None:
    ended = hostpledge("run", "-i", "register", "--spread", "14d", home=tmp_path)
    assert (ended.status, "--spread goes with --due" in ended.err) == (2, True)
    ended = hostpledge("run", "-i", "register", "--due", "--spread", "soon", home=tmp_path)
    assert (ended.status, "--spread: no length of time: soon" in ended.err) == (2, True)
