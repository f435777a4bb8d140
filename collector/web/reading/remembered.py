"""What takes long to reckon of a pledge: by one thread at a time, and remembered for a while."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from collector.web.reading.turns import EachInTurn

_T = TypeVar("_T")
# of the smallest
_LEAST = 100


class Remembered(Generic[_T]):
    """So much of all pledges, and of one: of more, what was asked for longest ago goes.

    `size`: how large something is, beside what anything is. The last of a pledge stays, however
    large, where all has room for it.
    """

    def __init__(self, most: int, of_one: int, size: Callable[[_T], int]) -> None:
        self._most, self._of_one, self._size = most, of_one, size
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], tuple[_T, int]] = OrderedDict()
        self._turns = EachInTurn()

    def get(
        self,
        pledge: str,
        key: str,
        make: Callable[[], _T],
        stays: Callable[[_T], bool] = lambda _: True,
    ) -> _T:
        """What is kept under that key of all that it is made of, else `make`s it.

        What does not `stay` is made anew next time. Many who ask for one pledge take one thread's
        time, and leave the rest to whoever asks for another.
        """
        if (known := self._known(pledge, key)) is not None:
            return known[0]
        with self._turns.one(pledge):
            if (known := self._known(pledge, key)) is not None:
                return known[0]
            made = make()
            if stays(made):
                self._keep(pledge, key, made)
            return made

    def _known(self, pledge: str, key: str) -> tuple[_T, int] | None:
        with self._lock:
            found = self._kept.get((pledge, key))
            if found is not None:
                self._kept.move_to_end((pledge, key))
            return found

    def _keep(self, pledge: str, key: str, made: _T) -> None:
        with self._lock:
            self._kept[pledge, key] = made, _LEAST + self._size(made)
            mine = [one for one in self._kept if one[0] == pledge]
            while len(mine) > 1 and sum(self._kept[one][1] for one in mine) > self._of_one:
                del self._kept[mine.pop(0)]
            left = sum(size for _, size in self._kept.values())
            while left > self._most:
                left -= self._kept.popitem(last=False)[1][1]
