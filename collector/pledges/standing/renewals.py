"""Records with those that they continue, and those that continue them: old and new together. Pure.

>>> continuing({"a-27": "a-26", "a-26": "a-25", "b-26": "b-25"})["a-26"]
('a-27',)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from collector.pledges.standing.listing import Listed


def renews(one: Listed) -> str:
    """The id of the record that this one continues; empty where it continues none."""
    return str(one.record.document.get("renews", ""))


def continuing(older: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """By id, those that continue it; `older` is what each continues."""
    found: dict[str, tuple[str, ...]] = {}
    for id, old in sorted(older.items()):
        found[old] = (*found.get(old, ()), id)
    return found


def continued_by(every: Iterable[Listed], *, draft: bool = False) -> dict[str, tuple[str, ...]]:
    """By id, those that continue it; or the drafts that would, which bind nobody yet."""
    return continuing(
        {
            one.record.id: old
            for one in every
            if (old := renews(one)) and bool(one.record.document.get("draft")) is draft
        }
    )


def by_history(rows: Iterable[Listed], every: Iterable[Listed]) -> Iterator[tuple[Listed, bool]]:
    """Each of the rows once, with all of its history among `every`: the newest first.

    True for those that another one of them continues.
    """
    known = {one.record.id: one for one in every}
    older = {id: renews(one) for id, one in known.items() if renews(one)}
    newer = continuing(older)
    told: set[str] = set()
    for row in rows:
        if row.record.id in told:
            continue
        for id in _back(_newest(row.record.id, newer), older):
            if id in known and id not in told:
                told.add(id)
                yield known[id], id in newer


def _newest(id: str, newer: Mapping[str, tuple[str, ...]]) -> str:
    # what records say may go in a circle
    seen = {id}
    while (after := newer.get(id)) and after[-1] not in seen:
        id = after[-1]
        seen.add(id)
    return id


def _back(id: str, older: Mapping[str, str]) -> Iterator[str]:
    seen: set[str] = set()
    while id and id not in seen:
        seen.add(id)
        yield id
        id = older.get(id, "")
