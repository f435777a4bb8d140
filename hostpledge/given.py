"""What callers hand over, held to what it is to be."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from collector.errors import BadInput
from collector.i18n.message import msg

# ages and days are reckoned from it, some years to either side
_YEARS = range(1970, 9001)


def moment(name: str, at: datetime | None) -> datetime | None:
    """TypeError and ValueError for what is no time with a zone that can be reckoned from."""
    if at is None:
        return None
    if not isinstance(at, datetime):
        raise TypeError(f"{name}: a datetime is wanted")
    if at.tzinfo is None:
        raise ValueError(f"{name}: a time with its zone is wanted")
    try:
        year = at.astimezone(UTC).year
    except OverflowError:
        year = 0
    if year not in _YEARS:
        raise ValueError(f"{name}: no time to reckon from: {at.isoformat()}")
    return at


def named(path: str | os.PathLike[str], where: str) -> Path:
    """BadInput for an empty name: Path takes it for the folder one is in."""
    if not os.fspath(path):
        raise BadInput(msg("empty_name_of_file"), where=where)
    return Path(path)
