"""Which evidence looked at something later than what was attached before it, and counts still.

A row says so as it was when it was attached. Where evidence of its pledge was declared void since,
that may be what made it a past one: then its bundle is read, and what is left is asked again.
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
_MOST = 256
_known: dict[str, Looks] = {}


def past(one: datetime, looks: Looks, before: Sequence[datetime], known: Looks) -> bool | None:
    """As `Evidence.past` has it, of what was looked at `one`, after evidence of the times `before`.

    `known` is by host the newest look that there is in that.
    """
    late = {host for host, at in looks.items() if host in known and at < known[host]}
    if all(one >= at for at in before) and not late:
        return None
    return late.issuperset(looks) if looks else True


def present(evidence: Sequence[Evidence], void: frozenset[int]) -> tuple[Evidence, ...]:
    """The evidence of one pledge in its sequence, without what is void, each with `past` now."""
    if not void or all(one.past is None for one in evidence):
        return tuple(evidence)
    found: list[Evidence] = []
    known: dict[str, datetime] = {}
    for one in evidence:
        looks = _looks(one)
        if one.past is not None and any(number < one.sequence for number in void):
            times = [row.collected_at for row in found]
            # what cannot be read is not taken for old: whoever asks how it is now is told so
            held = False if looks is None else past(one.collected_at, looks, times, known)
            found.append(replace(one, past=held))
        else:
            found.append(one)
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
