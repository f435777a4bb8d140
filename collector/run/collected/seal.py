"""What this control node vouches for: that a run was begun here, and what it had from its hosts.

Whoever is handed a bundle knows the run's nonce, and can compute each host's from it. So a run and
each line of its journal bear a seal (HMAC-SHA256), by a key that never leaves the control node:
a folder that somebody else wrote, or a capture put into one of ours, has none that holds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from collector.errors import BadInput
from collector.i18n.message import msg
from collector.private import beside, create, sync_folder
from collector.resources import home, home_place

NAME = "collecting.key"
_BYTES = 32


def seal(*told: Any) -> str:
    """The seal (hex) over values of JSON; the key is made where there is none yet."""
    return _mac(_key() or _new(), told)


def holds(found: str, *told: Any) -> bool:
    """Was this seal made here, over just that?"""
    key = _key()
    return key is not None and hmac.compare_digest(found, _mac(key, told))


def _mac(key: bytes, told: tuple[Any, ...]) -> str:
    text = json.dumps(told, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def place() -> Path:
    """Where the key lies: apart from those that sign, which other people may be given."""
    return home_place() / NAME


def _key() -> bytes | None:
    """Raises BadInput for a file that holds no such key."""
    try:
        text = place().read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    with suppress(ValueError):
        if len(key := bytes.fromhex(text)) == _BYTES:
            return key
    raise BadInput(
        msg("not_key_runs_sealed"),
        where=str(place()),
        mend=msg("put_one_backup_move"),
    )


def _new() -> bytes:
    """The key of whichever process came first: several may begin at once."""
    home()
    path = place()
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
    found = _key()
    if found is None:
        raise BadInput(msg("went_away_made"), where=str(path))
    return found
