"""How much of each clause the evidence judged. What was attached before says nothing of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("evidence", sa.Column("scope", sa.Text))
