"""Attaches a bundle to a pledge record: verified first, and only the next one of that pledge."""

from __future__ import annotations
