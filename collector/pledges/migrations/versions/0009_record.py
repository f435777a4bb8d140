"""What else an entry of the log binds: the versions of the record, and what was seen of hosts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("evidence", sa.Column("record", sa.Text))
    op.add_column("evidence", sa.Column("seen", sa.String(64)))
