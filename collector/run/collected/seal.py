"""What this control node vouches for: that a run was begun here, and what it had from its hosts.

Whoever is handed a bundle knows the run's nonce, and can compute each host's from it. So a run and
each line of its journal bear a seal (HMAC-SHA256), by a key that never leaves the control node:
a folder that somebody else wrote, or a capture put into one of ours, has none that holds.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

from collector.attest.keys import own_key
from collector.errors import BadInput
from collector.i18n.message import msg

NAME = "collecting.key"


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
    """Where the key lies."""
    return own_key.place(NAME)


def _key() -> bytes | None:
    """Raises BadInput for a file that holds no such key."""
    try:
        return own_key.read(NAME)
    except ValueError:
        raise _no_key() from None


def _new() -> bytes:
    try:
        return own_key.make(NAME)
    except ValueError:
        raise _no_key() from None


def _no_key() -> BadInput:
    return BadInput(msg("not_key_runs_sealed"), where=str(place()), mend=msg("put_one_backup_move"))
