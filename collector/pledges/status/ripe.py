"""Findings that time alone mends: what they lack is a past that the host cannot have yet. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

# (control, reason) -> the value that names the day from which on it is satisfied
RIPE = {
    ("logging.retention_observed", "young"): "date",
    ("logging.logins", "young"): "date",
    ("monitoring.state", "young"): "on",
}


def ripe_on(finding: Mapping[str, Any]) -> str:
    """The day (as written) from which on nothing more is to be done; empty where there is none.

    `finding` is one of evidence.json.
    """
    name = RIPE.get((str(finding.get("control")), str(finding.get("reason"))), "")
    values = finding.get("values")
    said = str(values.get(name, "")) if name and isinstance(values, Mapping) else ""
    try:
        return date.fromisoformat(said).isoformat() if said else ""
    except ValueError:
        return ""
