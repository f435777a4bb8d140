"""What captures show of network resources, for `pledge status`. Made when it is first asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "looks",
        sa.Column("pledge", sa.String(64), sa.ForeignKey("pledges.id"), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
