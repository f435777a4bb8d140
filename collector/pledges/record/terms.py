"""The terms that pledge records run (`catalogs/clocks.yml`), and how they are counted. Pure."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from collector.model import Text
from collector.resources import package_text
from collector.schema import load_own


@dataclass(frozen=True, slots=True)
class Term:
    """A term of `catalogs/clocks.yml`: its length in one unit, and what it rests on."""

    months: int
    days: int
    hours: int
    title: Text
    basis: str
    status: str


@cache
def terms() -> Mapping[str, Term]:
    """The terms by name."""
    name = "catalogs/clocks.yml"
    document: dict[str, Any] = load_own(package_text(name), where=name)
    return {
        key: Term(
            entry.get("months", 0),
            entry.get("days", 0),
            entry.get("hours", 0),
            Text(entry["title"]["zh"], entry["title"]["en"]),
            entry["basis"]["text"],
            entry["basis"]["status"],
        )
        for key, entry in document.items()
    }


def months_on(day: date, months: int) -> date:
    """The corresponding day months later, or the last day of that month (民法典 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
