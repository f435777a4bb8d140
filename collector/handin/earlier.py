"""What was asked for under an id that was somebody else's then.

A register that was restored knows nothing of a record that was made after its backup, and gives the
id to the next customer; links, and what came by them, lie beside it still.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from collector.errors import CollectorError
from collector.handin import links
from collector.handin.places import Places
from collector.handin.quarantine import Receipt

# between the clocks of those who keep the register
_WITHIN = timedelta(minutes=5)


def is_earlier(at: datetime, since: datetime) -> bool:
    """Was a link of that time made before the record, whose first version is of `since`? Aware."""
    return at < since - _WITHIN


def asked_at(places: Places, one: Receipt) -> datetime:
    """When its link was made (aware); where that cannot be read, when it came."""
    with suppress(CollectorError):
        if (link := links.of_digest(places, one.digest)) is not None:
            return link.made_at
    return one.received_at
