"""The records of a register that name one of the same files as some that are made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from collector.pledges.database import tables
from collector.pledges.record.form import PledgeRecord
from collector.pledges.record.papers import digests

_DIGEST = re.compile(r"[0-9a-f]{64}")


def naming(
    connection: Connection, made: Sequence[PledgeRecord], before: Mapping[str, PledgeRecord]
) -> list[PledgeRecord]:
    """The newest versions with a file that `made` has, and `before` had not, and what they renew.

    Thousands of records are looked through as text: few of them have to be read.
    """
    asked: set[str] = set()
    for record in made:
        asked |= digests(record) - (digests(before[record.id]) if record.id in before else set())
    if not asked:
        return []
    table = tables.versions
    last = select(table.c.pledge, func.max(table.c.version).label("version"))
    newest = last.group_by(table.c.pledge).subquery()
    of_newest = (table.c.pledge == newest.c.pledge) & (table.c.version == newest.c.version)
    texts = connection.execute(select(table.c.document).join(newest, of_newest)).scalars()
    found = [text for text in texts if not asked.isdisjoint(_DIGEST.findall(text))]
    return [PledgeRecord(json.loads(text)) for text in found]
