"""Revisions are kept as Alembic keeps them; `form` stays, to turn away what is older than that."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("INSERT INTO form VALUES (3)")
