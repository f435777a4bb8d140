"""What day it is where the product says the day: a run of all tests may go past midnight."""

from __future__ import annotations

from datetime import UTC, date, datetime

from collector.pledges.record.times import CHINA


def today() -> date:
    """In China, at this moment; what a module said when it was loaded may be yesterday."""
    return datetime.now(UTC).astimezone(CHINA).date()
