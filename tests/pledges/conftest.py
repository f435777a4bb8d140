"""Fixtures of registers."""

from tests.pledges.places import place, postgresql

__all__ = ["place", "postgresql"]
