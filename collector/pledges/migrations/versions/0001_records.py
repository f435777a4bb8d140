"""Records in versions, and the evidence attached to them."""

from __future__ import annotations

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing older can be met: the first form there was."""
