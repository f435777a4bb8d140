"""Whose turn it is: who came first goes first, however often the others come again."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


class Turns:
    """A lock that goes to whoever has waited longest; a thread that holds it may take it again."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[tuple[int, threading.Lock]] = deque()
        self._owner: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        me, gate = threading.get_ident(), threading.Lock()
        with self._guard:
            if self._owner is None or self._owner == me:
                self._owner, self._depth = me, self._depth + 1
                return
            gate.acquire()
            self._waiting.append((me, gate))
        gate.acquire()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _problem: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        with self._guard:
            self._depth -= 1
            if self._depth:
                return
            self._owner = None
            if self._waiting:
                # handed on, so that who comes just now cannot be before them
                self._owner, gate = self._waiting.popleft()
                self._depth = 1
                gate.release()


class EachInTurn:
    """By name, a lock that is there for as long as somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, Turns] = {}
        self._asking: Counter[str] = Counter()

    @contextmanager
    def one(self, name: str) -> Iterator[None]:
        with self._lock:
            turns = self._turns.setdefault(name, Turns())
            self._asking[name] += 1
        try:
            with turns:
                yield
        finally:
            with self._lock:
                self._asking[name] -= 1
                if not self._asking[name]:
                    del self._asking[name], self._turns[name]
