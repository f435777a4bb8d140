"""What is made from the rest is sealed by a key of each user's; what was kept is made anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.drop_table("briefs")
    op.drop_table("looks")
    op.create_table(
        "briefs",
        sa.Column("pledge", sa.String(64), sa.ForeignKey("pledges.id"), primary_key=True),
        sa.Column("keeper", sa.String(16), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("deadlines", sa.Text, nullable=False),
        sa.Column("first_on", sa.String(10)),
    )
    op.create_table(
        "looks",
        sa.Column("pledge", sa.String(64), sa.ForeignKey("pledges.id"), primary_key=True),
        sa.Column("keeper", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_table(
        "seals",
        sa.Column("pledge", sa.String(64), sa.ForeignKey("pledges.id"), primary_key=True),
        sa.Column("keeper", sa.String(16), primary_key=True),
        sa.Column("seal", sa.String(64), nullable=False),
    )
