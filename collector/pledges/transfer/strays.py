"""Bundles in the store that no pledge has: left by a command that was killed before the row.

And by one that was killed while it disposed of a pledge. An older backup that was restored lacks
rows of what was attached since: so nothing of it is taken away but with its pledge.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from collector.errors import BadInput
from collector.pledges.register.register import Register
from collector.pledges.status import latest_bundle
from collector.pledges.transfer.shared_bundles import others


def strays(register: Register) -> Mapping[str, str]:
    """By digest the pledge that each says it was made for; empty where it says none, or nothing.

    To be called while nobody else is at work in the store. Raises BadInput where another register
    that may keep its bundles there cannot be asked.
    """
    store = register.store
    left = sorted(store.digests() - register.bundles(but=register.emptied()))
    elsewhere = {digest for digest, _ in others(store, left, register.name(), register.where)}
    return {digest: _made_for(register, digest) for digest in left if digest not in elsewhere}


def _made_for(register: Register, digest: str) -> str:
    try:
        return latest_bundle.opened(register.store, "", digest).made_for
    except (BadInput, OSError):
        return ""


def destroy(register: Register, id: str, room: Path) -> int:
    """Those of one pledge; how many. `room`: the store's, alone."""
    found = [digest for digest, pledge in strays(register).items() if pledge == id]
    for digest in found:
        register.store.destroy(digest, room)
    register.store.note(found, register.name(), register.where, gone=True)
    return len(found)
