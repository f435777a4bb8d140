"""The tables an inspector asks for, from a host's capture: its logs and its anti-malware.

They are made anew from the capture by the facts that the controls use; a table that cannot be
made says why in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar

from collector.errors import FactError, PastLimit, one_line
from collector.facts.logs.retention import retention
from collector.facts.security import signatures
from collector.facts.security.products import antimalware
from collector.i18n.message import in_chinese
from collector.judging.confined import within_limits
from collector.model import Capture, Lang
from collector.report.model.logs import Log, Note, notes, rows

T = TypeVar("T")
_SIGNATURES = {
    "clamav": signatures.clamav,
    "mdatp": signatures.mdatp,
    "antiy": signatures.antiy,
}


@dataclass(frozen=True, slots=True)
class Product:
    """`programs` are the paths of what runs; `built` is the day of its signatures."""

    name: str
    running: bool
    programs: tuple[str, ...]
    version: str
    built: datetime | None


@dataclass(frozen=True, slots=True)
class Logs:
    rows: tuple[Log, ...] = ()
    trouble: str = ""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Products:
    rows: tuple[Product, ...] = ()
    trouble: str = ""


def logs(capture: Capture, grade: int, lang: Lang) -> Logs:
    """Every log of a host, the shortest-lived first."""
    try:
        return within_limits(partial(_logs, capture, grade, lang))
    except PastLimit as problem:
        return Logs(trouble=in_chinese(problem.said) if lang == "zh" else str(problem))


def _logs(capture: Capture, grade: int, lang: Lang) -> Logs:
    known, trouble = _fact(retention, capture, lang)
    now = capture.collected_at
    if known is None or now is None:
        return Logs(trouble=trouble or "-")
    found = rows(capture, known, now, grade, lang)
    return Logs(tuple(found), notes=tuple(notes(found)))


def products(capture: Capture, lang: Lang) -> Products:
    """Every product against malicious code of which anything was seen."""
    try:
        return within_limits(partial(_products, capture, lang))
    except PastLimit as problem:
        return Products(trouble=in_chinese(problem.said) if lang == "zh" else str(problem))


def _products(capture: Capture, lang: Lang) -> Products:
    seen, trouble = _fact(antimalware, capture, lang)
    if seen is None:
        return Products(trouble=trouble)
    rows = []
    for sighting in seen.sightings:
        look = _SIGNATURES.get(sighting.product.signatures)
        dated, _ = _fact(look, capture, lang) if look else (None, "")
        rows.append(
            Product(
                sighting.product.name.to(lang),
                sighting.running,
                tuple(dict.fromkeys(process.exe or "" for process in sighting.engines)),
                dated.version if dated else "",
                dated.built if dated else None,
            )
        )
    return Products(tuple(rows))


def _fact(parse: Callable[[Capture], T], capture: Capture, lang: Lang) -> tuple[T | None, str]:
    """What `parse` makes of the capture, or why it cannot."""
    try:
        return parse(capture), ""
    except FactError as problem:
        return None, in_chinese(problem.said) if lang == "zh" else str(problem)
    except Exception as problem:  # noqa: BLE001 - a parser's defect must not take the report away
        return None, one_line(f"{type(problem).__name__}: {problem}")
