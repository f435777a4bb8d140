"""Pledge records for tests: the example, with one thing changed."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from collector.pledges.record import form as record
from collector.pledges.record.form import PledgeRecord

EXAMPLE = Path(__file__).parents[2] / "examples" / "pledge.yml"
# a record in which every field of the schema is filled in
WHOLE = Path(__file__).parent / "whole.yml"
TODAY = date(2026, 11, 25)
# a test's days may be counted from the clock, which is behind China's and never before them
NOT_AFTER = max(TODAY, datetime.now(UTC).date())


def example(**changes: Any) -> dict[str, Any]:
    """The example's document; a change to None leaves the field out."""
    document: dict[str, Any] = json.loads(record.load(EXAMPLE, today=NOT_AFTER).canonical())
    document.update(changes)
    return {name: value for name, value in document.items() if value is not None}


def made(**changes: Any) -> PledgeRecord:
    return record.from_document(example(**changes), where="test", today=NOT_AFTER)
