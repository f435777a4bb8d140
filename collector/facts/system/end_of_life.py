"""Until when the operating system gets fixes, from `catalogs/end-of-life.yml`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from collector.facts.system.os_release import Platform
from collector.resources import package_text
from collector.schema import load_own


@dataclass(frozen=True, slots=True)
class Life:
    """The end of a release: its last day (None: its maker names none) and where that was read."""

    release: str
    end: date | None
    source: str
    checked: bool


@cache
def _catalog() -> tuple[dict[str, Any], ...]:
    document = load_own(package_text("catalogs/end-of-life.yml"), where="catalogs/end-of-life.yml")
    return tuple(document["releases"])


def life(platform: Platform) -> Life | None:
    """The entry for this system; None where the catalogue does not know it."""
    own = f"{platform.id} {platform.version}".lower()
    best: tuple[tuple[int, int], dict[str, Any]] | None = None
    for entry in _catalog():
        release, name = entry["release"].lower(), entry.get("name", "")
        fits = own == release or own.startswith((f"{release}.", f"{release} "))
        if not fits or name not in platform.name:
            continue
        weight = (len(release), len(name))
        if best is None or weight > best[0]:
            best = (weight, entry)
    if best is None:
        return None
    entry = best[1]
    end = date.fromisoformat(entry["end"]) if entry["end"] else None
    return Life(entry["release"], end, entry["source"], entry["status"] == "checked")
