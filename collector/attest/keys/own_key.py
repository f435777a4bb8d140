"""A secret of the user's own folder, for seals that nobody but its owner has to check.

It never leaves the folder, and is made when it is first needed, for its owner alone.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.private import beside, create, sync_folder
from collector.resources import home, home_place

_BYTES = 32


def place(name: str) -> Path:
    """Where it lies: apart from the keys that sign, which other people may be given."""
    return home_place() / name


def read(name: str) -> bytes | None:
    """None where there is no such file; raises ValueError for one that holds no such key."""
    try:
        text = place(name).read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    if len(key := bytes.fromhex(text)) != _BYTES:
        raise ValueError(name)
    return key


def make(name: str) -> bytes:
    """The key of whichever process came first: several may begin at once. Raises as `read`."""
    home()
    path = place(name)
    aside = beside(path)
    try:
        with create(aside) as out:
            out.write(secrets.token_hex(_BYTES).encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)
    found = read(name)
    if found is None:
        raise BadInput(msg("went_away_made"), where=str(path))
    return found
