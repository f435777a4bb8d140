"""Which evidence looked at something later than what was attached before it, and counts still.

A row says so as it was when it was attached. Where evidence of its pledge was ever declared void,
or counts again, what was attached before it is another than it was then: the bundles are read, and
each is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from collector.errors import CollectorError
from collector.pledges.database.rows import Evidence
from collector.pledges.status.findings import looked_at
from collector.pledges.status.latest_bundle import Newest

Looks = Mapping[str, datetime]
"""Of the hosts that answered, when each was looked at."""
_MOST = 4096
_known: dict[str, Looks] = {}


def past(one: datetime, looks: Looks, before: Sequence[datetime], known: Looks) -> bool | None:
    """As `Evidence.past` has it, of what was looked at `one`, after evidence of the times `before`.

    `known` is by host the newest look that there is in that.
    """
    late = {host for host, at in looks.items() if host in known and at < known[host]}
    if all(one >= at for at in before) and not late:
        return None
    return late.issuperset(looks) if looks else True


def in_order(evidence: Sequence[Evidence]) -> bool:
    """Was nothing of it older than something before it, as its rows say?"""
    times = [one.collected_at for one in evidence]
    return all(one.past is None for one in evidence) and times == sorted(times)


def present(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """All evidence of one pledge in its sequence, without what is void, each with `past` now.

    For a pledge of which something was ever void; of others the rows say it.
    """
    found: list[Evidence] = []
    known: dict[str, datetime] = {}
    for one in evidence:
        looks = _looks(one)
        times = [row.collected_at for row in found]
        if looks is not None:
            found.append(replace(one, past=past(one.collected_at, looks, times, known)))
        else:
            # what cannot be read is not taken for old: whoever asks how it is now is told so
            old = one.past is not None or any(one.collected_at < at for at in times)
            found.append(replace(one, past=False if old else None))
        for host, at in (looks or {}).items():
            known[host] = max(at, known.get(host, at))
    return tuple(found)


def _looks(one: Evidence) -> Looks | None:
    """None where the bundle cannot be read."""
    if one.digest not in _known:
        try:
            hosts = Newest(one).evidence["hosts"]
        except CollectorError:
            return None
        if len(_known) >= _MOST:
            _known.clear()
        told = {host: looked_at(entry, one) for host, entry in hosts.items() if entry.get("head")}
        _known[one.digest] = told
    return _known[one.digest]
