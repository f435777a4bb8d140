"""The ids nearest to one that no record has: what was meant by a slip of the pen. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence

from collector.errors import BadInput, listed
from collector.i18n.message import Message, msg

_PARTS = re.compile(r"[0-9]+|[^\W\d_]+")
_MOST = 3
# of so many nobody waits for the comparison of each
_COMPARED = 20_000


def no_pledge(id: str, known: Collection[str], *, where: str) -> BadInput:
    """What is raised for an id that none of `known` is, with those that may be meant."""
    return BadInput(msg("no_pledge_named", which=id), where=where, mend=_mend(nearest(id, known)))


def nearest(id: str, known: Collection[str]) -> Sequence[str]:
    """Those that differ in case, signs and leading zeros alone; where none does, alike ones.

    >>> nearest("km-2026-040", ["KM-2026-0040", "KM-2026-0140", "KM-2026-0041"])
    ['KM-2026-0040']
    >>> nearest("KM-2026-9040", ["KM-2026-0040", "YF-1"])
    ['KM-2026-0040']
    """
    said = _parts(id)
    if same := sorted(one for one in known if _parts(one) == said):
        return same[:_MOST]
    if len(known) > _COMPARED:
        return []
    folded = {one.lower(): one for one in sorted(known, reverse=True)}
    found = difflib.get_close_matches(id.lower(), sorted(folded), n=_MOST, cutoff=0.8)
    return [folded[one] for one in found]


def _parts(id: str) -> list[str]:
    return [part.lstrip("0") or "0" for part in _PARTS.findall(id.lower())]


def _mend(meant: Sequence[str]) -> Message:
    if not meant:
        return msg("hostpledge_pledge_list_lists")
    return msg("did_you_mean_pledge", ids=listed(meant))
