"""The controls of a bundle, as the report lists them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector import catalog
from collector.model import Lang
from collector.report.model.view import spoken


def controls(evidence: Mapping[str, Any], lang: Lang) -> list[dict[str, Any]]:
    """The controls that were judged, in the order of clauses and of their numbers."""
    families = {name: place for place, name in enumerate(catalog.FAMILIES)}
    listed = [
        {
            **entry,
            "id": id,
            "title": spoken(entry["title"], lang),
            "criterion": spoken(entry["criterion"], lang),
            "standards": _standards(id, entry),
        }
        for id, entry in evidence["controls"].items()
    ]
    return sorted(
        listed, key=lambda c: (c["clause"], families.get(c["family"], 99), c["number"], c["id"])
    )


def _standards(id: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """The clauses of MLPS standards, where this catalog still holds the very same control."""
    known = catalog.controls().get(id)
    if known is None or known.digest != entry["sha256"]:
        return {}
    named = {key: str(known.mappings[key]) for key in ("mlps_2", "mlps_3", "gbt28448_3")}
    return {key: number for key, number in named.items() if number not in ("-", "")}
