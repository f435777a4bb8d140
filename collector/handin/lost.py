"""What was taken in and is in no evidence of the register, as after a restored older backup."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from collector.errors import CollectorError
from collector.handin import quarantine
from collector.handin.places import Places, load
from collector.handin.quarantine import Receipt


class Accepted:
    """Reads what was taken in, each once for as long as its file stays the same."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._known: dict[str, tuple[tuple[int, int], str]] = {}

    def lost(self, bundles: Collection[str]) -> list[Receipt]:
        """The oldest first; `bundles`: the digests of all evidence. What is damaged is not told."""
        found = []
        for digest, bundle in self._bundles().items():
            if not bundle or bundle in bundles:
                continue
            try:
                one = quarantine.receipt(self._places, digest)
            except CollectorError:
                continue
            if one is not None:
                found.append(one)
        return sorted(found, key=lambda one: (one.received_at, one.id))

    def _bundles(self) -> Mapping[str, str]:
        """By hand-in the bundle that it was taken into; empty where it was refused."""
        read: dict[str, tuple[tuple[int, int], str]] = {}
        for path in self._places.room("decided").glob("*.json"):
            with suppress(OSError, CollectorError):
                about = path.stat()
                mark = about.st_ino, about.st_mtime_ns
                known = self._known.get(path.stem)
                if known is None or known[0] != mark:
                    known = mark, _bundle(load(path) or {})
                read[path.stem] = known
        self._known = read
        return {digest: bundle for digest, (_, bundle) in read.items()}


def _bundle(decision: Mapping[str, Any]) -> str:
    return str(decision.get("bundle", "")) if decision.get("verdict") == "accepted" else ""
