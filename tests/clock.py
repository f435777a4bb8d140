"""What day it is where the product says the day; and whoever signs on a day to come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Self

import pytest

from collector.attest.bundle import part
from collector.attest.envelope import statement
from collector.pledges.record.times import CHINA

_SECONDS = timedelta(seconds=20)


def today() -> date:
    """In China, at this moment; what a module said when it was loaded may be yesterday."""
    return datetime.now(UTC).astimezone(CHINA).date()


def signing_on(day: datetime) -> AbstractContextManager[None]:
    """The clock of who judges and signs shows that time (aware), if it is yet to come."""
    return _by_clock(max(day - datetime.now(UTC), timedelta()))


def signing_after(look: datetime) -> AbstractContextManager[None]:
    """Who looked at that time (aware) signs some seconds later, as whoever runs a check does.

    Signed now, an old look would have a signature younger than any key or document of then.
    """
    # by the clock of whoever signs, which may have been set ahead
    clock: type[datetime] = vars(statement)["datetime"]
    at = min(look + _SECONDS, clock.now(UTC))
    return _by_clock(at - datetime.now(UTC))


@contextmanager
def _by_clock(ahead: timedelta) -> Iterator[None]:
    class Other(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + ahead

    with pytest.MonkeyPatch.context() as then:
        for module in (part, statement):
            then.setattr(module, "datetime", Other)
        yield
