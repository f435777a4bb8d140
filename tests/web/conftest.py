"""Fixtures of the register's page."""

from __future__ import annotations

from tests.web.sites import place, site

__all__ = ["place", "site"]
