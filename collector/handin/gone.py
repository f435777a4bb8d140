"""Links of hosts that their record declares no more, or that were never made for that record.

Whoever reads the register says so. What is reached from outside reads none: it finds a mark beside
the link, or does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from collector import private
from collector.handin import links
from collector.handin.earlier import is_earlier
from collector.handin.links import Link
from collector.handin.places import Places

_MARK = ".gone"


def tell(
    places: Places,
    declared: Mapping[str, Collection[str]],
    begun: Mapping[str, datetime],
    read_at: datetime,
) -> None:
    """`declared`: by pledge, of all of the register, its hosts of today; `begun`: since when it is

    on record. Both are of `read_at`: of links that were made later they say nothing. A host that is
    declared again has its link again. A damaged link opens nothing, and keeps no other one open.
    """
    if not places.folder.is_dir():
        return
    for link in links.every(places, readable=True):
        if link.made_at > read_at:
            continue
        gone = link.host not in declared.get(link.pledge, ()) or is_of_before(link, begun)
        if gone is is_gone(places, link):
            continue
        mark = places.file("links", link.digest, _MARK)
        with places.held():
            places.log("host_gone" if gone else "host_declared", id=link.id)
            if gone:
                private.write_aside(mark, b"")
            else:
                mark.unlink(missing_ok=True)


def is_gone(places: Places, link: Link) -> bool:
    return private.is_there(places.file("links", link.digest, _MARK))


def is_of_before(link: Link, begun: Mapping[str, datetime]) -> bool:
    """Was it made for somebody else's record, of the same id?"""
    return link.pledge in begun and is_earlier(link.made_at, begun[link.pledge])
