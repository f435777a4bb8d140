"""How every clause of both documents stands, as a report shows it. Pure.

A report of the newest evidence is read as how things stand. Where the register says less of a
clause than the bundle does, the first screen says what the register does, and why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collector.catalog import clause_number, words
from collector.model import Lang, Result, Text
from collector.pledges.database.rows import Evidence
from collector.pledges.record.documents import titles
from collector.pledges.record.masking import masked
from collector.pledges.record.times import CHINA
from collector.pledges.standing.standing import CHECKED, WORDS, Standing

_REASONS = 2
# worst first
_ORDER = (
    Result.FAIL,
    Result.ERROR,
    Result.PARTIAL,
    Result.NOTCHECKED,
    Result.PASS,
    Result.NOTAPPLICABLE,
)
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


@dataclass(frozen=True, slots=True)
class Outdated:
    """Why a bundle does not say how its pledge is now; of what is `void` nothing follows."""

    text: Text
    void: bool


def void_since(entry: Mapping[str, Any]) -> Outdated:
    """`entry`: what a record says of evidence that is void."""
    number, day = entry["sequence"], entry["date"]
    by, why = (str(masked(str(entry[name]))) for name in ("by", "reason"))
    return Outdated(
        Text(
            f"第 {number} 份证据已于 {day} 声明无效（{by}：{why}），不据以得出任何结论",
            f"evidence {number} was declared void on {day} ({by}: {why}): nothing follows from it",
        ),
        void=True,
    )


def older_than(newest: Evidence, now: Mapping[str, Since]) -> Outdated:
    """`now`: what the clauses come to, which that evidence says."""
    day = newest.collected_at.astimezone(CHINA).date().isoformat()
    said = [(clause_number(id, "zh"), clause_number(id, "en"), found) for id, found in now.items()]
    verdict = words()["verdict"]
    zh = "；".join(f"{number} {verdict[str(one.result)].zh}" for number, _, one in said)
    en = "; ".join(f"{number} {verdict[str(one.result)].en}" for _, number, one in said)
    return Outdated(
        Text(
            f"不是说明现状的证据：现状以第 {newest.sequence} 份（采集于 {day}）为准：{zh}",
            f"not the evidence that says how things are now: number {newest.sequence} (collected "
            f"{day}) does: {en}",
        ),
        void=False,
    )


@dataclass(frozen=True, slots=True)
class Since:
    """`refused`: the bundle's signature counts no more, and nothing that it says does."""

    result: Result
    reasons: tuple[Text, ...]
    refused: bool = False

    def outweighs(self, result: Result) -> bool:
        """Is it another word than the bundle's own, which may not stand any more?"""
        if self.refused:
            return True
        return _ORDER.index(self.result) < _ORDER.index(result)

    def why(self, lang: Lang) -> tuple[str, ...]:
        """For people, with personal data masked."""
        return tuple(str(masked(reason.to(lang))) for reason in self.reasons[:_REASONS])


def since(entries: Iterable[Standing], *, refused: bool = False) -> Mapping[str, Since]:
    """By clause of the controls, such as `2.4`."""
    found: dict[str, Since] = {}
    for entry in entries:
        clauses = CHECKED.get(entry.clause.id, ())
        if len(clauses) == 1 and entry.verdict is not None:
            found[clauses[0]] = Since(entry.verdict, entry.reasons, refused)
    return found
