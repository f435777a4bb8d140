"""The records whose documents that judges use are others than when something was attached."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from collector.pledges.database import tables
from collector.pledges.database.rows import Evidence
from collector.pledges.register.over_time import RESTS_ON

_AT_ONCE = 200
Documents = Mapping[str, Any]


def changed(connection: Connection, newest: Mapping[str, Evidence]) -> dict[str, str]:
    """Of those whose documents changed since that evidence, by id, a word for what they are now.

    The version that the log says it was attached to is the one before; a clock may have been
    wrong. Of evidence from before that was kept it is the newest one that was there then.
    """
    table = tables.versions
    query = select(table.c.pledge, func.max(table.c.version)).group_by(table.c.pledge)
    numbers = {row[0]: int(row[1]) for row in connection.execute(query)}
    later = [id for id, one in newest.items() if id in numbers and numbers[id] != one.version]
    found: dict[str, str] = {}
    for at in range(0, len(later), _AT_ONCE):
        some = later[at : at + _AT_ONCE]
        columns = table.c.pledge, table.c.version, table.c.document, table.c.added_at
        of = select(*columns).where(table.c.pledge.in_(some)).order_by(table.c.version)
        then: dict[str, Documents] = {}
        now: dict[str, Documents] = {}
        for id, version, document, added_at in connection.execute(of):
            now[id] = _documents(document)
            if _is_before(newest[id], version, added_at):
                then[id] = now[id]
        for id in some:
            if then.get(id, {}) != now[id]:
                found[id] = f"{numbers[id]}"
    return found


def _is_before(one: Evidence, version: int, added_at: str) -> bool:
    if one.version is not None:
        return version <= one.version
    return datetime.fromisoformat(added_at) <= one.attached_at


def _documents(text: str) -> Documents:
    try:
        found = json.loads(text)
        return {name: found[name] for name in RESTS_ON if name in found}
    except (ValueError, TypeError, RecursionError):
        # what reads the record tells of it
        return {}
