"""Whose is what the register keeps to be quick? Sealed by a key of the user's own folder.

Whoever can write the database can write such rows as well, but has not that key. Rows of another
user are never believed and never touched: each has their own, so that nobody writes over another.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from collector.attest.keys import own_key
from collector.errors import BadInput

NAME = "register.key"


@dataclass(frozen=True, slots=True)
class Keeper:
    """`id` names the key, and tells nothing of it."""

    id: str
    _key: bytes = field(repr=False)

    def seal(self, *told: str) -> str:
        """The seal (hex) over these texts, each held apart from the next."""
        text = "".join(f"{len(one)}:{one}" for one in told)
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256").hex()

    def holds(self, found: str, *told: str) -> bool:
        return hmac.compare_digest(found.encode("utf-8", "replace"), self.seal(*told).encode())


def keeper(*, make: bool = False) -> Keeper | None:
    """The user's; None where there is none, and none could be made: then nothing is believed."""
    try:
        key = own_key.read(NAME)
        if key is None and make:
            key = own_key.make(NAME)
    except (ValueError, OSError, BadInput):
        return None
    if key is None:
        return None
    return Keeper(hashlib.sha256(b"hostpledge register keeper\0" + key).hexdigest()[:16], key)
