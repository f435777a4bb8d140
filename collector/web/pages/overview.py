"""The customers by how they stand, what is asked of them, and what falls due."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from collector.errors import CollectorError
from collector.model import Lang
from collector.pledges.due.kinds import WORDS as KINDS
from collector.pledges.due.lifecycle import WORDS
from collector.pledges.standing.listing import ORDERS, VERDICTS
from collector.report.model import listed
from collector.report.model.cells import Cell, Word
from collector.web.asking.asker import Asker, TurnedAwayError, pages, waiting
from collector.web.reading import chart
from collector.web.reading.asked import LIVES, PAGE, WHEN, Asked, asked_of, falling_of, number
from collector.web.reading.cells import from_json
from collector.web.reading.standings import STANDINGS

# what leads from an overview of one to its page
_LONG = timedelta(minutes=30)
_FILTERS = ("q", "standing", "life", "grade", "c2.2", "c2.3", "c2.4", "owner", "expiring", "due")


def overview(asker: Asker) -> Response:
    asked = asked_of(asker.query, asker.only)
    if asker.only is not None and len(asker.only) == 1 and not set(asker.query) - {"lang"}:
        return asker.go(f"/pledges/{next(iter(asker.only))}")
    house, at = asker.house, number(asker.query.get("page", ""))
    _ready(asker)
    rows, found = house.rows.page(asked, asker.now, at, PAGE)
    plain = Asked(only=asker.only)
    oldest = house.rows.oldest(asker.only)
    wide = asker.only is None
    return asker.page(
        "overview",
        rows=[_row(row, asker.lang) for row in rows],
        paging=pages(found, PAGE, at),
        asked=asked,
        is_asked=any(asker.query.get(name) for name in (*_FILTERS, "overdue")),
        counts=house.rows.counts(plain, asker.now),
        standings=STANDINGS,
        expiring=house.rows.count(Asked(expiring=30, only=asker.only), asker.now),
        overdue=house.rows.count(Asked(overdue=True, only=asker.only), asker.now),
        oldest=oldest,
        chart=chart.of(house.index.said("months", [])) if wide else None,
        doubts=house.index.said("doubts", []) if wide else [],
        made_at=house.index.said("at", ""),
        stale=_stale(asker),
        words=_words(asker.lang),
        export=_exports(asker),
        **waiting(asker, asker.only),
    )


def export(asker: Asker) -> Response:
    """What is asked for, all of it, as `pledge list` exports it."""
    _ready(asker)
    asked = asked_of(asker.query, asker.only)
    cells = asker.house.rows.cells(asked, asker.now, asker.lang)
    title = {"zh": "登记", "en": "pledges"}[asker.lang]
    titles = listed.wide_titles(asker.lang)
    return asker.sheet(asker.parts["form"], "pledges", title, titles, cells)


def due(asker: Asker) -> Response:
    """What is overdue, and what falls due within a month."""
    at, asked = number(asker.query.get("page", "")), falling_of(asker.query)
    _ready(asker)
    rows, found = asker.house.rows.dues(asker.only, asked, asker.now, at, PAGE)
    return asker.page(
        "due",
        rows=[{**row, "handed_in": _cells(row, asker.lang)["handed_in"]} for row in rows],
        paging=pages(found, PAGE, at),
        asked=asked,
        kinds={kind: text.to(asker.lang) for kind, text in KINDS.items()},
        whens=WHEN,
        now=asker.now.isoformat(),
        made_at=asker.house.index.said("at", ""),
        stale=_stale(asker),
        export=_exports(asker, "/due"),
    )


def due_export(asker: Asker) -> Response:
    _ready(asker)
    rows, _ = asker.house.rows.dues(asker.only, falling_of(asker.query), asker.now, 1, None)
    zh = asker.lang == "zh"
    read = {
        "pledge": ("登记编号", "pledge"),
        "customer": ("用户名称", "customer"),
        "at": ("到期", "due"),
        "overdue": ("逾期", "overdue"),
        "kind": ("类别", "kind"),
        "text": ("事项", "what"),
        "handed_in": ("用户提交的主机", "hosts handed in"),
        "owner": ("责任人", "owner"),
    }
    titles = {name: words[0 if zh else 1] for name, words in read.items()}
    now = asker.now.isoformat()
    cells: list[list[Cell]] = [
        [
            row["id"],
            row["name"],
            *from_json([{"at": row["at"]}]),
            row["at"] <= now and not row["unread"],
            row["kind"],
            row["zh" if zh else "en"],
            _cells(row, asker.lang)["handed_in"],
            row["owner"],
        ]
        for row in rows
    ]
    form = asker.parts["form"]
    return asker.sheet(form, "due", "到期事项" if zh else "due", titles, cells)


def _ready(asker: Asker) -> None:
    """Raises TurnedAwayError before the rows were made: an empty list would say another thing.

    And while those of who sees some pledges alone are of somebody else, who had their ids before.
    """
    try:
        asker.house.index.renew(quick=True)
    except CollectorError:
        # it may be of anybody's record: who may not see that sees what was there before
        if asker.only is None:
            raise
    if not asker.house.index.said("at", "") or not asker.made:
        raise TurnedAwayError("turned_preparing", 503)


def _stale(asker: Asker) -> bool:
    """Were they not made anew for long, as nothing but trouble is a reason for?"""
    made = datetime.fromisoformat(asker.house.index.said("at"))
    return asker.now - made > _LONG


def _exports(asker: Asker, base: str = "") -> dict[str, str]:
    query = urlencode({k: v for k, v in asker.query.items() if v and k not in ("page", "lang")})
    return {form: f"{base}/export.{form}{'?' + query if query else ''}" for form in ("csv", "xlsx")}


def _row(row: Any, lang: Lang) -> dict[str, Any]:
    cells = _cells(row, lang)
    return {
        **row,
        **{name: _shown(cell) for name, cell in cells.items()},
        "clauses": [(n, row[f"c{n.replace('.', '')}"]) for n in ("2.2", "2.3", "2.4")],
        "collected_at": cells["collected_at"],
        "next_due": cells["next_due"],
    }


def _cells(row: Any, lang: Lang) -> dict[str, Cell]:
    """Those of `pledge list`, by the words for programs."""
    names = list(listed.titles(lang))
    return dict(zip(names, from_json(json.loads(row["cells"])[lang]), strict=True))


def _shown(cell: Cell) -> Any:
    return cell.label if isinstance(cell, Word) else cell


def _words(lang: Lang) -> dict[str, dict[str, str]]:
    verdicts = listed.verdicts(lang)
    return {
        "life": {life: WORDS[life].to(lang) for life in LIVES},  # type: ignore[index]
        "verdict": {word: verdicts[word] for word in VERDICTS},
        "order": {word: word for word in ORDERS},
    }
