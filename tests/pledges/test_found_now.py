"""A finding says no more than its clause of what ended since: on its page, in lists and exports."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.judges.predicates import ATTESTATIONS
from collector.model import Result, Text
from collector.pledges.database.rows import Evidence
from collector.pledges.due.deadlines import Due
from collector.pledges.standing.ended_documents import Lost
from collector.pledges.standing.found_now import FoundNow

NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
LOST = Lost("logging.daemon_protection", ATTESTATIONS, ("web-01",))
STALE = Due("demo-2026", "evidence", NOW, Text("过期", "too old"))


def _row(sequence: int, refused: str = "") -> Evidence:
    at = NOW - timedelta(days=9 - sequence)
    return Evidence(
        "demo-2026", sequence, f"{sequence:064d}", None, at, at, at, {}, Path("x"), refused=refused
    )


ROWS = (_row(1), _row(2))


@pytest.mark.parametrize(
    ("found", "host", "sequence", "was", "said"),
    [
        (FoundNow(ROWS, (), ()), "web-01", 2, Result.PASS, Result.PASS),
        (FoundNow(ROWS, (LOST,), ()), "web-01", 2, Result.PASS, Result.ERROR),
        (FoundNow(ROWS, (LOST,), ()), "web-01", 2, Result.FAIL, Result.FAIL),
        (FoundNow(ROWS, (LOST,), ()), "web-02", 2, Result.PASS, Result.PASS),
        # what the newest rests on is not what an earlier one did
        (FoundNow(ROWS, (LOST,), ()), "web-01", 1, Result.PASS, Result.PASS),
        (FoundNow(ROWS, (), (STALE,)), "web-01", 1, Result.PARTIAL, Result.ERROR),
        (FoundNow(ROWS, (), (STALE,)), "web-01", 1, Result.FAIL, Result.FAIL),
        (FoundNow((*ROWS, _row(3, "revoked")), (), ()), "web-01", 3, Result.FAIL, Result.ERROR),
        (FoundNow((*ROWS, _row(3, "revoked")), (), ()), "web-01", 2, Result.FAIL, Result.FAIL),
        (FoundNow(ROWS, (), (replace(STALE, kind="review"),)), "web-01", 2, Result.PASS,
         Result.PASS),
    ],
)  # fmt: skip
def test_told(found: FoundNow, host: str, sequence: int, was: Result, said: Result) -> None:
    result, why = found.told(LOST.control, host, sequence, was)
    assert result is said
    assert bool(why) is (result is not was)
