"""Which machine was seen under which name, and when. Filled when evidence is next attached."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "sightings",
        sa.Column("pledge", sa.String(64), sa.ForeignKey("pledges.id"), primary_key=True),
        sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("answered", sa.Integer, nullable=False),
        sa.Column("looked_at", sa.String(40)),
    )
    op.create_table(
        "marks",
        sa.Column("mark", sa.String(64), primary_key=True),
        sa.Column("pledge", sa.String(64), sa.ForeignKey("pledges.id"), primary_key=True),
        sa.Column("host", sa.String(255), primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
    )
    op.create_index("marks_of_pledge", "marks", ["pledge"])
