"""Days kept as foretold against the real logrotate, on each day of a fake calendar.

HOSTPLEDGE_ROTATIONS=1000 draws more sections by chance; HOSTPLEDGE_LOGROTATE=/path/to/logrotate
measures another version of it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.facts.logs.logrotate.config import Kept
from tests.facts import rotation_cases as cases
from tests.facts.rotation_cases import Case
from tests.facts.rotation_truth import Calendar, Measured, NotHere, measured, wrong
from tests.facts.surprises import DAYS, SURPRISES, committed, table

_DRAWN = int(os.environ.get("HOSTPLEDGE_ROTATIONS", "60"))
_PROGRAM = os.environ.get("HOSTPLEDGE_LOGROTATE", "")
_CALENDAR = Calendar(DAYS)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where that can be: logrotate has its state written to the disk at each run."""
    if os.getuid() != 0:
        pytest.skip("logrotate's own checks of owners need root")
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    made = Path(tempfile.mkdtemp(prefix="rotations-", dir=memory))
    yield made
    shutil.rmtree(made)


def _held(several: list[Case], calendar: Calendar, folder: Path) -> dict[str, Measured]:
    try:
        found = measured(several, calendar, folder, _PROGRAM)
    except NotHere:
        pytest.skip("the real logrotate and libfaketime are not here: apt-get install them")
    bad = wrong(found.values(), calendar)
    assert not bad, f"{len(bad)} of {len(found)}:\n" + "\n".join(bad)
    return found


def test_sections_by_hand(folder: Path) -> None:
    """And the tables in docs/ say what was measured here."""
    found = _held(cases.hand_written(), _CALENDAR, folder)
    missing = [s.case for s in SURPRISES if s.case not in found]
    assert not missing or _PROGRAM
    for lang in ("en", "zh") if not _PROGRAM else ():
        assert committed(lang) == table(found, lang), "python -m tests.facts.surprises"


def test_sections_by_chance(folder: Path) -> None:
    found = _held(cases.drawn(_DRAWN), _CALENDAR, folder)
    # the growth is told: nothing is left open but patterns that take their own old files
    assert {m.said.reason for m in found.values() if not m.said.known} <= {"again"}


def test_years(folder: Path) -> None:
    _held(cases.years(), Calendar(1500), folder)


def test_run_each_week(folder: Path) -> None:
    _held(cases.each_week(), Calendar(420, runs_each=7), folder)


def test_run_each_hour(folder: Path) -> None:
    _held(cases.each_hour(), Calendar(15, step=1 / 24, before=2), folder)


def _one(real: int | None, kept: Kept, blind: Kept) -> list[str]:
    return wrong([Measured(Case("x", "daily"), real, kept, blind)], _CALENDAR)


@pytest.mark.parametrize(
    ("real", "said"),
    [
        (7, Kept(9, surely=9)),
        (7, Kept(8, surely=8)),
        (7, Kept(5, surely=5)),
        (183, Kept(184, surely=184)),
        (184, Kept(183, surely=183)),
        (7, Kept(None)),
        (None, Kept(7, surely=7)),
        (7, Kept(None, known=False, surely=8)),
        (70, Kept(30, known=False, surely=8)),
        (7, Kept(None, known=False, surely=0, reason="unclear")),
    ],
)
def test_a_false_word_is_noticed(real: int | None, said: Kept) -> None:
    assert _one(real, said, Kept(0, surely=0))


def test_a_true_word_is_none(tmp_path: Path) -> None:
    assert not _one(7, Kept(7, surely=7), Kept(7, surely=7))
    assert not _one(8, Kept(7, surely=7), Kept(7, surely=7))
    assert not _one(None, Kept(None), Kept(None))
    assert not _one(7, Kept(7, surely=7), Kept(None, known=False, surely=2, reason="size"))
