"""So much and no more: what few words of a host may make of themselves.

Files that include files, names that stand for lists of names, rules that many messages go through:
a small configuration can ask for any amount of work. It is counted, and past what any real host
comes to the answer is that it cannot be followed, on every machine at the same place.
"""

from __future__ import annotations

from collector.errors import NotUnderstood
from collector.i18n.message import msg


class Allowance:
    """`most` steps of something, named `what`, for the read that asks for them."""

    def __init__(self, read: str, most: int, what: str) -> None:
        self._read = read
        self._left = most
        self._what = what

    def take(self, steps: int = 1) -> None:
        """Raises NotUnderstood when there are no more left."""
        self._left -= steps
        if self._left < 0:
            raise NotUnderstood(self._read, msg("more_can_followed", what=self._what))
