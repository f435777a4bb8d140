"""Fixtures of the register's page."""

from __future__ import annotations

from tests.web.sites import at_home, once, place, site

__all__ = ["at_home", "once", "place", "site"]
