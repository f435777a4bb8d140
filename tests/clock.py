"""What day it is where the product says the day; and whoever signs on a day to come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, tzinfo
from typing import Self

import pytest

from collector.attest.bundle import part
from collector.attest.envelope import statement
from collector.pledges.record.times import CHINA


def today() -> date:
    """In China, at this moment; what a module said when it was loaded may be yesterday."""
    return datetime.now(UTC).astimezone(CHINA).date()


@contextmanager
def signing_on(day: datetime) -> Iterator[None]:
    """The clock of who judges and signs shows that time (aware), if it is yet to come."""
    ahead = max(day - datetime.now(UTC), day - day)

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + ahead

    with pytest.MonkeyPatch.context() as then:
        for module in (part, statement):
            then.setattr(module, "datetime", Ahead)
        yield
