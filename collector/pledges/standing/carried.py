"""What failed on hosts of a record that was continued, until they are looked at for the new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from collector.pledges.record.form import PledgeRecord
from collector.pledges.register.register import Register
from collector.pledges.standing.finding_history import last_lives
from collector.pledges.status.findings import Life


def carried(
    register: Register,
    record: PledgeRecord,
    answered: Mapping[str, frozenset[str]],
    now: datetime,
) -> Iterator[tuple[str, Life]]:
    """What still fails by the last look at hosts of `record`, with the record that look was for.

    A signature mends nothing: a host that `record` declares is as it was under the one that it
    continues, or the one before, until evidence of its own has an answer of that host. `answered`:
    by id the hosts that some evidence has one of. What `record` waives is no failure. Raises
    BadInput as `all_lives`.
    """
    left = frozenset(record.hosts) - answered.get(record.id, frozenset())
    known = {one.id for one in register.briefs()} if "renews" in record.document else set()
    # what records say may go in a circle
    seen, id = {record.id}, str(record.document.get("renews", ""))
    while left and id in known and id not in seen:
        seen.add(id)
        old = register.get(id)
        if "disposed" in old.document:
            return
        waived = {"waivers": list(record.document.get("waivers", ()))}
        under = replace(old, document={**old.document, **waived})
        # a waiver ends as the new record has it
        lives = last_lives(under, register.evidence(id), now) if register.evidence(id) else ()
        yield from ((id, life) for life in lives if life.fails and life.host in left)
        left -= answered.get(id, frozenset())
        id = str(old.document.get("renews", ""))
