"""Briefs of records, for lists. They are made when they are first asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "briefs",
        sa.Column("pledge", sa.String(64), sa.ForeignKey("pledges.id"), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("made_by", sa.String(16), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("deadlines", sa.Text, nullable=False),
        sa.Column("first_on", sa.String(10)),
    )
