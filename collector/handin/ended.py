"""A pledge that was disposed of: nothing is handed in for it any more, and nothing waits."""

from __future__ import annotations

import shutil

from collector.handin import links, quarantine
from collector.handin.places import INTAKE, Places

# as `intake --refuse --why` writes it down: for whoever reads the decision, in any language
_WHY = "disposed"


def end(places: Places, pledge: str) -> tuple[int, int]:
    """How many links were ended, and how many captures that waited were taken away.

    May be repeated: what was ended stays so. Raises BadInput for a damaged file of a hand-in.
    """
    if not places.folder.is_dir():
        return 0, 0
    # links first: what comes by one of them meanwhile is then there to be taken away
    ended = [
        x for x in links.every(places) if x.pledge == pledge and links.state(places, x) == "open"
    ]
    for link in ended:
        links.revoke(places, link.id)
    waits = [
        one
        for one in quarantine.every(places)
        if one.pledge == pledge and quarantine.decision(places, one) is None
    ]
    for one in waits:
        quarantine.decide(places, one, "refused", why=_WHY)
    # what an intake that was killed had made of it
    with places.held(INTAKE):
        shutil.rmtree(places.work(pledge), ignore_errors=True)
    return len(ended), len(waits)
