"""The last checkpoint of each log that this user kept, in the user's own folder.

Whoever can write the register can take its checkpoints away, and write its log anew. What lies
here is no part of it: a log that did not grow out of it is not the one that the user signed.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from collector.attest.log.checkpoint import Checkpoint
from collector.i18n.message import Message, msg
from collector.private import write_aside
from collector.resources import home, home_place

_NAME = "register.logs.json"
# no log has such a name
_PLACES = "places"


def read(origin: str) -> Checkpoint | None:
    """None where nothing was kept of that log, or the file cannot be read: then nothing is held."""
    try:
        size, root = _all()[origin]
        return Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    except (KeyError, ValueError, TypeError):
        return None


def keep(one: Checkpoint, where: str) -> None:
    """In the place of the one before, unless that is of a larger log; `where` its register is."""
    known, every = read(one.origin), _all()
    every[_PLACES] = {**_places(every), _place(where): one.origin}
    if known is None or known.size <= one.size:
        every[one.origin] = [one.size, base64.b64encode(one.root).decode()]
    _write(every)


def other_log(where: str, origin: str) -> Message | None:
    """Why the register there is not the one whose log this user kept a checkpoint of."""
    known = _places(_all()).get(_place(where), origin)
    return None if known == origin else msg("another_log_there", origin=known, origin_2=origin)


def forget(origin: str, where: str) -> None:
    """The user has put that log, or an earlier state of it, in the place of another."""
    every = _all()
    places = _places(every)
    known = every.pop(origin, None), places.pop(_place(where), None)
    if any(known):
        _write({**every, _PLACES: places})


def _place(where: str) -> str:
    return where if "://" in where else str(Path(where).absolute())


def _places(every: Mapping[str, Any]) -> dict[str, Any]:
    found = every.get(_PLACES)
    return dict(found) if isinstance(found, dict) else {}


def _all() -> dict[str, Any]:
    try:
        found = json.loads((home_place() / _NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(every: dict[str, Any]) -> None:
    # a folder that cannot be written holds nothing, and nothing is lost by it
    with suppress(OSError):
        home()
        write_aside(home_place() / _NAME, json.dumps(every, indent=1).encode() + b"\n")
