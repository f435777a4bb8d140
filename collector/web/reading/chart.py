"""Counts by month as the columns of a chart, and shares of a whole as a bar. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# from below: what is kept stands on the ground
_STACK = ("kept", "partly", "unverified", "broken")
_LEFT, _STEP, _WIDE, _HIGH, _TOP = 34, 44, 26, 120, 14


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a column, in units of the picture."""

    word: str
    x: int
    y: float
    height: float
    count: int


@dataclass(frozen=True, slots=True)
class Chart:
    """`labels`: the month below each column and its whole count; `rows` is the same as a table."""

    bars: Sequence[Bar]
    labels: Sequence[tuple[int, str, int]]
    rows: Sequence[Mapping[str, Any]]
    width: int
    height: int
    ground: int
    most: int


def of(months: Sequence[Mapping[str, Any]]) -> Chart | None:
    """None where no month has any evidence."""
    sums = [sum(int(month[word]) for word in _STACK) for month in months]
    most = max(sums, default=0)
    if not most:
        return None
    ground = _TOP + _HIGH
    bars, labels = [], []
    for place, month in enumerate(months):
        x, y = _LEFT + _STEP * place, float(ground)
        for word in _STACK:
            count = int(month[word])
            height = _HIGH * count / most
            y -= height
            if count:
                bars.append(Bar(word, x, round(y, 2), round(height, 2), count))
        labels.append((x + _WIDE // 2, str(month["day"])[2:7], sums[place]))
    return Chart(bars, labels, months, _LEFT + _STEP * len(months), ground + 22, ground, most)
