"""How many pledges were kept at the end of each month, by what was attached by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

from collector.pledges.database.rows import Evidence
from collector.pledges.record.times import CHINA
from collector.pledges.register.read_only import ReadOnlyRegister
from collector.pledges.standing.due import due
from collector.pledges.standing.listing import Listed, is_stale
from collector.web.reading.standings import standing_of

MOST = 12


def months(
    register: ReadOnlyRegister,
    every: Sequence[Listed],
    attached: Mapping[str, Sequence[Evidence]],
    now: datetime,
    broken: Mapping[str, bool] = MappingProxyType({}),
) -> list[dict[str, object]]:
    """The last twelve, the oldest first, each with its last day and the counts by standing.

    `attached`: all evidence, void ones as well. A pledge is there from its first evidence on; its
    grade is that of today. `broken`: of which another look than the newest says so; and as it
    stands now, a waiver that ended counts.
    """
    void = register.void()
    found = []
    for end in _ends(now):
        counts = dict.fromkeys(("kept", "partly", "unverified", "broken"), 0)
        for one in every:
            rows = [
                row
                for row in attached.get(one.record.id, ())
                if row.attached_at <= end and row.sequence not in void.get(one.record.id, ())
            ]
            if rows:
                if end == now:
                    word = "broken" if broken.get(one.record.id) else standing_of(one)
                else:
                    dues = due(one.record, rows, end, within=timedelta(0))
                    then = replace(one, evidence=rows, stale=is_stale(dues, end))
                    word = standing_of(then)
                counts[word] += 1
        found.append({"day": end.astimezone(CHINA).date().isoformat(), **counts})
    return found


def _ends(now: datetime) -> list[datetime]:
    """The last moments of the months before this one, and now."""
    found = [now]
    at = now.astimezone(CHINA)
    while len(found) < MOST:
        at = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0) - timedelta.resolution
        found.append(at)
    return found[::-1]
