"""Cells of a list as JSON, and back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from collector.report.model.cells import Cell, Word


def to_json(row: Sequence[Cell]) -> list[Any]:
    """
    >>> from datetime import UTC
    >>> to_json(["a", 2, Word("pass", "符合"), datetime(2026, 11, 1, tzinfo=UTC)])
    ['a', 2, {'code': 'pass', 'label': '符合'}, {'at': '2026-11-01T00:00:00+00:00'}]
    """
    return [_plain(cell) for cell in row]


def from_json(row: Sequence[Any]) -> list[Cell]:
    """The inverse."""
    return [_cell(one) for one in row]


def _plain(cell: Cell) -> Any:
    if isinstance(cell, Word):
        return {"code": cell.code, "label": cell.label}
    return {"at": cell.isoformat()} if isinstance(cell, datetime) else cell


def _cell(one: Any) -> Cell:
    if not isinstance(one, dict):
        found: Cell = one
        return found
    if "at" in one:
        return datetime.fromisoformat(one["at"])
    return Word(one["code"], one["label"])
