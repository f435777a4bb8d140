"""Fixtures of registers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector.pledges.database import last_kept
from tests.pledges.places import place, postgresql

__all__ = ["place", "postgresql"]


@pytest.fixture(autouse=True)
def _nothing_remembered(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a user's own folder remembers of a log is test_against_log's; elsewhere nobody does."""
    with pytest.MonkeyPatch.context() as alone:
        if request.path.name != "test_against_log.py":
            alone.setattr(last_kept, "_write", lambda every: None)
        yield
