"""Fixtures of registers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collector.pledges.database import last_kept
from tests.pledges.places import place, postgresql

__all__ = ["place", "postgresql"]
_OF_MEMORY = ("test_against_log.py", "test_first_use.py", "test_since_remembered.py")


@pytest.fixture(autouse=True)
def _nothing_remembered(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a user's own folder remembers of a log is theirs that test it; elsewhere nobody does."""
    with pytest.MonkeyPatch.context() as alone:
        if request.path.name not in _OF_MEMORY:
            alone.setattr(last_kept, "_write", lambda every: None)
        yield
