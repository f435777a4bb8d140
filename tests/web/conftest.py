"""Fixtures of the register's page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from collector.web.keeping import passwords
from tests.web.sites import at_home, once, place, site

__all__ = ["at_home", "once", "place", "site"]


@pytest.fixture(scope="session")
def real_hasher() -> PasswordHasher:
    return passwords._HASHER


@pytest.fixture(autouse=True, scope="session")
def quick_hasher(real_hasher: PasswordHasher) -> Iterator[None]:
    """A password takes a third of a second of this machine as the page keeps it, by design."""
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr(passwords, "_HASHER", quick)
        passwords.nobodys.cache_clear()
        yield
