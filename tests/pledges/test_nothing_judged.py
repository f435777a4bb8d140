"""A clause of which nothing was judged: nobody looked, and that is its one word everywhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.cli.commands.pledge.changes.became import Became
from collector.cli.commands.pledge.changes.history import _Attached
from collector.cli.commands.pledge.shown import show_json
from collector.cli.commands.pledge.tables import clause_of, list_table
from collector.model import Result
from collector.pledges.database.rows import Evidence, Version
from collector.pledges.standing import listing
from collector.pledges.standing.standing import standing
from collector.pledges.status import briefs
from collector.report.model import listed as columns
from collector.report.model.cells import Word
from collector.scope import Part, Scope
from collector.web.reading.standings import standing_of
from tests.cli.running import answer
from tests.pledges.records import made

NOW = datetime(2026, 6, 1, 4, tzinfo=UTC)
# begun of late: what nobody looked at as a whole for too long is another word
RECORD = made(resources={"hosts": ["web-01"]}, period={"from": "2026-05-20", "until": "2027-05-19"})


def _row(word: str | None, judged: int, *, kept: bool = True) -> Evidence:
    """One that judged all of 2(2) and 2(4), and that many controls of 2(3)."""
    scope = Scope(RECORD.grade, {"2.2": Part(9, 9), "2.3": Part(judged, 25), "2.4": Part(4, 4)})
    verdicts = {"2.2": "pass", "2.4": "pass"} | ({"2.3": word} if word else {})
    at = NOW - timedelta(days=1)
    return Evidence(
        RECORD.id, 1, "0" * 64, None, at, at, at, verdicts, Path("x"), scope if kept else None,
        hosts=frozenset({"web-01"}),
    )  # fmt: skip


def _listed(row: Evidence) -> listing.Listed:
    brief = briefs.of(RECORD, NOW)
    return listing.listed([brief], {RECORD.id: (row,)}, NOW, timedelta(0), {})[0]


def _standing(row: Evidence, scope: Scope | None = None) -> Result | None:
    told = standing(RECORD, (row,), NOW, scope=scope, renewed=False)
    return next(c.verdict for c in told if c.clause.id == "responsibility.2.3")


@pytest.mark.parametrize(
    ("word", "judged", "said"),
    [
        ("notchecked", 0, "error"),
        (None, 0, "error"),
        # somebody has to attest: all was looked at
        ("notchecked", 25, "notchecked"),
        ("error", 7, "error"),
        ("fail", 7, "fail"),
    ],
)
def test_every_place_says_the_same(word: str | None, judged: int, said: str) -> None:
    row = _row(word, judged)
    one = _listed(row)
    assert one.verdict("2.3") == said
    assert _standing(row) == Result(said)
    cells = [cell.code for cell in columns.row(one, "en") if isinstance(cell, Word)]
    assert cells[1:] == ["pass", said, "pass"]
    words = {"notchecked": "no proof"}
    lacks = "" if judged == 25 else f" {judged}/25"
    assert clause_of(row, RECORD.grade, "2.3") == words.get(said, said) + lacks
    assert f"{words.get(said, said)}{lacks}" in list_table([one])
    assert standing_of(one) == {"fail": "broken", "error": "unverified"}.get(said, "partly")
    shown = answer(
        show_json([Version(1, RECORD, NOW)], (row,), standing(RECORD, (row,), NOW, renewed=False))
    )
    assert shown["clauses"]
    assert listing.summary([one], NOW)["clauses"]["2.3"] == {said: 1}


def test_the_history_of_it_too() -> None:
    assert "needs" not in " ".join(_Attached(_row("notchecked", 0), Became()).lines())


def test_of_an_old_row_the_bundle_says_how_much_was_judged() -> None:
    whole = _row("notchecked", 0).scope
    assert _standing(_row("notchecked", 0, kept=False), whole) is Result.ERROR
