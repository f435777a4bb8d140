"""Which of five words a customer stands under. Pure."""

from __future__ import annotations

from collector.pledges.standing import listing
from collector.pledges.standing.listing import Listed

# those of whom nothing more is asked, or nothing yet
PAST = ("draft", "ended", "disposed")
STANDINGS = ("broken", "unverified", "partly", "kept", "nothing")


def standing_of(one: Listed) -> str:
    """Of STANDINGS, from the verdicts of the three clauses that are checked on hosts."""
    if one.last is None:
        return "nothing"
    found = {one.verdict(clause) for clause in listing.CLAUSES}
    if "fail" in found:
        return "broken"
    if found & {"error", "none"}:
        return "unverified"
    return "partly" if found & {"partial", "notchecked"} else "kept"
