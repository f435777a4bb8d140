"""Which versions of the record stood when evidence was attached; older evidence says none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("evidence", sa.Column("record", sa.Text))
