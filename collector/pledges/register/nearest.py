"""The ids nearest to one that no record has: what was meant by a slip of the pen. Pure."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from collector.errors import BadInput, listed
from collector.i18n.message import Message, msg

_PARTS = re.compile(r"[0-9]+|[^\W\d_]+")
_LOOK_ALIKE = str.maketrans("oil", "011")
_MOST = 3
_MOST_NAMED = 8
# of so many nobody waits for the comparison of each
_COMPARED = 20_000


def no_pledge(
    id: str, known: Collection[str], customers: Mapping[str, str] | None = None, *, where: str
) -> BadInput:
    """What is raised for an id that none of `known` is, with those that may be meant.

    `customers` has the name of each id's customer, which a person may have typed in its place.
    """
    mend = _mend(nearest(id, known))
    if named := _of_customer(id, customers or {}):
        more = len(named) - _MOST_NAMED
        mend = msg("pledges_of_that_customer", ids=listed(named[:_MOST_NAMED]))
        if more > 0:
            mend = msg("pledges_of_such_customers", ids=listed(named[:_MOST_NAMED]), count=more)
    return BadInput(msg("no_pledge_named", which=id), where=where, mend=mend)


def _of_customer(text: str, customers: Mapping[str, str]) -> list[str]:
    """The ids of the customer of that name; where there is none, of those with it in the name.

    >>> _of_customer("同舟", {"c2": "昆明同舟", "c1": "昆明同舟", "c3": "云帆"})
    ['c1', 'c2']
    """
    sought = text.strip().casefold()
    names = {id: name.casefold() for id, name in sorted(customers.items())}
    exact = [id for id, name in names.items() if name == sought]
    return exact or [id for id, name in names.items() if len(sought) > 1 and sought in name]


def nearest(id: str, known: Collection[str]) -> Sequence[str]:
    """Those that differ in case, signs and leading zeros alone; where none does, alike ones.

    >>> nearest("km-2026-040", ["KM-2026-0040", "KM-2026-0140", "KM-2026-0041"])
    ['KM-2026-0040']
    >>> nearest("GX-OOO1", ["GX-0001", "GX-0201"])
    ['GX-0001']
    >>> nearest("KM-2026-9040", ["KM-2026-0040", "YF-1"])
    ['KM-2026-0040']
    >>> nearest("ＫＭ－２０２６－００４０", ["KM-2026-0040", "KM-2026-0041"])
    ['KM-2026-0040']
    """
    id = unicodedata.normalize("NFKC", id)
    said = _parts(id)
    if same := sorted(one for one in known if _parts(one) == said):
        return same[:_MOST]
    alike = _as_typed(id)
    if same := sorted(one for one in known if _as_typed(one) == alike):
        return same[:_MOST]
    if len(known) > _COMPARED:
        return []
    folded = {one.lower(): one for one in sorted(known, reverse=True)}
    found = difflib.get_close_matches(id.lower(), sorted(folded), n=_MOST, cutoff=0.8)
    return [folded[one] for one in found]


def _as_typed(id: str) -> str:
    """What is told apart by neither eye nor blank: the letter O of a nought, l and I of a one."""
    return "".join(id.lower().split()).translate(_LOOK_ALIKE)


def _parts(id: str) -> list[str]:
    return [part.lstrip("0") or "0" for part in _PARTS.findall(id.lower())]


def _mend(meant: Sequence[str]) -> Message:
    if not meant:
        return msg("hostpledge_pledge_list_lists")
    return msg("did_you_mean_pledge", ids=listed(meant))
