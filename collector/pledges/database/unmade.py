"""A register that nobody has made yet: an empty one in memory, so that looking leaves nothing."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from collector.pledges.database.tables import begin_sqlite


def engine() -> Engine:
    """All connections are to the same memory; it is gone with the process."""
    made = create_engine("sqlite://", poolclass=StaticPool)
    event.listen(made, "connect", _settle)
    event.listen(made, "begin", begin_sqlite)
    return made


def _settle(connection: sqlite3.Connection, _record: Any) -> None:
    # as the tables settle a file: transactions are begun by `begin_sqlite`
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
