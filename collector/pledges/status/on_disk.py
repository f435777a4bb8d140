"""By what the disk tells that the files of a kept bundle are those that were read of it before.

What was read once and remembered says nothing of a bundle that was changed since, or taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from collector.attest.bundle import evidence
from collector.attest.envelope import dsse as envelope
from collector.pledges.database.rows import Evidence

_ATTACHED, _CAPTURES = "attached", "captures"


def stands(one: Evidence, *, captures: bool) -> Iterator[str]:
    """Another row of texts once a file is another one; `captures`: those as well."""
    data = one.path / "data"
    yield from _told(data / name for name in (envelope.FILE, evidence.FILE))
    for room in (_ATTACHED, _CAPTURES) if captures else (_ATTACHED,):
        try:
            names = sorted(path.name for path in (data / room).iterdir())
        except OSError as problem:
            yield f"{problem.errno}"
        else:
            yield from names
            yield from _told(data / room / name for name in names)


def _told(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        try:
            told = path.stat()
        except OSError as problem:
            yield f"{problem.errno}"
        else:
            yield f"{told.st_ino} {told.st_size} {told.st_mtime_ns} {told.st_ctime_ns}"
