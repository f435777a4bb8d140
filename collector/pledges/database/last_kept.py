"""The log of each register as this user last attached to it or signed it, in the user's own folder.

Whoever can write the register can take its checkpoints away, and write its log anew. What lies
here is no part of it: a log that did not grow out of it is not the one that the user knew.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from collector.attest.log.checkpoint import Checkpoint
from collector.private import write_aside
from collector.resources import home, home_place

_NAME = "register.logs.json"
_MET = "met"
_HERE = ("localhost", "127.0.0.1", "::1")


def read(where: str) -> Checkpoint | None:
    """To be read before the register is: its log only grows, and this must not be the newer one.

    None where nothing was kept of the register there, the file cannot be read, or no register is
    there: that an empty list is empty is seen without it.
    """
    if "://" not in where and not Path(where).exists():
        return None
    every = _all()
    for name in _names(where):
        try:
            origin, size, root, *_ = every[name]
            return Checkpoint(str(origin), int(size), base64.b64decode(root, validate=True))
        except (KeyError, ValueError, TypeError):
            continue
    return None


def is_met(where: str) -> bool:
    """Did this user only ever look at the register there, and attach and sign nothing?"""
    every = _all()
    known = next((every[name] for name in _names(where) if name in every), [_MET])
    return isinstance(known, list) and _MET in known


def keep(one: Checkpoint, where: str, *, met: bool = False) -> None:
    """In the place of the one before, unless that is of the same log and larger.

    `met`: as it was seen by somebody who only looked at it.
    """
    known = read(where)
    if known is None or known.origin != one.origin or known.size <= one.size:
        root = base64.b64encode(one.root).decode()
        entry = [one.origin, one.size, root, *([_MET] if met else [])]
        _write(_all() | dict.fromkeys(_names(where), tuple(entry)))


def forget(where: str) -> None:
    """The user has put another register, or an earlier state, in that place."""
    every, names = _all(), _names(where)
    if every.keys() & set(names):
        _write({name: known for name, known in every.items() if name not in names})


@contextmanager
def forgotten(where: str) -> Iterator[None]:
    """Forgotten within and after it, and known as before where that fails.

    Who read the register meanwhile knows it as it was, and has it written down.
    """
    before = _all()
    forget(where)
    try:
        yield
    except BaseException:
        _write(_all() | {name: before[name] for name in _names(where) if name in before})
        raise
    forget(where)


def _names(where: str) -> tuple[str, ...]:
    """As it was named first: a link that somebody puts there is no other register."""
    if "://" in where:
        return (place(where),)
    # not `resolve`: that is what a link would change
    named = os.path.abspath(where)  # noqa: PTH100
    return tuple(dict.fromkeys((named, place(where))))


def place(where: str) -> str:
    """One name for each place, however it is spelt."""
    if "://" not in where:
        return str(Path(where).resolve())
    url = make_url(where)
    host = (url.host or "localhost").lower().rstrip(".")
    host = "localhost" if host in _HERE else host
    return f"{url.get_backend_name()}://{host}:{url.port or 5432}/{url.database}"


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
