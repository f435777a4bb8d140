"""The trend over a pledge's bundles: what was opened, closed, and not looked at."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.model import Lang, Result
from collector.pledges.record import form as record
from collector.pledges.register.attach import attach
from collector.pledges.register.register import Register
from collector.report.model.history import history
from collector.report.model.trend import MOST, Check, points, trend
from collector.report.render import html
from tests.pledges.bundles import Signer
from tests.pledges.records import EXAMPLE, TODAY
from tests.report import recorded


def check(number: int, **findings: bool) -> Check:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=30 * number)
    return Check(number, at, {"2.2": Result.FAIL}, {("h", id): bad for id, bad in findings.items()})


def counts(*checks: Check) -> list[tuple[int | None, int | None, int | None, int]]:
    return [(p.opened, p.closed, p.open, p.unseen) for p in points(checks)]


def test_a_finding_is_opened_once_and_closed_once() -> None:
    assert counts(
        check(1, a=True, b=False), check(2, a=True, b=True), check(3, a=False, b=True)
    ) == [
        (1, 0, 1, 0),
        (1, 0, 2, 0),
        (0, 1, 1, 0),
    ]


def test_what_a_bundle_does_not_look_at_is_not_closed() -> None:
    """A run of one family, or without a host, mends nothing; nor does it open things anew."""
    assert counts(check(1, a=True, b=True), check(2, b=False), check(3, a=True, b=False)) == [
        (2, 0, 2, 0),
        (0, 1, 0, 1),
        (0, 0, 1, 0),
    ]


def test_a_bundle_that_cannot_be_read_says_so_and_changes_nothing() -> None:
    first, unread, last = points(recorded.checks())
    assert (first.opened, unread.opened, unread.trouble) == (2, None, "was changed")
    assert (last.opened, last.closed, last.unseen) == (1, 1, 1)


def test_one_bundle_is_no_trend() -> None:
    assert trend([check(1, a=True)], "en") is None
    assert trend([], "en") is None


def test_only_the_newest_are_drawn_and_the_chart_fits_a_page() -> None:
    found = trend([check(n, a=bool(n % 2)) for n in range(1, MOST + 6)], "zh")
    assert found is not None
    assert len(found.columns) == MOST
    assert found.left_out == 5
    # A4 less its margins, in points
    assert found.width <= 174 / 25.4 * 72
    for column in found.columns:
        for bar in (column.opened, column.closed):
            assert bar is not None
            assert 0 <= bar.y <= bar.y + bar.height <= found.height


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_charts_are_in_the_page(tmp_path: Path, lang: Lang) -> None:
    text = html.render(recorded.given(tmp_path, lang))
    (chart,) = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert chart.count("<rect") == 3 * 2 + 2 * 2
    assert 'aria-label="' in chart
    assert "was changed" in text


def test_it_comes_from_the_bundles_that_the_register_keeps(tmp_path: Path) -> None:
    register = Register.open(str(tmp_path / "register.sqlite"))
    known = record.load(EXAMPLE, today=TODAY)
    register.add(known)
    signer = Signer(tmp_path / "bundles.made")
    for made in signer.chain(known.id, 3):
        attach(register, known.id, made.path, signer.trust)
    kept = register.evidence(known.id)
    found = points(history(kept))
    assert [(p.sequence, p.opened, p.closed) for p in found] == [
        (1, found[0].open, 0),
        (2, 0, 0),
        (3, 0, 0),
    ]
    assert found[0].open
    # of the clauses that the run did not ask for there is nothing to show
    assert all(list(p.clauses) == ["2.4"] for p in found)
    (kept[1].path / "data" / "evidence.json").write_bytes(b"{}")
    broken = points(history(kept))[1]
    assert broken.opened is None
    assert "changed" in broken.trouble
