"""Which waivers the records of a register had when something was attached, and which they have."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from collector.pledges.database import tables

# as canonical JSON has the field; within a text its quotation marks would be escaped
_FIELD = '"waivers":['
Waivers = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Course:
    """The waivers of a record by version: since when (aware), and which; the first one first."""

    versions: Sequence[tuple[datetime, Waivers]]

    @property
    def now(self) -> Waivers:
        return self.versions[-1][1]

    def at(self, moment: datetime, version: int | None = None) -> Waivers:
        """Those of that version, where it is known; else of the one that was the newest then."""
        if version is not None and version <= len(self.versions):
            return self.versions[version - 1][1]
        return next((w for since, w in reversed(self.versions) if since <= moment), ())


def courses(connection: Connection) -> dict[str, Course]:
    """Of each record that ever had a waiver, by its id."""
    table = tables.versions
    query = select(table.c.pledge, table.c.version, table.c.document)
    with_any: dict[str, dict[int, Waivers]] = {}
    for pledge, number, document in connection.execute(
        query.where(table.c.document.contains(_FIELD, autoescape=True))
    ):
        try:
            found = json.loads(document)["waivers"]
        except (ValueError, LookupError):
            # what reads the record tells of it
            continue
        with_any.setdefault(pledge, {})[number] = found
    if not with_any:
        return {}
    every = select(table.c.pledge, table.c.version, table.c.added_at).order_by(table.c.version)
    versions: dict[str, list[tuple[datetime, Waivers]]] = {id: [] for id in with_any}
    for pledge, number, added_at in connection.execute(every):
        if pledge in versions:
            waivers = with_any[pledge].get(number, ())
            versions[pledge].append((datetime.fromisoformat(added_at), waivers))
    return {id: Course(found) for id, found in versions.items()}
