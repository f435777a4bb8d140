"""When, for each clause, something that its newest evidence rests on ends by itself.

It is read from the bundle once, and kept in the user's own folder: lists of thousands of records
ask for it each time. Nobody else writes there; and where it is gone it is made anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from collector.errors import CollectorError
from collector.pledges.database.last_kept import place
from collector.pledges.database.rows import Evidence
from collector.pledges.standing.ended_documents import ends
from collector.pledges.status.latest_bundle import Newest
from collector.private import write_aside
from collector.resources import home, home_place

FILE = "register.ends.json"
# another number once something else is told of a bundle
_FORM = 1
Ends = Mapping[str, str]


class FirstEnds:
    """Of the evidence of registers, for the user of this process."""

    def __init__(self) -> None:
        self._known: dict[str, Ends] = {}

    def look(self, where: str, newest: Iterable[Evidence]) -> None:
        """To be asked before `over`: reads of the register at `where` what is not known yet."""
        newest = list(newest)
        if all(one.digest in self._known for one in newest):
            return
        every = _all()
        kept = every.get(place(where), {})
        self._known |= {one.digest: kept[one.digest] for one in newest if one.digest in kept}
        made = {one.digest: _read(one) for one in newest if one.digest not in self._known}
        self._known |= {digest: found for digest, found in made.items() if found is not None}
        if any(found is not None for found in made.values()):
            # those of what is not the newest any more go
            every[place(where)] = {
                one.digest: self._known[one.digest] for one in newest if one.digest in self._known
            }
            _write(every)

    def over(self, one: Evidence, now: datetime) -> tuple[str, ...] | None:
        """The ends that are over at `now` (aware), in their order; None where nobody can tell."""
        found = self._known.get(one.digest)
        if found is None:
            return None
        return tuple(sorted(end for end in found.values() if datetime.fromisoformat(end) <= now))


def _read(one: Evidence) -> Ends | None:
    try:
        return {clause: end.isoformat() for clause, end in ends(Newest(one)).items()}
    except CollectorError:
        return None


def _all() -> dict[str, Any]:
    try:
        found = json.loads((home_place() / FILE).read_text(encoding="utf-8"))
        if found["form"] != _FORM:
            return {}
        known: dict[str, Any] = found["ends"]
    except (OSError, ValueError, RecursionError, LookupError, TypeError):
        return {}
    return known if _is_form(known) else {}


def _is_form(known: Any) -> bool:
    return isinstance(known, dict) and all(
        isinstance(of, dict) and all(map(_are_ends, of.values())) for of in known.values()
    )


def _are_ends(found: Any) -> bool:
    if not isinstance(found, dict):
        return False
    try:
        return all(datetime.fromisoformat(end).tzinfo is not None for end in found.values())
    except (ValueError, TypeError):
        return False


def _write(every: dict[str, Any]) -> None:
    # without it the bundles are read again
    with suppress(OSError, CollectorError):
        home()
        data = json.dumps({"form": _FORM, "ends": every}, sort_keys=True).encode()
        write_aside(home_place() / FILE, data + b"\n")
