"""Passwords as argon2 has them, and how many of them may be under way at once.

Whether a name is known cannot be told from the work that its wrong password took.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from collector.errors import BadInput
from collector.i18n.message import msg

SHORTEST, LONGEST = 12, 200
# each takes 64 MiB while it is made
_AT_ONCE = threading.Semaphore(2)
_HASHER = PasswordHasher()


class BusyError(Exception):
    """As many wait as may."""


class Places:
    """Of the threads that pages of one worker share so many have one thing to do that takes long.

    Another worker has threads, and places, of its own. Whoever finds no place is told so at once.
    `of_one`: how many one sender, or account, may have; of a sender each network that it is in,
    of a customer's account each of its pledges.
    """

    def __init__(self, most: int, of_one: int) -> None:
        self._most, self._of_one = most, of_one
        self._taken: Counter[str] = Counter()
        self._all = 0
        self._lock = threading.Lock()

    @contextmanager
    def one(self, *senders: str) -> Iterator[None]:
        """Raises BusyError."""
        with self._lock:
            shares = any(self._taken[one] >= self._of_one for one in senders)
            if self._all >= self._most or shares:
                raise BusyError
            self._all += 1
            self._taken.update(senders)
        try:
            yield
        finally:
            with self._lock:
                self._all -= 1
                self._taken.subtract(senders)
                # none that is not there any more is remembered
                self._taken = +self._taken


# who has been here before has places that strangers cannot take
STRANGERS, KNOWN = Places(6, 3), Places(6, 3)


def check(password: str) -> None:
    """Raises BadInput for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(msg("web_password_length", least=SHORTEST, most=LONGEST))


def hashed(password: str) -> str:
    with _AT_ONCE:
        return _HASHER.hash(password)


@cache
def nobodys() -> str:
    """What an unknown name's password is held against: the same work, and never right."""
    return hashed(secrets.token_urlsafe(32))


def verified(kept: str, password: str) -> bool:
    with _AT_ONCE:
        try:
            return _HASHER.verify(kept, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
