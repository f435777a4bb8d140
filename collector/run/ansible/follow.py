"""Tells of each host as its line comes into the journal of a run, while others write it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_LOOKS = 0.5

Line = dict[str, Any]


@contextmanager
def following(journal: Path, tell: Callable[[Line], None]) -> Iterator[None]:
    """Within it `tell` gets each new line, from a thread; what it raises is raised at the end."""
    over = threading.Event()
    problems: list[Exception] = []
    at = journal.stat().st_size if journal.exists() else 0

    def follow() -> None:
        place, last = at, False
        try:
            while not last:
                # what comes while the last look is taken was there before it
                last = over.wait(_LOOKS)
                place = _told(journal, place, tell)
        except Exception as problem:  # noqa: BLE001 - it is raised where it can be told
            problems.append(problem)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if problems:
        raise problems[0]


def _told(journal: Path, place: int, tell: Callable[[Line], None]) -> int:
    """Tells the whole lines from `place` on; where the next one begins."""
    if not journal.exists():
        return place
    with journal.open("rb") as lines:
        lines.seek(place)
        for line in lines:
            if not line.endswith(b"\n"):
                break
            place += len(line)
            tell(json.loads(line))
    return place
