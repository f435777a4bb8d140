"""How the findings of a pledge went from bundle to bundle, as two small charts. Pure.

A finding is open while it is neither satisfied nor waived. It is closed by the bundle in which it
is satisfied or waived; one that a bundle does not speak of is unseen there, and stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.catalog import clause_number, clauses
from collector.model import Lang, Result
from collector.report.model.view import SIGNS, ZONE

_SATISFIED = (Result.PASS, Result.NOTAPPLICABLE)
# points of the page; the chart is as wide as the bundles want, and fits A4
_LABEL, _STEP, _ROW, _BAR = 58, 34, 20, 46
MOST = 12

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Check:
    """What one bundle says. `findings`: by host and control, whether it is open; None where the

    bundle could not be read, with `trouble` saying why.
    """

    sequence: int
    collected_at: datetime
    clauses: Mapping[str, Result]
    findings: Mapping[Key, bool] | None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """A bundle in the trend. `unseen` were open before and are not spoken of; counts are None

    where the bundle could not be read.
    """

    sequence: int
    day: str
    clauses: Mapping[str, Result]
    opened: int | None
    closed: int | None
    open: int | None
    unseen: int
    trouble: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of the second chart, in points of the page."""

    x: float
    y: float
    height: float
    count: int


@dataclass(frozen=True, slots=True)
class Column:
    """What the charts show of one bundle: where, its signs by clause, its two bars."""

    x: float
    point: Point
    signs: Sequence[tuple[str, Result, float]]
    opened: Bar | None
    closed: Bar | None


@dataclass(frozen=True, slots=True)
class Trend:
    """`left_out`: how many earlier bundles there are that are not shown."""

    ids: Sequence[str]
    columns: Sequence[Column]
    rows: Sequence[tuple[str, float]]
    width: float
    height: float
    middle: float
    bars: float
    left_out: int


def of_findings(evidence: Mapping[str, Any]) -> dict[Key, bool]:
    """Which findings of an evidence.json are open."""
    found = {}
    for host, entry in evidence["hosts"].items():
        for finding in entry["findings"]:
            waiver = finding["waiver"]
            waived = waiver is not None and not waiver["expired"]
            good = Result(finding["verdict"]) in _SATISFIED
            found[(host, finding["control"])] = not (good or waived)
    return found


def points(checks: Iterable[Check]) -> list[Point]:
    """One for each bundle, in their order."""
    found: list[Point] = []
    # the last that is known of each finding: a host that was left out has not mended anything
    known: dict[Key, bool] = {}
    for check in checks:
        day = check.collected_at.astimezone(ZONE).strftime("%Y-%m-%d")
        if check.findings is None:
            found.append(
                Point(check.sequence, day, check.clauses, None, None, None, 0, check.trouble)
            )
            continue
        opened = sum(
            is_open and not known.get(key, False) for key, is_open in check.findings.items()
        )
        closed = sum(
            not is_open and known.get(key, False) for key, is_open in check.findings.items()
        )
        unseen = sum(is_open for key, is_open in known.items() if key not in check.findings)
        known.update(check.findings)
        found.append(
            Point(
                check.sequence,
                day,
                check.clauses,
                opened,
                closed,
                sum(check.findings.values()),
                unseen,
                "",
            )
        )
    return found


def trend(checks: Sequence[Check], lang: Lang) -> Trend | None:
    """The newest bundles, oldest first; None where there are not two of them."""
    every = points(checks)
    if len(every) < 2:
        return None
    shown = every[-MOST:]
    asked = [id for id in clauses() if any(id in point.clauses for point in shown)]
    rows = [(clause_number(id, lang), 12.0 + _ROW * place) for place, id in enumerate(asked)]
    middle = 12.0 + _ROW * len(rows) + 14 + _BAR
    most = max((n or 0 for p in shown for n in (p.opened, p.closed)), default=0) or 1
    columns = []
    for place, point in enumerate(shown):
        x = _LABEL + _STEP * place + _STEP / 2
        signs = [
            (SIGNS[point.clauses[id]], point.clauses[id], 12.0 + _ROW * row)
            for row, id in enumerate(asked)
            if id in point.clauses
        ]
        up = down = None
        if point.opened is not None and point.closed is not None:
            high, low = (_BAR * n / most * 0.78 for n in (point.opened, point.closed))
            up = Bar(x - 8, middle - high, high, point.opened)
            down = Bar(x - 8, middle, low, point.closed)
        columns.append(Column(x, point, signs, up, down))
    width = _LABEL + _STEP * len(shown) + 8
    return Trend(
        asked,
        columns,
        rows,
        width,
        middle + _BAR + 22,
        middle,
        _BAR,
        len(every) - len(shown),
    )
