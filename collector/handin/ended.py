"""A pledge that was disposed of: nothing is handed in for it any more, and nothing waits."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from collector.errors import CollectorError
from collector.handin import links, quarantine
from collector.handin.places import INTAKE, Places

# as `intake --refuse --why` writes it down: for whoever reads the decision, in any language
_WHY = "disposed"


@dataclass(frozen=True, slots=True)
class Ended:
    """How many links were ended, and how many captures that waited were taken away.

    `damaged`: files of hand-ins, of any pledge, that cannot be read; what they are of is there
    still.
    """

    links: int = 0
    captures: int = 0
    damaged: Sequence[CollectorError] = ()


def end(places: Places, pledge: str) -> Ended:
    """May be repeated: what was ended stays so."""
    if not places.folder.is_dir():
        return Ended()
    # links first: what comes by one of them meanwhile is then there to be taken away
    ended = [
        x
        for x in links.every(places, readable=True)
        if x.pledge == pledge and links.state(places, x) == "open"
    ]
    for link in ended:
        links.revoke(places, link.id)
    undecided, damaged = quarantine.undecided(places)
    waits = [one for one in undecided if one.pledge == pledge]
    for one in waits:
        quarantine.decide(places, one, "refused", why=_WHY)
    # what an intake that was killed had made of it
    with places.held(INTAKE):
        shutil.rmtree(places.work(pledge), ignore_errors=True)
    return Ended(len(ended), len(waits), (*links.damaged(places), *damaged))
