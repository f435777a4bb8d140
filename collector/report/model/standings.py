"""How every clause of both documents stands, as a report shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from collector.catalog import words
from collector.model import Lang, Result
from collector.pledges.record.documents import titles
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA
from collector.pledges.standing.standing import WORDS, Standing

# what is not a verdict of hosts: its sign, and the verdict whose colours it has
_LOOKS: Mapping[str, tuple[str, Result]] = {
    "held": ("●", Result.NOTAPPLICABLE),
    "missing": ("!", Result.NOTCHECKED),
    "expired": ("!", Result.FAIL),
    "open": ("!", Result.FAIL),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One clause. Without a `sign` it is the verdict `result`; else that gives its colours."""

    number: str
    title: str
    result: Result
    sign: str
    word: str
    why: str


@dataclass(frozen=True, slots=True)
class Standings:
    """By document, in its order; `at` is Beijing time."""

    at: str
    documents: tuple[tuple[str, tuple[Row, ...]], ...]


def standings(entries: Iterable[Standing], at: datetime, lang: Lang) -> Standings:
    """The clauses that are not merely a part of another, with personal data masked."""
    shown = [entry for entry in entries if not entry.inner]
    return Standings(
        at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M"),
        tuple(
            (title.to(lang), tuple(_row(e, lang) for e in shown if e.clause.document == document))
            for document, title in titles().items()
        ),
    )


def _row(entry: Standing, lang: Lang) -> Row:
    why = ("；" if lang == "zh" else "; ").join(reason.to(lang) for reason in entry.reasons)
    if entry.state == "verdict" and entry.verdict is not None:
        sign, result = "", entry.verdict
        word = words()["verdict"][str(result)]
    else:
        sign, result = _LOOKS[entry.state]
        word = WORDS[entry.state]
    return Row(
        entry.clause.number,
        entry.clause.title.to(lang),
        result,
        sign,
        word.to(lang),
        str(masked(why)),
    )
