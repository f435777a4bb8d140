"""The inspector's tables, from captures that real hosts gave."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from collector import captures, catalog
from collector.facts.security.products import PRODUCTS
from collector.model import Capture, Lang, ReadStatus, Result
from collector.report.model import tables

HELD = Path(__file__).parent.parent / "captures"


def recorded(name: str) -> Capture:
    return captures.load(HELD / f"{name}.capture.gz")


def test_the_logs_of_a_host_that_keeps_them() -> None:
    known = tables.logs(recorded("logging-bookworm-kept"), 2, "zh")
    assert not known.trouble
    rows = {row.path: row for row in known.rows}
    wtmp = rows["/var/log/wtmp"]
    assert wtmp.family == "login"
    assert wtmp.held is not None
    assert wtmp.held >= 181
    assert all(row.family in catalog.words()["log_family"] for row in known.rows)


def test_the_shortest_lived_stand_first() -> None:
    rows = tables.logs(recorded("logging-trixie-young"), 2, "en").rows
    order = [Result.FAIL, Result.ERROR, Result.PARTIAL, Result.PASS]
    places = [order.index(row.result) for row in rows]
    assert rows
    assert places == sorted(places)


def test_a_read_that_is_missing_is_trouble_and_no_empty_table() -> None:
    capture = recorded("logging-bookworm-kept")
    for id in list(capture.reads):
        if not id.startswith("log"):
            continue
        broken = replace(
            capture,
            reads={**capture.reads, id: replace(capture.reads[id], status=ReadStatus.TIMEOUT)},
        )
        known = tables.logs(broken, 2, "en")
        assert known.trouble or known.rows, id
    nothing = replace(capture, reads={})
    assert tables.logs(nothing, 2, "en").trouble
    assert tables.products(nothing, "en").trouble


def test_a_defect_of_a_parser_does_not_take_the_report_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(capture: Capture) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(tables, "retention", broken)
    assert tables.logs(recorded("logging-bookworm-kept"), 2, "en").trouble == (
        "ZeroDivisionError: oh"
    )


def test_days_are_counted_to_the_collection() -> None:
    capture = recorded("logging-bookworm-kept")
    later = replace(capture, collected_at=_moment(capture) + timedelta(days=10))
    rows, after = (
        {r.path: r.held for r in tables.logs(c, 2, "en").rows if r.held is not None}
        for c in (capture, later)
    )
    assert rows
    assert {path: days + 10 for path, days in rows.items()}.items() <= after.items()


def _moment(capture: Capture) -> datetime:
    assert capture.collected_at is not None
    return capture.collected_at


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_product_has_a_name(lang: Lang) -> None:
    assert all(product.name.to(lang) for product in PRODUCTS)
