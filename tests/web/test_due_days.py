"""A deadline is a day: what is due on the thirtieth is due within thirty days, everywhere."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.pledges.record.form import from_document
from collector.pledges.register.register import Register
from collector.web.reading.asked import asked_of
from tests.clock import today
from tests.pledges.bundles import Signer
from tests.pledges.records import made
from tests.web.sites import Place, Site, with_accounts
from tests.web.test_same_truth import _told


@pytest.mark.parametrize(("days", "due"), [(30, True), (31, False)])
def test_the_last_day_counts_whole(tmp_path: Path, days: int, due: bool) -> None:
    (tmp_path / "register").mkdir()
    where = str(tmp_path / "register" / "register.sqlite")
    until = (today() + timedelta(days=days)).isoformat()
    document: dict[str, Any] = {**made().document, "id": "demo-0"}
    document["period"] = {**document["period"], "until": until}
    Register.open(where).add(from_document(document, where="", today=today()))
    place = Place(where, str(tmp_path / "state"), Signer(tmp_path / "signer"), tmp_path)
    with_accounts(place.state)

    said = json.loads(_told(place, "pledge", "due", "--within", "30d", "--format", "json"))["due"]
    ends = [one["kind"] for one in said].count("period_end")
    words = ("pledge", "list", "--summary", "--format", "json")
    summed = json.loads(_told(place, *words))["summary"]
    row = Site(place).house.rows.one("demo-0")
    assert row is not None
    assert ends == due
    coming = sum(not one["overdue"] for one in said)
    assert summed["comes_due"] == (coming > 0)
    assert row["due"] == len(said)
    page = Site(place).browser("boss").get("/?due=30&life=all&lang=en").text
    assert ("/pledges/demo-0" in page) == bool(said)


def test_the_form_says_how_far_ahead_the_lists_know() -> None:
    """A longer time would find no more, and look as if there were none."""
    assert [asked_of({"due": days}, None).due for days in ("7", "30", "31", "310")] == [
        7,
        30,
        30,
        30,
    ]
